"""Amounts as a person writes them: `100M` parameters, `8GiB` of memory."""

from __future__ import annotations

import re

from harness.errors import BenchError

_MULTIPLES = {
    "": 1, "k": 1e3, "m": 1e6, "g": 1e9, "b": 1e9,
    "kb": 1e3, "mb": 1e6, "gb": 1e9, "kib": 2**10, "mib": 2**20, "gib": 2**30,
}  # fmt: skip
_AMOUNT = re.compile(r"(\d+(?:\.\d+)?)\s*([a-z]*)")


def parse_amount(option: str, text: str, example: str) -> float:
    """The number that `100M`, `1.5B` or `8GiB` is.

    Raises:
        BenchError: it is none; `option` and an `example` of what is valid are named.
    """
    found = _AMOUNT.fullmatch(text.strip().lower())
    if not found or found[2] not in _MULTIPLES or not float(found[1]):
        raise BenchError(f"{option} {text}: must be an amount such as {example}")
    return float(found[1]) * _MULTIPLES[found[2]]
