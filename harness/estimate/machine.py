"""This machine: what records call it, and how fast it computes a layer, which is timed once and kept in the user's cache folder.

Run as `python -m harness.estimate.machine DEVICE THREADS '[["fp32", 128], …]'`, it times a layer of each precision and width and prints
them as JSON. Only that process imports torch.
"""

from __future__ import annotations

import glob
import hashlib
import json
import math
import os
import platform
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Collection, Mapping
from contextlib import suppress
from dataclasses import astuple, dataclass, replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

from harness import processor
from harness.caching import cache_folder
from harness.files import write_text

TIMEOUT = 120.0  # seconds by the wall's clock, after which the usual figures have to do
LOADING, LAYER = 3.0, 1.0  # seconds of a processor to load torch and to time one layer: to say how long it will be
ENOUGH, TIMES = 0.2, 8  # seconds that one thing is repeated, and how often at most
FEW, MANY, LONG = (1, 8), (16, 40), (2, 320)  # rows and tokens of the batches that are timed
HEAD = 64  # numbers of an attention's head, as most models have


@dataclass(frozen=True)
class Speed:
    """Seconds of a layer of one width: `read` for a pass forward, `train` for one forward and backward."""

    read_layer: float  # a layer, however small the batch is
    read_flop: float  # a floating-point operation with its weights
    read_score: float  # how one token attends to another, in one head
    train_layer: float
    train_flop: float
    train_score: float
    update: float  # of AdamW, for each weight


# What this module timed on an Intel Xeon with AVX-512, bf16 and AMX, one thread: for a first word about a CPU that was not timed.
USUAL = {
    "fp32": {
        64: Speed(2.7e-4, 1.9e-11, 2e-9, 1.2e-3, 3.5e-11, 2e-8, 4e-9), 128: Speed(3.7e-4, 1.2e-11, 2e-9, 1.6e-3, 1.9e-11, 2e-8, 3e-9),
        384: Speed(1.3e-3, 9.0e-12, 2e-9, 6.5e-3, 1.1e-11, 3e-8, 2e-9), 768: Speed(5.4e-3, 8.0e-12, 4e-9, 2.2e-2, 9.5e-12, 3e-8, 2e-9),
    },
    "bf16": {
        64: Speed(5.3e-4, 1.5e-11, 1e-9, 2.1e-3, 2.3e-11, 2e-8, 5e-9), 128: Speed(6.8e-4, 7.7e-12, 1e-9, 2.8e-3, 1.1e-11, 3e-8, 3e-9),
        384: Speed(2.1e-3, 2.9e-12, 1e-9, 8.0e-3, 5.4e-12, 2e-8, 2e-9), 768: Speed(9.4e-3, 2.4e-12, 1e-9, 2.6e-2, 3.6e-12, 3e-8, 2e-9),
    },
}  # fmt: skip


WIDTHS = (64, 128, 384, 768)  # that are timed, for all widths that are nearer to them than to the others


@dataclass(frozen=True)
class Machine:
    """The device of a slot, and its (precision, width) → speed as far as it was timed."""

    device: str
    timed: Mapping[tuple[str, int], Speed]

    def speed(self, precision: str, width: int) -> tuple[Speed, bool] | None:
        """For a model of this width, and whether it was timed here; None where nothing is known (cards that were not timed)."""
        key = precision, nearest(width)
        found = self.timed.get(key) or (USUAL.get(precision, {}).get(key[1]) if self.device == "cpu" else None)
        if not found:
            return None
        wider = max(1.0, width / WIDTHS[-1]) ** 2  # what a wide layer takes with a small batch is to read its weights
        return replace(found, read_layer=found.read_layer * wider, train_layer=found.train_layer * wider), key in self.timed


def nearest(width: int) -> int:
    """The width that is timed for models of this one."""
    return min(WIDTHS, key=lambda timed: abs(math.log(timed / width)))


def timed(device: str, threads: int, wanted: Collection[tuple[str, int]], tell: Callable[[str], None] | None) -> Machine:
    """The machine, timed first for the models that are `wanted` where it is not yet.

    Args:
        wanted: their precisions and widths.
        device, threads: of a slot, as `Slot` has them.
        tell: is told before anything is timed, which takes some seconds; None: nothing is timed.
    """
    folder = cache_folder("machine")
    path = folder and folder / f"{_identity(device, threads)}.json"
    found: dict[tuple[str, int], Speed] = {}
    with suppress(OSError):
        found = _speeds(path.read_bytes() if path else b"")
    missing = sorted({(mode, nearest(width)) for mode, width in wanted} - found.keys())
    if missing and tell:
        busy = hasattr(os, "getloadavg") and os.getloadavg()[0] > cores() / 2
        longer = ", more while other programs have the processor" if busy else ""
        kept = "" if path else "; there is no cache folder (BENCH_CACHE) to keep it in"
        tell(f"measuring this machine once, about {5 * math.ceil((LOADING + LAYER * len(missing)) / 5)} s{longer}{kept}")
        found |= _measure(device, threads, missing)
        with suppress(OSError):  # a full disk: it is measured again the next time
            if path:
                write_text(path, _json(found))
    return Machine(device, found)


