"""Cells that several processes train together: the same training, every row scored once, and all processes end together."""

import os
import signal

import pytest
import toy
from watch import wait_for, wait_until_done

from harness.engines.base import Job, Slot
from harness.engines.grid import Observer, run_grid
from harness.engines.inline import InlineEngine
from harness.engines.local import LocalEngine, make_slots
from harness.errors import BenchError
from harness.quantities import SaveInterval
from harness.store import Store
from harness.training.evaluate import predict

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def pair():
    return LocalEngine("cpu", devices_per_cell=2)


def job(cell, store, devices=2, **more):
    return Job(cell, str(store.root), store.digest(cell.id), devices=devices, **more)


def alone(cell, root):
    store = Store(root)
    [record] = run_grid(InlineEngine("cpu"), [job(cell, store, 1)], Observer())
    assert record["status"] == "ok", record["error"]
    return record, store.predictions(cell.id)


CELLS = {  # without dropout, whose numbers would be others; batches of 7 leave one process fewer rows than the other, or none
    "sentiment": ("llama", {}, {"batch_size": 7}),
    "a row a batch": ("llama", {}, {"batch_size": 1, "epochs": 1}),
    "padded": ("bart", {}, {"batch_size": 7}),
    "texts": ("bart", {"generate": toy.pairs, "family": "translation"}, {"batch_size": 5, "max_target_length": 8}),
    "adapters": ("llama", {}, {"batch_size": 7, "method": "lora"}),
    "a head alone": ("bart", {}, {"batch_size": 7, "method": "frozen"}),
    "words": ("bert", {"generate": toy.names, "family": "ner"}, {"batch_size": 5}),
    "answers": ("bert", {"generate": toy.questions, "family": "qa"}, {"batch_size": 5, "doc_stride": 4}),
}


@pytest.mark.parametrize("name", CELLS)
def test_two_processes_train_like_one(pair, checkpoints, tmp_path, name):
    kind, task, recipe = CELLS[name]
    cell = toy.cell(checkpoints.without_dropout(kind), toy.task(**task), **{"epochs": 2, **recipe})
    store = Store(tmp_path / "two")
    [record] = run_grid(pair, [job(cell, store)], Observer())
    assert record["status"] == "ok", record["error"]
    one, predictions = alone(cell, tmp_path / "one")
    assert record["training"]["devices"] == 2 and "devices" not in one["training"]
    assert [entry["step"] for entry in record["training"]["history"]] == [
        entry["step"] for entry in one["training"]["history"]
    ]
    for ours, theirs in zip(record["training"]["history"], one["training"]["history"], strict=True):
        assert ours["loss"] == pytest.approx(theirs["loss"], abs=2e-4)
    assert record["score"] == pytest.approx(one["score"], abs=1e-9)
    assert store.predictions(cell.id) == predictions
    assert record["cost"]["train_tokens"] == one["cost"]["train_tokens"]
    assert {path.name for path in store.folder(cell.id).iterdir()} == {"record.json", "predictions.jsonl", "log.txt"}


def test_a_row_that_comes_back_twice_is_an_error(checkpoints, monkeypatch):
    """What would have gone unseen if metrics counted rows in the processes and added the counts up."""
    from harness.heads.make import make_head
    from harness.training.device import make_accelerator
    from harness.training.together import Team
    from tasks.sentiment import Sentiment

    head = make_head(toy.cell(checkpoints("bert")), Sentiment(), ["bad", "good"])
    model = head.build()
    features = head.encode([{"text": "the cat", "text_pair": None}] * 5, training=False)
    assert len(predict(make_accelerator("cpu", "fp32"), model, head, features, 5, 2)) == 5
    monkeypatch.setattr(Team, "gather", lambda self, items: [*items, items[0]])
    with pytest.raises(RuntimeError, match="6 outputs of 5 features came back for 5 features"):
        predict(make_accelerator("cpu", "fp32"), model, head, features, 5, 2)


def test_dropout_differs_between_the_processes(pair, checkpoints, tmp_path):
    """With dropout the scores of one and of two processes are of two trainings, both of them repeatable."""
    cell, found = toy.cell(checkpoints("bert"), epochs=1), []
    for name in ("first", "second"):
        [record] = run_grid(pair, [job(cell, Store(tmp_path / name))], Observer())
        found.append([entry["loss"] for entry in record["training"]["history"]])
    one, _ = alone(cell, tmp_path / "one")
    assert found[0] == found[1] != [entry["loss"] for entry in one["training"]["history"]]


