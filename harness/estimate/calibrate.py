"""Measures this machine: some short cells with random weights, run by the very code that runs cells.

A process of its own: `python -m harness.estimate.calibrate --device cpu --threads 1 --slots 2 --precision fp32` prints JSON. As many
processes as there are slots do the same at once, because they slow each other.
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
from contextlib import redirect_stdout
from dataclasses import dataclass, replace
from functools import reduce
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from harness import registry
from harness.cell import Cell
from harness.data.source import GeneratedSource
from harness.engines.server import PRELOADED
from harness.estimate.clock import Clock
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

PATIENCE = 75.0  # seconds by the wall's clock, after which nothing more is measured on a machine that is slow or busy
OURS = 0.8  # of the time, by the processor's clock: below it the machine was busy, and what was measured is not worth keeping


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
    measured: dict[int, Measured] = {}
    begun = time.perf_counter()
    for number, trial in enumerate(TRIALS):
        if time.perf_counter() - begun < PATIENCE:
            measured[number] = reduce(
                _better, _at_once(asked.slots, trial, asked.device, asked.threads, asked.precision)
            )
    waited = time.perf_counter() - begun
    print(
        json.dumps(
            {
                "measured": [vars(measured[number]) for number in sorted(measured)],
                "start": loading.seconds[""],
                "complete": len(measured) == len(TRIALS) or _processor() > OURS * asked.slots * asked.threads * waited,
            }
        )
    )


def _processor() -> float:
    """Seconds that the processes which have ended had of a processor."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


@dataclass(frozen=True)
class Measured:
    """A trial.

    Attributes:
        done: what there was to do.
        took: part → seconds.
        held: what there was to hold in memory.
        peak: bytes.
        pads: how much of the padding of shuffled batches was computed.
    """

    done: Work
    took: dict[str, float]
    held: tuple[float, ...]
    peak: int
    pads: float


def _at_once(slots: int, *asked: Any) -> list[Measured]:
    """One trial in as many new processes as there are slots, for a cell has one of its own: what the libraries do there for the
    first time, and the memory that they take, are part of it."""
    # Forked where that is safe: on a CPU before torch has started threads.
    forks = asked[1] == "cpu" and hasattr(os, "fork")
    context = multiprocessing.get_context("fork" if forks else "spawn")
    pipes = [context.Pipe(duplex=False) for _ in range(slots)]
    processes = [context.Process(target=_answer, args=(ours, *asked)) for _, ours in pipes]
    for process, (_, ours) in zip(processes, pipes, strict=True):
        process.start()
        ours.close()  # so that a process which dies is no reason to wait
    found = [theirs.recv() for theirs, _ in pipes]
    for process in processes:
        process.join()
    return found


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
        first, second = (run(trial, Path(folder, str(seed)), device, threads, precision, seed) for seed in range(2))
    # A trial is short: what a process does once would count as if it were done in every step. The second time the texts are
    # others, so that kernels are made for new sizes of batches as in any training. Outside of training and evaluation all is done
    # once in a cell.
    return replace(second, took={**second.took, "other": first.took["other"]})


def _better(one: Measured, other: Measured) -> Measured:
    """Of two measurements of the same work, part by part, the one that less came in the way of."""
    return replace(one, took={part: min(seconds, other.took[part]) for part, seconds in one.took.items()})


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
    # Random weights often predict the same for every row: a cell is then trained once more in fp32, and a trial must not be.
    model = replace(model, avoid=("fp32",))
    cell = Cell(
        model,
        Task("rehearsal", family.name, source), "0", 1, "scratch", seed, recipe, "calibration",
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
    return Measured(
        done, took, held(shape, counted, trial.head, kind, recipe), record["cost"]["peak_memory_bytes"], pads
    )


if __name__ == "__main__":
    main()
