"""How the processes that train one cell together find each other."""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import timedelta

import torch
from torch.distributed import TCPStore, init_process_group

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
