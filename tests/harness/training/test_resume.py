"""A training that was stopped, at whatever moment, ends as if it had not been."""

import random

import numpy as np
import pytest
import torch
import toy

from harness.quantities import NEVER, SaveInterval
from harness.store import Store
from harness.training.checkpoint import RandomStates, SavedTraining, Unusable
from harness.training.checkpointer import Interrupted, Interruption
from harness.training.worker import run_cell

KINDS = ["bert", "gpt2", "t5"]
OFTEN = SaveInterval(steps=1000)
RECIPE = {"epochs": 4, "evaluations": 6, "patience": 0}  # 48 steps, validated after 8, 16, ...


class Stop(Interruption):
    """Asks for the end when the n-th event of a kind is told."""

    def __init__(self, kind, turn):
        super().__init__()
        self.kind, self.left, self.events = kind, turn, []

    def see(self, event):
        self.events.append(event)
        self.left -= event["event"] == self.kind
        if not self.left:
            self.left = -1
            self.request()


def facts(store, record):
    training = {name: value for name, value in record["training"].items() if name != "resumed"}
    return record["score"], record["metrics"], training, store.predictions(record["id"])


def run(cell, root, stop=None, every=OFTEN):
    stop = stop or Stop("", -1)
    return run_cell(cell, "cpu", Store(root), stop.see, every, stop)


@pytest.fixture(scope="module")
def undisturbed(checkpoints, tmp_path_factory):
    known = {}

    def get(kind):
        if kind not in known:
            root = tmp_path_factory.mktemp("whole")
            known[kind] = facts(Store(root), run(toy.cell(checkpoints(kind), **RECIPE), root))
        return known[kind]

    return get


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("event", "turn"),
    [("step", 1), ("step", 3), ("validation", 2), ("evaluate", 3), ("evaluate", 7)],
    ids=["step 10", "step 30", "after a validation", "in a validation", "in the test"],
)
def test_a_stopped_training_ends_as_if_it_had_not_been(checkpoints, undisturbed, tmp_path, kind, event, turn):
    cell, store = toy.cell(checkpoints(kind), **RECIPE), Store(tmp_path)
    with pytest.raises(Interrupted):
        run(cell, tmp_path, Stop(event, turn))
    assert store.checkpoint(cell.id).exists() and store.record(cell.id) is None
    random.seed(99), np.random.seed(99), torch.manual_seed(99)  # another process has other numbers
    again = Stop("", -1)
    record = run(cell, tmp_path, again)
    resumed = [one["step"] for one in again.events if one["event"] == "resumed"]
    assert len(resumed) == 1 and resumed[0] >= 8 and record["training"]["resumed"] == 1
    assert facts(store, record) == undisturbed(kind)
    assert {path.name for path in store.folder(cell.id).iterdir()} == {"record.json", "predictions.jsonl"}


@pytest.mark.parametrize("method", ["lora", "frozen"])
@pytest.mark.parametrize("kind", KINDS)
def test_a_stopped_training_of_a_part_ends_as_if_it_had_not_been(checkpoints, tmp_path, kind, method):
    """And what is saved of it is that part alone."""
    cell = toy.cell(checkpoints(kind), method=method, lora_dropout=0.1, **RECIPE)
    whole = facts(Store(tmp_path / "whole"), run(cell, tmp_path / "whole"))
    store = Store(tmp_path / "stopped")
    with pytest.raises(Interrupted):
        run(cell, tmp_path / "stopped", Stop("step", 3))
    saved = SavedTraining.load(store.checkpoint(cell.id)).tensors
    for part in ("model/", "best/"):
        names = {name.removeprefix(part) for name in saved if name.startswith(part)}
        assert any("classif" in name or "score" in name for name in names)
        assert not any(name.endswith(("word_embeddings.weight", "wte.weight", "shared.weight")) for name in names)
    random.seed(99), np.random.seed(99), torch.manual_seed(99)
    record = run(cell, tmp_path / "stopped")
    assert record["training"]["resumed"] == 1
    assert facts(store, record) == whole


