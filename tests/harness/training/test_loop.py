"""The training loop: what it computes, when it stops, which weights it keeps, and that it repeats."""

import math

import pytest
import torch
import toy
from accelerate.utils import set_seed
from torch import nn

from harness.fast.prepare import BatchComputer, prepare
from harness.heads.make import make_head
from harness.recipe import Recipe
from harness.store import Store
from harness.training.device import make_accelerator
from harness.training.loop import train
from harness.training.optimiser import clipped_step, make_optimiser, make_schedule
from harness.training.weights import Weights
from harness.training.worker import run_cell
from tasks.ner import NamedEntities
from tasks.sentiment import Sentiment


def trained(checkpoints, recipe, scores=(), kind="bert", packed=True):
    """Train on toy rows with given validation scores: the outcome, the weights at each validation, the last weights, the events."""
    folder = checkpoints(kind)  # before the seed: making it draws random numbers
    set_seed(0)
    accelerator = make_accelerator("cpu", "fp32")
    head = make_head(toy.cell(folder, epochs=recipe.epochs), Sentiment(), ["bad", "good"])
    model = head.build()
    examples = [{"text": row["text"], "text_pair": None, "label": row["label"]} for row in toy.sentiment()["train"]]
    features = head.encode(examples, training=True)
    fast = prepare(model, head, [features], features) if packed else BatchComputer()
    assert (fast.packing is not None) == packed
    model = accelerator.prepare(model)
    kept, events = [], []

    def validate():
        kept.append({name: tensor.clone() for name, tensor in model.state_dict().items()})
        score = scores[len(kept) - 1] if len(kept) <= len(scores) else 0.0
        return score, {"accuracy": score}

    outcome = train(accelerator, Weights(model), head, fast, features, validate, recipe, 0, events.append)
    return outcome, kept, model.state_dict(), events


RECIPE = Recipe(epochs=2, batch_size=8, learning_rate=1e-3, patience=0, precision="fp32")


def test_micro_batches_compute_the_same_training(checkpoints, monkeypatch):
    """(8, 1), (4, 2) and (3, uneven) give the same losses and weights: accumulation is a mean over all terms of the batch."""
    # Adam divides by the size of a gradient and so makes rounding errors of tiny ones large; plain descent does not.
    monkeypatch.setattr(
        "harness.training.loop.make_optimiser", lambda one, other, recipe: torch.optim.SGD([*one, *other], lr=0.05)
    )
    # Llama has no dropout, whose random numbers would depend on the cut.
    results = [
        trained(checkpoints, RECIPE.updated({"micro_batch_size": size}), kind="llama", packed=packed)
        for size, packed in ((None, False), (4, False), (3, False), (None, True), (3, True))
    ]
    whole = results[0]
    for other in results[1:]:
        assert [entry["loss"] for entry in other[0].history] == pytest.approx(
            [entry["loss"] for entry in whole[0].history], abs=1e-5
        )
        for name, tensor in whole[2].items():
            if other[2][name].shape == tensor.shape:  # packing goes with a smaller table of words
                torch.testing.assert_close(other[2][name], tensor, atol=1e-4, rtol=1e-3)


def test_token_losses_are_weighted_by_tokens(checkpoints):
    """With few labels in one micro-batch and many in the other a mean of means would differ."""
    set_seed(0)
    head = make_head(toy.cell(checkpoints("bert")), NamedEntities(), ["O", "B-X", "I-X"])
    model = head.build().eval()
    examples = [{"words": ["cat"], "tags": ["B-X"]}, {"words": ["the", "dog"] * 8, "tags": ["O"] * 16}]
    features = head.encode(examples, training=True)
    whole = head.collate(features)
    parts = [head.collate([feature]) for feature in features]
    terms = [head.loss_terms(feature) for feature in features]
    assert terms == [1, 16]
    weighted = sum(model(**part).loss.item() * count / 17 for part, count in zip(parts, terms, strict=True))
    assert weighted == pytest.approx(model(**whole).loss.item(), abs=1e-5)


def test_the_best_weights_are_kept(checkpoints):
    outcome, kept, final, _ = trained(checkpoints, RECIPE.updated({"epochs": 4}), scores=(50.0, 70.0, 60.0, 70.0))
    assert outcome.best_step == 24 and outcome.validation == {"accuracy": 70.0}
    assert len(kept) == 4 and outcome.steps == 48
    for name, tensor in final.items():
        assert torch.equal(tensor, kept[1][name]), name
    assert any(not torch.equal(tensor, kept[3][name]) for name, tensor in final.items())


