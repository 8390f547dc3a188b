"""Running out of memory: what a person can do; and how much was used."""

from __future__ import annotations

import resource
import sys

import torch
from accelerate import Accelerator


class NotEnoughMemory(Exception):
    """A single row is too much for the device's memory."""


def advise(what: str, max_length: int) -> NotEnoughMemory:
    """The error for `what` (training, prediction) that did not fit with one row at a time."""
    return NotEnoughMemory(
        f"out of memory: {what} does not fit with one row at a time; try --set recipe.max_length=N below {max_length},"
        " fewer cells at once (--jobs 1), a device with more memory, or a smaller model"
    )


def free_unused() -> None:
    """Give what torch keeps for later use back to the device."""
    if torch.cuda.is_available():
        torch.cuda.empty_cache()


def peak_memory(accelerator: Accelerator) -> int:
    """Bytes: of the GPU's allocator, or the process's largest resident size."""
    if accelerator.device.type == "cuda":
        return torch.cuda.max_memory_allocated(accelerator.device)
    return process_peak()


def process_peak() -> int:
    """Bytes: the process's largest resident size."""
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit
