"""Records made by hand, with known scores."""

from __future__ import annotations

from typing import Any

RECIPE = {"learning_rate": 3e-5, "batch_size": 32, "micro_batch_size": None, "epochs": 3}
ENVIRONMENT = {
    "python": "3.12.0", "system": "Linux x86_64", "device": "CPU", "device_type": "cpu", "threads": 2, "precision": "fp32",
    "libraries": {"torch": "2.9.0"},
}  # fmt: skip


def record(
    task: str = "films", model: str = "bert", score: float | None = 90.0, seed: int = 0, **more: Any
) -> dict[str, Any]:
    """A record that ended well; `more` replaces keys or merges into mappings (`task_facts`, `model_facts`: into task, model)."""
    made = {
        "schema": 1,
        "suite": "own",
        "status": "ok",
        "model": {
            "name": model, "source": f"hub/{model}", "revision": None, "architecture": "encoder", "digest": f"d-{model}",
            "parameters": 4_400_000,
        },
        "task": {
            "name": task, "family": "sentiment", "version": 1, "source": "csv: films.csv", "revision": None,
            "fingerprint": "0123456789abcdef", "rows": {"train": 600, "validation": 200, "test": 200},
            "truncated": {"train": 0, "validation": 0, "test": 0},
        },
        "method": "full",
        "seed": seed,
        "recipe": RECIPE,
        "protocol": 1,
        "metrics": {
            "validation": {"accuracy": 0.9}, "test": {"accuracy": (score or 0) / 100, "macro_f1": 0.5, "total": 200},
            "trivial": {"accuracy": 0.5, "macro_f1": 0.25, "total": 200}, "phenomena": {},
        },
        "primary_metric": "accuracy",
        "score": score,
        "trivial_score": 50.0,
        "constant": False,
        "training": {"steps": 20, "best_step": 20, "history": [{"step": 20, "loss": 0.25, "score": 90.0}]},
        "cost": {"train_seconds": 10.0 + seed, "total_seconds": 20.0, "peak_memory_bytes": 2**30 + seed},
        "environment": ENVIRONMENT,
        "started": "2026-01-02T03:04:05Z",
        "finished": "2026-01-02T03:05:05Z",
        "error": None,
    }  # fmt: skip
    for name, value in more.items():
        name = name.removesuffix("_facts")
        made[name] = {**made[name], **value} if isinstance(value, dict) and made.get(name) else value
    recipe = "-".join(f"{value}" for value in made["recipe"].values())
    made.setdefault("id", f"{task}--{model}--{made['method']}--s{seed}--v{made['task']['version']}-{recipe}")
    return made


def failed(
    task: str = "films", model: str = "bert", seed: int = 0, message: str = "out of memory\nmore"
) -> dict[str, Any]:
    """The record of a cell that failed before anything was known of its data."""
    made = record(task, model, None, seed)
    keep = (
        "schema",
        "suite",
        "model",
        "task",
        "method",
        "seed",
        "recipe",
        "protocol",
        "id",
        "started",
        "finished",
        "score",
    )
    made = {name: made[name] for name in keep}
    made["task"] = {name: value for name, value in made["task"].items() if name not in ("rows", "truncated")}
    made["model"] = {name: value for name, value in made["model"].items() if name != "parameters"}
    error = {"type": "RuntimeError", "message": message, "traceback": "Traceback: deep inside\nRuntimeError"}
    return {
        **made,
        "status": "failed",
        "metrics": {},
        "primary_metric": None,
        "cost": {},
        "environment": {},
        "error": error,
    }
