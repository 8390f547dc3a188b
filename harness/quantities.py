"""Quantities as a person types them: durations (`90s`, `200steps`) and amounts (`100M`, `8GiB`)."""

from __future__ import annotations

import re
from dataclasses import dataclass

from harness.errors import BenchError

# How often something is done, and how long it may take, as a person writes it: `90s`, `5m`, `2h`, `200steps`, `never`.


_SECONDS = {"s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_TIME = re.compile(r"(\d+(?:\.\d+)?)(s|m|h|d)?")
_STEPS = re.compile(r"(\d+)\s*steps?")


@dataclass(frozen=True)
class SaveInterval:
    """How often a state is saved: after so many seconds, after so many steps of the optimiser, or, with neither, never."""

    seconds: float | None = None
    steps: int | None = None


NEVER = SaveInterval()
EVERY_FIVE_MINUTES = SaveInterval(seconds=300.0)


def parse_seconds(option: str, text: str) -> float:
    """The seconds that `90`, `90s`, `5m`, `1.5h` or `1d` are.

    Raises:
        BenchError: another text, or no time at all; `option` is named.
    """
    found = _TIME.fullmatch(text.strip())
    value = float(found[1]) * _SECONDS[found[2] or "s"] if found else 0.0
    if not value:
        raise BenchError(f"{option} {text}: must be a time such as 90s, 5m or 2h")
    return value


def parse_interval(option: str, text: str) -> SaveInterval:
    """What `5m`, `200steps` or `never` means.

    Raises:
        BenchError: another text; `option` is named.
    """
    text = text.strip()
    if text == "never":
        return NEVER
    steps = _STEPS.fullmatch(text)
    if steps and int(steps[1]):
        return SaveInterval(steps=int(steps[1]))
    if not steps and _TIME.fullmatch(text):
        return SaveInterval(seconds=parse_seconds(option, text))
    raise BenchError(f"{option} {text}: must be a time (5m), a number of steps (200steps) or never")


# Amounts as a person writes them: `100M` parameters, `8GiB` of memory.


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
