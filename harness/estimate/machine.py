"""This machine as records name it, without asking torch."""

from __future__ import annotations

import glob
import os
import platform
import sys
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from harness import processor


def cores() -> int:
    """The cores that this process may use; where the system does not tell, those that there are."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def devices(asked: str) -> list[str]:
    """The devices that a run would use, as far as the system's files tell; a run asks torch.

    Args:
        asked: `auto`, or names with commas.
    """
    if asked != "auto":
        return [name.strip() for name in asked.split(",")]
    cards = sorted(glob.glob("/dev/nvidia[0-9]*"))
    if cards and os.environ.get("CUDA_VISIBLE_DEVICES") != "":
        visible = os.environ.get("CUDA_VISIBLE_DEVICES")
        return [f"cuda:{number}" for number in range(len(visible.split(",")) if visible else len(cards))]
    return ["mps"] if sys.platform == "darwin" and platform.machine() == "arm64" else ["cpu"]


def precision(device: str, asked: str, avoid: Collection[str] = ()) -> str:
    """The precision that `auto` means on a CPU for a model that must `avoid` some; on a card only torch knows, and it stays `auto`."""
    if asked == "auto" and "bf16" in avoid:
        return "fp32"
    if asked != "auto" or device != "cpu":
        return asked
    return "bf16" if "avx512_bf16" in processor.flags() else "fp32"


def is_here(environment: Mapping[str, Any], device: str, threads: int) -> bool:
    """Whether a record's environment is like this machine and slot: its processor or card, and the number of threads."""
    kind = device.split(":")[0]
    if environment.get("device_type") != kind or not environment.get("device"):
        return False
    if kind == "cpu":
        return environment.get("threads") == threads and environment["device"] in (names() or [environment["device"]])
    return _card(environment["device"])


def _card(name: str) -> bool:
    """Whether the NVIDIA driver's files tell of a card of that name; where they tell nothing, any card will do."""
    told = [path.read_text(errors="replace") for path in Path("/proc/driver/nvidia/gpus").glob("*/information")]
    return not told or any(name in text for text in told)


def names() -> list[str]:
    """What records may call this processor: its name, and the vector instructions that torch finds in it."""
    flags, name = processor.flags(), processor.entry().get("model name")
    if not name or not flags:
        return []
    # As torch chooses (ATen/native/DispatchStub.cpp), with the one name that older releases use.
    if {"avx512vl", "avx512bw", "avx512dq", "fma"} <= flags:
        return [f"{name}, AVX512", f"{name}, AVX2"]
    return [f"{name}, AVX2"] if {"avx2", "fma"} <= flags else [f"{name}, DEFAULT", f"{name}, NO AVX"]
