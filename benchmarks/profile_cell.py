"""Where the time of the harness's training steps, or of a validation, goes, operator by operator.

    python benchmarks/profile_cell.py --task sst2 --model minilm --steps 20
    python benchmarks/profile_cell.py --task sst2 --limit 1000 --steps 60 --threads 2 --plain     only the time of a step
    python benchmarks/profile_cell.py --task xquad --limit 150 --steps 2 --threads 2 --validate   the validation after them

The cell runs as `bench run` runs it until its training steps, or its validation, are done; only these are profiled.
"""

from __future__ import annotations

import argparse
import resource
import tempfile
import time
from pathlib import Path
from typing import Any

from harness.cell import Cell
from harness.planning.plan import make_plan
from harness.planning.request import Request
from harness.store import Store

SUITE = Path(__file__).with_name("real.yaml")


class Enough(Exception):
    """The steps are done; the rest of the cell is not wanted."""


def profile(cell: Cell, threads: int, rows: int, by_shape: bool, plain: bool, validate: bool = False) -> str:
    """The table of operators of a cell's training.

    Args:
        cell: with a recipe that stops after the wanted steps, and validates once.
        threads: of torch.
        rows: of the table.
        by_shape: a row for each operator and shape of its inputs, not for each operator.
        plain: without a profiler, and without its table.
        validate: of the validation in place of the training.
    """
    import torch
    import transformers
    from torch.profiler import ProfilerActivity

    from harness.training.worker import run_cell

    torch.set_num_threads(threads)
    transformers.utils.logging.set_verbosity_error()
    transformers.utils.logging.disable_progress_bar()
    profiler = torch.profiler.profile(activities=[ProfilerActivity.CPU], record_shapes=by_shape)
    began = 0.0
    first, next_one = ("validate", "train") if validate else ("train", "validate")

    def emit(event: dict[str, Any]) -> None:
        nonlocal began
        if event.get("phase") == first:
            if not plain:
                profiler.start()
            began = time.perf_counter()
        elif event.get("phase") == next_one and began:
            seconds = time.perf_counter() - began
            steps = f"{seconds / cell.recipe.max_steps * 1000:.0f} ms a step"
            memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
            said = (f"{seconds:.2f} s" if validate else steps) + f", {memory} MiB at most so far"
            if plain:
                raise Enough(said)
            profiler.stop()
            raise Enough(f"{said}, the profiler's own work in it")

    with tempfile.TemporaryDirectory() as folder:
        try:
            run_cell(cell, "cpu", Store(Path(folder)), emit)
        except Enough as end:
            said = str(end)
    if plain:
        return said
    averages = profiler.key_averages(group_by_input_shape=by_shape)
    return averages.table(sort_by="self_cpu_time_total", row_limit=rows, max_name_column_width=60) + said


def main() -> None:
    """Read the command line and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--task", default="sst2")
    parser.add_argument("--model", default="minilm")
    parser.add_argument("--suite", default=str(SUITE), help="a suite's name or file")
    parser.add_argument("--steps", type=int, default=20)
    parser.add_argument("--limit", type=int, help="rows of every split")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--precision", default="auto", choices=("auto", "fp32", "bf16"))
    parser.add_argument("--rows", type=int, default=30, help="of the table")
    parser.add_argument("--shapes", action="store_true", help="a row for each shape of an operator's inputs")
    parser.add_argument("--plain", action="store_true", help="only the time, without a profiler")
    parser.add_argument("--validate", action="store_true", help="the validation in place of the training")
    options = parser.parse_args()
    settings = {"recipe.max_steps": str(options.steps), "recipe.evaluations": "1", "recipe.epochs": "1000"}
    if options.precision != "auto":
        settings["recipe.precision"] = options.precision
    request = Request([options.model], [options.task], suite=options.suite, limit=options.limit, settings=settings)
    print(
        profile(
            make_plan(request).cells[0], options.threads, options.rows, options.shapes, options.plain, options.validate
        )
    )


if __name__ == "__main__":
    main()
