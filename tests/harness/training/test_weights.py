"""Half precision with fp32 copies of the weights."""

import copy

import pytest
import torch
import toy
from torch import nn

from harness.heads.make import make_head
from harness.quantities import SaveInterval
from harness.recipe import Recipe
from harness.store import Store
from harness.training.checkpoint import SavedTraining
from harness.training.checkpointer import Interrupted, Interruption
from harness.training.optimiser import make_optimiser
from harness.training.weights import Weights
from harness.training.worker import run_cell
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
    assert all(weight.dtype == torch.float32 for weight in [*weights.trained.values(), *weights.parameters()])


def test_small_steps_add_up():
    """A step of a thousandth of a weight is lost in bf16, whose numbers lie 1/128 apart, but not in the copy."""
    model = nn.Linear(1, 1, bias=False)
    nn.init.ones_(model.weight)
    weights = Weights(model, half=True)
    optimiser = torch.optim.SGD(weights.parameters(), lr=1e-3)
    for _ in range(100):
        model(torch.ones(1, 1, dtype=torch.bfloat16)).sum().backward()
        weights.complete_gradients()
        optimiser.step()
        weights.publish()
    assert weights.trained["weight"].item() == pytest.approx(0.9, abs=1e-5)
    assert model.weight.item() == pytest.approx(0.9, abs=1 / 256)


def test_gradients_of_pieces_are_added_in_fp32():
    model = nn.Linear(2, 1, bias=False)
    weights = Weights(model, half=True)
    pieces = torch.tensor([[256.0, 1.0], [1.0, 1.0]]).bfloat16()
    for piece in pieces:
        model(piece).backward()
        assert model.weight.grad is None
    weights.complete_gradients()
    assert weights.parameters()[0].grad[:2].tolist() == [257.0, 2.0]  # bf16 has no 257


@pytest.mark.parametrize("half", [True, False])
def test_gradients_are_those_of_this_step_alone(half):
    """Also those of a weight that the step before reached and this one does not, and of a pass that was given up."""
    model = nn.ModuleDict({"first": nn.Linear(3, 1), "second": nn.Linear(3, 1)})
    weights = Weights(model, half)
    dtype = torch.bfloat16 if half else torch.float32
    model["second"](torch.full((1, 3), 5, dtype=dtype)).backward()
    weights.forget_gradients()
    for name in ("first", "second", "first"):
        model[name](torch.full((1, 3), 2, dtype=dtype)).backward()
        weights.complete_gradients()
        given = dict(zip(weights.trained, gradients_of(weights), strict=True))
        for weight, gradient in given.items():
            wanted = (2 if "weight" in weight else 1) if weight.startswith(name) else 0
            assert gradient.unique().tolist() == [wanted], weight


def gradients_of(weights):
    """In the order of the names."""
    wholes = {flat.parameter.data_ptr(): flat.parameter for flat in weights._flats}
    for view in weights.trained.values():
        whole = wholes[view.untyped_storage().data_ptr()]
        begin = view.storage_offset()
        yield whole.grad[begin : begin + view.numel()].view(view.shape)


@pytest.mark.parametrize("half", [True, False])
def test_a_flat_step_is_the_step_of_every_weight(half):
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(5, 7), nn.LayerNorm(7), nn.Linear(7, 3, bias=False))
    own = copy.deepcopy(model)
    weights = Weights(model, half)
    optimiser = make_optimiser(weights.matrices, weights.vectors, Recipe(weight_decay=0.5, learning_rate=0.1))
    theirs = make_optimiser(
        [weight for weight in own.parameters() if weight.ndim >= 2],
        [weight for weight in own.parameters() if weight.ndim < 2],
        Recipe(weight_decay=0.5, learning_rate=0.1),
    )
    for _ in range(3):
        inputs = torch.randn(4, 5)
        with torch.autocast("cpu", torch.bfloat16, enabled=half):
            for one in (model, own):
                one(inputs.bfloat16() if half and one is model else inputs).float().square().sum().backward()
        weights.complete_gradients()
        for one in (optimiser, theirs):
            one.step()
        weights.publish()
        theirs.zero_grad()
    for name, weight in own.named_parameters():
        torch.testing.assert_close(weights.trained[name], weight.detach(), atol=0.02 if half else 1e-6, rtol=0)
        assert torch.equal(
            model.get_parameter(name).detach().float(),
            weights.trained[name].to(model.get_parameter(name).dtype).float(),
        )


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


def test_without_half_the_model_reads_what_is_trained(checkpoints):
    model = make_head(toy.cell(checkpoints("bert")), Sentiment(), ["bad", "good"]).build()
    before = {name: weight.detach().clone() for name, weight in model.named_parameters()}
    weights = Weights(model)
    assert list(weights.trained) == list(before)
    assert {weight.dtype for weight in weights.parameters()} == {torch.float32}
    with torch.no_grad():
        for weight in weights.parameters():
            weight.add_(1)
    for name, weight in model.named_parameters():
        torch.testing.assert_close(weight.detach(), before[name] + 1)


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
        run_cell(cell, "cpu", broken, stop, SaveInterval(seconds=1e9), interruption)
    saved = SavedTraining.load(broken.checkpoint(cell.id))
    assert {tensor.dtype for name, tensor in saved.tensors.items() if name.startswith("model/")} >= {torch.float32}
    assert torch.bfloat16 not in {tensor.dtype for name, tensor in saved.tensors.items() if name.startswith("model/")}
    again = run_cell(cell, "cpu", broken, lambda event: None)
    assert again["score"] == record["score"] and again["training"]["resumed"] == 1
    assert broken.predictions(cell.id) == whole.predictions(cell.id)
