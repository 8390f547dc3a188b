"""Measures this machine: some short cells with random weights, run by the very code that runs cells.

A process of its own: `python -m harness.estimate.calibrate --device cpu --threads 1 --slots 2 --precision fp32` prints
a line of JSON for each trial as it ends. As many run at once as there are slots, because cells that run at once slow
each other.
"""

from __future__ import annotations

import argparse
import importlib
import json
import multiprocessing
import os
import resource
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import redirect_stdout
from dataclasses import dataclass, replace
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import Any

from harness import registry
from harness.cell import Cell
from harness.data.source import GeneratedSource
from harness.engines.server import PRELOADED
from harness.estimate.counter import Counter
from harness.estimate.memory import held
from harness.estimate.rehearsal import ARCHITECTURES, READS, TRIALS, WRITES, Rehearsal, Trial, make_checkpoint, rows
from harness.estimate.sizes import content, sizes
from harness.estimate.work import Work, work
from harness.model import Checkpoint
from harness.models.shape import from_config
from harness.recipe import Recipe
from harness.store import Store
from harness.task import Task

MOST = 60.0  # seconds of processors, after which no other trial is begun; what was measured is kept


def main() -> None:
    """The command line of this module."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--device", required=True)
    parser.add_argument("--threads", type=int, required=True)
    parser.add_argument("--slots", type=int, required=True)
    parser.add_argument("--precision", required=True)
    parser.add_argument("--trials", help="the names of some, as JSON; default: all")
    asked = parser.parse_args()
    names = json.loads(asked.trials) if asked.trials else [trial.name for trial in TRIALS]
    loading = Clock("cpu", 1)
    for name in PRELOADED:  # before the processes are forked, as an engine's server does
        importlib.import_module(name)
    loading.begin("")
    print(json.dumps({"start": loading.seconds[""]}), flush=True)
    trials = [trial for trial in TRIALS if trial.name in names]
    for trial, measured in measure_all(trials, asked.slots, asked.device, asked.threads, asked.precision):
        print(json.dumps({"trial": trial.name, "measured": measured and vars(measured)}), flush=True)


@dataclass(frozen=True)
class Measured:
    """A trial.

    Attributes:
        done: what there was to do.
        took: part → seconds.
        held: what there was to hold in memory.
        peak: bytes.
        pads: how much of the padding of shuffled batches was computed.
        share: of the time, that the process was given by the system: well below 1 on a busy machine.
    """

    done: Work
    took: dict[str, float]
    held: tuple[float, ...]
    peak: int
    pads: float
    share: float


class Clock:
    """Seconds by phase, as a worker announces them.

    A worker with one thread on a CPU is measured by the time that the processor gave it, so that whatever else the
    machine does at the moment does not count; it is the same where nothing else runs.
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


def measure_all(trials: Sequence[Trial], slots: int, *asked: Any) -> Iterator[tuple[Trial, Measured | None]]:
    """Each trial with its measurement as it ends; None for one whose process died.

    A trial has a new process, for a cell has one of its own: what the libraries do there for the first time, and the
    memory that they take, are part of it.
    """
    # Forked where that is safe: on a CPU before torch has started threads.
    forks = asked[0] == "cpu" and hasattr(os, "fork")
    context = multiprocessing.get_context("fork" if forks else "spawn")
    waiting, running = list(trials), dict[Connection, tuple[Trial, Any]]()
    before = _processor()
    while waiting or running:
        while waiting and len(running) < slots:
            theirs, ours = context.Pipe(duplex=False)
            process = context.Process(target=_answer, args=(ours, waiting[0], *asked))
            process.start()
            ours.close()  # so that a process which dies is no reason to wait
            running[theirs] = waiting.pop(0), process
        for ready in wait(list(running)):
            trial, process = running.pop(ready)
            try:
                measured = ready.recv()
            except EOFError:
                measured = None
            process.join()
            yield trial, measured
        if _processor() - before > MOST:
            waiting.clear()


