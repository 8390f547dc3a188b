"""Half precision with fp32 copies of the weights."""

import copy

import pytest
import torch
import toy
from torch import nn

from harness.duration import Every
from harness.heads.make import make_head
from harness.store import Store
from harness.training.checkpoint import Checkpoint
from harness.training.interrupt import Interrupted, Interruption
from harness.training.weights import Weights
from harness.worker import run_cell
from tasks.sentiment import Sentiment


class Tied(nn.Module):
    """A table that is read and scored with, a norm, and a frozen layer."""

    def __init__(self):
        super().__init__()
        self.table = nn.Embedding(7, 4)
        self.norm = nn.LayerNorm(4)
        self.frozen = nn.Linear(4, 4).requires_grad_(False)
        self.output = nn.Linear(4, 7, bias=False)
        self.output.weight = self.table.weight

    def forward(self, numbers):
        with torch.autocast("cpu", torch.bfloat16):
            return self.output(self.frozen(self.norm(self.table(numbers)))).float()


def test_matrices_are_halved_and_norms_are_not():
    model = Tied()
    weights = Weights(model, half=True)
    assert model.table.weight.dtype == model.frozen.weight.dtype == model.frozen.bias.dtype == torch.bfloat16
    assert model.norm.weight.dtype == torch.float32
    assert model.output.weight is model.table.weight
    assert list(weights.trained) == ["table.weight", "norm.weight", "norm.bias"]
    assert all(weight.dtype == torch.float32 for weight in weights.parameters())


def test_small_steps_add_up():
    """A step of a thousandth of a weight is lost in bf16, whose numbers lie 1/128 apart, but not in the copy."""
    model = nn.Linear(1, 1, bias=False)
    nn.init.ones_(model.weight)
    weights = Weights(model, half=True)
    optimiser = torch.optim.SGD(weights.parameters(), lr=1e-3)
    for _ in range(100):
        model(torch.ones(1, 1, dtype=torch.bfloat16)).sum().backward()
        weights.collect()
        optimiser.step()
        weights.publish()
        weights.forget_gradients()
    assert weights.trained["weight"].item() == pytest.approx(0.9, abs=1e-5)
    assert model.weight.item() == pytest.approx(0.9, abs=1 / 256)


def test_gradients_of_pieces_are_added_in_fp32():
    model = nn.Linear(2, 1, bias=False)
    weights = Weights(model, half=True)
    pieces = torch.tensor([[256.0, 1.0], [1.0, 1.0]]).bfloat16()
    for piece in pieces:
        model(piece).backward()
        weights.collect()
    assert weights.trained["weight"].grad.tolist() == [[257.0, 2.0]]  # bf16 has no 257
    assert model.weight.grad is None


def test_a_weight_without_gradient_stays_without():
    """AdamW leaves it alone then: with one of zeros it would decay."""
    model = nn.ModuleDict({"used": nn.Linear(1, 1), "unused": nn.Linear(1, 1)})
    weights = Weights(model, half=True)
    for _ in range(2):
        weights.forget_gradients()
        model["used"](torch.ones(1, 1, dtype=torch.bfloat16)).backward()
        weights.collect()
        given = {name for name, weight in weights.trained.items() if weight.grad is not None}
        assert given == {"used.weight", "used.bias"}


def test_a_copy_brings_masters_and_model_back():
    model = Tied()
    weights = Weights(model, half=True)
    kept, before = weights.copy(), copy.deepcopy(model.state_dict())
    with torch.no_grad():
        for weight in weights.parameters():
            weight.add_(1)
    weights.publish()
    assert not torch.equal(model.table.weight, before["table.weight"])
    weights.put(kept)
    for name, tensor in model.state_dict().items():
        assert torch.equal(tensor, before[name])


def test_without_half_the_weights_are_the_models_own(checkpoints):
    model = make_head(toy.cell(checkpoints("bert")), Sentiment(), ["bad", "good"]).build()
    trained = Weights(model).parameters()
    assert all(one is other for one, other in zip(trained, model.parameters(), strict=True))
    assert {weight.dtype for weight in trained} == {torch.float32}


@pytest.mark.parametrize("kind", ["bert", "gpt2", "t5"])
def test_checkpoints_hold_the_fp32_weights(checkpoints, kind, tmp_path, monkeypatch):
    """What goes on from a checkpoint made in bf16 ends with the same predictions."""
    cell = toy.cell(checkpoints(kind), epochs=4, evaluations=2, patience=0, precision="bf16")
    whole, broken = Store(tmp_path / "whole"), Store(tmp_path / "broken")
    record = run_cell(cell, "cpu", whole, lambda event: None)
    assert record["environment"]["precision"] == "bf16"
    interruption = Interruption()

    def stop(event):
        if event["event"] == "validation":
            interruption.request()

    with pytest.raises(Interrupted):
        run_cell(cell, "cpu", broken, stop, Every(seconds=1e9), interruption)
    saved = Checkpoint.load(broken.checkpoint(cell.id))
    assert {tensor.dtype for name, tensor in saved.tensors.items() if name.startswith("model/")} >= {torch.float32}
    assert torch.bfloat16 not in {tensor.dtype for name, tensor in saved.tensors.items() if name.startswith("model/")}
    again = run_cell(cell, "cpu", broken, lambda event: None)
    assert again["score"] == record["score"] and again["training"]["resumed"] == 1
    assert broken.predictions(cell.id) == whole.predictions(cell.id)
