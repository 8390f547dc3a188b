"""Several processes that train one cell together: how they connect, and how they exchange values."""

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

# With one of these variables set, Accelerate takes a process for one of several. Batch systems set some of them for their own use.
VARIABLES = (
    "RANK", "WORLD_SIZE", "LOCAL_RANK", "LOCAL_WORLD_SIZE", "PMI_SIZE", "PMI_RANK", "OMPI_COMM_WORLD_SIZE",
    "OMPI_COMM_WORLD_RANK", "OMPI_COMM_WORLD_LOCAL_SIZE", "OMPI_COMM_WORLD_LOCAL_RANK", "MV2_COMM_WORLD_SIZE",
    "MV2_COMM_WORLD_RANK",
)  # fmt: skip
HOST = "127.0.0.1"
TIMEOUT = timedelta(minutes=30)  # evaluation can keep the processes apart for long


def alone() -> None:
    """Remove what makes Accelerate take this process for one of several."""
    for name in VARIABLES:
        os.environ.pop(name, None)


def lead(size: int, announce: Callable[[int], None]) -> None:
    """Become the first of `size` processes on this machine.

    Args:
        size: number of processes.
        announce: is called with the port that the other processes have to join.
    """
    store = TCPStore(HOST, 0, size, is_master=True, wait_for_workers=False)
    announce(store.port)
    _join(store, 0, size)


def follow(rank: int, size: int, port: int) -> None:
    """Join the processes as number `rank`, counted from 0."""
    _join(TCPStore(HOST, port, size, is_master=False), rank, size)


def _join(store: TCPStore, rank: int, size: int) -> None:
    alone()
    os.environ |= {
        "RANK": str(rank), "LOCAL_RANK": str(rank), "WORLD_SIZE": str(size), "LOCAL_WORLD_SIZE": str(size),
        "OMP_NUM_THREADS": str(torch.get_num_threads()),  # Accelerate would set it otherwise
    }  # fmt: skip
    backend = "nccl" if torch.cuda.is_available() else "gloo"
    init_process_group(backend, store=store, rank=rank, world_size=size, timeout=TIMEOUT)


class Team:
    """The processes that train one cell. Each of them must make the same calls in the same order.

    Attributes:
        rank: number of this process, from 0; process 0 writes files and reads the clock.
        size: number of processes; with one, nothing is exchanged.
    """

    def __init__(self, accelerator: Accelerator):
        self.accelerator = accelerator
        self.rank, self.size = accelerator.process_index, accelerator.num_processes

    def share(self, items: list[Any]) -> list[Any]:
        """Return every `size`-th item, so that the parts of all processes have similar lengths."""
        return items[self.rank :: self.size]

    def sum(self, *values: float) -> list[float]:
        """Return each value's sum over all processes."""
        if self.size == 1:
            return list(values)
        tensor = torch.tensor(values, dtype=torch.float64, device=self.accelerator.device)
        return self.accelerator.reduce(tensor, "sum").tolist()

    def sum_gradients(self, parameters: Sequence[nn.Parameter]) -> None:
        """Replace each gradient by its sum over all processes. A process without rows contributes zeros."""
        if self.size > 1:
            for parameter in parameters:
                # In place, because `Weights` holds views of the gradients.
                parameter.grad.copy_(self.accelerator.reduce(parameter.grad, "sum"))

    def gather(self, items: list[Any]) -> list[Any]:
        """Return the items of all processes, in the order of their ranks."""
        return items if self.size == 1 else gather_object(items)
