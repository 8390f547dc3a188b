"""The calibration of this machine: measured once, trial by trial, and kept in the user's cache folder.

Another processor, number of threads, precision or release of a library is measured anew; a kind of model that was not
asked for before adds its own trials only.
"""

from __future__ import annotations

import hashlib
import json
import math
import os
import statistics
import subprocess
import sys
import threading
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

from harness.caching import cache_folder
from harness.estimate.machine import cores, names
from harness.estimate.rehearsal import BASE, TRIALS, trials_for
from harness.estimate.speed import USUAL, Speed, fit
from harness.files import write_text

# Seconds by the wall's clock, for a machine that does nothing for us; the processor's are bounded in `calibrate`
TIMEOUT = 300.0
BUSY = 0.8  # of the time: below it other programs had the processor, and what was measured is uncertain
# Seconds of a processor that the libraries need to load and a trial takes, to say how long it will be
LOADING, TRIAL = 6.0, 2.0
# The modules that say what a measurement means.
COUNTED = (*(f"estimate/{name}" for name in ("calibrate", "rehearsal", "work", "memory", "stack", "sizes", "counter")), "models/shape")
LIBRARIES = ("torch", "transformers", "accelerate")


@dataclass(frozen=True)
class Place:
    """Where cells will run: one slot's device and threads, how many there are, and the recipe's precision."""

    device: str
    threads: int
    slots: int
    precision: str


@dataclass(frozen=True)
class Calibration:
    """What is known of a place.

    Attributes:
        speed: seconds and bytes for each thing that a cell does.
        kinds: the kinds of models that were measured (`rehearsal.kinds_of`); none: `speed` is that of another machine.
        busy: the file to remove for a new measurement, where other programs had the processor during this one; else
            None.
    """

    speed: Speed
    kinds: Collection[str]
    busy: Path | None = None


def calibrated(place: Place, kinds: Collection[str], tell: Callable[[str], None] | None) -> Calibration | None:
    """What is known of a place; None where nothing is.

    Args:
        kinds: of the models that are asked about.
        tell: is told that the machine is measured, before that; None: it is not measured, and what is missing is taken
            from the usual figures.
    """
    path = _file(place)
    found = _read(path)
    missing = [trial.name for trial in trials_for(kinds) if trial.name not in found["trials"]]
    if missing and tell:
        tell(_announcement(place, len(missing), path))
        for line in _measure(place, missing):
            if "start" in line:
                found["start"] = line["start"]
            else:
                found["trials"][line["trial"]] = line["measured"]
            _keep(path, found)  # at once: whatever ends the measurement, this is not measured again
    measured = {name: one for name, one in found["trials"].items() if one}
    if BASE not in _whole(measured):
        usual = USUAL.get(place.precision) if place.device == "cpu" else None
        return Calibration(usual, ()) if usual else None
    asked = [measured[trial.name]["share"] for trial in trials_for(kinds) if trial.name in measured]
    busy = path if asked and statistics.median(asked) < BUSY else None
    return Calibration(speed_of(found["start"], list(measured.values())), _whole(measured), busy)


def _announcement(place: Place, trials: int, path: Path | None) -> str:
    seconds = 5 * math.ceil((LOADING + TRIAL * trials / place.slots) / 5)
    busy = hasattr(os, "getloadavg") and os.getloadavg()[0] > cores() / 2
    longer = ", more while other programs have the processor" if busy else ""
    kept = "" if path else "; there is no cache folder (BENCH_CACHE) to keep it in"
    return f"measuring this machine once, about {seconds} s{longer}{kept}"


def speed_of(start: float, measured: Collection[Mapping[str, Any]]) -> Speed:
    """The speed that measurements tell, as `harness.estimate.calibrate` prints them."""
    speed = fit([(one["done"], one["took"]) for one in measured], [(one["held"], one["peak"]) for one in measured])
    return replace(speed, start=start, pads=statistics.fmean(one["pads"] for one in measured))


def _whole(measured: Collection[str]) -> set[str]:
    """The kinds of which every trial was measured."""
    return {trial.kind_of_model for trial in TRIALS} - {
        trial.kind_of_model for trial in TRIALS if trial.name not in measured
    }


def _measure(place: Place, trials: Collection[str]) -> Any:
    """The lines that the measuring process prints, as it prints them; none where it fails."""
    command = [
        sys.executable, "-P", "-m", "harness.estimate.calibrate", "--device", place.device.split(":")[0], "--threads",
        str(place.threads), "--slots", str(place.slots), "--precision", place.precision, "--trials",
        json.dumps(list(trials)),
    ]  # fmt: skip
    environment = {**os.environ, "TOKENIZERS_PARALLELISM": "false", "HF_HUB_OFFLINE": "1"}
    settings = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL, "text": True}
    try:
        process = subprocess.Popen(command, env=environment, **settings)
    except OSError:
        return
    end = threading.Timer(TIMEOUT, process.terminate)
    end.start()
    try:
        for line in process.stdout:
            yield json.loads(line)
    except ValueError:  # it was ended within a line
        pass
    finally:
        end.cancel()
        process.terminate()
        process.wait()


def _read(path: Path | None) -> dict[str, Any]:
    try:
        return json.loads(path.read_text(encoding="utf-8")) if path else {"start": 0.0, "trials": {}}
    except (OSError, ValueError):
        return {"start": 0.0, "trials": {}}


def _keep(path: Path | None, found: Mapping[str, Any]) -> None:
    try:
        if path:
            write_text(path, json.dumps(found))
    except OSError:
        pass  # a full disk: it is measured again the next time


def _file(place: Place) -> Path | None:
    """Where the measurement of a place is kept: named after all that it depends on."""
    folder = cache_folder("machine")
    known = [
        place.device.split(":")[0], place.threads, place.precision, cores(), names(),
        {name: version(name) for name in LIBRARIES}, sys.version, _code(),
    ]  # fmt: skip
    return folder and folder / f"{hashlib.sha256(json.dumps(known, sort_keys=True).encode()).hexdigest()[:16]}.json"


@cache
def _code() -> str:
    """Of the modules that say what a trial is and count what it does: with others the numbers mean something else."""
    root = Path(__file__).parent.parent
    files = ((root / f"{name}.py").read_bytes() for name in COUNTED)
    return hashlib.sha256(b"".join(files)).hexdigest()
