"""The scores of a column of the board, as its statistics call them."""

from __future__ import annotations

from collections.abc import Mapping

from harness.report.groups import Place
from harness.store import Record

Column = Mapping[Place, Mapping[int, Record]]  # place → seed → record, of those that have a score


def key(where: Place) -> str:
    """How predictions and tests call a row of the board."""
    return f"{where.model}\n{where.method}"


def scores(column: Column) -> dict[str, dict[int, float]]:
    """Row of the board → seed → score."""
    return {key(where): {seed: record["score"] for seed, record in own.items()} for where, own in column.items()}
