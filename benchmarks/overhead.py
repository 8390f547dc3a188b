"""What does a cell cost beside training and evaluation?

    python benchmarks/overhead.py --suite mini --tasks all --models all --seeds 3
    python benchmarks/overhead.py --suite benchmarks/real.yaml --tasks all --models minilm --limit 2000

Runs the cells as `bench run` does, into a temporary folder, and prints a Markdown table: seconds by phase, medians over the
seeds. `wall` is what the parent saw, from the order to start a cell until its record was read, so starting and ending the
process count; `outside` is `wall` without the steps of the training and without the evaluation of validation and test rows.
The cache of token ids is a temporary one as well: the first seed finds it empty (`first`), the others do not.
"""

from __future__ import annotations

import argparse
import os
import statistics
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from harness.cell import Cell
from harness.engines.base import Job, Slot
from harness.engines.grid import Observer, run_grid
from harness.engines.local import LocalEngine
from harness.methods import adapter_modules
from harness.planning.plan import make_plan
from harness.planning.request import Request, read_request
from harness.store import Record

INSIDE = ("train_seconds", "evaluate_seconds")
AROUND = ("start and end", "rest of train")


class Clock(Observer):
    """Tells nothing and measures what the parent sees of each cell."""

    def __init__(self) -> None:
        self.begun: dict[str, float] = {}
        self.wall: dict[str, float] = {}

    def finished(self, cell: Cell, record: Record) -> None:
        self.wall[cell.id] = time.perf_counter() - self.begun[cell.id]


class TimedEngine(LocalEngine):
    """The local engine; a cell's time begins before its process is asked for."""

    clock: Clock

    def warm_up(self) -> None:
        """Wait until the server has loaded the libraries: a grid waits for that once."""
        self._devices("auto")

    def submit(self, job: Job, slot: Slot) -> Any:
        self.clock.begun[job.cell.id] = time.perf_counter()
        return super().submit(job, slot)


def parts(record: Record, wall: float) -> dict[str, float]:
    """A cell's seconds outside training and evaluation, by phase, with their sum."""
    cost = record["cost"]
    phases = dict(cost["phases"])
    inside = sum(cost[name] for name in INSIDE)
    training = phases.pop("train", 0.0) - cost["train_seconds"]
    for name in ("validate", "test"):
        phases.pop(name, None)
    found = {**phases, "rest of train": training}
    found["start and end"] = wall - inside - sum(found.values())
    return {**found, "outside": wall - inside}


def table(rows: dict[tuple[str, str], list[dict[str, float]]]) -> Iterable[str]:
    """Markdown: a line for each task and model."""
    phases = [name for name in next(iter(rows.values()))[0] if name not in (*AROUND, "outside")]
    columns = [*phases, *AROUND, "outside"]
    yield "| task | model | " + " | ".join(columns) + " | first |"
    yield "|---|---|" + "---:|" * (len(columns) + 1)
    for (task, model), cells in rows.items():
        medians = [statistics.median(cell.get(name, 0.0) for cell in cells) for name in columns]
        yield f"| {task} | {model} | " + " | ".join(f"{value:.2f}" for value in [*medians, cells[0]["outside"]]) + " |"


def measure(request: Request, devices: str, jobs: int) -> dict[tuple[str, str], list[dict[str, float]]]:
    """(task, model) → what its cells cost, in the order of their seeds."""
    plan = make_plan(request)
    clock = Clock()
    with tempfile.TemporaryDirectory() as folder:
        os.environ["BENCH_CACHE"] = str(Path(folder, "cache"))
        engine = TimedEngine(devices, jobs, modules=adapter_modules(cell.method for cell in plan.cells))
        engine.clock = clock
        begun = time.perf_counter()
        engine.warm_up()
        print(f"The server was ready after {time.perf_counter() - begun:.1f} s, once for all cells.\n", flush=True)
        records = run_grid(engine, [Job(cell, str(Path(folder, "results"))) for cell in plan.cells], clock)
    found: dict[tuple[str, str], list[dict[str, float]]] = defaultdict(list)
    for record in sorted(records, key=lambda record: record["seed"]):
        if record["status"] != "ok":
            raise SystemExit(f"{record['id']} failed: {record['error']['message']}")
        name = record["task"]["name"], record["model"]["name"]
        found[name].append(parts(record, clock.wall[record["id"]]))
    return found


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--suite", default="mini")
    parser.add_argument("--tasks", default="all")
    parser.add_argument("--models", default="all")
    parser.add_argument("--methods", default="full")
    parser.add_argument("--seeds", default="3")
    parser.add_argument("--limit", type=int)
    parser.add_argument(
        "--set", action="append", default=[], metavar="NAME=VALUE", help="of the recipe, as in `bench run`"
    )
    parser.add_argument("--devices", default="cpu")
    parser.add_argument("--jobs", type=int, default=1)
    given = parser.parse_args(arguments)
    request = read_request(
        given.models, given.tasks, suite=given.suite, methods=given.methods, seeds=given.seeds, limit=given.limit, settings=given.set,
        baselines=False,
    )  # fmt: skip
    print("\n".join(table(measure(request, given.devices, given.jobs))))


if __name__ == "__main__":
    main()
