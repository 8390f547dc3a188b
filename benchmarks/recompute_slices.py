"""Slices of the test once more, from predictions.jsonl: labels, entity types, lengths, phenomena. Imports nothing of harness."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from recompute_board import Board, Record
from recompute_metrics import NotKnown, metrics, scale, strict
from seqeval.metrics import classification_report
from seqeval.scheme import IOB2
from sklearn.metrics import precision_recall_fscore_support

Slices = dict[str, dict[str, dict[str, float]]]
CLASSES = {"label": ("sentiment", "text-classification"), "entity type": ("ner",)}


def slices(record: Record, lines: list[dict[str, Any]]) -> Slices:
    """Kind → part → rows, score and the metrics that are recomputed."""
    found: Slices = {}
    gold, ours = [line["reference"] for line in lines], [line["prediction"] for line in lines]
    if record["task"]["family"] in CLASSES["label"]:
        names = sorted(set(gold))
        parts = precision_recall_fscore_support(gold, ours, labels=names, average=None, zero_division=0)
        found["label"] = {name: _class(*values) for name, *values in zip(names, *parts, strict=True)}
    if record["task"]["family"] in CLASSES["entity type"]:
        how = {"mode": "strict", "scheme": IOB2} if strict(record) else {}
        report = classification_report(gold, ours, output_dict=True, zero_division=0, **how)
        keys = ("precision", "recall", "f1-score", "support")
        found["entity type"] = {
            name: _class(*(part[key] for key in keys))
            for name, part in report.items()
            if not name.endswith(" avg") and part["support"]
        }
    if all("words" in line for line in lines):
        found["length"] = _parts(record, lines, _quarters([line["words"] for line in lines]))
    for kind in sorted({kind for line in lines for kind in line.get("slices", {})}):
        found[kind] = _parts(record, lines, [line.get("slices", {}).get(kind) for line in lines])
    if all("phenomenon" in line for line in lines):
        parts = _parts(record, lines, [line["phenomenon"] for line in lines])
        found["phenomenon"] = {name: {key: part[key] for key in ("rows", "score")} for name, part in parts.items()}
    return found


def _class(precision: float, recall: float, f1: float, support: int) -> dict[str, float]:
    return {"rows": int(support), "score": 100 * f1, "precision": precision, "recall": recall, "f1": f1}


def _quarters(lengths: list[int]) -> list[str]:
    """The quarter of each length, named by the shortest and the longest in it; quartiles by nearest rank."""
    of = np.asarray(lengths)
    tops = np.unique(np.percentile(of, [25, 50, 75, 100], method="inverted_cdf"))
    quarter = np.searchsorted(tops, of)
    ends = [(of[quarter == number].min(), of[quarter == number].max()) for number in quarter]
    return [f"{low}" if low == high else f"{low}-{high}" for low, high in ends]


def _parts(record: Record, lines: list[dict[str, Any]], names: list[str | None]) -> dict[str, dict[str, float]]:
    found = {}
    for name in {name for name in names if name is not None}:
        some = [line for line, own in zip(lines, names, strict=True) if own == name]
        known = metrics(record, some)
        found[name] = {"rows": len(some), "score": known[record["primary_metric"]] * scale(record), **known}
    return found


def check_slices(board: Board, record: Record) -> Slices:
    """A record's own slices; returns them as they are recomputed."""
    lines = board.predictions(record)
    if lines is None:
        return {}
    try:
        found = slices(record, lines)
    except NotKnown as error:
        board.check.left_out[f"slices of {error}"] += 1
        return {}
    if shown := record["metrics"].get("slices"):
        phenomena = record["metrics"].get("phenomena")
        _same(board, record["id"], {**shown, **({"phenomenon": phenomena} if phenomena else {})}, found)
    return found


def check_entry(
    board: Board, where: str, entry: Mapping[str, Any], column: Mapping[str, Any], found: list[Slices]
) -> None:
    """An entry's slices: the means over its seeds, and the column's numbers of rows."""
    found = [one for one in found if one]
    if not found or len(found) != len(entry["scores"]):
        return
    shown = {
        kind: {name: {"rows": column["slices"][kind][name], **part} for name, part in parts.items()}
        for kind, parts in entry["slices"].items()
    }
    expected = {
        kind: {name: {**_means([one[kind][name] for one in found]), "seeds": len(found)} for name in parts}
        for kind, parts in found[0].items()
    }
    _same(board, where, shown, expected)


def _means(parts: list[dict[str, float]]) -> dict[str, float]:
    return {
        key: float(np.mean([part[key] for part in parts])) for key in parts[0] if all(key in part for part in parts)
    }


def _same(board: Board, where: str, shown: Slices, expected: Slices) -> None:
    """Kinds and parts are the same, and so are figures that both have; `score`, `rows` and `seeds` must be there."""
    check = board.check
    check.same(f"{where}: kinds of slices", sorted(shown), sorted(expected))
    for kind in shown.keys() & expected.keys():
        check.same(f"{where}: {kind}", sorted(shown[kind]), sorted(expected[kind]))
        for name in shown[kind].keys() & expected[kind].keys():
            ours, theirs = shown[kind][name], expected[kind][name]
            for key in {"rows", "score"} | (ours.keys() & theirs.keys()):
                check.same(f"{where}: {kind} {name}: {key}", ours.get(key), theirs.get(key))
