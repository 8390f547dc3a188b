"""Results folders with predictions, made of the records in results/: other models of other skill, whose scores are their predictions'."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, cast
from unittest import mock

from harness import registry
from harness.data.source import Source
from harness.predictions import slice_scores
from harness.store import Record, Store
from harness.task import Task

TEMPLATES = Path(__file__).resolve().parents[1] / "results"
FAILED = 120  # one cell in so many has failed
ARCHITECTURES = ("encoder", "decoder", "encoder-decoder")
Lines = Sequence[Mapping[str, Any]]


def write(root: Path, models: int, tasks: int, seeds: int) -> int:
    """Write a board of so many models, tasks and seeds, and do not wait for the disk; the number of records."""
    store, number = Store(root), 0
    with mock.patch("os.fsync"):
        for task, (real, answers) in enumerate(_tasks(tasks)):
            for model in range(models):
                for seed in range(seeds):
                    number += 1
                    facts = _facts(real, task, model, seed)
                    if number % FAILED == 0:
                        store.write(_failed(facts))
                        continue
                    lines = _predicted(answers, model, task, seed)
                    store.write(_scored(facts, lines), lines)
    return number


def _tasks(count: int) -> Iterator[tuple[Record, list[Lines]]]:
    """A real record for each task, and what real models predicted there."""
    store = Store(TEMPLATES)
    known: dict[str, list[Record]] = {}
    for record in store.records():
        known.setdefault(record["task"]["name"], []).append(record)
    names = sorted(known)
    for number in range(count):
        records = known[names[number % len(names)]]
        yield records[0], [store.predictions(record["id"]) for record in records]


def _facts(real: Record, task: int, model: int, seed: int) -> dict[str, Any]:
    """A record of the cell without anything that depends on its predictions."""
    chance = random.Random(f"{model} {task} {seed}")
    size = int(4e6 * 1.22**model) + model * 1000
    name = f"model-{model:02}-{('tiny', 'small', 'base', 'large')[model % 4]}"
    kind = real["task"]["name"].removeprefix("mini-")
    return {
        **{key: real[key] for key in ("suite", "recipe", "protocol", "started", "finished", "environment", "training")},
        "id": f"{kind}-{task:02}--{name}--full--s{seed}--{hashlib.sha256(f'{task} {model}'.encode()).hexdigest()[:12]}",
        "model": {
            **real["model"], "name": name, "source": f"hub/{name}", "digest": name, "parameters": size,
            "architecture": ARCHITECTURES[model % 3],
        },
        "task": {**real["task"], "name": f"{kind}-{task:02}", "fingerprint": f"{task:064x}"},
        "method": "full",
        "seed": seed,
        "cost": {
            **real["cost"], "train_seconds": size / 4e5 * (1 + task / 6) * chance.uniform(0.7, 1.4),
            "peak_memory_bytes": int((2e8 + 16 * size) * chance.uniform(0.9, 1.2)), "trainable_parameters": size,
        },
    }  # fmt: skip


def _predicted(answers: Sequence[Lines], model: int, task: int, seed: int) -> list[dict[str, Any]]:
    """For each row the reference, or what some real model said, as often as the model is good; some rows are hard for all."""
    chance = random.Random(f"{model} {task} {seed}")
    skill = 0.55 + 0.4 * model / (model + 8) + random.Random(f"{model} {task}").uniform(-0.05, 0.05)
    lines = []
    for row, first in enumerate(answers[0]):
        hard = random.Random(f"{task} {row}").random()
        good = chance.random() < skill + 0.3 * (0.5 - hard)
        said = _perfect(first["reference"]) if good else chance.choice(answers)[row]["prediction"]
        lines.append({**first, "prediction": said})
    return lines


def _perfect(reference: Any) -> Any:
    """A prediction that is right."""
    if isinstance(reference, Mapping):
        return (reference["answers"]["text"] or [""])[0]
    return reference[0] if isinstance(reference, list) and " " in reference[0] else reference


def _scored(facts: dict[str, Any], lines: Lines) -> Record:
    family = registry.family(facts["task"]["family"])
    task = Task(facts["task"]["name"], family.name, cast(Source, None), options=facts["task"]["options"])

    def score(rows: Lines) -> dict[str, Any]:
        return family.score([line["prediction"] for line in rows], [line["reference"] for line in rows], task)

    metric, metrics = family.metric(task), score(lines)
    phenomena: dict[str, list[Mapping[str, Any]]] = {}
    for line in lines:
        phenomena.setdefault(line["phenomenon"], []).append(line)
    parts = {
        name: {"rows": len(rows), "score": metric.score(score(rows))}
        for name, rows in sorted(phenomena.items())
    }
    return {
        **facts, "status": "ok",
        "metrics": {"test": metrics, "trivial": {}, "phenomena": parts, "slices": slice_scores(family, task, lines)},
        "primary_metric": metric.name, "score": metric.score(metrics),
        "trivial_score": 20.0, "constant": False, "error": None,
    }  # fmt: skip


def _failed(facts: dict[str, Any]) -> Record:
    error = {"type": "OutOfMemoryError", "message": "CUDA out of memory. Tried to allocate 2.00 GiB.", "traceback": ""}
    task = {name: value for name, value in facts["task"].items() if name not in ("rows", "truncated")}
    empty = {"metrics": {}, "primary_metric": None, "score": None, "cost": {}, "environment": {}}
    return {**facts, "task": task, "status": "failed", "error": error, **empty}