def _identity(device: str, threads: int) -> str:
    """Of all that a measurement depends on, and of how it is made."""
    libraries = {name: version(name) for name in ("torch", "transformers", "accelerate")}
    known = [device.split(":")[0], threads, cores(), names(), libraries, sys.version, Path(__file__).read_text(encoding="utf-8")]
    return hashlib.sha256(json.dumps(known, sort_keys=True).encode()).hexdigest()[:16]


def _json(found: Mapping[tuple[str, int], Speed]) -> str:
    return json.dumps([[*key, astuple(speed)] for key, speed in found.items()])


def _speeds(text: str | bytes) -> dict[tuple[str, int], Speed]:
    """What `_json` has written; nothing where it is damaged."""
    try:
        return {(str(mode), int(width)): Speed(*map(float, speed)) for mode, width, speed in json.loads(text)}
    except (ValueError, TypeError):
        return {}


def _measure(device: str, threads: int, wanted: Collection[tuple[str, int]]) -> dict[tuple[str, int], Speed]:
    """By a process of its own; nothing where that fails or takes too long."""
    command = [sys.executable, "-P", "-m", "harness.estimate.machine", device.split(":")[0], str(threads), json.dumps([*wanted])]
    try:
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=TIMEOUT)
    except (OSError, subprocess.SubprocessError):
        return {}
    return _speeds(done.stdout)


def time_layer(device: str, threads: int, precision: str, width: int) -> Speed:
    """How long a transformer's layer and AdamW take here, with random weights and in a loop as plain as can be."""
    import torch
    from torch import nn
    from torch.nn.utils import get_total_norm

    torch.set_num_threads(threads)
    torch.backends.mha.set_fastpath_enabled(False)  # fused layers, which no model of the library uses
    heads = width // HEAD
    layer = nn.TransformerEncoderLayer(width, heads, 4 * width, 0.1, "gelu", batch_first=True, device=device)
    optimiser = torch.optim.AdamW(layer.parameters(), fused=device in ("cpu", "cuda"))
    # With one thread by the processor's clock, so that whatever else the machine does at the moment does not count.
    now = time.process_time if device == "cpu" and threads == 1 else time.perf_counter
    fast = device == "cuda" and torch.cuda.is_bf16_supported(including_emulation=False)  # what `auto` means on a card
    half = torch.autocast(device, torch.bfloat16, enabled=precision == "bf16" or (precision == "auto" and fast))

    def usual(run: Callable[[], Any]) -> float:
        taken: list[float] = []
        while len(taken) < 2 or (len(taken) < TIMES and sum(taken[1:]) < ENOUGH):
            begun = now()
            run()
            if device != "cpu":
                getattr(torch, device).synchronize()
            taken.append(now() - begun)
        return statistics.median(taken[1:])  # the first one prepares kernels and memory

    def seconds(batch: tuple[int, int], trains: bool) -> float:
        states = torch.randn(*batch, width, device=device, requires_grad=trains)

        def run() -> None:
            with half, torch.set_grad_enabled(trains):
                loss = layer(states).float().sum()
            if trains:
                loss.backward()

        layer.train(trains)
        return usual(run)

    def parts(trains: bool) -> tuple[float, float, float]:
        few, many, long = (seconds(batch, trains) for batch in (FEW, MANY, LONG))
        scores = [rows * tokens**2 * heads for rows, tokens in (MANY, LONG)]
        score = max(0.0, long - many) / (scores[1] - scores[0])  # both have as many tokens
        operations = (2 + 4 * trains) * 12 * width**2 * (math.prod(MANY) - math.prod(FEW))
        return few, max(0.0, many - few - score * scores[0]) / operations, score

    def update() -> None:
        get_total_norm([weight.grad for weight in layer.parameters()])
        optimiser.step()

    return Speed(*parts(False), *parts(True), usual(update) / (12 * width**2))


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
    cards, visible = sorted(glob.glob("/dev/nvidia[0-9]*")), os.environ.get("CUDA_VISIBLE_DEVICES")
    if cards and visible != "":
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
    kind, name = device.split(":")[0], environment.get("device")
    if environment.get("device_type") != kind or not name:
        return False
    if kind == "cpu":
        return environment.get("threads") == threads and name in (names() or [name])
    # The NVIDIA driver's files tell of the cards; where they tell nothing, any will do.
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


def main() -> None:
    """The command line of this module."""
    device, threads, wanted = sys.argv[1:]
    print(_json({(mode, width): time_layer(device, int(threads), mode, width) for mode, width in json.loads(wanted)}))


if __name__ == "__main__":
    main()