@pytest.mark.parametrize("kind", KINDS)
def test_it_goes_on_from_every_checkpoint_and_counts_all_the_time(checkpoints, undisturbed, tmp_path, kind):
    """Stopped again and again; only what the clock has saved is there to go on from, as after a kill."""
    cell, store, breaks = toy.cell(checkpoints(kind), **RECIPE), Store(tmp_path), 0

    class Killed(BaseException):
        pass

    class Kill(Stop):
        def request(self):
            raise Killed

    while breaks < 20:
        try:
            record = run(cell, tmp_path, Kill("saved", 2), SaveInterval(steps=9))
            break
        except Killed:
            breaks += 1
    assert breaks >= 2 and record["training"]["resumed"] == breaks
    assert facts(store, record) == undisturbed(kind)
    cost = record["cost"]
    assert (
        cost["total_seconds"] >= sum(cost["phases"].values()) > cost["phases"]["train"] >= cost["train_seconds"] * 0.9
    )


@pytest.mark.parametrize("damage", ["cut", "flipped", "empty", "other model", "old format"])
def test_a_checkpoint_that_is_not_whole_is_not_used(checkpoints, undisturbed, tmp_path, damage, capsys):
    cell, store = toy.cell(checkpoints("bert"), **RECIPE), Store(tmp_path)
    with pytest.raises(Interrupted):
        run(cell, tmp_path, Stop("step", 2))
    path = store.checkpoint(cell.id)
    content = bytearray(path.read_bytes())
    if damage == "cut":
        path.write_bytes(content[: len(content) // 2])
    elif damage == "flipped":
        content[-1000] ^= 1
        path.write_bytes(content)
    elif damage == "empty":
        path.write_bytes(b"")
    else:
        found = SavedTraining.load(path)
        if damage == "other model":
            found.tensors = {name.replace("encoder", "coder"): tensor for name, tensor in found.tensors.items()}
            found.save(path)
        else:
            path.write_bytes(content.replace(b'"format":"2"', b'"format":"1"'))
    record = run(cell, tmp_path)
    assert facts(store, record) == undisturbed("bert")
    assert "begins anew" in capsys.readouterr().err
    assert not path.exists()


def test_a_full_disk_costs_the_checkpoint_and_not_the_training(checkpoints, undisturbed, tmp_path, monkeypatch):
    cell, store, told = toy.cell(checkpoints("bert"), **RECIPE), Store(tmp_path), Stop("", -1)
    full = type("Usage", (), {"free": 1000})
    monkeypatch.setattr("harness.training.checkpoint.shutil.disk_usage", lambda path: full)
    record = run(cell, tmp_path, told, SaveInterval(steps=20))
    assert [event["reason"] for event in told.events if event["event"] == "unsaved"] == ["the disk is full"] * 2
    assert facts(store, record) == undisturbed("bert")
    assert {path.name for path in store.folder(cell.id).iterdir()} == {"record.json", "predictions.jsonl"}


def test_never_means_never(checkpoints, tmp_path):
    cell, store = toy.cell(checkpoints("bert"), **RECIPE), Store(tmp_path)
    with pytest.raises(Interrupted):
        run(cell, tmp_path, Stop("step", 2), NEVER)
    assert list(store.folder(cell.id).iterdir()) == []


def test_an_early_request_ends_the_cell_when_there_is_something_to_ask(checkpoints, tmp_path):
    asked = Stop("phase", 1)
    with pytest.raises(Interrupted):
        run(toy.cell(checkpoints("bert"), **RECIPE), tmp_path, asked)
    assert not any(event["event"] == "step" for event in asked.events)


def test_random_states_are_those_of_all_generators():
    states = RandomStates()
    values, tensors = states.to_plain()
    first = random.random(), np.random.rand(), torch.rand(3).tolist()
    RandomStates.from_plain(values, tensors).restore()
    assert (random.random(), np.random.rand(), torch.rand(3).tolist()) == first


def test_what_is_no_checkpoint(tmp_path):
    assert SavedTraining.load(tmp_path / "none") is None
    (tmp_path / "text").write_text("hello")
    with pytest.raises(Unusable, match="cannot be read"):
        SavedTraining.load(tmp_path / "text")
