"""Cells with methods that train a part of a model: every family on every architecture, from data to record."""

import pytest
import torch
import toy

from harness.adapt import adapt
from harness.heads.make import make_head
from harness.methods import METHODS
from harness.store import Store
from harness.training.worker import run_cell
from tasks.ner import NamedEntities
from tasks.qa import QuestionAnswering
from tasks.sentiment import Sentiment
from tasks.translation import Translation

FAMILIES = {
    "sentiment": (toy.sentiment, Sentiment, {}),
    "ner": (toy.names, NamedEntities, {}),
    "qa": (toy.questions, QuestionAnswering, {}),
    "translation": (toy.pairs, Translation, {"max_target_length": 8}),
}


def run(cell, root, monkeypatch):
    """The record, the predictions, and the trained model."""
    import harness.training.worker as worker

    left, whole = [], worker.make_record
    monkeypatch.setattr(worker, "make_record", lambda *args: left.append(args[-1].model) or whole(*args))
    store = Store(root)
    record = run_cell(cell, "cpu", store, lambda event: None)
    return record, store.predictions(cell.id), left[-1]


def as_built(cell, family):
    """Parameters before training, and the number of trainable ones."""
    torch.manual_seed(cell.seed)
    head = make_head(cell, family, ["bad", "good"] if cell.task.family == "sentiment" else ["O", "B-X", "I-X"])
    model = head.build()
    adapt(model, METHODS[cell.method], head.pretrained, cell.recipe)
    return model


@pytest.mark.parametrize("method", ["frozen", "lora"])
@pytest.mark.parametrize("kind", ["bert", "gpt2", "t5"])
@pytest.mark.parametrize("name", FAMILIES)
def test_every_family_on_every_architecture(checkpoints, tmp_path, monkeypatch, name, kind, method):
    rows, family, values = FAMILIES[name]
    cell = toy.cell(
        checkpoints(kind), toy.task(rows, name), method=method, epochs=2, evaluations=3, patience=0, **values
    )
    record, predictions, model = run(cell, tmp_path / "first", monkeypatch)
    assert record["status"] == "ok" and record["method"] == method and record["training"]["packed"]
    before = as_built(cell, family())
    trained = {name: p for name, p in before.named_parameters() if p.requires_grad}
    assert record["cost"]["trainable_parameters"] == sum(parameter.numel() for parameter in trained.values())
    assert record["model"]["parameters"] == sum(parameter.numel() for parameter in before.parameters())
    assert record["cost"]["trainable_parameters"] < record["model"]["parameters"]
    assert record["cost"]["flops"] > 0
    assert ("lora_rank" in record["recipe"]) == (method == "lora")
    now, same = dict(model.named_parameters()), 0
    for name, parameter in before.named_parameters():
        if name not in trained and now[name].shape == parameter.shape:  # a table may have been cut down
            assert torch.equal(now[name], parameter), name
            same += 1
    assert same
    changed = {name for name in trained if "pooler" not in name and not torch.equal(now[name], trained[name])}
    assert changed
    assert method == "frozen" or {name for name in trained if ".lora_B" in name} <= changed
    again, others, _ = run(cell, tmp_path / "second", monkeypatch)
    assert again["metrics"] == record["metrics"] and others == predictions
    assert again["training"]["history"] == record["training"]["history"]
