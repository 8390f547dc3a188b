"""Signs that a training failed or fell short, read from its record alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Trouble:
    """One sign of trouble.

    Attributes:
        kind: a short name for programs, such as `constant` or `few-steps`.
        text: what was seen, in a few words with its numbers, for boards and the terminal.
        cure: the option to try next, such as `--search auto`; empty where there is none.
        failed: whether the training is to count as failed, so that its score says nothing about the model.
    """

    kind: str
    text: str
    cure: str = ""
    failed: bool = False


def trouble(record: dict[str, Any]) -> list[Trouble]:
    """The signs of trouble in one record; none for baselines, trials and failed cells."""
    return []


def trouble_of_seeds(records: Sequence[dict[str, Any]]) -> list[Trouble]:
    """What only several seeds of one model, task, method and recipe show together: some learned, some collapsed."""
    return []
