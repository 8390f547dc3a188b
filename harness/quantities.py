"""Parse quantities that a person types: durations (`90s`, `200steps`, `never`) and amounts (`100M`, `8GiB`)."""

from __future__ import annotations

import re
from dataclasses import dataclass

from harness.errors import BenchError

_SECONDS = {"s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_MULTIPLES = {
    "": 1, "k": 1e3, "m": 1e6, "g": 1e9, "b": 1e9,
    "kb": 1e3, "mb": 1e6, "gb": 1e9, "kib": 2**10, "mib": 2**20, "gib": 2**30,
}  # fmt: skip
_TIME = re.compile(r"(\d+(?:\.\d+)?)(s|m|h|d)?")
_STEPS = re.compile(r"(\d+)\s*steps?")
_AMOUNT = re.compile(r"(\d+(?:\.\d+)?)\s*([a-z]*)")


@dataclass(frozen=True)
class SaveInterval:
    """How often a checkpoint is saved: every so many seconds or optimiser steps; never if neither is set."""

    seconds: float | None = None
    steps: int | None = None


NEVER = SaveInterval()
EVERY_FIVE_MINUTES = SaveInterval(seconds=300.0)


def parse_seconds(option: str, text: str) -> float:
    """Parse `90`, `90s`, `5m`, `1.5h` or `1d` into seconds.

    Raises:
        BenchError: not a time, or zero; the message names `option`.
    """
    match = _TIME.fullmatch(text.strip())
    value = float(match[1]) * _SECONDS[match[2] or "s"] if match else 0.0
    if not value:
        raise BenchError(f"{option} {text}: must be a time such as 90s, 5m or 2h")
    return value


def parse_interval(option: str, text: str) -> SaveInterval:
    """Parse `5m`, `200steps` or `never`.

    Raises:
        BenchError: none of these; the message names `option`.
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


def parse_amount(option: str, text: str, example: str) -> float:
    """Parse `100M`, `1.5B` or `8GiB` into a number.

    Raises:
        BenchError: not an amount, or zero; the message names `option` and gives the `example`.
    """
    match = _AMOUNT.fullmatch(text.strip().lower())
    if not match or match[2] not in _MULTIPLES or not float(match[1]):
        raise BenchError(f"{option} {text}: must be an amount such as {example}")
    return float(match[1]) * _MULTIPLES[match[2]]
