"""The processes that train one cell together: one, or one for each of its devices."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from accelerate import Accelerator
from accelerate.utils import gather_object
from torch import nn


class Team:
    """What the processes of a cell say to each other. Every member must make the same calls in the same order.

    Attributes:
        rank: which member this is, from 0, which speaks for all.
        size: how many there are; a team of one says nothing.
    """

    def __init__(self, accelerator: Accelerator):
        self.accelerator = accelerator
        self.rank, self.size = accelerator.process_index, accelerator.num_processes

    def share(self, items: list[Any]) -> list[Any]:
        """This member's part of a list that all have: dealt out like cards, so that parts are of like length."""
        return items[self.rank :: self.size]

    def sum(self, *values: float) -> list[float]:
        """The sums of values over all members."""
        if self.size == 1:
            return list(values)
        tensor = torch.tensor(values, dtype=torch.float64, device=self._device())
        return self.accelerator.reduce(tensor, "sum").tolist()

    def sum_gradients(self, trained: Sequence[nn.Parameter]) -> None:
        """Give every member the sum of all gradients; one that had no row has zeros."""
        if self.size > 1:
            for parameter in trained:
                # In place: the weights know where their gradients are.
                parameter.grad.copy_(self.accelerator.reduce(parameter.grad, "sum"))

    def gather(self, items: list[Any]) -> list[Any]:
        """The lists of all members, one after another."""
        return items if self.size == 1 else gather_object(items)

    def _device(self) -> torch.device:
        return self.accelerator.device
