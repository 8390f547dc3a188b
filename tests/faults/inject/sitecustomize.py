"""Breaks `bench` from within: Python runs this file first in every process that has its folder on PYTHONPATH.

BENCH_FAULT_PLAN names a JSON file, `{folder, label, grace, clock, faults: [{id, at, act, cell, turn, file, when}]}`. A fault
happens once among all processes: the one that creates the file `folder/<id>` has it. What the processes did is appended to
`folder/log.txt`, lines of `label word cell step`.
"""

from __future__ import annotations

import ctypes
import errno
import functools
import importlib.abc
import json
import os
import signal
import sys
import time

JUMPS = (0, 0, 7200, -7200, 86_400 * 3, -86_400 * 3, 1800, -90)  # seconds by which a clock may be wrong
TICK = 0.3  # seconds between two jumps


class Injected(Exception):
    """A fault that was asked for."""


class Plan:
    """What is to go wrong in this process."""

    def __init__(self, values: dict):
        self.folder, self.label, self.grace = values["folder"], values["label"], values.get("grace")
        self.clock, self.faults, self.cell = values.get("clock"), values["faults"], ""
        self.counts: dict[str, int] = {}
        self.log = os.open(f"{self.folder}/log.txt", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)

    def note(self, word: str, cell: str, step: int = 0) -> None:
        """Append a line to the log."""
        os.write(self.log, f"{self.label} {word} {cell} {step}\n".encode())

    def meet(self, at: str, turn: int | None = None, **facts: object) -> None:
        """Do what is planned for a place in the code.

        Args:
            at: the place.
            turn: how often it was passed; None: is counted here.
            facts: that a fault may ask for.
        """
        if turn is None:
            turn = self.counts[at] = self.counts.get(at, 0) + 1
        for fault in self.faults:
            wanted = {name: fault[name] for name in facts if name in fault}
            if fault["at"] != at or turn < fault.get("turn", 1) or wanted != {name: facts[name] for name in wanted}:
                continue
            if fault.get("cell") in (None, self.cell) and self._first(fault):
                act(fault["act"])

    def _first(self, fault: dict) -> bool:
        try:
            os.close(os.open(f"{self.folder}/{fault['id']}", os.O_WRONLY | os.O_CREAT | os.O_EXCL))
        except FileExistsError:
            return False
        return True


def act(what: str) -> None:
    """A fault."""
    if what == "raise":
        raise Injected("on purpose")
    if what == "io":
        raise OSError(errno.EIO, os.strerror(errno.EIO))
    if what == "segmentation":
        ctypes.string_at(0)
    if what == "exit":
        os._exit(41)
    os.kill(os.getpid(), signal.Signals[what])


def before(owner: object, name: str, look: object) -> None:
    """Call `look` with the arguments of a function before it runs."""
    plain = getattr(owner, name)

    @functools.wraps(plain)  # libraries read the text and the signature
    def function(*words, **more):
        look(*words, **more)
        return plain(*words, **more)

    setattr(owner, name, function)


def patch_files(module) -> None:
    plain = module.write_atomically

    def write_atomically(path, fill):
        def meet(when):
            if plan.cell or path.name == "leaderboard.md":
                plan.meet(f"write {when}", 1, file=path.name)

        def fill_and_meet(temporary):
            meet("before")
            fill(temporary)
            meet("between")

        plain(path, fill_and_meet)
        meet("after")

    module.write_atomically = write_atomically


def patch_store(module) -> None:
    plain = module.Store.write

    def write(self, record, predictions=()):
        if record["status"] == "ok":
            plan.note("writes", record["id"])
        plain(self, record, predictions)

    module.Store.write = write


def patch_worker(module) -> None:
    def enter(cell, *words, **more):
        plan.cell = cell.id
        plan.note("begins", cell.id)

    before(module, "run_cell", enter)


def patch_attempt(module) -> None:
    before(module, "load_data", lambda *words: plan.meet("data"))
    before(module, "fitted_head", lambda *words: plan.meet("head"))


def patch_step(module) -> None:
    def look(step, batch, progress):
        plan.note("step", plan.cell, progress.steps)
        plan.meet("step", progress.steps)

    before(module.Step, "run", look)


def patch_metric(module) -> None:
    # A metric is made for each scoring; its `compute` is copied by the library, and would not stay patched.
    before(module.OfflineMetric, "__init__", lambda metric: plan.meet("metric"))


def patch_base(module) -> None:
    if plan.grace:
        module.GRACE = plan.grace


PATCHES = {
    "harness.files": patch_files,
    "harness.store": patch_store,
    "harness.training.worker": patch_worker,
    "harness.training.attempt": patch_attempt,
    "harness.training.step": patch_step,
    "harness.metrics.base": patch_metric,
    "harness.engines.base": patch_base,
}


class Finder(importlib.abc.MetaPathFinder):
    """Lets a module of `PATCHES` load as usual and patches it before anyone has it."""

    def find_spec(self, name, path=None, target=None):
        if name not in PATCHES:
            return None
        for finder in sys.meta_path:
            spec = None if finder is self else finder.find_spec(name, path, target)
            if spec is not None:
                break
        else:
            return None
        plain = spec.loader.exec_module

        def exec_module(module):
            plain(module)
            PATCHES[name](module)

        spec.loader.exec_module = exec_module
        return spec


def jumping(clock: int):
    """A clock that is hours or days wrong, each moment otherwise."""
    plain = time.time

    def now() -> float:
        return plain() + JUMPS[(int(time.monotonic() / TICK) * 7919 + clock + os.getpid()) % len(JUMPS)]

    return now


if os.environ.get("BENCH_FAULT_PLAN"):
    with open(os.environ["BENCH_FAULT_PLAN"], encoding="utf-8") as file:
        plan = Plan(json.load(file))
    sys.meta_path.insert(0, Finder())
    if plan.clock is not None:
        time.time = jumping(plan.clock)
