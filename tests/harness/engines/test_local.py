"""The local engine: fresh processes, failures that stay with their cell, deaths that are told, nothing left behind."""

import os
import signal
import time

import pytest
import toy

from harness.engines.base import Slot
from harness.engines.grid import run_grid
from harness.engines.local import LocalEngine, make_slots
from harness.errors import BenchError
from harness.store import Store


class Watch:
    """An observer that remembers."""

    def __init__(self):
        self.seen = []

    def started(self, cell, slot):
        self.seen.append(("started", cell.id, slot.device))

    def event(self, cell, event):
        self.seen.append((event["event"], cell.id))

    def finished(self, cell, record):
        self.seen.append(("finished", cell.id, record["status"]))


@pytest.fixture(scope="module")
def engine(tmp_path_factory):
    return LocalEngine(Store(tmp_path_factory.mktemp("results")), "cpu", jobs=2)


def test_a_cell_that_raises_does_not_stop_the_others(engine, checkpoints):
    good = toy.cell(checkpoints("bert"), epochs=1)
    bad = toy.cell(checkpoints("bert"), toy.task(toy.broken))
    last = toy.cell(checkpoints("bert"), seed=1, epochs=1)
    watch = Watch()
    records = {record["id"]: record for record in run_grid(engine, [good, bad, last], watch)}
    assert [records[cell.id]["status"] for cell in (good, bad, last)] == ["ok", "failed", "ok"]
    error = records[bad.id]["error"]
    assert (error["type"], error["message"]) == ("RuntimeError", "the data set is broken\non purpose")
    assert "in broken" in error["traceback"] and "in broken" in engine.store.log(bad.id).read_text()
    assert engine.store.finished(good.id) and not engine.store.finished(bad.id)
    kinds = {entry[0] for entry in watch.seen if entry[1] == good.id}
    assert kinds >= {"started", "phase", "validation", "finished"}


def test_a_killed_worker_fails_its_cell_alone(engine, checkpoints):
    cell = toy.cell(checkpoints("bert"), seed=7, epochs=10_000, patience=0)
    handle = engine.submit(cell, engine.slots[0])
    wait_for_phase(handle, "train")
    os.kill(handle.process.pid, signal.SIGKILL)
    handle.process.join(10)
    record = handle.result()
    assert record["status"] == "failed" and record["error"]["type"] == "WorkerDied"
    assert "SIGKILL" in record["error"]["message"]
    assert engine.store.record(cell.id)["status"] == "failed"


def test_cancel_ends_the_worker_and_leaves_no_record(engine, checkpoints):
    cell = toy.cell(checkpoints("bert"), seed=8, epochs=10_000, patience=0)
    handle = engine.submit(cell, engine.slots[0])
    wait_for_phase(handle, "train")
    handle.cancel()
    assert handle.done() and engine.store.record(cell.id) is None
    with pytest.raises(ProcessLookupError):
        os.kill(handle.process.pid, 0)


def test_a_worker_whose_parent_listens_no_more_ends(engine, checkpoints):
    cell = toy.cell(checkpoints("bert"), seed=9, epochs=10_000, patience=0)
    handle = engine.submit(cell, engine.slots[0])
    wait_for_phase(handle, "train")
    handle.connection.close()
    handle.process.join(30)
    assert handle.done() and engine.store.record(cell.id) is None


def test_an_interrupt_ends_all_workers(engine, checkpoints):
    cells = [toy.cell(checkpoints("bert"), seed=seed, epochs=10_000, patience=0) for seed in (10, 11)]
    handles = []
    submit = engine.submit

    class Interrupted(Watch):
        def event(self, cell, event):
            if event["event"] == "validation":
                raise KeyboardInterrupt

    engine.submit = lambda *args: handles.append(submit(*args)) or handles[-1]
    try:
        with pytest.raises(KeyboardInterrupt):
            run_grid(engine, cells, Interrupted())
    finally:
        engine.submit = submit
    assert len(handles) == 2 and all(handle.done() for handle in handles)
    assert all(engine.store.record(cell.id) is None for cell in cells)


def wait_for_phase(handle, phase):
    for _ in range(600):
        if any(event.get("phase") == phase for event in handle.events()):
            return
        time.sleep(0.05)
    raise AssertionError(f"no {phase} within 30 s")


def test_slots_depend_on_machine_and_jobs_alone():
    assert make_slots(["cpu"], None, 2) == [Slot("cpu", 1)] * 2
    assert make_slots(["cpu"], None, 1) == [Slot("cpu", 1)]
    assert make_slots(["cpu"], None, 16) == [Slot("cpu", 4)] * 4
    assert make_slots(["cpu"], 1, 16) == [Slot("cpu", 16)]
    assert make_slots(["cuda:0", "cuda:1"], None, 16) == [Slot("cuda:0", 8), Slot("cuda:1", 8)]
    assert [slot.device for slot in make_slots(["cuda:0", "cuda:1"], 4, 16)] == ["cuda:0", "cuda:1"] * 2


def test_unknown_devices_are_named(tmp_path):
    with pytest.raises(BenchError, match="--devices cuda:99: this machine has no such device; valid: auto, "):
        LocalEngine(Store(tmp_path), "cuda:99")
