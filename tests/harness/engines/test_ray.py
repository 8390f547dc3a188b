"""The engine `ray` on a real cluster of two nodes on this machine: it behaves like `local`, and survives the loss of a node."""

import os
import signal
import subprocess
import sys
import time

import pytest
import toy
from watch import LONG, Watch, wait_for, wait_until_done

from harness.engines.base import Job
from harness.engines.cluster import ClusterEngine
from harness.engines.grid import Policy, run_grid
from harness.engines.inline import InlineEngine
from harness.engines.ray_nodes import connect, make_slots, versions
from harness.errors import BenchError
from harness.quantities import SaveInterval
from harness.store import Claim, Store

ray = pytest.importorskip("ray", reason='ray is not installed: pip install "bench-harness[ray]"')
NODE = {"num_cpus": 1, "object_store_memory": 80 * 2**20}
# A cluster notices a node that is gone within a second or two, not a quarter of a minute.
QUICK = {"health_check_period_ms": 500, "health_check_timeout_ms": 1000, "health_check_failure_threshold": 2}
NUMBER = iter(range(2000, 3000))  # seeds: every test has cells of its own
FILES = {"record.json", "predictions.jsonl", "log.txt"}


@pytest.fixture(scope="module")
def cluster():
    patch = pytest.MonkeyPatch()
    from ray.cluster_utils import Cluster

    patch.setenv("RAY_worker_niceness", "0")  # Ray's usual 15 starves cells while other tests run on the same cores
    made = Cluster(initialize_head=True, head_node_args={**NODE, "include_dashboard": False, "_system_config": QUICK})
    made.second = made.add_node(**NODE)
    yield made
    ray.shutdown()
    made.shutdown()
    patch.undo()


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    return Store(tmp_path_factory.mktemp("results"))


@pytest.fixture(scope="module")
def engine(cluster, store):
    made = ClusterEngine(cluster.address, "auto", None, store.root)
    wait_until(lambda: all(made.ready(slot) for slot in made.slots))
    yield made
    made.close()


@pytest.fixture
def new(checkpoints):
    """new(task, **recipe) -> a cell that no other test has."""
    return lambda task=None, **recipe: toy.cell(checkpoints("bert"), task, seed=next(NUMBER), **recipe)


def job(cell, store, **more):
    return Job(cell, str(store.root), store.digest(cell.id), **more)


def wait_until(true, seconds=60):
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end
        time.sleep(0.05)


def exists(process):
    """Whether it runs; one that nobody has asked for its status does not."""
    status = subprocess.run(["ps", "-o", "stat=", "-p", str(process)], capture_output=True, text=True).stdout.strip()
    return bool(status) and not status.startswith("Z")


def files(store, cell):
    return {path.name for path in store.folder(cell.id).iterdir()}


@pytest.mark.long
def test_results_equal_those_of_inline_and_an_error_fails_only_its_cell(engine, store, tmp_path, new):
    good, bad = [new(), new(), new(epochs=1)], new(toy.task(toy.broken))
    assert len({engine.placements[slot].node for slot in engine.slots}) == 2
    watch = Watch()
    records = {record["id"]: record for record in run_grid(engine, [job(cell, store) for cell in (bad, *good)], watch)}
    error = records[bad.id]["error"]
    assert (error["type"], error["message"]) == ("RuntimeError", "the data set is broken\non purpose")
    assert "in broken" in error["traceback"] and "in broken" in store.log(bad.id).read_text()
    other = Store(tmp_path)
    for cell in good:
        [whole] = run_grid(InlineEngine("cpu"), [job(cell, other)], Watch())
        assert records[cell.id]["score"] == whole["score"]
        assert records[cell.id]["training"]["history"] == whole["training"]["history"]
        assert store.predictions(cell.id) == other.predictions(cell.id) and files(store, cell) == FILES
        assert set(watch.kinds(cell)) >= {"started", "phase", "validation", "finished"}
        assert records[cell.id]["environment"]["threads"] == 1 and "LOAD REPORT" in store.log(cell.id).read_text()


@pytest.mark.long
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSEGV])
def test_a_killed_worker_fails_only_its_cell(engine, store, new, number):
    cell = new(**LONG)
    handle = engine.submit(job(cell, store), engine.slots[0])
    wait_for(handle, "validation")
    os.kill(handle.process, number)
    wait_until_done(handle)
    record = handle.result().record
    assert record["status"] == "failed" and record["error"]["type"] == "WorkerDied"
    assert number.name in record["error"]["message"] and "LOAD REPORT" in store.log(cell.id).read_text()
    assert store.record(cell.id)["status"] == "failed"


