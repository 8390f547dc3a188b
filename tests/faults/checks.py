"""What must hold: after every run, and when the grid is finished."""

from __future__ import annotations

import hashlib
import json
import re
from collections import Counter
from pathlib import Path
from typing import Any

from faults.grid import EVERY, Grid
from harness.origins import FOLDER

USUAL = {"record.json", "predictions.jsonl", "log.txt"}
VOLATILE = ("cost", "environment", "started", "finished")


def facts(results: Path, cell: str) -> dict[str, Any]:
    """All of a cell that no fault may change: its record but for times, and its predictions byte by byte."""
    folder = results / "cells" / cell
    record = json.loads((folder / "record.json").read_bytes())
    training = {name: value for name, value in (record.get("training") or {}).items() if name != "resumed"}
    kept = {name: value for name, value in record.items() if name not in VOLATILE}
    predictions = folder / "predictions.jsonl"
    return {**kept, "training": training, "predictions": predictions.read_bytes() if predictions.exists() else b""}


def finished(results: Path) -> dict[str, str]:
    """Cell → digest of its record, of those that ended well."""
    found = {}
    for path in results.glob("cells/*/record.json"):
        content = path.read_bytes()
        try:
            ok = json.loads(content)["status"] == "ok"
        except (ValueError, TypeError, KeyError):
            continue
        if ok:
            found[path.parent.name] = hashlib.sha256(content).hexdigest()
    return found


def deviations(grid: Grid, results: Path) -> list[str]:
    """How a finished grid differs from the undisturbed one; stray files, in it or beside it, included, notes on data not."""
    wrong = []
    there = sorted(path.name for path in (results / "cells").iterdir())
    if there != grid.cells():
        wrong.append(f"other cells: {sorted(set(there) ^ set(grid.cells()))}")
    for cell in grid.cells():
        try:
            ours, theirs = facts(results, cell), facts(grid.undisturbed, cell)
        except (OSError, ValueError) as error:
            wrong.append(f"{cell}: {error}")
            continue
        differing = [name for name in theirs | ours if ours.get(name) != theirs.get(name)]
        if differing:
            wrong.append(f"{cell}: other {', '.join(differing)}")
    for path in results.rglob("*"):
        inside = path.relative_to(results).parts
        of_cell = inside[0] == "cells" and (len(inside) < 3 or inside[2] in USUAL)
        note = inside[0] == FOLDER and not path.name.endswith(".tmp")
        fine = inside == ("leaderboard.md",) or of_cell or note
        if not fine:
            wrong.append(f"left behind: {path.relative_to(results)}")
    wrong += [f"left beside: {path.name}" for path in results.parent.iterdir() if path.name.endswith(".tmp")]
    return wrong


def log(folder: Path) -> list[tuple[str, str, str, int]]:
    """(label, word, cell, step) of what the processes noted, in order."""
    path = folder / "log.txt"
    if not path.exists():
        return []
    lines = [line.split() for line in path.read_text().splitlines()]
    return [(label, word, cell, int(step)) for label, word, cell, step in lines]


def begun(entries: list[tuple[str, str, str, int]]) -> Counter[str]:
    """How often each cell was begun."""
    return Counter(cell for _, word, cell, _ in entries if word == "begins")


def most_lost(entries: list[tuple[str, str, str, int]]) -> int:
    """The most steps that a training had to do again after one break."""
    last: dict[str, int] = {}
    fresh: set[str] = set()
    most = 0
    for _, word, cell, step in entries:
        if word == "begins":
            fresh.add(cell)
        elif word == "step":
            if cell in fresh:
                most = max(most, last.get(cell, -1) + 1 - step)
                fresh.discard(cell)
            last[cell] = step
    return most


def lost_too_much(entries: list[tuple[str, str, str, int]], spared: set[str]) -> list[str]:
    """Cells that lost more than `--checkpoint-every` in a break.

    Args:
        entries: of one episode.
        spared: cells whose checkpoint was damaged, could not be written, or whose record was lost after all.
    """
    found = []
    for cell in sorted({entry[2] for entry in entries} - spared):
        lost = most_lost([entry for entry in entries if entry[2] == cell])
        if lost > EVERY:
            found.append(f"{cell}: {lost} steps were done again, and a checkpoint was to be made every {EVERY}")
    return found


def tracebacks(text: str) -> list[str]:
    """Tracebacks in the output of the command."""
    return re.findall(r"Traceback \(most recent call last\):.*?\n(?=\S)\S[^\n]*", text, re.DOTALL)


def steps(grid: Grid, cell: str) -> int:
    """Of the cell's training."""
    return json.loads((grid.undisturbed / "cells" / cell / "record.json").read_bytes())["training"]["steps"]
