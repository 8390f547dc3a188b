"""What tests of engines share: an observer that remembers, a cell that takes long, waiting for a handle."""

from __future__ import annotations

import time

from harness.engines.grid import Observer

LONG = {"epochs": 10_000, "patience": 0, "evaluations": 10_000}


class Watch(Observer):
    """An observer that remembers."""

    def __init__(self):
        self.seen = []

    def started(self, cell, slot):
        self.seen.append(("started", cell.id, slot.device))

    def event(self, cell, event):
        self.seen.append((event["event"], cell.id))

    def requeued(self, cell, reason):
        self.seen.append(("requeued", cell.id, reason))

    def finished(self, cell, record):
        self.seen.append(("finished", cell.id, record["status"]))

    def kinds(self, cell):
        return [entry[0] for entry in self.seen if entry[1] == cell.id]


def wait_for(handle, kind, phase=None):
    for _ in range(600):
        if any(event["event"] == kind and event.get("phase") == phase for event in handle.events()):
            return
        time.sleep(0.05)
    raise AssertionError(f"no {kind} {phase or ''} within 30 s")


def wait_until_done(handle):
    end = time.monotonic() + 60
    while not handle.done() and time.monotonic() < end:
        handle.events()
        time.sleep(0.02)
    assert handle.done()
