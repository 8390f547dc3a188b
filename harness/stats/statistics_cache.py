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

from harness.caching import cache_folder, prune, used, write

if TYPE_CHECKING:  # importing numpy takes a tenth of a second, and a board from the cache does not need it
    from harness.metrics.additive import Array
    from harness.slices import Slices

VERSION = 7  # of the statistics; a part of the keys
T = TypeVar("T")


@dataclass(frozen=True)
class ColumnStatistics:
    """One task's intervals and tests.

    Attributes:
        intervals: row → low and high of its mean.
        p: pairs of rows, and the p value of their difference, not adjusted.
        slices: id of a record that holds none → its slices.
        behind: row → how far the first of the column's running rows is ahead of it: difference, low and high.
        draws: row → its mean scores on drawn seeds and test rows; None where this is from the cache.
    """

    intervals: Mapping[str, tuple[float, float]]
    p: Sequence[tuple[str, str, float]]
    draws: Mapping[str, Array] | None = field(default=None, compare=False)
    slices: Mapping[str, Slices] = field(default_factory=dict)
    behind: Mapping[str, tuple[float, float, float]] = field(default_factory=dict)


def cache_key(*facts: Any) -> str:
    """The name of what follows from these facts."""
    return hashlib.sha256(json.dumps([VERSION, *facts], sort_keys=True).encode()).hexdigest()


@cache
def family_source_hash(family: str) -> str | None:
    """A hash of the module that a family is written in, so that slices which it gains without a new version are seen.

    None: it is not registered here, or its module is no file.
    """
    import inspect

    from harness import registry

    adapter = registry.families().get(family)
    try:
        return hashlib.sha256(Path(inspect.getfile(type(adapter))).read_bytes()).hexdigest() if adapter else None
    except (OSError, TypeError):
        return None


def cached_column(name: str) -> ColumnStatistics | None:
    """A column that was kept, with its draws."""
    beside = _path(name, "npy")
    if beside is None or not beside.exists():
        return None  # swept away: both are made anew, while it can still be said that predictions are gone

    def parse(content: bytes) -> ColumnStatistics:
        intervals, p, slices, behind = json.loads(content)
        ends = {row: (low, high) for row, (low, high) in intervals.items()}
        return ColumnStatistics(ends, [tuple(pair) for pair in p], slices=slices, behind=behind)

    return _read(_path(name, "json"), parse)


def cached_draws(name: str, rows: Sequence[str]) -> Mapping[str, Array] | None:
    """The draws of a column that was kept.

    Args:
        name: its key.
        rows: in the order of `Found.intervals`.
    """
    import io

    import numpy as np

    def parse(content: bytes) -> Mapping[str, Array]:
        return dict(zip(rows, np.load(io.BytesIO(content), allow_pickle=False), strict=True))

    return _read(_path(name, "npy"), parse)


def cache_column(name: str, found: ColumnStatistics) -> ColumnStatistics:
    """Keep a column, and give it back."""
    import numpy as np

    if path := _path(name, "json"):
        text = json.dumps([found.intervals, found.p, found.slices, found.behind])
        many = np.array([found.draws[row] for row in found.intervals])

        def fill(place: Path) -> None:
            with place.open("wb") as file:
                np.save(file, many)

        write(path, lambda place: place.write_text(text, encoding="utf-8"))
        write(path.with_suffix(".npy"), fill)
        prune(path.parent)
    return found


def cached(name: str, kind: type[T], make: Callable[[], T]) -> T:
    """The cached value of a dataclass `kind`; where there is none, the result of `make`, which is cached then."""
    path = _path(name, "json")
    known = _read(path, lambda content: msgspec.json.decode(content, type=kind))
    if known is None:
        known = make()
        if path:
            write(path, lambda place: place.write_bytes(msgspec.json.encode(known)))
            prune(path.parent)
    return known


def _path(name: str, ending: str) -> Path | None:
    folder = cache_folder("standings")
    return folder / f"{name}.{ending}" if folder else None


def _read(path: Path | None, parse: Callable[[bytes], Any]) -> Any:
    try:
        found = parse(path.read_bytes()) if path else None
    except (OSError, ValueError, TypeError, AttributeError, EOFError):
        return None  # there is none, or it is damaged: it is made anew
    if found is not None:
        used(path)
    return found