@pytest.mark.long
def test_a_killed_actor_fails_its_cell_and_is_replaced(engine, store, new):
    cell, slot = new(**LONG), engine.slots[0]
    handle = engine.submit(job(cell, store), slot)
    wait_for(handle, "validation")
    actor = parent(parent(handle.process))  # between them is the server that the worker was forked from
    os.kill(actor, signal.SIGKILL)
    wait_until_done(handle)
    record = handle.result().record
    assert record["error"]["type"] == "WorkerDied" and "ended with Ray's actor" in record["error"]["message"]
    wait_until(lambda: not exists(handle.process), 5)
    wait_until(lambda: engine.ready(slot))
    short = new(epochs=1)
    handle = engine.submit(job(short, store), slot)
    wait_until_done(handle)
    assert handle.result().record["status"] == "ok"


def parent(process):
    return int(subprocess.run(["ps", "-o", "ppid=", "-p", str(process)], capture_output=True, text=True).stdout)


@pytest.mark.long
def test_stop_saves_the_state_and_the_next_run_resumes(engine, store, new):
    cell = new(epochs=40, patience=0)
    handle = engine.submit(job(cell, store), engine.slots[0])
    wait_for(handle, "validation")
    handle.stop()
    wait_until_done(handle)
    assert handle.result().stopped and store.record(cell.id) is None and store.checkpoint(cell.id).exists()
    [record] = run_grid(engine, [job(cell, store)], watch := Watch())
    assert record["training"]["resumed"] == 1 and "resumed" in watch.kinds(cell)
    assert store.log(cell.id).read_text().count("LOAD REPORT") == 2 and files(store, cell) == FILES


@pytest.mark.long
def test_kill_ends_the_worker_and_leaves_no_record(engine, store, new):
    cell = new(**LONG)
    handle = engine.submit(job(cell, store), engine.slots[0])
    wait_for(handle, "validation")
    handle.kill()
    assert handle.done() and handle.result().stopped and store.record(cell.id) is None
    assert not exists(handle.process)


@pytest.mark.long
def test_a_cell_fails_after_the_timeout_and_resumes_with_more_time(engine, store, new):
    cell = new(epochs=100, patience=0)
    [record] = run_grid(engine, [job(cell, store)], Watch(), Policy(timeout=1.5))
    assert record["error"]["type"] == "Timeout" and "took longer than 1.5 s (--timeout)" in record["error"]["message"]
    assert store.checkpoint(cell.id).exists()
    [record] = run_grid(engine, [job(cell, store)], Watch())
    assert record["status"] == "ok" and record["training"]["resumed"] == 1


@pytest.mark.long
def test_an_interrupt_saves_and_ends_all_workers(engine, store, new, monkeypatch):
    cells, handles, submit, trained = [new(**LONG), new(**LONG)], [], engine.submit, set()

    class Interrupted(Watch):
        def event(self, cell, event):
            if event["event"] == "validation":
                trained.add(cell.id)
            if len(trained) == 2:
                raise KeyboardInterrupt

    monkeypatch.setattr(engine, "submit", lambda *words: handles.append(submit(*words)) or handles[-1])
    with pytest.raises(KeyboardInterrupt):
        run_grid(engine, [job(cell, store) for cell in cells], Interrupted())
    assert len(handles) == 2 and not any(exists(handle.process) for handle in handles)
    assert all(store.record(cell.id) is None and store.checkpoint(cell.id).exists() for cell in cells)


def test_a_node_with_another_version_or_without_the_folder_is_an_error(engine):
    told = {"node": "a" * 56, "shares": True, **versions()}
    engine._check_node(told)
    with pytest.raises(BenchError, match=r"--results .*: node aaaaaaaa does not see this folder"):
        engine._check_node({**told, "shares": False})
    with pytest.raises(BenchError, match=r"node aaaaaaaa has another bench: .*'protocol': 1.*; install the same"):
        engine._check_node({**told, "protocol": 1})


