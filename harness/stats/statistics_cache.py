"""Statistics that were computed before, in the cache folder `standings`. A key is a hash of all that they depend on."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec

from harness.caching import cache_folder, mark_used, prune, write_file

if TYPE_CHECKING:  # importing numpy takes a tenth of a second, and a board from the cache does not need it
    from harness.metrics.additive import Array
    from harness.slices import Slices

VERSION = 7  # of the statistics; a part of the keys
T = TypeVar("T")


@dataclass(frozen=True)
class ColumnStatistics:
    """The statistics of one column of the board. Rows go by their keys.

    Attributes:
        intervals: row → low and high end of the interval of its mean.
        p: (row, row, p value of their difference), not adjusted.
        draws: row → [resamples] of its mean score; None where this is from the cache.
        slices: id of a record that holds no slices → its slices.
        behind: row → how far the best row is ahead of it: difference, low and high.
    """

    intervals: Mapping[str, tuple[float, float]]
    p: Sequence[tuple[str, str, float]]
    draws: Mapping[str, Array] | None = field(default=None, compare=False)
    slices: Mapping[str, Slices] = field(default_factory=dict)
    behind: Mapping[str, tuple[float, float, float]] = field(default_factory=dict)


def cache_key(*facts: Any) -> str:
    """The cache key of a value that depends on these facts alone."""
    return hashlib.sha256(json.dumps([VERSION, *facts], sort_keys=True).encode()).hexdigest()


@cache
def family_source_hash(family: str) -> str | None:
    """A hash of the module of a task family, so that a changed module is noticed even without a new version.

    None where the family is not registered here or its module is not a file.
    """
    import inspect

    from harness import registry

    adapter = registry.families().get(family)
    try:
        return hashlib.sha256(Path(inspect.getfile(type(adapter))).read_bytes()).hexdigest() if adapter else None
    except (OSError, TypeError):
        return None


def cached_column(name: str) -> ColumnStatistics | None:
    """The statistics of a cached column; None where it or its draws are not in the cache."""
    beside = _path(name, "npy")
    if beside is None or not beside.exists():
        return None  # removed: both are computed anew, so that missing predictions are noticed

    def parse(content: bytes) -> ColumnStatistics:
        intervals, p, slices, behind = json.loads(content)
        ends = {row: (low, high) for row, (low, high) in intervals.items()}
        return ColumnStatistics(ends, [tuple(pair) for pair in p], slices=slices, behind=behind)

    return _read(_path(name, "json"), parse)


def cached_draws(name: str, rows: Sequence[str]) -> Mapping[str, Array] | None:
    """The draws of a cached column; None where they are not in the cache.

    Args:
        name: its key.
        rows: in the order of `Found.intervals`.
    """
    import io

    import numpy as np

    def parse(content: bytes) -> Mapping[str, Array]:
        return dict(zip(rows, np.load(io.BytesIO(content), allow_pickle=False), strict=True))

    return _read(_path(name, "npy"), parse)


def cache_column(name: str, statistics: ColumnStatistics) -> ColumnStatistics:
    """Write a column into the cache, and return it."""
    import numpy as np

    if path := _path(name, "json"):
        text = json.dumps([statistics.intervals, statistics.p, statistics.slices, statistics.behind])
        many = np.array([statistics.draws[row] for row in statistics.intervals])

        def fill(place: Path) -> None:
            with place.open("wb") as file:
                np.save(file, many)

        write_file(path, lambda place: place.write_text(text, encoding="utf-8"))
        write_file(path.with_suffix(".npy"), fill)
        prune(path.parent)
    return statistics


def cached(name: str, kind: type[T], make: Callable[[], T]) -> T:
    """The cached value of a dataclass `kind`; where there is none, the result of `make`, which is cached then."""
    path = _path(name, "json")
    known = _read(path, lambda content: msgspec.json.decode(content, type=kind))
    if known is None:
        known = make()
        if path:
            write_file(path, lambda place: place.write_bytes(msgspec.json.encode(known)))
            prune(path.parent)
    return known


def _path(name: str, ending: str) -> Path | None:
    folder = cache_folder("standings")
    return folder / f"{name}.{ending}" if folder else None


def _read(path: Path | None, parse: Callable[[bytes], Any]) -> Any:
    try:
        parsed = parse(path.read_bytes()) if path else None
    except (OSError, ValueError, TypeError, AttributeError, EOFError):
        return None  # missing or damaged: it is computed anew
    if parsed is not None:
        mark_used(path)
    return parsed
