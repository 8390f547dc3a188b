"""Measures this machine: a few very small cells with random weights, run by the very code that runs cells.

A process of its own: `python -m harness.estimate.calibrate --device cpu --threads 1 --slots 2 --precision fp32` prints JSON. As many
processes as there are slots do the same at once, because they slow each other.
"""

from __future__ import annotations

import argparse
import importlib
import json
import multiprocessing
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

from harness import registry
from harness.cell import Cell
from harness.data.source import GeneratedSource
from harness.engines.server import PRELOADED
from harness.estimate.rehearsal import ARCHITECTURES, READS, TRIALS, WRITES, Rehearsal, Trial, make_checkpoint, rows
from harness.estimate.shape import from_config
from harness.estimate.sizes import Counter, content, sizes
from harness.estimate.work import Work, work
from harness.model import Checkpoint
from harness.recipe import Recipe
from harness.store import Store
from harness.task import Task

BUDGET = 5.0  # seconds of measuring, after which nothing is measured a second time
TURNS = 2  # each trial is run so often if there is time, for whatever else runs on the machine only makes it slower
PATIENCE = 40.0  # seconds by the wall's clock, after which nothing more is measured on a machine that is busy


class Clock:
    """Seconds by phase, as a worker announces them.

    A worker with one thread on a CPU is measured by the time that the processor gave it, so that whatever else the machine
    does at the moment does not count; it is the same where nothing else runs.
    """

    def __init__(self, device: str, threads: int):
        self.now = time.process_time if device == "cpu" and threads == 1 else time.perf_counter
        self.phase, self.since, self.seconds = "", self.now(), dict[str, float]()

    def event(self, event: Mapping[str, Any]) -> None:
        """To be told of everything."""
        if event["event"] == "phase":
            self.begin(event["phase"])

    def begin(self, phase: str) -> None:
        """End a phase and begin another; the same name adds up."""
        now = self.now()
        self.seconds[self.phase] = self.seconds.get(self.phase, 0.0) + now - self.since
        self.phase, self.since = phase, now


def main() -> None:
    """The command line of this module."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--device", required=True)
    parser.add_argument("--threads", type=int, required=True)
    parser.add_argument("--slots", type=int, required=True)
    parser.add_argument("--precision", required=True)
    asked = parser.parse_args()
    loading = Clock("cpu", 1)
    for name in PRELOADED:  # before the processes are forked, as an engine's server does
        importlib.import_module(name)

    loading.begin("")
    with redirect_stdout(sys.stderr):
        # Forked where that is safe: on a CPU before torch has started threads.
        context = multiprocessing.get_context("fork" if asked.device == "cpu" and hasattr(os, "fork") else "spawn")
        with context.Pool(asked.slots) as pool:
            found = pool.starmap(measure, [(asked.device, asked.threads, asked.precision)] * asked.slots, chunksize=1)
    print(json.dumps({**_together(found), "start": loading.seconds[""]}))


def measure(device: str, threads: int, precision: str) -> dict[str, Any]:
    """What one process measures: `{"measured": [[work, part → seconds], ...], "cold": the first, "base_bytes", "environment"}`."""
    import torch
    import transformers

    torch.set_num_threads(threads)
    transformers.utils.logging.disable_progress_bar()
    for family in (Rehearsal(READS), Rehearsal(WRITES)):
        registry.families()[family.name] = family  # in this process alone
    now, first = Clock(device, threads).now, None
    pads: dict[int, float] = {}
    measured: dict[int, tuple[Work, dict[str, float]]] = {}
    with tempfile.TemporaryDirectory() as folder:
        for turn in range(TURNS):
            for number, trial in enumerate(TRIALS):
                if first is None:
                    cold, took_cold, first = run(trial, Path(folder, "first"), device, threads, precision)
                    end, last = now() + BUDGET, time.perf_counter() + PATIENCE
                elif number and (now() < end or not turn) and time.perf_counter() < last:
                    done, took, record = run(trial, Path(folder, f"{turn}-{number}"), device, threads, precision)
                    pads[number] = record["pads"]
                    measured[number] = (done, _faster(took, measured[number][1]) if number in measured else took)
    return {
        "measured": [measured[number] for number in sorted(measured)],
        "cold": [cold, took_cold],
        "pads": statistics.fmean(pads.values()),
        "base_bytes": first["cost"]["peak_memory_bytes"],
        "environment": first["environment"],
    }


def _faster(one: Mapping[str, float], other: Mapping[str, float]) -> dict[str, float]:
    """Of two measurements of the same work, part by part, the one that less came in the way of."""
    return {part: min(seconds, other[part]) for part, seconds in one.items()}


def run(trial: Trial, folder: Path, device: str, threads: int, precision: str) -> tuple[Work, dict[str, float], Any]:
    """One trial: what there was to do, part → seconds, and the record."""
    from harness.worker import run_cell

    config = make_checkpoint(trial, folder)
    family = registry.family(Rehearsal(trial.head).name)
    source = GeneratedSource(rows(trial), "random words")
    recipe = Recipe(
        batch_size=trial.rows, eval_batch_size=trial.rows, epochs=trial.steps, evaluations=1, patience=0,
        precision=precision, max_length=2 * trial.words, max_target_length=2 * trial.words,
    )  # fmt: skip
    cell = Cell(
        Checkpoint(trial.kind, trial.kind, str(folder), None, None, ARCHITECTURES[trial.kind], "0"),
        Task("rehearsal", family.name, source), "0", 1, "scratch", 0, recipe, "calibration",
    )  # fmt: skip
    clock = Clock(device, threads)
    record = run_cell(cell, device, Store(folder / "results"), clock.event)
    clock.begin("")
    shape = from_config(config, {}, record["model"]["parameters"])
    counted = sizes(
        content(source.read(), family),
        Counter(folder / "tokenizer.json"),
        trial.head,
        recipe,
        None,
        ARCHITECTURES[trial.kind] == "decoder",
    )
    # What a loop that pads computes for each token; one that does not says that its share is 0.
    padded = 1 / (1 - record["cost"]["padding_share"])
    pads = min(1.0, (padded - 1) / max(1e-9, counted["train"].padding - 1))
    record["pads"] = pads
    done = work(shape, counted, trial.head, ARCHITECTURES[trial.kind], recipe, record["training"]["steps"], pads)
    seconds = clock.seconds
    tested = seconds["validate"] + seconds["test"]
    writes = trial.head == WRITES
    took = {
        "train": seconds["train"],
        ("generate" if writes else "evaluate"): tested,
        "other": sum(value for phase, value in seconds.items() if phase not in ("train", "validate", "test")),
    }
    return done, took, record


def _together(found: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """The processes' measurements as one: what more than one of them did counts by its fastest time."""
    measured = max((one["measured"] for one in found), key=len)
    for one in found:
        measured = [
            (done, _faster(took, one["measured"][number][1]) if number < len(one["measured"]) else took)
            for number, (done, took) in enumerate(measured)
        ]
    return {**found[0], "measured": measured, "complete": len(measured) == len(TRIALS) - 1}


if __name__ == "__main__":
    main()
