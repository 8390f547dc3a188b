"""The speed of this machine: a transformer layer is timed once, and the result is kept in the user's cache folder.

Run as `python -m harness.estimate.machine DEVICE THREADS '[["fp32", 128], …]'`, it times a layer of each precision
and width, and prints the results as JSON. Only that process imports torch.
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
from harness.engines.local import available_cores
from harness.files import write_text

TIMEOUT = 120.0  # seconds of the measurement, after which the usual speeds are used
LOADING_SECONDS, LAYER_SECONDS = 3.0, 1.0  # processor time to load torch and to time a layer, to announce the duration
REPEAT_SECONDS, MAX_REPEATS = 0.2, 8  # how long, and how often at most, an operation is repeated
FEW, MANY, LONG = (1, 8), (16, 40), (2, 320)  # [rows, tokens] of the batches that are timed
HEAD_WIDTH = 64  # of an attention head, as in most models
WIDTHS = (64, 128, 384, 768)  # widths that are timed; each stands for all widths nearest to it

SpeedKey = tuple[str, int]  # precision and width


@dataclass(frozen=True)
class Speed:
    """Seconds of a layer of one width: `read` for a forward pass, `train` for a forward and a backward pass."""

    read_layer: float  # a layer with the smallest batch
    read_flop: float  # a floating-point operation with its weights
    read_score: float  # one token attending to another, in one head
    train_layer: float
    train_flop: float
    train_score: float
    update: float  # of AdamW, for each weight


# Measured on an Intel Xeon with AVX-512, bf16 and AMX, one thread: for a rough estimate on a CPU that was not measured.
USUAL_SPEEDS = {
    "fp32": {
        64: Speed(2.7e-4, 1.9e-11, 2e-9, 1.2e-3, 3.5e-11, 2e-8, 4e-9), 128: Speed(3.7e-4, 1.2e-11, 2e-9, 1.6e-3, 1.9e-11, 2e-8, 3e-9),
        384: Speed(1.3e-3, 9.0e-12, 2e-9, 6.5e-3, 1.1e-11, 3e-8, 2e-9), 768: Speed(5.4e-3, 8.0e-12, 4e-9, 2.2e-2, 9.5e-12, 3e-8, 2e-9),
    },
    "bf16": {
        64: Speed(5.3e-4, 1.5e-11, 1e-9, 2.1e-3, 2.3e-11, 2e-8, 5e-9), 128: Speed(6.8e-4, 7.7e-12, 1e-9, 2.8e-3, 1.1e-11, 3e-8, 3e-9),
        384: Speed(2.1e-3, 2.9e-12, 1e-9, 8.0e-3, 5.4e-12, 2e-8, 2e-9), 768: Speed(9.4e-3, 2.4e-12, 1e-9, 2.6e-2, 3.6e-12, 3e-8, 2e-9),
    },
}  # fmt: skip


@dataclass(frozen=True)
class Machine:
    """The device of a slot, and its speeds as far as they were measured."""

    device: str
    speeds: Mapping[SpeedKey, Speed]

    def speed(self, precision: str, width: int) -> tuple[Speed, bool] | None:
        """Return the speed for a width, and whether it was measured; None if unknown (a GPU that was not measured)."""
        key = precision, nearest_width(width)
        usual = USUAL_SPEEDS.get(precision, {}).get(key[1]) if self.device == "cpu" else None
        speed = self.speeds.get(key) or usual
        if not speed:
            return None
        wider = max(1.0, width / WIDTHS[-1]) ** 2  # with a small batch, a wide layer mainly reads its weights
        speed = replace(speed, read_layer=speed.read_layer * wider, train_layer=speed.train_layer * wider)
        return speed, key in self.speeds


def nearest_width(width: int) -> int:
    """Return the timed width that stands for a model's width."""
    return min(WIDTHS, key=lambda timed: abs(math.log(timed / width)))


