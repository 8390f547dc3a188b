"""The rows on which a model is tried before it is trained: a few of its own, and what they lack."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from harness.heads.base import Feature


def tried(splits: Sequence[Sequence[Feature]], training: Sequence[Feature]) -> tuple[list[Feature], list[Feature]]:
    """The rows of a trial, and those of extreme lengths: the shortest, the longest, and the one with the most labels."""
    ordered = sorted(training, key=lambda feature: feature.length)
    places = {max(least, len(ordered) // part) for least, part in ((2, 2), (1, 4), (0, len(ordered) + 1))}
    rows = [ordered[place] for place in sorted(places, reverse=True) if place < len(ordered)]
    rows += [rows[-1]] * (3 - len(rows))
    every = [feature for split in (training, *splits) for feature in split]
    ends = [choose(every, key=lambda feature: feature.length) for choose in (min, max)]
    if isinstance(training[0].inputs.get("labels"), list):
        ends.append(max(training, key=lambda feature: len(feature.inputs["labels"])))
    if len({row.length for row in rows}) == 1:
        others = [row.length for row in ends if row.length != rows[0].length]
        rows[-1] = _resized(rows[-1], others[0]) if others else rows[-1]
    return sorted(rows, key=lambda row: row.length, reverse=True), ends


def _resized(row: Feature, length: int) -> Feature:
    """A row with so many tokens: of those behind the first, the last ones, or all several times."""
    whole, times = row.length, -(-length // row.length)
    inputs = {}
    for name, values in row.inputs.items():
        if isinstance(values, list) and len(values) == whole:
            inputs[name] = [*values[:1], *((values * times)[1:][1 - length :] if length > 1 else [])]
        else:
            inputs[name] = min(values, length - 1) if name.endswith("_positions") else values
    return replace(row, inputs=inputs)


def mirrored(row: Feature) -> Feature:
    """Another row of the same length: the inner tokens in the opposite order, or all where that is no other."""
    ids = row.inputs["input_ids"]
    inner = [*ids[:1], *ids[1:-1][::-1], *ids[1:][-1:]]
    return replace(row, inputs={**row.inputs, "input_ids": inner if inner != ids else ids[::-1]})
