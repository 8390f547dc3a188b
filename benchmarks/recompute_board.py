"""A board as it was shown, the records below it, and what of it was compared. Imports nothing of harness."""

from __future__ import annotations

import json
import math
from collections import defaultdict
from pathlib import Path
from typing import Any

import numpy as np
from recompute_sure import Draws

Record = dict[str, Any]
Cells = dict[tuple[str, str], dict[int, Record]]  # row and column → seed → record


class Check:
    """Counts what was compared, and keeps what differs."""

    def __init__(self) -> None:
        self.compared, self.different, self.left_out = 0, [], defaultdict(int)

    def same(self, where: str, shown: Any, expected: Any, tolerance: float = 1e-6) -> None:
        """Numbers to the tolerance, all else exactly."""
        self.compared += 1
        numbers = isinstance(shown, int | float) and isinstance(expected, int | float)
        if not (math.isclose(shown, expected, abs_tol=tolerance) if numbers else shown == expected):
            self.different.append(f"{where}: the board says {shown}, and it is {expected}")

    def inside(self, where: str, shown: float, least: float, most: float) -> None:
        """A drawn figure."""
        self.compared += 1
        if not least - 1e-6 <= shown <= most + 1e-6:
            self.different.append(f"{where}: the board says {shown:.6g}, and it is {least:.6g} to {most:.6g}")

    def grouped(self, where: str, letters: tuple[str, str], p: tuple[float, float]) -> None:
        """Two that share a letter, or do not; p: least and most that it may be."""
        self.compared += 1
        one, other = (set(text.split(".") if "." in text else text) for text in letters)
        if (p[1] < 0.05 and one & other) or (p[0] >= 0.05 and not one & other):
            self.different.append(f"{where}: letters {letters[0]} and {letters[1]}, and p is {p[0]:.4f} to {p[1]:.4f}")


class Board:
    """The board as it was shown, and the records below it."""

    def __init__(self, shown: dict[str, Any], folder: Path, check: Check):
        self.shown, self.folder, self.check = shown, folder, check
        every = [json.loads(path.read_text(encoding="utf-8")) for path in sorted(folder.glob("cells/*/record.json"))]
        self.records = [record for record in every if record.get("purpose") != "search"]  # trials have no score
        self.lines: dict[str, list[Any]] = {}
        self.columns = {column["title"]: column for column in shown["columns"]}
        self.rows = {row["title"]: row for row in shown["rows"]}
        self.drawn: dict[str, dict[str, dict[int, Any]]] = defaultdict(dict)  # column → row → seed → (score, resamples)
        self.draws: dict[str, Draws] = {}
        self.known: dict[str, dict[str, dict[int, float]]] = {}  # column → row → seed → score

    def cell(self, row: dict[str, Any], column: dict[str, Any]) -> dict[int, Record] | None:
        """Seed → record of what ended well; None where this script cannot tell which they are."""
        if " (" in row["model"]:
            return None
        part = column["rows"]["train"] if column["train_rows_available"] else None
        same = [
            r for r in self.records
            if (r["model"]["name"], r["method"], r["task"]["name"]) == (row["model"], row["method"], column["task"])
            and (r["task"].get("fingerprint"), r["task"].get("version"), r.get("protocol"))
            == (column["fingerprint"], column["version"], column["protocol"])
            and r["task"].get("train_rows") == part
        ]  # fmt: skip
        good = [r for r in same if r["status"] == "ok" and r["score"] is not None and math.isfinite(r["score"])]
        found = {r["seed"]: r for r in good}
        return found if len(found) == len(good) else None

    def scores(self, title: str) -> dict[str, dict[int, float]]:
        """Row → seed → score, of all rows of a column that this script can tell."""
        if title not in self.known:
            cells = {name: self.cell(row, self.columns[title]) or {} for name, row in self.rows.items()}
            self.known[title] = {
                name: {seed: record["score"] for seed, record in own.items()} for name, own in cells.items()
            }
        return self.known[title]

    def predictions(self, record: Record) -> list[Any] | None:
        path = self.folder / "cells" / record["id"] / "predictions.jsonl"
        if not path.exists():
            return None
        if record["id"] not in self.lines:
            self.lines[record["id"]] = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
        return self.lines[record["id"]]

    def trivial(self, title: str, cells: Cells) -> float | None:
        """The mean of the records' trivial scores."""
        found = [record for (_, column), seeds in cells.items() if column == title for record in seeds.values()]
        known = [record["trivial_score"] for record in found if record.get("trivial_score") is not None]
        return float(np.mean(known)) if known else None
