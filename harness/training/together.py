"""Several processes that train one cell: how they find each other, and who they are."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any

import torch
from accelerate import Accelerator
from accelerate.utils import gather_object
from torch import nn
from torch.distributed import TCPStore, init_process_group

# How the processes that train one cell together find each other.


# By these variables Accelerate takes a process for one of several: a batch system sets some of them for its own ends.
VARIABLES = (
    "RANK", "WORLD_SIZE", "LOCAL_RANK", "LOCAL_WORLD_SIZE", "PMI_SIZE", "PMI_RANK", "OMPI_COMM_WORLD_SIZE",
    "OMPI_COMM_WORLD_RANK", "OMPI_COMM_WORLD_LOCAL_SIZE", "OMPI_COMM_WORLD_LOCAL_RANK", "MV2_COMM_WORLD_SIZE",
    "MV2_COMM_WORLD_RANK",
)  # fmt: skip
HERE = "127.0.0.1"
PATIENCE = timedelta(minutes=30)  # the longest that one waits for the others: evaluation may keep them apart for long


def alone() -> None:
    """Be one process, whatever the environment says."""
    for name in VARIABLES:
        os.environ.pop(name, None)


def lead(size: int, tell: Callable[[int], None]) -> None:
    """Be the first of `size` processes of this machine; the others are told the port at which to join."""
    store = TCPStore(HERE, 0, size, is_master=True, wait_for_workers=False)
    tell(store.port)
    _join(store, 0, size)


def follow(rank: int, size: int, port: int) -> None:
    """Join as another of them."""
    _join(TCPStore(HERE, port, size, is_master=False), rank, size)


def _join(store: TCPStore, rank: int, size: int) -> None:
    alone()
    os.environ |= {
        "RANK": str(rank), "LOCAL_RANK": str(rank), "WORLD_SIZE": str(size), "LOCAL_WORLD_SIZE": str(size),
        "OMP_NUM_THREADS": str(torch.get_num_threads()),  # which Accelerate would otherwise set by itself
    }  # fmt: skip
    backend = "nccl" if torch.cuda.is_available() else "gloo"
    init_process_group(backend, store=store, rank=rank, world_size=size, timeout=PATIENCE)


# The processes that train one cell together: one, or one for each of its devices.


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