@pytest.mark.long
def test_cells_of_a_dead_node_run_on_another_node(engine, cluster, store, tmp_path, new):
    """The last test with the engine: afterwards the cluster has one node."""
    cells = [new(epochs=40, patience=0) for _ in range(2)] + [new(epochs=1)]
    away = next(slot for slot in engine.slots if engine.placements[slot].node != ray.get_runtime_context().get_node_id())
    lost = []

    class Axe(Watch):
        def started(self, cell, slot):
            super().started(cell, slot)
            if slot is away and not lost:
                lost.append(cell)

        def event(self, cell, event):
            super().event(cell, event)
            if lost == [cell] and event["event"] == "saved":
                lost.append("dead")
                cluster.remove_node(cluster.second, allow_graceful=False)

    watch = Axe()
    records = run_grid(engine, [job(cell, store, checkpoint_every=SaveInterval(steps=40)) for cell in cells], watch)
    assert lost[1:] == ["dead"] and ("requeued", lost[0].id, "the node where it ran is gone") in watch.seen
    assert sorted(record["id"] for record in records) == sorted(cell.id for cell in cells)
    assert [entry[0] for entry in watch.seen].count("finished") == 3
    resumed = {record["id"]: record["training"].get("resumed", 0) for record in records}
    assert resumed == {cell.id: int(cell is lost[0]) for cell in cells}
    [whole] = run_grid(InlineEngine("cpu"), [job(lost[0], Store(tmp_path))], Watch())
    assert store.record(lost[0].id)["score"] == whole["score"] and files(store, lost[0]) == FILES


@pytest.mark.long
def test_a_terminated_driver_saves_and_a_killed_driver_leaves_no_processes(engine, cluster, tmp_path):
    engine.close()
    words = "run --models bert --tasks mini-translation --engine ray --checkpoint-every 5steps --set recipe.epochs=200"
    words = [sys.executable, "-m", "harness", *words.split(), "--address", cluster.address]
    found = tmp_path / "bench-results" / "cells"

    def saved():
        return list(found.glob("*/checkpoint.safetensors"))

    for number in (signal.SIGTERM, signal.SIGKILL):
        driver = subprocess.Popen(
            words, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env={**os.environ}
        )
        begun = time.time()
        wait_until(lambda begun=begun: [path for path in saved() if path.stat().st_mtime > begun])
        [folder] = found.iterdir()
        driver.send_signal(number)
        told = driver.communicate(timeout=60)[0]
        if number == signal.SIGTERM:
            assert driver.returncode == 130 and "saving the cells that run" in told, told
        wait_until(Claim(folder).take, 15)  # and gives it back at once, for nobody holds it
        assert not list(found.glob("*/record.json")) and saved()
        wait_until(lambda: workers() == [], 15)


def workers():
    """Lines of `ps` that tell of actors. That the cells' own processes are gone, their claims tell."""
    listed = subprocess.run(["ps", "-eo", "pid,args"], capture_output=True, text=True).stdout
    return [line for line in listed.splitlines() if "ray::SlotActor" in line]


def test_missing_ray_or_cluster_is_a_one_line_error(monkeypatch):
    with pytest.raises(BenchError, match=r"--address 127.0.0.1:1: no Ray cluster .*start one: ray start --head"):
        connect("127.0.0.1:1")
    with pytest.raises(BenchError, match=r"--address ray://here:1: must be auto or HOST:PORT"):
        connect("ray://here:1")
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(BenchError, match=r'ray is not installed; run: pip install "bench-harness\[ray\]"'):
        connect("auto")


def node(name, alive=True, **resources):
    return {"NodeID": name, "Alive": alive, "Resources": resources}


def test_slots_are_taken_from_the_nodes_in_turn():
    nodes = [node("a", CPU=8.0), node("b", CPU=2.0), node("dead", alive=False, CPU=64.0), node("head", CPU=0.0)]
    slots = make_slots(nodes, "auto", None)
    assert [(slot.node, slot.cpus, slot.gpus) for slot in slots] == [
        ("a", 2, 0), ("b", 1, 0), ("a", 2, 0), ("b", 1, 0), ("a", 2, 0), ("a", 2, 0),
    ]  # fmt: skip
    assert len(set(slots)) == 6 and make_slots(nodes, "cpu", 3) == slots[:3]
    gpus = [node("a", CPU=8.0, GPU=2.0), node("b", CPU=8.0)]
    assert [(slot.device, slot.cpus, slot.gpus) for slot in make_slots(gpus, "auto", None)] == [("cuda", 4, 1)] * 2
    assert {slot.device for slot in make_slots(gpus, "cpu", None)} == {"cpu"}
    with pytest.raises(BenchError, match=r"--devices cuda: no node of the cluster has a GPU"):
        make_slots(nodes, "cuda", None)
    with pytest.raises(BenchError, match=r"--devices cuda:1: .* valid: auto, cpu, cuda"):
        make_slots(nodes, "cuda:1", None)
