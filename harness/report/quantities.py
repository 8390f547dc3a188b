"""Amounts as all renderers write them. `harness.report.text` has them too."""

from __future__ import annotations

NONE = "–"


def count(number: int | None) -> str:
    """4400000 → 4.4M."""
    if number is None:
        return NONE
    for size, unit in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if number >= size:
            return f"{number / size:.{1 if number < 100 * size else 0}f}{unit}"
    return str(number)


def sizes(smallest_largest: tuple[int, int] | None) -> str:
    """Parameters of a row, whose cells differ by their heads."""
    if smallest_largest is None:
        return NONE
    low, high = map(count, smallest_largest)
    return low if low == high else f"{low}–{high}"


def duration(seconds: float | None) -> str:
    """In the largest fitting unit: 0.42 s, 42 s, 3.5 min, 2.1 h."""
    if seconds is None:
        return NONE
    if seconds < 120:
        return f"{seconds:.{2 if seconds < 1 else 1 if seconds < 10 else 0}f} s"
    return f"{seconds / 60:.1f} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"


def memory(size: float | None) -> str:
    """Bytes in MiB or GiB."""
    if size is None:
        return NONE
    return f"{size / 2**20:.0f} MiB" if size < 2**30 else f"{size / 2**30:.1f} GiB"
