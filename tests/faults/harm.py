"""Faults that come from without: signals, and damage to files between two runs."""

from __future__ import annotations

import random
import signal
import socket
import time
from pathlib import Path

from faults import kinds
from faults.kinds import DAMAGED, Fault
from faults.process import Run, send

STARTUP = 60.0  # seconds within which a run has said something and given a cell to a worker
OTHER = {  # what is whole, but not what it should be
    "record.json": b'["no", "record"]',
    "predictions.jsonl": b'{"id": "of another run"}\n',
    "checkpoint.safetensors": b"\x02\x00\x00\x00\x00\x00\x00\x00{}",
}


def hurt(run: Run, fault: Fault, span: float) -> None:
    """Wait for the fault's moment and let it happen, unless the run has ended by then.

    Args:
        run: that is hurt.
        fault: one of `kinds.WITHOUT`.
        span: seconds among which the moment lies, from the first worker on.
    """
    early = fault.values["early"]
    # A signal before the program knows what it is asked to do meets Python, not `bench`.
    if not _until(run, lambda: run.text().startswith("suite ") if early else run.workers()):
        return
    end = time.monotonic() + fault.values["moment"] * (5.0 if early else span)
    while run.running() and time.monotonic() < end:
        time.sleep(0.02)
    if run.running():
        fault.happened = _strike(run, fault)


def _until(run: Run, ready) -> bool:
    end = time.monotonic() + STARTUP
    while run.running() and time.monotonic() < end:
        if ready():
            return True
        time.sleep(0.05)
    return False


def _strike(run: Run, fault: Fault) -> bool:
    parent, gap = run.process.pid, fault.values["gap"]
    if fault.kind == kinds.WORKER:
        workers = run.workers()
        return bool(workers) and send(workers[int(gap * 2 * len(workers))].pid, signal.SIGKILL)
    if fault.kind == kinds.SERVER:
        return any(send(server.pid, signal.SIGKILL) for server in run.servers())
    if fault.kind == kinds.PARENT:
        return send(parent, signal.SIGKILL)
    if fault.kind == kinds.ALL:
        return _to_all(run, signal.SIGKILL)
    if fault.kind == kinds.TERMINATE:
        return send(parent, signal.SIGTERM)
    if fault.kind in (kinds.INTERRUPT, kinds.TWICE):
        done = send(parent, signal.SIGINT)
        if fault.kind == kinds.TWICE:
            time.sleep(gap)
            if not (run.running() and send(parent, signal.SIGINT)):
                fault.kind = kinds.INTERRUPT  # it had ended before the second one
        return done
    what = signal.SIGINT if fault.kind == kinds.GROUP_INTERRUPT else signal.SIGTERM
    return _to_all(run, what)


def _to_all(run: Run, what: signal.Signals) -> bool:
    """Whether the parent was among those that the signal reached."""
    reached = [process.pid for process in run.members() if send(process.pid, what)]
    return run.process.pid in reached


def damage(results: Path, fault: Fault, cells: list[str]) -> str:
    """Damage a file of some cell; the cell's id, or nothing where no cell has such a file."""
    name, chance = DAMAGED[fault.kind], random.Random(fault.number)
    folders = [results / "cells" / cell for cell in cells]
    if name == "left":
        folder = folders[int(fault.values["which"] * len(folders))]
        folder.mkdir(parents=True, exist_ok=True)
        for left in (".claim", *(f".{one}.{socket.gethostname()}.4194303.tmp" for one in OTHER)):
            (folder / left).write_bytes(b"half")
        (results / f".leaderboard.md.{socket.gethostname()}.4194303.tmp").write_bytes(b"half")
        fault.happened = True
        return folder.name
    # Predictions beside a record that is whole are what a reader takes them for: nobody but a person damages those.
    there = [
        folder / name for folder in folders
        if (folder / name).exists() and not (name == "predictions.jsonl" and (folder / "record.json").exists())
    ]  # fmt: skip
    if name != "checkpoint.safetensors" and not there:
        there = [folder / name for folder in folders if not (folder / "record.json").exists()]
    if not there:
        return ""
    path = there[int(fault.values["which"] * len(there))]
    path.parent.mkdir(parents=True, exist_ok=True)
    content, how = path.read_bytes() if path.exists() else b"{" * 400, fault.values["damage"]
    if how == "cut":
        content = content[: chance.randrange(max(1, len(content)))]
    elif how == "empty":
        content = b""
    elif how == "noise":
        at = chance.randrange(max(1, len(content) - 64))
        content = content[:at] + chance.randbytes(64) + content[at + 64 :]
    else:
        content = OTHER[name]
    path.write_bytes(content)
    fault.happened = True
    return path.parent.name