def measured_machine(
    device: str, threads: int, keys: Collection[SpeedKey], say: Callable[[str], None] | None
) -> Machine:
    """Return the machine, after measuring the speeds that are not in the cache yet.

    Args:
        device: of a slot.
        threads: of a slot.
        keys: the precisions and widths of the models.
        say: is called with a message before the measurement, which takes some seconds; None: do not measure.
    """
    folder = cache_folder("machine")
    path = folder and folder / f"{_identity(device, threads)}.json"
    speeds: dict[SpeedKey, Speed] = {}
    with suppress(OSError):
        speeds = _from_json(path.read_bytes() if path else b"")
    missing = sorted({(precision, nearest_width(width)) for precision, width in keys} - speeds.keys())
    if missing and say:
        busy = hasattr(os, "getloadavg") and os.getloadavg()[0] > available_cores() / 2
        longer = ", more while other programs have the processor" if busy else ""
        not_kept = "" if path else "; there is no cache folder (BENCH_CACHE) to keep it in"
        seconds = 5 * math.ceil((LOADING_SECONDS + LAYER_SECONDS * len(missing)) / 5)
        say(f"measuring this machine once, about {seconds} s{longer}{not_kept}")
        speeds |= _measure(device, threads, missing)
        with suppress(OSError):  # a full disk: it is measured again next time
            if path:
                write_text(path, _to_json(speeds))
    return Machine(device, speeds)


def _identity(device: str, threads: int) -> str:
    """Hash everything that a measurement depends on, including this module's source."""
    libraries = {name: version(name) for name in ("torch", "transformers", "accelerate")}
    source = Path(__file__).read_text(encoding="utf-8")
    facts = [device.split(":")[0], threads, available_cores(), processor_names(), libraries, sys.version, source]
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()[:16]


def _to_json(speeds: Mapping[SpeedKey, Speed]) -> str:
    return json.dumps([[*key, astuple(speed)] for key, speed in speeds.items()])


def _from_json(text: str | bytes) -> dict[SpeedKey, Speed]:
    """Read the output of `_to_json`; empty if it is damaged."""
    try:
        return {(str(name), int(width)): Speed(*map(float, speed)) for name, width, speed in json.loads(text)}
    except (ValueError, TypeError):
        return {}


def _measure(device: str, threads: int, keys: Collection[SpeedKey]) -> dict[SpeedKey, Speed]:
    """Measure in a process of its own; empty if that fails or takes too long."""
    words = [device.split(":")[0], str(threads), json.dumps([*keys])]
    command = [sys.executable, "-P", "-m", "harness.estimate.machine", *words]
    try:
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=TIMEOUT)
    except (OSError, subprocess.SubprocessError):
        return {}
    return _from_json(done.stdout)


