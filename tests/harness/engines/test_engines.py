"""The engines `local` and `inline`: fresh processes, failures that stay with their cell, and no leftovers."""

import os
import signal
import time
from multiprocessing import forkserver

import pytest
import toy
from watch import LONG, Watch, wait_for, wait_until_done

from harness.engines import worker_process
from harness.engines.base import Job, Slot
from harness.engines.grid import Policy, run_grid
from harness.engines.inline import InlineEngine
from harness.engines.local import LocalEngine, make_slots
from harness.errors import BenchError
from harness.store import Store

NUMBER = iter(range(1000, 2000))  # seeds: every test has cells of its own


@pytest.fixture(scope="module")
def local():
    return LocalEngine("cpu", jobs=2)


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    return Store(tmp_path_factory.mktemp("results"))


@pytest.fixture(params=["local", "inline"])
def engine(request, local):
    return local if request.param == "local" else InlineEngine("cpu")


@pytest.fixture
def new(checkpoints):
    """new(task, **recipe) -> a cell that no other test has."""
    return lambda task=None, **recipe: toy.cell(checkpoints("bert"), task, seed=next(NUMBER), **recipe)


def job(cell, store, **more):
    return Job(cell, str(store.root), store.digest(cell.id), **more)


def test_a_cell_that_raises_does_not_stop_the_others(engine, store, new):
    good, bad, last = new(epochs=1), new(toy.task(toy.broken)), new(epochs=1)
    watch = Watch()
    records = {
        record["id"]: record for record in run_grid(engine, [job(cell, store) for cell in (good, bad, last)], watch)
    }
    assert [records[cell.id]["status"] for cell in (good, bad, last)] == ["ok", "failed", "ok"]
    error = records[bad.id]["error"]
    assert (error["type"], error["message"]) == ("RuntimeError", "the data set is broken\non purpose")
    assert "in broken" in error["traceback"] and "in broken" in store.log(bad.id).read_text()
    assert store.finished(good.id) and not store.finished(bad.id)
    assert set(watch.kinds(good)) >= {"started", "phase", "validation", "finished"}
    assert {path.name for path in store.folder(good.id).iterdir()} == {"record.json", "predictions.jsonl", "log.txt"}


def test_both_engines_give_equal_results(local, tmp_path, new):
    cell, found = new(epochs=1), []
    for name, engine in (("local", local), ("inline", InlineEngine("cpu"))):
        store = Store(tmp_path / name)
        [record] = run_grid(engine, [job(cell, store)], Watch())
        found.append((record["score"], record["training"]["history"], store.predictions(cell.id)))
    assert found[0] == found[1]


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSEGV])
def test_a_killed_worker_fails_only_its_cell(local, store, new, number):
    cell = new(**LONG)
    handle = local.submit(job(cell, store), local.slots[0])
    wait_for(handle, "validation")
    os.kill(handle.process.pid, number)
    handle.process.join(10)
    record = handle.result().record
    assert record["status"] == "failed" and record["error"]["type"] == "WorkerDied"
    assert number.name in record["error"]["message"] and "LOAD REPORT" in store.log(cell.id).read_text()
    assert store.record(cell.id)["status"] == "failed"


def test_a_record_counts_even_if_the_worker_dies_after_writing_it(local, store, new):
    cell = new(**LONG)
    handle = local.submit(job(cell, store), local.slots[0])
    wait_for(handle, "validation")
    store.write({**cell.facts(), "status": "ok", "score": 1.0, "primary_metric": "accuracy"})  # as the worker does, before it removes its checkpoint
    store.checkpoint(cell.id).write_text("state")
    os.kill(handle.process.pid, signal.SIGKILL)
    handle.process.join(10)
    assert handle.result().record["status"] == "ok" and store.finished(cell.id)
    assert {path.name for path in store.folder(cell.id).iterdir()} == {"record.json", "log.txt"}


def test_a_killed_fork_server_is_restarted_with_the_same_settings(store, new, tmp_path, monkeypatch):
    (tmp_path / "datasets").mkdir()
    (tmp_path / "datasets" / "__init__.py").write_text(
        "raise RuntimeError('a folder of the person is not the library')"
    )
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend("")  # as `python -m harness` has it
    engine, first, second = LocalEngine("cpu", jobs=2), new(epochs=40, patience=0), new(epochs=1)
    engine.slots = engine.slots[:1]  # one after the other

    class Kill(Watch):
        def event(self, cell, event):
            super().event(cell, event)
            if event["event"] == "validation" and cell is first and self.kinds(cell).count("validation") == 2:
                os.kill(forkserver._forkserver._forkserver_pid, signal.SIGKILL)

    records = run_grid(engine, [job(first, store), job(second, store)], watch := Kill())
    assert [(record["status"], record["error"]) for record in records] == [("ok", None)] * 2
    assert "resumed" not in records[0]["training"], "the worker lived on"
    assert watch.kinds(first).count("started") == watch.kinds(second).count("started") == 1


