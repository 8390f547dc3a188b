"""The calibration of this machine: made once, kept in the user's cache folder, made again when the code or the libraries change."""

from __future__ import annotations

import hashlib
import json
import os
import statistics
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

from harness.estimate.machine import cores, names
from harness.estimate.speed import Speed, fit
from harness.files import write_text

TIMEOUT = 180.0  # seconds for a busy machine, with the time that the libraries need to load
CODE = (
    "worker.py",
    "training",
    "fast",
    "heads",
    "models",
    "estimate",
    "engines/child.py",
)  # what a measurement depends on
LIBRARIES = ("torch", "transformers", "accelerate")


@dataclass(frozen=True)
class Place:
    """Where cells will run: one slot's device and threads, how many there are, and the recipe's precision."""

    device: str
    threads: int
    slots: int
    precision: str


def calibrated(place: Place, make: bool = True) -> Speed | None:
    """The speed of a place, from the cache or measured now; None where it cannot be had.

    Args:
        make: False to look into the cache only.
    """
    path = _folder() / f"calibration-{_key(place)}.json"
    found = _read(path)
    if found is None and make:
        found = _measure(place)
        if found is not None and found["complete"]:
            try:
                path.parent.mkdir(parents=True, exist_ok=True)
                write_text(path, json.dumps(found))
            except OSError:
                pass  # nowhere to keep it: it is made again next time
    if found is None:
        return None
    return speed_of(found)


def speed_of(found: Mapping[str, Any]) -> Speed:
    """The speed that a measurement tells, as `harness.estimate.calibrate` prints it."""
    trials = found["measured"]
    speed = fit([(one["done"], one["took"]) for one in trials], [(one["held"], one["peak"]) for one in trials])
    return replace(speed, start=found["start"], pads=statistics.fmean(one["pads"] for one in trials))


def _measure(place: Place) -> dict[str, Any] | None:
    command = [
        sys.executable, "-P", "-m", "harness.estimate.calibrate", "--device", place.device.split(":")[0], "--threads",
        str(place.threads), "--slots", str(place.slots), "--precision", place.precision,
    ]  # fmt: skip
    environment = {**os.environ, "TOKENIZERS_PARALLELISM": "false", "HF_HUB_OFFLINE": "1"}
    try:
        done = subprocess.run(
            command, env=environment, capture_output=True, stdin=subprocess.DEVNULL, text=True, timeout=TIMEOUT
        )
        return json.loads(done.stdout) if done.returncode == 0 else None
    except (OSError, ValueError, subprocess.TimeoutExpired):
        return None


def _read(path: Path) -> dict[str, Any] | None:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None


def _folder() -> Path:
    home = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(home, "bench")


def _key(place: Place) -> str:
    """Of all that a measurement depends on: the place, the machine, the libraries and this package's own code."""
    package = Path(__file__).resolve().parent.parent
    files = [
        file
        for part in CODE
        for file in sorted((package / part).rglob("*.py") if (package / part).is_dir() else [package / part])
    ]
    code = hashlib.sha256()
    for file in files:
        code.update(file.read_bytes())
    known = [vars(place), cores(), names(), {name: version(name) for name in LIBRARIES}, sys.version, code.hexdigest()]
    return hashlib.sha256(json.dumps(known, sort_keys=True).encode()).hexdigest()[:16]
