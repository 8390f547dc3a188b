"""How fast a device multiplies matrices: the roof under which a training step works."""

from __future__ import annotations

import time
from functools import cache

import torch

SIZES = {"cpu": 512}  # rows and columns: a few milliseconds, so that the best one was not interrupted
LARGE = 4096  # of an accelerator
BUDGET = 0.05  # seconds


@cache
def matmul_peak(device: str, precision: str, threads: int) -> float:
    """FLOP/s of a plain matrix product, the best of as many as take about 50 ms.

    Args:
        device: as torch calls it, such as `cpu` or `cuda`.
        precision: `fp32` or `bf16`.
        threads: as torch is set now; part of the key only.
    """
    size = SIZES.get(device.split(":")[0], LARGE)
    dtype = torch.bfloat16 if precision == "bf16" else torch.float32
    # No random numbers: the generators belong to the cell.
    left = torch.full((size, size), 0.5, dtype=dtype, device=device)
    right = torch.full((size, size), 0.25, dtype=dtype, device=device)
    product = left @ right  # the first one prepares kernels and memory
    best, end = float("inf"), time.perf_counter() + BUDGET
    while best == float("inf") or time.perf_counter() < end:
        _wait(device)
        started = time.perf_counter()
        torch.matmul(left, right, out=product)
        _wait(device)
        best = min(best, time.perf_counter() - started)
    return 2 * size**3 / best


def _wait(device: str) -> None:
    if device.startswith("cuda"):
        torch.cuda.synchronize(device)
    elif device.startswith("mps"):
        torch.mps.synchronize()
