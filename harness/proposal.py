"""How a family would read a data set that it has never seen."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Proposal:
    """What a task file would say.

    Attributes:
        columns: the family's column → the data's, or a list of them whose texts are joined.
        options: of the family, as far as the data tell them.
    """

    columns: Mapping[str, Any]
    options: Mapping[str, Any] = field(default_factory=dict)