class Stop(Observer):
    """Interrupts the grid at the n-th validation."""

    def __init__(self, turn):
        self.left = turn

    def event(self, cell, event):
        self.left -= event["event"] == "validation"
        if event["event"] == "validation" and self.left == 0:
            raise KeyboardInterrupt


def test_a_resumed_training_gives_the_same_numbers(pair, checkpoints, tmp_path):
    cell = toy.cell(checkpoints("bert"), epochs=16, patience=0)  # with dropout: each process has its own random numbers
    [whole] = run_grid(pair, [job(cell, Store(tmp_path / "whole"))], Observer())
    store = Store(tmp_path / "stopped")
    with pytest.raises(KeyboardInterrupt):
        run_grid(pair, [job(cell, store)], Stop(3))
    assert store.checkpoint(cell.id).exists() and store.record(cell.id) is None
    [record] = run_grid(pair, [job(cell, store)], Observer())
    assert record["training"]["resumed"] == 1
    assert record["training"]["history"] == whole["training"]["history"] and record["score"] == whole["score"]
    assert store.predictions(cell.id) == Store(tmp_path / "whole").predictions(cell.id)


def test_a_checkpoint_of_two_processes_is_not_used_by_one(pair, checkpoints, tmp_path):
    cell, store = toy.cell(checkpoints("bert"), epochs=16, patience=0), Store(tmp_path / "two")
    with pytest.raises(KeyboardInterrupt):
        run_grid(pair, [job(cell, store)], Stop(3))
    [record] = run_grid(InlineEngine("cpu"), [job(cell, store, 1)], Observer())
    whole, _ = alone(cell, tmp_path / "one")
    assert "resumed" not in record["training"] and record["training"]["history"] == whole["training"]["history"]
    assert "it was made by another number of processes" in store.log(cell.id).read_text()


@pytest.mark.parametrize("rank", [0, 1])
def test_killing_one_process_ends_the_others(pair, checkpoints, tmp_path, rank):
    cell, store = toy.cell(checkpoints("bert"), epochs=10_000, patience=0), Store(tmp_path)
    handle = pair.submit(job(cell, store, checkpoint_every=SaveInterval(steps=5)), pair.slots[0])
    processes = [handle.process, *(process for process, _ in handle.members.processes)]
    wait_for(handle, "validation")
    os.kill(processes[rank].pid, signal.SIGKILL)
    wait_until_done(handle)
    record = handle.result().record
    assert record["status"] == "failed" and not any(process.is_alive() for process in processes)
    assert store.checkpoint(cell.id).exists()


def test_all_processes_exit_if_the_parent_is_gone(pair, checkpoints, tmp_path):
    cell, store = toy.cell(checkpoints("bert"), epochs=10_000, patience=0), Store(tmp_path)
    handle = pair.submit(job(cell, store), pair.slots[0])
    processes = [handle.process, *(process for process, _ in handle.members.processes)]
    wait_for(handle, "validation")
    for connection in (handle.connection, *(connection for _, connection in handle.members.processes)):
        connection.close()
    for process in processes:
        process.join(15)
    assert not any(process.is_alive() for process in processes)


def test_all_processes_exit_if_another_run_holds_the_cell(pair, checkpoints, tmp_path):
    cell, store = toy.cell(checkpoints("bert")), Store(tmp_path)
    claim = store.claim(cell.id)
    assert claim.take()
    handle = pair.submit(job(cell, store), pair.slots[0])
    wait_until_done(handle)
    assert handle.result().claimed and not any(process.is_alive() for process, _ in handle.members.processes)
    claim.release()


def test_slots_of_several_devices():
    assert make_slots(["cpu"], None, 8, 2) == [Slot("cpu,cpu", 2)] * 2
    assert make_slots(["cpu"], None, 2, 2) == [Slot("cpu,cpu", 1)]
    assert make_slots(["cpu"], 1, 2, 4) == [Slot("cpu,cpu,cpu,cpu", 1)]
    gpus = [f"cuda:{number}" for number in range(5)]
    assert [slot.device for slot in make_slots(gpus, None, 8, 2)] == ["cuda:0,cuda:1", "cuda:2,cuda:3"]
    with pytest.raises(BenchError, match="--devices-per-cell 6: there are 5 devices"):
        make_slots(gpus, None, 8, 6)
