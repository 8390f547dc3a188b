"""What each part of quick training is worth: a cell without that part, and the same cell with all of them, in turn.

    python benchmarks/ablation.py --model minilm --task sst2 --limit 600 --steps 40 --rounds 3

Each run is a process of its own: it trains so many steps, validates and tests. The table has the medians of the processor
seconds of training and of evaluation, and the ratio of the cell without the part to the whole cell: 1.10 means that the part
saves a tenth.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
SUITE = HERE / "real.yaml"


def _attention_in_training() -> None:
    """PyTorch's own attention where gradients are needed."""
    import torch

    from harness.fast import attention

    ours = attention._kernel
    attention._kernel = lambda *args: attention._sdpa if torch.is_grad_enabled() else ours(*args)


def _dropout() -> None:
    """PyTorch's random numbers."""
    import torch

    from harness.fast import dropout, training_attention

    def random_mask(shape: Any, p: float, dtype: torch.dtype) -> tuple[torch.Tensor, float]:
        return torch.empty(shape, dtype=dtype).bernoulli_(1 - p), 1 / (1 - p)

    dropout.install = lambda model: None
    training_attention.random_mask = random_mask


def _rounding() -> None:
    """Sizes as they come, not rounded up."""
    from harness.fast import packing

    packing.BF16_ROUNDING = packing.FP32_ROUNDING = packing.NO_ROUNDING


def _vocabulary() -> None:
    """The whole table of word embeddings."""
    from harness.fast import prepare

    prepare.cut_to_used = lambda model, words: (None, None)


def _flat() -> None:
    """A parameter of the optimiser for each weight."""
    import inspect
    import textwrap

    from harness.training import weights

    code = textwrap.dedent(inspect.getsource(weights.Weights.__init__))
    for old, new in (
        ("(weight.ndim >= 2, id(weight) in halved)", "(weight.ndim >= 2, id(weight) in halved, name)"),
        ("for (is_matrix, in_half), named", "for (is_matrix, in_half, _), named"),
    ):
        assert old in code
        code = code.replace(old, new)
    scope = vars(weights)
    exec(code, scope)
    weights.Weights.__init__ = scope.pop("__init__")


def _generation() -> None:
    """`generate` of transformers."""
    from harness.heads import generation

    generation.generate_by_loop = lambda model, batch, width: None


def _packing() -> None:
    """Padded batches."""
    from harness.fast import prepare

    prepare.PACKING_DEVICES = ()


PARTS: dict[str, Callable[[], None]] = {
    "packing": _packing,
    "attention in training": _attention_in_training,
    "dropout": _dropout,
    "rounded sizes": _rounding,
    "used words": _vocabulary,
    "flat optimiser": _flat,
    "generation loop": _generation,
}


def main() -> None:
    """Read the command line, run, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="minilm")
    parser.add_argument("--task", default="sst2")
    parser.add_argument("--limit", type=int, default=600, help="rows of every split")
    parser.add_argument("--steps", type=int, default=40)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--set", action="append", default=[], help="a field of the recipe, as max_length=384")
    parser.add_argument("--parts", help="separated by commas; all by default")
    parser.add_argument("--only", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.only is not None:
        print(json.dumps(run(options)))
        return
    parts = [part.strip() for part in options.parts.split(",")] if options.parts else list(PARTS)
    found: dict[str, list[dict[str, float]]] = {part: [] for part in ("", *parts)}
    with tempfile.TemporaryDirectory() as cache:
        for _ in range(options.rounds + 1):  # the first run of each warms the caches and is not counted
            for part, runs in found.items():
                command = [sys.executable, __file__, *sys.argv[1:], "--only", part]
                made = subprocess.run(
                    command, env={**os.environ, "BENCH_CACHE": str(Path(cache, part.replace(" ", "-") or "all"))},
                    capture_output=True, text=True, check=True,
                )  # fmt: skip
                runs.append(json.loads(made.stdout.splitlines()[-1]))
    print(f"{options.model}, {options.task}@{options.limit}, {options.steps} steps, {options.rounds} rounds")
    print("| without | training s | evaluation s | cell s | training | evaluation | cell |")
    print("|---|---|---|---|---|---|---|")
    whole = _medians(found[""][1:])
    for part, runs in found.items():
        seconds = _medians(runs[1:])
        ratios = [f"{a / b:.2f}" for a, b in zip(seconds, whole, strict=True)]
        print("|", " | ".join([part or "nothing", *(f"{value:.2f}" for value in seconds), *ratios]), "|", flush=True)


def _medians(runs: list[dict[str, float]]) -> list[float]:
    return [statistics.median(run[key] for run in runs) for key in ("train", "evaluate", "cell")]


def run(options: argparse.Namespace) -> dict[str, float]:
    """One cell in this process: processor seconds by phase."""
    import torch
    import transformers

    from harness.planning.plan import make_plan
    from harness.planning.request import Request
    from harness.store import Store
    from harness.training import worker

    torch.set_num_threads(options.threads)
    transformers.utils.logging.set_verbosity_error()
    transformers.utils.logging.disable_progress_bar()
    if options.only:
        PARTS[options.only]()
    settings = {"recipe.max_steps": str(options.steps), "recipe.evaluations": "1", "recipe.epochs": "1000"}
    settings |= {f"recipe.{name}": value for name, _, value in (item.partition("=") for item in options.set)}
    request = Request([options.model], [options.task], suite=str(SUITE), limit=options.limit, settings=settings)
    cell = make_plan(request).cells[0]
    seconds: dict[str, float] = {}
    phase, since, begun = "", time.process_time(), time.process_time()

    def emit(event: dict[str, Any]) -> None:
        nonlocal phase, since
        if "phase" in event:
            now = time.process_time()
            seconds[phase] = seconds.get(phase, 0.0) + now - since
            phase, since = event["phase"], now

    with tempfile.TemporaryDirectory() as folder:
        worker.run_cell(cell, "cpu", Store(Path(folder)), emit)
    return {
        "train": seconds["train"], "evaluate": seconds["validate"] + seconds["test"], "cell": time.process_time() - begun,
    }  # fmt: skip


if __name__ == "__main__":
    main()
