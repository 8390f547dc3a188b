"""Devices and precision, as the worker finds them."""

from __future__ import annotations

import platform
from collections.abc import Collection
from importlib.metadata import version
from typing import Any

import torch
from accelerate import Accelerator

from harness import processor

LIBRARIES = (
    "torch",
    "transformers",
    "accelerate",
    "datasets",
    "tokenizers",
    "evaluate",
    "scikit-learn",
    "seqeval",
    "sacrebleu",
)


def has_fast_bf16(device: torch.device) -> bool:
    """Whether the device multiplies bf16 natively, not by emulation."""
    if device.type == "cuda":
        return torch.cuda.get_device_capability(device) >= (8, 0)
    if device.type == "cpu":
        return torch.ops.mkldnn._is_mkldnn_bf16_supported() and bool(torch.cpu._is_avx512_bf16_supported())
    return False


def precisions(device: str, wanted: str, avoid: Collection[str] = ()) -> list[str]:
    """What to train in, and what to try after that when half precision has led to no numbers.

    Args:
        device: `cpu`, `cuda:N` or `mps`.
        wanted: the recipe's precision; `auto` never means one that the model must `avoid`.
        avoid: precisions in which the model does not train.
    """
    if wanted == "auto":
        fast = has_fast_bf16(torch.device(device.split(":")[0])) and "bf16" not in avoid
        wanted = "bf16" if fast else "fp32"
    return [wanted] if wanted == "fp32" or "fp32" in avoid else [wanted, "fp32"]


def make_accelerator(device: str, precision: str) -> Accelerator:
    """An accelerator on `cpu`, `cuda:N` or `mps`, with `fp32` or `bf16`.

    The engine has already made `cuda:N` the only visible GPU.
    """
    from accelerate.state import AcceleratorState

    AcceleratorState._reset_state()  # the precision of an earlier one in this process would stay
    return Accelerator(cpu=device == "cpu", mixed_precision="bf16" if precision == "bf16" else "no")


def environment(accelerator: Accelerator) -> dict[str, Any]:
    """What a reader of the record must know to repeat the run; no name or path of the machine."""
    return surroundings(accelerator.device, precision_of(accelerator))


def precision_of(accelerator: Accelerator) -> str:
    """`fp32` or `bf16`."""
    return "bf16" if accelerator.mixed_precision == "bf16" else "fp32"


def surroundings(device: torch.device, precision: str) -> dict[str, Any]:
    """The same for what has no accelerator."""
    return {
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.machine()}",
        "device": torch.cuda.get_device_name(device)
        if device.type == "cuda"
        else _processor()
        if device.type == "cpu"
        else device.type,
        "device_type": device.type,
        "threads": torch.get_num_threads(),
        "precision": precision,
        "libraries": {name: version(name) for name in LIBRARIES},
    }


def _processor() -> str:
    """The processor's name and the vector instructions that torch uses: machines of one name differ in them, and so in speed."""
    return f"{processor.name()}, {torch.backends.cpu.get_cpu_capability()}"
