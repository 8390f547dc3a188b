"""What a cell costs with the harness and with the ways in which people fine-tune today, side by side.

    python benchmarks/speed.py cells --tasks sst2,ag-news,wikigold,xquad --repeats 5 --output speed.md

Every run has a fresh process to itself, the sides take turns, and what is finished is not run again (--results). How it is
measured, and what is fair about it: docs/performance-peers.md.
"""

from __future__ import annotations

import argparse
import json
import os
from pathlib import Path
from typing import Any

import sides
from runs import kept
from tables import ratios_table, sides_table, summary

from harness.cell import Cell
from harness.plan import Request, make_plan
from harness.store import write_text

SUITE = Path(__file__).with_name("real.yaml")


def plan(options: argparse.Namespace, seeds: int) -> tuple[Cell, ...]:
    """The cells of the comparison, seeds 0 to `seeds` - 1."""
    settings = {} if options.precision == "auto" else {"recipe.precision": options.precision}
    settings |= dict(setting.split("=", 1) for setting in options.set)
    request = Request(
        options.models.split(","), options.tasks.split(","), suite=str(options.suite), seeds=range(seeds),
        limit=options.limit, settings=settings,
    )  # fmt: skip
    return make_plan(request).cells


def cells(options: argparse.Namespace) -> None:
    """Cell by cell: the sides in turn, once for every seed."""
    conditions = sides.Conditions(options.threads, options.precision, options.eval_batch_size, options.keep)
    chosen = options.sides.split(",")
    found: dict[tuple[str, str, str], list[dict[str, Any]]] = {}
    # Task by task, so that the first rows of the table are there early.
    planned = sorted(enumerate(plan(options, options.repeats)), key=lambda one: (_task(one[1], options), one[0]))
    for _, cell in planned:
        for side in chosen:
            result = kept(
                options.results / conditions.name / side / f"{cell.id}.json", sides.run, side, cell, conditions
            )
            found.setdefault((cell.task.title, cell.model.name, side), []).append(result)
            print(
                f"{side} {cell.id}: {result['score']:.2f} in {result['wall_seconds']:.1f} s, "
                f"{result['processor_seconds']:.1f} s of the processor",
                flush=True,
            )
    summaries = [summary(results) for results in found.values()]
    report(options, sides_table(summaries) + "\n" + ratios_table(summaries), summaries)


def _task(cell: Cell, options: argparse.Namespace) -> int:
    return options.tasks.split(",").index(cell.task.name) if cell.task.name in options.tasks.split(",") else 0


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
    command = commands.add_parser("cells", help=cells.__doc__)
    command.set_defaults(run=cells)
    command.add_argument("--tasks", default="sst2,ag-news,wikigold,xquad", help="of the suite, with commas between")
    command.add_argument("--models", default="minilm", help="with commas between")
    command.add_argument("--sides", default=",".join(sides.SIDES), help="in the order in which they take turns")
    command.add_argument("--repeats", type=int, default=3, help="runs of every side; run number n has seed n")
    command.add_argument("--suite", default=str(SUITE), help="a suite's name or file")
    command.add_argument("--limit", type=int, help="rows of every split, for slow machines")
    command.add_argument("--set", action="append", default=[], metavar="recipe.NAME=VALUE", help="for every side")
    command.add_argument("--threads", type=int, default=cores(), help="of one cell; default: all cores")
    command.add_argument(
        "--precision", default="auto", choices=("auto", "fp32", "bf16"),
        help="of the tuned Trainer and the harness; auto: bf16 where the processor has it",
    )  # fmt: skip
    command.add_argument("--eval-batch-size", type=int, default=64, help="of the tuned Trainer")
    command.add_argument("--keep", default="last", choices=("last", "best"), help="which weights the peers test")
    command.add_argument("--results", type=Path, default=Path("speed-results"))
    command.add_argument("--output", type=Path, help="Markdown file for the tables; beside it a .json")
    options = parser.parse_args()
    options.run(options)


def cores() -> int:
    """The cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


if __name__ == "__main__":
    main()