def time_layer(device: str, threads: int, precision: str, width: int) -> Speed:
    """Time a transformer layer and AdamW, with random weights and in the simplest possible loop."""
    import torch
    from torch import nn
    from torch.nn.utils import get_total_norm

    torch.set_num_threads(threads)
    torch.backends.mha.set_fastpath_enabled(False)  # no fused layers: no model of transformers uses them
    heads = width // HEAD_WIDTH
    layer = nn.TransformerEncoderLayer(width, heads, 4 * width, 0.1, "gelu", batch_first=True, device=device)
    optimiser = torch.optim.AdamW(layer.parameters(), fused=device in ("cpu", "cuda"))
    # With one thread, use processor time, so that other programs do not count.
    clock = time.process_time if device == "cpu" and threads == 1 else time.perf_counter
    has_bf16 = device == "cuda" and torch.cuda.is_bf16_supported(including_emulation=False)  # decides `auto` on a GPU
    autocast = torch.autocast(device, torch.bfloat16, enabled=precision == "bf16" or (precision == "auto" and has_bf16))

    def median_seconds(run: Callable[[], Any]) -> float:
        times: list[float] = []
        while len(times) < 2 or (len(times) < MAX_REPEATS and sum(times[1:]) < REPEAT_SECONDS):
            start = clock()
            run()
            if device != "cpu":
                getattr(torch, device).synchronize()
            times.append(clock() - start)
        return statistics.median(times[1:])  # the first run prepares kernels and memory

    def batch_seconds(batch: tuple[int, int], training: bool) -> float:
        states = torch.randn(*batch, width, device=device, requires_grad=training)

        def run() -> None:
            with autocast, torch.set_grad_enabled(training):
                loss = layer(states).float().sum()
            if training:
                loss.backward()

        layer.train(training)
        return median_seconds(run)

    def parts(training: bool) -> tuple[float, float, float]:
        few, many, long = (batch_seconds(batch, training) for batch in (FEW, MANY, LONG))
        scores = [rows * tokens**2 * heads for rows, tokens in (MANY, LONG)]
        score = max(0.0, long - many) / (scores[1] - scores[0])  # both batches have the same number of tokens
        operations = (2 + 4 * training) * 12 * width**2 * (math.prod(MANY) - math.prod(FEW))
        return few, max(0.0, many - few - score * scores[0]) / operations, score

    def update() -> None:
        get_total_norm([weight.grad for weight in layer.parameters()])
        optimiser.step()

    return Speed(*parts(False), *parts(True), median_seconds(update) / (12 * width**2))


def list_devices(devices: str) -> list[str]:
    """Return the devices that a run would use, as far as the system's files tell; a run itself asks torch.

    Args:
        devices: `auto`, or a comma-separated list.
    """
    if devices != "auto":
        return [name.strip() for name in devices.split(",")]
    gpus, visible = sorted(glob.glob("/dev/nvidia[0-9]*")), os.environ.get("CUDA_VISIBLE_DEVICES")
    if gpus and visible != "":
        return [f"cuda:{number}" for number in range(len(visible.split(",")) if visible else len(gpus))]
    return ["mps"] if sys.platform == "darwin" and platform.machine() == "arm64" else ["cpu"]


def expected_precision(device: str, precision: str, avoid: Collection[str] = ()) -> str:
    """Return what `auto` means on a CPU for a model that must `avoid` some precisions.

    On a GPU only torch knows, and it stays `auto`.
    """
    if precision == "auto" and "bf16" in avoid:
        return "fp32"
    if precision != "auto" or device != "cpu":
        return precision
    return "bf16" if "avx512_bf16" in processor.flags() else "fp32"


def is_this_machine(environment: Mapping[str, Any], device: str, threads: int) -> bool:
    """Return whether a record's processor or GPU and its number of threads are those of this machine and slot."""
    kind, name = device.split(":")[0], environment.get("device")
    if environment.get("device_type") != kind or not name:
        return False
    if kind == "cpu":
        return environment.get("threads") == threads and name in (processor_names() or [name])
    # The files of the NVIDIA driver name the GPUs; without them, any GPU will do.
    gpus = [path.read_text(errors="replace") for path in Path("/proc/driver/nvidia/gpus").glob("*/information")]
    return not gpus or any(name in text for text in gpus)


def processor_names() -> list[str]:
    """Return the names that records may have for this processor, with the vector instructions that torch uses."""
    flags, name = processor.flags(), processor.entry().get("model name")
    if not name or not flags:
        return []
    # As torch chooses (ATen/native/DispatchStub.cpp), and one name of older releases.
    if {"avx512vl", "avx512bw", "avx512dq", "fma"} <= flags:
        return [f"{name}, AVX512", f"{name}, AVX2"]
    return [f"{name}, AVX2"] if {"avx2", "fma"} <= flags else [f"{name}, DEFAULT", f"{name}, NO AVX"]


def main() -> None:
    """Run the command line of this module."""
    device, threads, keys = sys.argv[1:]
    print(_to_json({(name, width): time_layer(device, int(threads), name, width) for name, width in json.loads(keys)}))


if __name__ == "__main__":
    main()
