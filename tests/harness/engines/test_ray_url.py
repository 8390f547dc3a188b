"""The engine `ray` with results behind a URL, on two nodes that share no folder."""

import os
import time

import pytest
import toy
from watch import Watch

from harness.engines.base import Job
from harness.engines.cluster import ClusterEngine
from harness.engines.grid import run_grid
from harness.engines.inline import InlineEngine
from harness.errors import BenchError
from harness.quantities import SaveInterval
from harness.remote.mirror import open_store
from harness.store import Store

pytestmark = pytest.mark.long
ray = pytest.importorskip("ray", reason='ray is not installed: pip install "bench-harness[ray]"')
NODE = {"num_cpus": 1, "object_store_memory": 80 * 2**20}
QUICK = {"health_check_period_ms": 500, "health_check_timeout_ms": 1000, "health_check_failure_threshold": 2}


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    return tmp_path_factory.mktemp("ray")


@pytest.fixture(scope="module")
def cluster(place):
    """The driver, and two nodes whose caches, and so whose mirrors, are their own."""
    patch = pytest.MonkeyPatch()
    from ray.cluster_utils import Cluster

    patch.setenv("RAY_worker_niceness", "0")
    patch.setenv("BENCH_CACHE", str(place / "first"))
    made = Cluster(initialize_head=True, head_node_args={**NODE, "include_dashboard": False, "_system_config": QUICK})
    patch.setenv("BENCH_CACHE", str(place / "second"))
    made.second = made.add_node(**NODE)
    patch.setenv("BENCH_CACHE", str(place / "driver"))
    yield made
    ray.shutdown()
    made.shutdown()
    patch.undo()


def engine_for(cluster, url):
    made = ClusterEngine(cluster.address, "auto", None, url)
    end = time.monotonic() + 90
    while not all(made.ready(slot) for slot in made.slots):
        assert time.monotonic() < end
        time.sleep(0.1)
    assert len({placement.node for placement in made.placements.values()}) == 2
    return made


def job(cell, url, **more):
    return Job(cell, url, open_store(url).digest(cell.id), **more)


def there(remote):
    return {str(path.relative_to(remote / "cells")) for path in remote.rglob("*") if path.is_file()}


def whole(cell, folder):
    [record] = run_grid(InlineEngine("cpu"), [Job(cell, str(folder))], Watch())
    return record


FILES = ("record.json", "predictions.jsonl", "log.txt")


def test_a_url_that_a_node_cannot_write_is_a_one_line_error(cluster, place):
    (place / "file").write_text("")
    with pytest.raises(BenchError, match=r"a node of the cluster cannot run cells: .*cannot be written") as error:
        engine_for(cluster, f"file://{place}/file/x")
    assert "\n" not in str(error.value)


def test_nodes_send_results_and_the_driver_sends_what_they_cannot(cluster, place, checkpoints):
    remote, url = place / "remote", f"file://{place}/remote"
    cells = [toy.cell(checkpoints("bert"), seed=seed) for seed in range(4001, 4005)]
    bad = toy.cell(checkpoints("bert"), toy.task(toy.broken), seed=4006)
    engine = engine_for(cluster, url)
    records = {one["id"]: one for one in run_grid(engine, [job(cell, url) for cell in (*cells, bad)], Watch())}
    store = open_store(url)
    assert store.unsent() == [] and records[bad.id]["error"]["type"] == "RuntimeError"
    wanted = {f"{cell.id}/{name}" for cell in cells for name in FILES}
    assert there(remote) == wanted | {f"{bad.id}/record.json", f"{bad.id}/log.txt"}
    for cell in cells:
        local = whole(cell, place / "local")
        assert records[cell.id]["score"] == store.record(cell.id)["score"] == local["score"]
        assert store.predictions(cell.id) == Store(place / "local").predictions(cell.id)
    assert all(list((place / name).rglob("record.json")) for name in ("first", "second"))  # both have worked
    again = run_grid(engine, [Job(cell, url) for cell in cells], Watch())  # as planned before any had run
    assert {one["id"]: one for one in again} == {cell.id: records[cell.id] for cell in cells}

    os.rename(remote / "cells", remote / "away")
    (remote / "cells").write_text("")  # no folder: nothing can be written there
    late, watch = toy.cell(checkpoints("bert"), seed=4007), Watch()
    [record] = run_grid(engine, [job(late, url)], watch)
    assert "unsent" in watch.kinds(late) and store.unsent() == [late.id] and store.record(late.id) == record
    (remote / "cells").unlink()
    os.rename(remote / "away", remote / "cells")
    store.sync(send=True)
    assert {f"{late.id}/{name}" for name in FILES} <= there(remote) and store.unsent() == []
    engine.close()


def test_a_cell_of_a_dead_node_resumes_from_the_checkpoint_it_had_sent(cluster, place, checkpoints):
    """The last test: afterwards the cluster has one node."""
    remote, url = place / "remote", f"file://{place}/remote"
    engine = engine_for(cluster, url)
    away = next(slot for slot in engine.slots if engine.placements[slot].node != ray.get_runtime_context().get_node_id())
    cells = [toy.cell(checkpoints("bert"), seed=seed, epochs=40, patience=0) for seed in (4011, 4012)]
    lost = []

    class Axe(Watch):
        def started(self, cell, slot):
            super().started(cell, slot)
            if slot is away and not lost:
                lost.append(cell)

        def event(self, cell, event):
            super().event(cell, event)
            if lost == [cell] and (remote / f"cells/{cell.id}/checkpoint.safetensors").exists():
                lost.append("dead")
                cluster.remove_node(cluster.second, allow_graceful=False)

    watch = Axe()
    records = {
        one["id"]: one
        for one in run_grid(engine, [job(cell, url, checkpoint_every=SaveInterval(steps=20)) for cell in cells], watch)
    }
    assert lost[1:] == ["dead"] and ("requeued", lost[0].id, "the node where it ran is gone") in watch.seen
    assert {cell.id: records[cell.id]["training"].get("resumed", 0) for cell in cells} == {
        cell.id: int(cell is lost[0]) for cell in cells
    }
    assert records[lost[0].id]["score"] == whole(lost[0], place / "local")["score"]
    assert {f"{lost[0].id}/{name}" for name in FILES} <= there(remote)
    assert not list(remote.rglob("*.safetensors"))
    engine.close()