def test_a_worker_whose_fork_server_died_can_be_stopped_and_killed(store, new):
    engine, cells = LocalEngine("cpu", jobs=2), [new(**LONG), new(**LONG)]
    handles = [engine.submit(job(cell, store), engine.slots[0]) for cell in cells]
    for handle in handles:
        wait_for(handle, "validation")
    os.kill(forkserver._forkserver._forkserver_pid, signal.SIGKILL)
    for handle in handles:
        handle.process.join(10)
    assert not any(handle.done() for handle in handles)
    handles[0].stop()
    wait_until_done(handles[0])
    assert handles[0].result().stopped and store.checkpoint(cells[0].id).exists()
    os.kill(handles[1].process.pid, signal.SIGSTOP)
    handles[1].kill()
    assert handles[1].done() and handles[1].result().stopped
    [record] = run_grid(engine, [job(new(epochs=1), store)], Watch())
    assert record["status"] == "ok"


def test_a_fork_server_that_dies_while_forking_is_restarted(local, store, new, monkeypatch):
    start, tries = local.server.context.Process.start, []

    def dying(process):
        tries.append(process)
        if len(tries) == 1:
            os.kill(forkserver._forkserver._forkserver_pid, signal.SIGKILL)
            raise EOFError
        start(process)

    monkeypatch.setattr(local.server.context.Process, "start", dying)
    [record] = run_grid(local, [job(new(epochs=1), store)], Watch())
    assert record["status"] == "ok" and len(tries) >= 2


def test_a_terminated_worker_saves_its_state_and_the_cell_resumes(local, store, new):
    cell = new(epochs=40, patience=0)

    class Terminate(Watch):
        def event(self, cell, event):
            super().event(cell, event)
            if event["event"] == "validation" and self.kinds(cell).count("validation") == 3:
                os.kill(pids[-1], signal.SIGTERM)

    pids, submit = [], local.submit
    local.submit = lambda *words: (made := submit(*words), pids.append(made.process.pid))[0]
    try:
        watch = Terminate()
        [record] = run_grid(local, [job(cell, store)], watch)
    finally:
        local.submit = submit
    assert len(pids) == 2 and record["status"] == "ok" and record["training"]["resumed"] == 1
    assert ("requeued", cell.id, "its worker was told to end, and has saved its state") in watch.seen
    [whole] = run_grid(InlineEngine("cpu"), [job(cell, Store(store.root / "whole"))], Watch())
    assert record["training"]["history"] == whole["training"]["history"] and record["score"] == whole["score"]


def test_stop_saves_the_state_and_the_next_run_resumes(engine, local, store, new):
    cell = new(epochs=40, patience=0)
    handle = engine.submit(job(cell, store), engine.slots[0])
    wait_for(handle, "validation")
    handle.stop()
    wait_until_done(handle)
    assert handle.result().stopped and store.record(cell.id) is None and store.checkpoint(cell.id).exists()
    [record] = run_grid(engine, [job(cell, store)], watch := Watch())
    assert record["training"]["resumed"] == 1 and "resumed" in watch.kinds(cell)
    if engine is local:  # under the tests' own capture the library's logger writes where nobody knows
        assert store.log(cell.id).read_text().count("LOAD REPORT") == 2
    assert not store.checkpoint(cell.id).exists()


def test_kill_ends_the_worker_and_leaves_no_record(local, store, new):
    cell = new(**LONG)
    handle = local.submit(job(cell, store), local.slots[0])
    wait_for(handle, "validation")
    handle.kill()
    assert handle.done() and handle.result().stopped and store.record(cell.id) is None
    with pytest.raises(ProcessLookupError):
        os.kill(handle.process.pid, 0)


@pytest.mark.parametrize("phase", ["data", "train"])
def test_a_worker_exits_if_its_parent_is_gone(local, store, new, phase):
    cell = new(**LONG)
    handle = local.submit(job(cell, store), local.slots[0])
    wait_for(handle, "phase", phase)
    handle.connection.close()
    handle.process.join(worker_process.ORPHAN_GRACE + 5)
    assert handle.done() and store.record(cell.id) is None
    assert not list(store.folder(cell.id).glob(".*.tmp"))


def test_an_interrupt_saves_and_ends_all_workers(engine, store, new):
    cells = [new(**LONG), new(**LONG)]
    handles, submit = [], engine.submit

    class Interrupted(Watch):
        def event(self, cell, event):
            if event["event"] == "validation":
                raise KeyboardInterrupt

    engine.submit = lambda *words: handles.append(submit(*words)) or handles[-1]
    try:
        with pytest.raises(KeyboardInterrupt):
            run_grid(engine, [job(cell, store) for cell in cells], Interrupted())
    finally:
        engine.submit = submit
    assert len(handles) == len(engine.slots) and all(handle.done() for handle in handles)
    assert all(store.record(cell.id) is None for cell in cells) and store.checkpoint(cells[0].id).exists()


