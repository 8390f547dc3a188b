"""A grid of cells: one `bench run` against the tuned Trainer, cell after cell in one process."""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Sequence
from typing import Any

import sides
from command import bench_run
from runs import kept
from tables import markdown, spread

from harness.cell import Cell

SIDES = ("trainer-tuned", "harness")


def one_after_another(cells: Sequence[Cell], conditions: sides.Conditions) -> dict[str, Any]:
    """All cells with the tuned Trainer in this process."""
    sides.prepare(conditions)
    scores = {cell.id: sides.by_trainer("trainer-tuned", cell, conditions)["score"] for cell in cells}
    # Since the process began: imports are counted, as they are in the whole command.
    return {"side": "trainer-tuned", "processor_seconds": time.process_time(), "scores": scores}


def measure(cells: Sequence[Cell], conditions: sides.Conditions, options: argparse.Namespace) -> list[dict[str, Any]]:
    """Both sides in turn, `--repeats` times."""
    arguments = ["--suite", options.suite, "--models", options.models, "--tasks", options.tasks,
                 "--seeds", str(options.seeds), "--devices", "cpu"]  # fmt: skip
    arguments += ["--limit", str(options.limit)] if options.limit else []
    for name, value in settings(options).items():
        arguments += ["--set", f"{name}={value}"]
    names = [cell.id for cell in cells]
    found = []
    for turn in range(options.repeats):
        for side in SIDES:
            file = options.results / conditions.name / "grid" / f"{side}-{len(cells)}-cells-{turn}.json"
            if side == "harness":
                result = kept(file, bench_run, arguments, names)
            else:
                result = kept(file, one_after_another, cells, conditions)
                result["wall_seconds"] = result["with_start_seconds"]
            if sorted(result["scores"]) != sorted(names):
                raise SystemExit(f"{file} holds other cells; name another --results")
            found.append(result)
            print(f"{side} {turn}: {result['wall_seconds']:.1f} s", flush=True)
    return found


def settings(options: argparse.Namespace) -> dict[str, str]:
    """What the command line changes in the recipe, for all sides."""
    forced = {} if options.precision == "auto" else {"recipe.precision": options.precision}
    return forced | dict(setting.split("=", 1) for setting in options.set)


def table(results: Sequence[dict[str, Any]], cells: Sequence[Cell]) -> str:
    """Medians of whole grids, and the scores task by task."""
    rows, medians = [], {}
    for side in SIDES:
        mine = [result for result in results if result["side"] == side]
        medians[side] = statistics.median(result["wall_seconds"] for result in mine)
        used = [result["processor_seconds"] for result in mine]
        processor = f"{statistics.median(used):.1f}" if None not in used else "not known"
        rows.append([side, str(len(cells)), f"{medians[side]:.1f}", processor, str(len(mine))])
    text = markdown(("side", "cells", "wall s", "processor s", "runs"), rows)
    text += f"\ntuned Trainer ÷ harness: {medians['trainer-tuned'] / medians['harness']:.2f}×\n\n"
    rows = []
    for title in dict.fromkeys(cell.task.title for cell in cells):
        of_task = [cell.id for cell in cells if cell.task.title == title]
        first = [next(result for result in results if result["side"] == side)["scores"] for side in SIDES]
        rows.append([title, *(spread([scores[cell] for cell in of_task]) for scores in first)])
    return text + markdown(("score by task", *SIDES), rows)
