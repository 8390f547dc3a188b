"""What a cell costs with the harness and with the ways in which people fine-tune today, side by side.

    python benchmarks/speed.py cells --repeats 5 --output cells.md      one cell at a time, on each side
    python benchmarks/speed.py grid --limit 500 --output grid.md        ten cells: the whole command against the tuned Trainer

Every run has a fresh process to itself, the sides take turns, and what is finished is not run again (--results). How it is
measured, and what is fair about it: docs/performance-peers.md.
"""

from __future__ import annotations

import argparse
import json
import os
from pathlib import Path
from typing import Any

import grid as grids
import sides
from runs import kept
from tables import ratios_table, sides_table, summary

from harness.cell import Cell
from harness.files import write_text
from harness.planning.plan import make_plan
from harness.planning.request import Request

SUITE = Path(__file__).with_name("real.yaml")
FOUR = "sst2,ag-news,wikigold,xquad"  # the families that the Trainer has a ready way for


def plan(options: argparse.Namespace, seeds: int) -> tuple[Cell, ...]:
    """The cells of the comparison, seeds 0 to `seeds` - 1."""
    request = Request(
        options.models.split(","), options.tasks.split(","), suite=options.suite, seeds=range(seeds),
        limit=options.limit, settings=grids.settings(options),
    )  # fmt: skip
    return make_plan(request).cells


def conditions_of(options: argparse.Namespace) -> sides.Conditions:
    """The part of the command line that the sides read."""
    return sides.Conditions(options.threads, options.precision, options.eval_batch_size, options.keep)


def cells(options: argparse.Namespace) -> None:
    """One cell at a time: the sides in turn, once for every seed."""
    conditions = conditions_of(options)
    found: dict[tuple[str, str, str], list[dict[str, Any]]] = {}
    # Task by task, so that the first rows of the table are there early.
    for cell in sorted(plan(options, options.repeats), key=lambda cell: options.tasks.split(",").index(cell.task.name)):
        for side in options.sides.split(","):
            file = options.results / conditions.name / side / f"{cell.id}.json"
            result = kept(file, sides.run, side, cell, conditions)
            found.setdefault((cell.task.title, cell.model.name, side), []).append(result)
            print(
                f"{side} {cell.id}: {result['score']:.2f} in {result['wall_seconds']:.1f} s, "
                f"{result['processor_seconds']:.1f} s of the processor",
                flush=True,
            )
    summaries = [summary(results) for results in found.values()]
    report(options, sides_table(summaries) + "\n" + ratios_table(summaries), summaries)


def grid(options: argparse.Namespace) -> None:
    """All cells: the whole command `bench run` against tuned Trainers one after another in one process."""
    planned = plan(options, options.seeds)
    results = grids.measure(planned, conditions_of(options), options)
    report(options, grids.table(results, planned), results)


def report(options: argparse.Namespace, text: str, facts: Any) -> None:
    """Print the tables; with --output write them, and beside them the JSON."""
    print(text)
    if options.output:
        write_text(options.output, text)
        write_text(options.output.with_suffix(".json"), json.dumps(facts, indent=1) + "\n")


def main() -> None:
    """Read the command line and measure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(required=True)
    for work, tasks in ((cells, FOUR), (grid, f"{FOUR},multi30k-en-de")):
        command = commands.add_parser(work.__name__, help=work.__doc__)
        command.set_defaults(run=work)
        add_options(command, tasks)
    commands.choices["cells"].add_argument(
        "--sides", default=",".join(sides.SIDES), help="in the order in which they take turns"
    )
    commands.choices["grid"].add_argument("--seeds", type=int, default=2)
    options = parser.parse_args()
    options.suite = str(Path(options.suite).resolve()) if Path(options.suite).is_file() else options.suite
    options.run(options)


def add_options(command: argparse.ArgumentParser, tasks: str) -> None:
    """What all comparisons have in common."""
    command.add_argument("--tasks", default=tasks, help="names in the suite, with commas between")
    command.add_argument("--models", default="minilm", help="with commas between")
    command.add_argument("--repeats", type=int, default=3, help="runs of every side; of cells, run number n has seed n")
    command.add_argument("--suite", default=str(SUITE), help="a suite's name or file")
    command.add_argument("--limit", type=int, help="rows of every split, for slow machines")
    command.add_argument("--set", action="append", default=[], metavar="recipe.NAME=VALUE", help="for every side")
    command.add_argument("--threads", type=int, default=cores(), help="of a cell that runs alone; default: all cores")
    command.add_argument(
        "--precision", default="auto", choices=("auto", "fp32", "bf16"),
        help="of the tuned Trainer and the harness; auto: bf16 where the processor has it",
    )  # fmt: skip
    command.add_argument("--eval-batch-size", type=int, default=64, help="of the tuned Trainer")
    command.add_argument("--keep", default="last", choices=("last", "best"), help="which weights the peers test")
    command.add_argument("--results", type=Path, default=Path("speed-results"))
    command.add_argument("--output", type=Path, help="Markdown file for the tables; beside it a .json")


def cores() -> int:
    """The cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


if __name__ == "__main__":
    main()
