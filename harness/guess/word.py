"""What is guessed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from harness.task import Task


@dataclass(frozen=True)
class Guess:
    """What a family makes of some data.

    Attributes:
        task: with its source, columns (none where the reader gives the family's own) and options.
        rows: of the training split (or of all), as the source gives them.
        named: the family's columns → what the files call them, languages included.
        likely: whether it speaks for itself; see `harness.proposal.Proposal`.
        remarks: option of the format → why it was set.
        unused: names of files and folders beside the data that are not read.
        others, undecided: columns that may be meant as well; see `harness.proposal.Proposal`.
    """

    task: Task
    rows: list[dict[str, Any]]
    named: Mapping[str, Any]
    likely: bool = True
    remarks: Mapping[str, str] = field(default_factory=dict)
    others: Mapping[str, Sequence[str]] = field(default_factory=dict)
    undecided: Sequence[str] = ()
    unused: Sequence[str] = ()