def test_a_second_interrupt_kills_the_workers(local, store, new, monkeypatch):
    cell = new(**LONG)

    class Impatient(Watch):
        def event(self, cell, event):
            if event["event"] == "validation":
                os.kill(handles[0].process.pid, signal.SIGSTOP)  # a worker that does nothing any more
                raise KeyboardInterrupt

        def stopping(self):
            monkeypatch.setattr(local, "wait", interrupt)

    def interrupt(*words):
        raise KeyboardInterrupt

    handles, submit = [], local.submit
    monkeypatch.setattr(local, "submit", lambda *words: handles.append(submit(*words)) or handles[-1])
    begun = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        run_grid(local, [job(cell, store)], Impatient())
    assert handles[0].done() and time.monotonic() - begun < 20


def test_a_cell_fails_after_the_timeout_and_resumes_with_more_time(engine, store, new):
    cell = new(epochs=150, patience=0)
    [record] = run_grid(engine, [job(cell, store)], Watch(), Policy(timeout=2.5))
    assert record["error"]["type"] == "Timeout" and "took longer than 2.5 s (--timeout)" in record["error"]["message"]
    assert store.record(cell.id)["status"] == "failed" and store.checkpoint(cell.id).exists()
    [record] = run_grid(engine, [job(cell, store)], Watch())
    assert record["status"] == "ok" and record["training"]["resumed"] == 1


def test_permanent_failures_are_not_retried(local, store, new):
    broken, wrong = new(toy.task(toy.broken)), new(toy.task(toy.unusable))
    watch = Watch()
    records = run_grid(local, [job(broken, store), job(wrong, store)], watch, Policy(retries=2))
    assert watch.kinds(broken).count("started") == 3 and watch.kinds(wrong).count("started") == 1
    stays = {record["id"]: record["error"].get("stays", False) for record in records}
    assert stays == {broken.id: False, wrong.id: True}


def test_fail_fast_saves_running_cells_and_starts_no_others(local, store, new):
    long, broken, never = new(**LONG), new(toy.task(toy.broken)), new(epochs=1)

    class Waits(Watch):  # until the long one trains
        def started(self, cell, slot):
            super().started(cell, slot)
            if cell is long:
                wait_for(handles[0], "validation")

    handles, submit = [], local.submit
    local.submit = lambda *words: handles.append(submit(*words)) or handles[-1]
    try:
        jobs = [job(cell, store) for cell in (long, broken, never)]
        records = run_grid(local, jobs, watch := Waits(), Policy(fail_fast=True))
    finally:
        local.submit = submit
    assert [record["id"] for record in records] == [broken.id] and not watch.kinds(never)
    assert store.record(long.id) is None and store.checkpoint(long.id).exists()


def test_two_runs_on_one_folder_run_no_cell_twice(engine, local, store, new):
    cell = new(epochs=30, patience=0)
    plan = job(cell, store)
    first = local.submit(plan, local.slots[0])
    wait_for(first, "validation")

    class Counts(Watch):
        def requeued(self, cell, reason):
            super().requeued(cell, reason)
            first.events()  # a worker whose words nobody reads waits at last

    watch = Counts()
    [record] = run_grid(engine, [plan], watch)
    wait_until_done(first)
    assert first.result().record == record and watch.seen[1] == ("requeued", cell.id, "another run has it")
    assert "validation" not in watch.kinds(cell)
    assert {path.name for path in store.folder(cell.id).iterdir()} == {"record.json", "predictions.jsonl", "log.txt"}


def test_leftovers_of_a_killed_worker_are_removed(local, store, new):
    cell = new(epochs=1)
    folder = store.folder(cell.id)
    for name in (".claim", ".record.json.host.1.tmp", ".checkpoint.safetensors.other.99.tmp"):
        (folder / name).write_text("half")
    [record] = run_grid(local, [job(cell, store)], Watch())
    assert record["status"] == "ok"
    assert {path.name for path in folder.iterdir()} == {"record.json", "predictions.jsonl", "log.txt"}


def test_slots_depend_only_on_the_machine_and_jobs():
    assert make_slots(["cpu"], None, 2) == [Slot("cpu", 1)] * 2
    assert make_slots(["cpu"], None, 1) == [Slot("cpu", 1)]
    assert make_slots(["cpu"], None, 16) == [Slot("cpu", 4)] * 4
    assert make_slots(["cpu"], 1, 16) == [Slot("cpu", 16)]
    assert make_slots(["cuda:0", "cuda:1"], None, 16) == [Slot("cuda:0", 8), Slot("cuda:1", 8)]
    assert [slot.device for slot in make_slots(["cuda:0", "cuda:1"], 4, 16)] == ["cuda:0", "cuda:1"] * 2


@pytest.mark.parametrize("kind", [LocalEngine, InlineEngine])
def test_unknown_devices_are_named(kind):
    with pytest.raises(BenchError, match=r"--devices cuda:99: .*; valid: auto, "):
        kind("cuda:99")
