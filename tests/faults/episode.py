"""One grid, run under faults until it is finished, and what came of it."""

from __future__ import annotations

import itertools
import random
import sys
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from faults import checks, kinds
from faults.grid import Grid
from faults.harm import damage, hurt
from faults.kinds import CLOCK, DAMAGED, SECOND, WITHIN, WITHOUT, Drawn, Fault, draw
from faults.process import PATIENCE, Run

TIMEOUT = 8.0  # seconds, with a worker that was stopped; longer than a cell takes
GRACE_IN_TESTS = 2.0
DISTURBED = 8  # runs under faults in one episode at most
PEACEFUL = 4  # runs without, until it must be finished


@dataclass
class Tally:
    """What a campaign has done so far; shared by its lanes."""

    wanted: int
    lock: threading.Lock = field(default_factory=threading.Lock)
    numbers: itertools.count = field(default_factory=lambda: itertools.count(1))
    happened: Counter[str] = field(default_factory=Counter)
    harmed: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)
    runs: int = 0
    episodes: int = 0
    slowest_end: float = 0.0

    def enough(self) -> bool:
        return sum(self.happened.values()) >= self.wanted


class Episode:
    """A results folder of its own.

    Args:
        grid: what is run.
        folder: for results, plans and output.
        seed: decides all faults and their moments.
        tally: what has happened elsewhere.
        only: kinds that may happen; empty: all.
    """

    def __init__(self, grid: Grid, folder: Path, seed: int, tally: Tally, only: frozenset[str] = frozenset()):
        self.grid, self.folder, self.tally, self.only = grid, folder, tally, only
        self.chance, self.seed = random.Random(seed), seed
        self.results, self.notes = folder / "here" / "results", folder / "notes"
        self.results.parent.mkdir(parents=True)
        self.notes.mkdir()
        self.steps = min(checks.steps(grid, cell) for cell in grid.cells())
        self.done: dict[str, str] = {}
        self.faults: list[Fault] = []
        self.spared: set[str] = set()
        self.wrong: list[str] = []

    def run(self) -> None:
        """Run the command under faults, then in peace, and look; all that is found goes into the tally."""
        for number in range(DISTURBED):
            if self.tally.enough() or len(self.done) == len(self.grid.cells()):
                break
            with self.tally.lock:
                drawn = draw(self.chance, self.tally.numbers, self.tally.happened, self.steps)
            if self.only:
                drawn.faults = [fault for fault in drawn.faults if fault.kind in self.only]
            self.disturbed(f"run-{number}", drawn)
        for number in range(PEACEFUL):
            if self.command(f"peace-{number}", Drawn([])) == 0:
                break
        else:
            self.wrong.append(f"not finished after {PEACEFUL} runs in peace")
        entries = checks.log(self.notes)
        self.wrong += checks.deviations(self.grid, self.results)
        self.wrong += checks.lost_too_much(entries, self.spared)
        self._tell()

    def disturbed(self, label: str, drawn: Drawn) -> None:
        """One run, or two at once, under faults."""
        for fault in drawn.of(*DAMAGED):
            cell = damage(self.results, fault, self.grid.cells())
            if cell and fault.kind in ("damaged checkpoint", "damaged record.json"):
                self.spared.add(cell)
                self.done.pop(cell, None) if fault.kind == "damaged record.json" else None
        second = drawn.of(SECOND)
        if second:
            other = threading.Thread(target=self._beside, args=(f"{label}-beside", second[0]))
            other.start()
        self.command(label, drawn)
        if second:
            other.join()
        for fault in drawn.of(*WITHIN):
            fault.happened = (self.notes / fault.id).exists()
            if fault.happened and fault.values.get("file") == "checkpoint.safetensors" and fault.values["act"] == "io":
                self.spared |= set(self.grid.cells())
        self._compare_finished(label)
        with self.tally.lock:
            self.tally.happened.update(fault.kind for fault in drawn.faults if fault.happened)
        self.faults += drawn.faults
        if not any(fault.happened for fault in drawn.faults if fault.kind not in (CLOCK, SECOND)):
            twice = {cell: n for cell, n in checks.begun(self._noted(label)).items() if n > 1}
            if twice:
                self.wrong.append(f"{label}: begun more than once though nobody was killed: {twice}")

    def _noted(self, label: str) -> list[tuple[str, str, str, int]]:
        return [entry for entry in checks.log(self.notes) if entry[0] in (label, f"{label}-beside")]

    def _beside(self, label: str, fault: Fault) -> None:
        time.sleep(fault.values["gap"])
        fault.happened = True
        self.command(label, Drawn([]))

    def command(self, label: str, drawn: Drawn) -> int:
        """Run the command once; its exit status."""
        within, clock = drawn.of(*WITHIN), drawn.of(CLOCK)
        plan = {
            "folder": str(self.notes), "label": label, "grace": GRACE_IN_TESTS,
            "clock": clock[0].values["clock"] if clock else None,
            "faults": [{"id": fault.id, **fault.values} for fault in within],
        }  # fmt: skip
        stops = any(fault.values["act"] == "SIGSTOP" for fault in within)
        arguments = [*self.grid.arguments, "--results", str(self.results)]
        left = len(self.grid.cells()) - len(self.done)
        most = PATIENCE + 3 * left * self.grid.seconds
        limit = max(TIMEOUT, 4 * self.grid.seconds)
        run = Run(
            [*arguments, *(["--timeout", f"{limit:.0f}s"] if stops else [])],
            self.folder,
            label,
            plan,
            self.grid.environment,
        )
        for fault in clock:
            fault.happened = True
        try:
            for fault in sorted(drawn.of(*WITHOUT), key=lambda fault: fault.values["moment"]):
                hurt(run, fault, max(1.0, left / 2 * self.grid.seconds))
            status = run.wait(most)
            self._judge(run, status, drawn)
        except AssertionError as error:
            self.wrong.append(str(error))
            status = None
        finally:
            begun = time.monotonic()
            if survivors := run.left_alive():
                self.wrong.append(f"{label}: alive after its end: {survivors}")
            with self.tally.lock:
                self.tally.runs += 1
                self.tally.slowest_end = max(self.tally.slowest_end, time.monotonic() - begun)
        return status

    def _judge(self, run: Run, status: int, drawn: Drawn) -> None:
        """The exit status, and what was printed."""
        hit = {fault.kind for fault in drawn.of(*WITHOUT) if fault.happened}
        parent_dies = any(fault.values.get("file") == "leaderboard.md" for fault in drawn.of(*WITHIN))
        interrupted = hit & {
            kinds.INTERRUPT,
            kinds.TWICE,
            kinds.TERMINATE,
            kinds.GROUP_INTERRUPT,
            kinds.GROUP_TERMINATE,
        }
        allowed = {-9} if hit & {kinds.PARENT, kinds.ALL} else {0, 1, 130} if interrupted else {0, 1}
        allowed |= {41} if parent_dies else set()
        if kinds.TWICE in hit and "interrupted;" in run.text():
            allowed.add(-2)  # the second one came while Python was on its way out
        if interrupted and status in (0, 1) and "leaderboard:" not in run.text():
            self.wrong.append(f"{run.label}: {interrupted} gave status {status}")
        if status not in allowed:
            self.wrong.append(f"{run.label}: status {status} after {sorted(hit)}:\n{run.text()[-1500:]}")
        for trace in checks.tracebacks(run.text()):
            self.wrong.append(f"{run.label}: printed after {sorted(hit)}:\n{trace}")

    def _compare_finished(self, label: str) -> None:
        """What is finished stays as it is."""
        now = checks.finished(self.results)
        for cell, digest in self.done.items():
            if now.get(cell) != digest:
                self.wrong.append(f"{label}: the finished cell {cell} was written again or is gone")
        self.done = now

    def _tell(self) -> None:
        with self.tally.lock:
            self.tally.episodes += 1
            happened = Counter(fault.kind for fault in self.faults if fault.happened)
            print(
                f"grid {self.seed}: {sum(happened.values())} faults, {'; '.join(self.wrong) or 'intact'}",
                file=sys.stderr,
            )
            if self.wrong:
                self.tally.harmed.update(fault.kind for fault in self.faults if fault.happened)
                self.tally.wrong += [f"episode {self.seed}: {line}" for line in self.wrong]
