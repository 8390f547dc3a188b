"""Does it pay to keep token ids? Processor seconds of tokenising, of the first use of the cache, and of the next ones.

    python benchmarks/encoding.py --model minilm --rows 2000,20000,100000

The rows are the training rows of benchmarks/real.yaml, repeated as often as it takes.
"""

from __future__ import annotations

import argparse
import gc
import os
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from itertools import cycle, islice
from pathlib import Path
from typing import Any

SUITE = Path(__file__).with_name("real.yaml")
TASKS = "ag-news,wikigold,xquad,multi30k-en-de"


def processor(action: Callable[[], Any]) -> tuple[float, Any]:
    """Seconds and result."""
    begun = time.process_time()
    result = action()
    return time.process_time() - begun, result


def measure(cell: Any, rows: int, repeats: int) -> str:
    """A line of the table: medians of `repeats`, each with an empty cache."""
    from harness import registry
    from harness.cache.encoded import CachedEncoder
    from harness.heads.make import fitted_head
    from harness.task_data import load_splits

    family = registry.family(cell.task.family)
    splits = load_splits(cell.task, family)
    labels = family.labels(splits, cell.task)
    examples = [family.example(row, cell.task) for row in islice(cycle(splits["train"]), rows)]
    seconds: dict[str, list[float]] = {"tokenise": [], "first": [], "again": []}
    size = 0
    for _ in range(repeats):
        with tempfile.TemporaryDirectory() as folder:
            os.environ["BENCH_CACHE"] = folder
            heads = [fitted_head(cell, family, labels, splits).head for _ in seconds]
            actions = [
                lambda: heads[0].encode(examples, True),  # noqa: B023 - called at once
                lambda: CachedEncoder(heads[1]).encode(examples, True),  # noqa: B023
                lambda: CachedEncoder(heads[2]).encode(examples, True),  # noqa: B023
            ]
            counts = set()
            for name, action in zip(seconds, actions, strict=True):
                took, features = processor(action)
                seconds[name].append(took)
                counts.add(len(features))
                del features
            assert len(counts) == 1
            size = sum(file.stat().st_size for file in Path(folder, "encoded").iterdir())
    told = [f"{statistics.median(values):.3f}" for values in seconds.values()]
    return f"| {cell.task.name} | {rows:,} | {' | '.join(told)} | {size / 1e6:.1f} |"


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and print a Markdown table."""
    os.environ["TOKENIZERS_PARALLELISM"] = "false"  # as in a worker
    gc.disable()  # the same
    from harness.planning.plan import make_plan
    from harness.planning.request import read_request

    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--suite", default=str(SUITE))
    parser.add_argument("--tasks", default=TASKS)
    parser.add_argument("--model", default="minilm")
    parser.add_argument("--rows", default="2000,20000,100000")
    parser.add_argument("--repeats", type=int, default=3)
    given = parser.parse_args(arguments)
    plan = make_plan(read_request(given.model, given.tasks, suite=given.suite, methods="full", seeds="1", baselines=False))
    print("| task | rows | tokenise | first use | next use | file, MB |\n|---|---:|---:|---:|---:|---:|")
    for cell in plan.cells:
        for rows in map(int, given.rows.split(",")):
            print(measure(cell, rows, given.repeats), flush=True)


if __name__ == "__main__":
    main()
