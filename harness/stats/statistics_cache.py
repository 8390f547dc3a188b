"""The cache of statistics, in the cache folder `standings`. A key is a hash of all that the values depend on."""

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
    from harness.predictions import Slices

VERSION = 7  # of the statistics, a part of all keys
T = TypeVar("T")


@dataclass(frozen=True)
class ColumnStatistics:
    """The statistics of one column of the board. Rows are named by their keys.

    Attributes:
        intervals: row → low and high end of the interval of its mean.
        p: (row, row, p value of their difference), not adjusted.
        draws: row → [resamples] of its mean score; None if this was read from the cache.
        slices: id of a record that holds no slices → its slices.
        behind: row → the lead of the best row: difference, low and high.
    """

    intervals: Mapping[str, tuple[float, float]]
    p: Sequence[tuple[str, str, float]]
    draws: Mapping[str, Array] | None = field(default=None, compare=False)
    slices: Mapping[str, Slices] = field(default_factory=dict)
    behind: Mapping[str, tuple[float, float, float]] = field(default_factory=dict)


def cache_key(*facts: Any) -> str:
    """The cache key of a value that depends only on these facts."""
    return hashlib.sha256(json.dumps([VERSION, *facts], sort_keys=True).encode()).hexdigest()


@cache
def family_source_hash(family: str) -> str | None:
    """A hash of the source code of a task family, so that changes are noticed even if its version stays the same.

    None if the family is not registered or its module is not a file.
    """
    import inspect

    from harness import registry

    adapter = registry.families().get(family)
    try:
        return hashlib.sha256(Path(inspect.getfile(type(adapter))).read_bytes()).hexdigest() if adapter else None
    except (OSError, TypeError):
        return None


def cached_column(name: str) -> ColumnStatistics | None:
    """The cached statistics of a column; None if they or its draws are missing."""
    draws = _path(name, "npy")
    if draws is None or not draws.exists():
        return None

    def parse(content: bytes) -> ColumnStatistics:
        intervals, p, slices, behind = json.loads(content)
        ends = {row: (low, high) for row, (low, high) in intervals.items()}
        return ColumnStatistics(ends, [tuple(pair) for pair in p], slices=slices, behind=behind)

    return _read(_path(name, "json"), parse)


def cached_draws(name: str, rows: Sequence[str]) -> Mapping[str, Array] | None:
    """The cached draws of a column; None if they are missing. `rows` are in the order of `ColumnStatistics.intervals`."""
    import io

    import numpy as np

    def parse(content: bytes) -> Mapping[str, Array]:
        return dict(zip(rows, np.load(io.BytesIO(content), allow_pickle=False), strict=True))

    return _read(_path(name, "npy"), parse)


def cache_column(name: str, statistics: ColumnStatistics) -> ColumnStatistics:
    """Write the statistics of a column to the cache, and return them."""
    import numpy as np

    if path := _path(name, "json"):
        text = json.dumps([statistics.intervals, statistics.p, statistics.slices, statistics.behind])
        draws = np.array([statistics.draws[row] for row in statistics.intervals])

        def save_draws(path: Path) -> None:
            with path.open("wb") as file:  # given a path, `np.save` would add a suffix
                np.save(file, draws)

        write_file(path, lambda path: path.write_text(text, encoding="utf-8"))
        write_file(path.with_suffix(".npy"), save_draws)
        prune(path.parent)
    return statistics


def cached(name: str, kind: type[T], compute: Callable[[], T]) -> T:
    """The cached value of a dataclass `kind`. If there is none, it is computed and cached."""
    path = _path(name, "json")
    value = _read(path, lambda content: msgspec.json.decode(content, type=kind))
    if value is None:
        value = compute()
        if path:
            write_file(path, lambda path: path.write_bytes(msgspec.json.encode(value)))
            prune(path.parent)
    return value


def _path(name: str, ending: str) -> Path | None:
    folder = cache_folder("standings")
    return folder / f"{name}.{ending}" if folder else None


def _read(path: Path | None, parse: Callable[[bytes], Any]) -> Any:
    try:
        parsed = parse(path.read_bytes()) if path else None
    except (OSError, ValueError, TypeError, AttributeError, EOFError):
        return None  # missing or damaged: it is computed again
    if parsed is not None:
        mark_used(path)
    return parsed