def _processor() -> float:
    """Seconds that the processes which have ended had of a processor."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _answer(answers: Connection, *asked: Any) -> None:
    with redirect_stdout(sys.stderr):
        answers.send(measure(*asked))


def measure(trial: Trial, device: str, threads: int, precision: str) -> Measured:
    """What this process measures of a trial."""
    import torch
    import transformers

    torch.set_num_threads(threads)
    transformers.utils.logging.disable_progress_bar()
    for family in (Rehearsal(READS), Rehearsal(WRITES)):
        registry.families()[family.name] = family  # in this process alone
    with tempfile.TemporaryDirectory() as folder:
        # A trial is short: what a process does once would count as if it were done in every step, so fewer rows are run
        # before. Outside of training and evaluation all is done once in a cell, and is measured there.
        first = run(trial.short, Path(folder, "first"), device, threads, precision, 0)
        second = run(trial, Path(folder, "second"), device, threads, precision, 1)
    return replace(
        second,
        done={**second.done, "other": first.done["other"]},
        took={**second.took, "other": first.took["other"]},
    )


def run(trial: Trial, folder: Path, device: str, threads: int, precision: str, seed: int) -> Measured:
    """One trial as a cell, in this process."""
    from harness.worker import run_cell

    config = make_checkpoint(trial, folder)
    family = registry.family(Rehearsal(trial.head).name)
    source = GeneratedSource(rows(trial, seed), "random words")
    recipe = Recipe(
        batch_size=trial.rows, epochs=1, evaluations=1, patience=0, precision=precision, max_length=trial.limit,
        max_target_length=trial.limit,
    )  # fmt: skip
    model = Checkpoint(trial.kind, trial.kind, str(folder), None, None, ARCHITECTURES[trial.kind], "0")
    # Random weights often predict the same for every row: a cell is then trained once more in fp32, and a trial must
    # not be.
    model = replace(model, avoid=("fp32",))
    cell = Cell(
        model,
        Task("rehearsal", family.name, source), "0", 1, "scratch", seed, recipe, "calibration",
    )  # fmt: skip
    clock, given, since = Clock(device, threads), time.thread_time(), time.perf_counter()
    record = run_cell(cell, device, Store(folder / "results"), clock.event)
    clock.begin("")
    # The main thread computes, or waits for a card, all the time that it is given.
    share = min(1.0, (time.thread_time() - given) / (time.perf_counter() - since)) if device == "cpu" else 1.0
    shape = from_config(config, {}, record["model"]["parameters"])
    counted = sizes(
        content(source.read(), family),
        Counter(folder / "tokenizer.json"),
        trial.head,
        recipe,
        None,
        ARCHITECTURES[trial.kind] == "decoder",
    )
    # Random weights never come to an end: each text is written on to the limit.
    endless = {"written": float(trial.read * trial.limit), "longest_written": trial.limit}
    counted |= {split: replace(counted[split], **endless) for split in ("validation", "test") if trial.head == WRITES}
    # What a loop that pads computes for each token; one that does not says that its share is 0.
    padded = 1 / (1 - record["cost"]["padding_share"])
    pads = min(1.0, (padded - 1) / max(1e-9, counted["train"].padding - 1))
    kind = ARCHITECTURES[trial.kind]
    done = work(shape, counted, trial.head, kind, recipe, record["training"]["steps"], pads)
    seconds = clock.seconds
    tested = seconds["validate"] + seconds["test"]
    writes = trial.head == WRITES
    took = {
        "train": seconds["train"],
        ("generate" if writes else "evaluate"): tested,
        "other": sum(value for phase, value in seconds.items() if phase not in ("train", "validate", "test")),
    }
    peak = record["cost"]["peak_memory_bytes"]
    return Measured(done, took, held(shape, counted, trial.head, kind, recipe), peak, pads, share)


if __name__ == "__main__":
    main()