def test_patience_ends_the_training(checkpoints):
    outcome, kept, final, _ = trained(
        checkpoints, RECIPE.updated({"epochs": 6, "patience": 2}), scores=(50.0, 70.0, 60.0, 65.0, 90.0)
    )
    assert len(kept) == 4 and outcome.steps == 48 and outcome.best_step == 24
    assert all(torch.equal(tensor, kept[1][name]) for name, tensor in final.items())


def test_max_steps_and_evaluations(checkpoints):
    outcome, _, _, events = trained(checkpoints, RECIPE.updated({"max_steps": 10, "evaluations": 5}))
    assert outcome.steps == 10 and [entry["step"] for entry in outcome.history] == [2, 4, 6, 8, 10]
    assert [event["step"] for event in events if event["event"] == "step"] == [10]


def test_more_evaluations_than_steps(checkpoints):
    outcome, *_ = trained(checkpoints, RECIPE.updated({"max_steps": 2, "evaluations": 9}))
    assert [entry["step"] for entry in outcome.history] == [1, 2]


def test_a_loss_that_is_no_number_is_an_error(checkpoints):
    with pytest.raises(FloatingPointError, match="loss became nan"):
        trained(checkpoints, RECIPE.updated({"learning_rate": 1e30, "max_grad_norm": 1e30}))


@pytest.mark.parametrize("fused", [True, False])
@pytest.mark.parametrize("size", [1e-3, 10.0], ids=["short gradients", "long gradients"])
def test_a_clipped_step_is_what_the_library_does_in_two(size, fused):
    torch.manual_seed(0)
    start, given = [torch.randn(30, 20), torch.randn(7)], [torch.randn(30, 20) * size, torch.randn(7) * size]
    found = []
    for ours in (True, False):
        weights = [torch.nn.Parameter(one.clone()) for one in start]
        # A large eps, so that a step depends on the length of its gradients and not only on their direction.
        optimiser = torch.optim.AdamW(weights, lr=0.1, eps=1.0, fused=fused and ours)
        for _ in range(3):
            for weight, gradient in zip(weights, given, strict=True):
                weight.grad = gradient.clone()
            if ours:
                clipped_step(optimiser, 1.0)
            else:
                torch.nn.utils.clip_grad_norm_(weights, 1.0)
                optimiser.step()
        found.append(weights)
    for one, other, before in zip(*found, start, strict=True):
        torch.testing.assert_close(one, other, atol=1e-6, rtol=1e-5)
        assert not torch.equal(one, before)


def test_schedule_rises_and_falls_to_zero():
    parameter = torch.nn.Parameter(torch.zeros(2, 2))
    optimiser = make_optimiser([parameter], [], Recipe(learning_rate=1.0))
    schedule = make_schedule(optimiser, 100, 0.1)
    rates = []
    for _ in range(100):
        rates.append(optimiser.param_groups[0]["lr"])
        optimiser.step()
        schedule.step()
    assert rates[0] > 0 and max(rates) == 1.0 and rates.index(1.0) == 10
    assert rates[:10] == sorted(rates[:10]) and rates[10:] == sorted(rates[10:], reverse=True)
    assert rates[-1] == pytest.approx(1 / 90) and optimiser.param_groups[0]["lr"] == 0.0


def test_weight_decay_is_for_matrices(checkpoints):
    model = make_head(toy.cell(checkpoints("distilbert")), Sentiment(), ["bad", "good"]).build()
    numbers = [sum(one.numel() for one in model.parameters() if (one.ndim >= 2) == matrix) for matrix in (True, False)]
    for weight in model.parameters():
        nn.init.ones_(weight)
    weights = Weights(model)
    groups = make_optimiser(weights.matrices, weights.vectors, Recipe(weight_decay=0.1)).param_groups
    assert [group["weight_decay"] for group in groups] == [0.1, 0.0]
    assert [sum(one.sum().item() for one in group["params"]) for group in groups] == numbers


@pytest.mark.parametrize("kind", ["bert", "gpt2", "t5"])
def test_same_seed_same_predictions_other_seed_others(checkpoints, kind, tmp_path):
    def run(seed, folder):
        store = Store(tmp_path / folder)
        record = run_cell(toy.cell(checkpoints(kind), seed=seed, epochs=1), "cpu", store, lambda event: None)
        return [entry["loss"] for entry in record["training"]["history"]], store.predictions(record["id"])

    first, again, other = run(0, "a"), run(0, "b"), run(1, "c")
    assert first == again
    assert first[0] != other[0] and all(map(math.isfinite, other[0]))
