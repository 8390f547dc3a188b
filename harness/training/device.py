"""Devices and precisions as the worker process sees them, and what a record says about them."""

from __future__ import annotations

import platform
from collections.abc import Collection
from importlib.metadata import version
from typing import Any

import torch
from accelerate import Accelerator

from harness import processor

LIBRARIES = (
    "torch", "transformers", "accelerate", "datasets", "tokenizers", "evaluate", "scikit-learn", "seqeval", "sacrebleu",
)  # fmt: skip


def has_fast_bf16(device: torch.device) -> bool:
    """Return whether the device multiplies bf16 natively, not by emulation."""
    if device.type == "cuda":
        return torch.cuda.get_device_capability(device) >= (8, 0)
    if device.type == "cpu":
        return torch.ops.mkldnn._is_mkldnn_bf16_supported() and bool(torch.cpu._is_avx512_bf16_supported())
    return False


def precisions(device: str, requested: str, avoid: Collection[str] = ()) -> list[str]:
    """Return the precision to train in, followed by fp32 if half precision may fail.

    Args:
        device: `cpu`, `cuda:N` or `mps`.
        requested: the recipe's precision; `auto` never chooses one in `avoid`.
        avoid: precisions in which the model cannot be trained.
    """
    if requested == "auto":
        fast = has_fast_bf16(torch.device(device.split(":")[0])) and "bf16" not in avoid
        requested = "bf16" if fast else "fp32"
    return [requested] if requested == "fp32" or "fp32" in avoid else [requested, "fp32"]


def make_accelerator(device: str, precision: str) -> Accelerator:
    """Create an accelerator on `cpu`, `cuda:N` or `mps` for `fp32` or `bf16`.

    The engine has already made `cuda:N` the only visible GPU.
    """
    from accelerate.state import AcceleratorState

    AcceleratorState._reset_state()  # otherwise the precision of an earlier accelerator in this process would stay
    return Accelerator(cpu=device == "cpu", mixed_precision="bf16" if precision == "bf16" else "no")


def precision_of(accelerator: Accelerator) -> str:
    """Return `fp32` or `bf16`."""
    return "bf16" if accelerator.mixed_precision == "bf16" else "fp32"


def environment(device: torch.device, precision: str) -> dict[str, Any]:
    """Return what a reader of the record must know to repeat the run, without names or paths of the machine."""
    if device.type == "cuda":
        name = torch.cuda.get_device_name(device)
    elif device.type == "cpu":
        # Machines with processors of the same name can differ in the vector instructions that torch uses, and so in speed.
        name = f"{processor.name()}, {torch.backends.cpu.get_cpu_capability()}"
    else:
        name = device.type
    return {
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.machine()}",
        "device": name,
        "device_type": device.type,
        "threads": torch.get_num_threads(),
        "precision": precision,
        "libraries": {name: version(name) for name in LIBRARIES},
    }
