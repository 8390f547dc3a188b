"""Out of memory and no numbers: what a cell does about it by itself, and what its record says."""

import math

import pytest
import torch
import toy

from harness.errors import BenchError
from harness.heads.sequence import SequenceHead
from harness.quantities import SaveInterval
from harness.store import Store
from harness.training import attempt
from harness.training.checkpointer import Interrupted, Interruption
from harness.training.cost import NotEnoughMemory
from harness.training.worker import run_cell


def small_device(monkeypatch, most, what="loss"):
    """A device on which no more than `most` rows fit."""
    plain = getattr(SequenceHead, what)

    def compute(self, model, batch):
        if len(batch["input_ids"]) > most:
            plain(self, model, batch)  # some of the work is done, and some random numbers drawn, before memory runs out
            raise torch.OutOfMemoryError("no words that anybody searches for")
        return plain(self, model, batch)

    monkeypatch.setattr(SequenceHead, what, compute)


def run(cell, root, **more):
    return run_cell(cell, "cpu", Store(root), lambda event: None, **more)


def losses(record):
    return [entry["loss"] for entry in record["training"]["history"]]


def test_pieces_are_halved_until_they_fit_and_the_recipe_stays(checkpoints, tmp_path, monkeypatch):
    cell = toy.cell(checkpoints("llama"), epochs=2)  # without dropout, whose numbers would depend on the cut
    whole = run(cell, tmp_path / "whole")
    small_device(monkeypatch, 3)
    cut = run(cell, tmp_path / "cut")
    assert cut["id"] == whole["id"] and cut["recipe"] == whole["recipe"]
    assert cut["training"]["micro_batch_size"] == 2 and cut["training"]["accumulation"] == 4
    assert "micro_batch_size" not in whole["training"]
    assert losses(cut) == pytest.approx(losses(whole), abs=1e-4) and cut["training"]["steps"] == 24
    assert cut["cost"]["train_tokens"] == whole["cost"]["train_tokens"]


def test_a_row_that_does_not_fit_fails_with_advice(checkpoints, tmp_path, monkeypatch):
    small_device(monkeypatch, 0)
    with pytest.raises(NotEnoughMemory, match=r"training does not fit with one row at a time; try .*max_length"):
        run(toy.cell(checkpoints("bert")), tmp_path)


def test_what_is_no_lack_of_memory_is_not_tried_again(checkpoints, tmp_path, monkeypatch):
    def fail(self, model, batch):
        raise RuntimeError("CUDA out of memory, says a message")

    monkeypatch.setattr(SequenceHead, "loss", fail)
    monkeypatch.setenv("BENCH_CACHE", "off")  # so that the trial before the training meets it
    with pytest.raises(BenchError, match=r"cannot be computed by transformers \(RuntimeError: .*says a message\)"):
        run(toy.cell(checkpoints("bert")), tmp_path)


def test_prediction_is_cut_too_and_gives_the_same(checkpoints, tmp_path, monkeypatch):
    cell = toy.cell(checkpoints("bert"), epochs=1)
    whole = run(cell, tmp_path / "whole")
    small_device(monkeypatch, 3, "predict")
    cut = run(cell, tmp_path / "cut")
    assert cut["score"] == whole["score"] and losses(cut) == losses(whole)
    stores = Store(tmp_path / "whole"), Store(tmp_path / "cut")
    assert stores[0].predictions(cell.id) == stores[1].predictions(cell.id)
    small_device(monkeypatch, 0, "predict")
    with pytest.raises(NotEnoughMemory, match="prediction does not fit"):
        run(cell, tmp_path / "none")


class NoNumbersInBf16:
    """A training whose loss is no number in half precision."""

    def __init__(self, monkeypatch):
        self.tried, plain = [], attempt.train

        def train(accelerator, *words):
            self.tried.append(accelerator.mixed_precision)
            if accelerator.mixed_precision == "bf16":
                raise FloatingPointError("the training loss became nan")
            return plain(accelerator, *words)

        monkeypatch.setattr(attempt, "train", train)


def test_no_number_in_half_precision_is_tried_in_fp32(checkpoints, tmp_path, monkeypatch):
    tried = NoNumbersInBf16(monkeypatch).tried
    record = run(toy.cell(checkpoints("bert"), epochs=1, precision="bf16"), tmp_path / "half")
    plain = run(toy.cell(checkpoints("bert"), epochs=1), tmp_path / "full")
    assert tried == ["bf16", "no", "no"]
    assert record["environment"]["precision"] == "fp32" and record["recipe"]["precision"] == "bf16"
    assert record["training"]["retried"] == "the training loss became nan in bf16"
    assert record["score"] == plain["score"] and losses(record) == losses(plain) and "retried" not in plain["training"]


def test_a_prediction_that_a_library_cannot_compute_in_half_precision_is_made_in_fp32(checkpoints, tmp_path, monkeypatch):
    """As with caches that the wrapper for half precision takes for tensors (xLSTM); the training itself went well."""
    plain = SequenceHead.predict

    def predict(self, model, batch):
        if next(model.parameters()).dtype != torch.float32:
            raise AttributeError("'Cache' object has no attribute 'float'")
        return plain(self, model, batch)

    monkeypatch.setattr(SequenceHead, "predict", predict)
    record = run(toy.cell(checkpoints("bert"), epochs=1, precision="bf16"), tmp_path)
    assert record["status"] == "ok" and record["environment"]["precision"] == "fp32"
    said = "a prediction cannot be computed (AttributeError: 'Cache' object has no attribute 'float') in bf16"
    assert record["training"]["retried"] == said


def test_the_second_try_is_resumed_as_the_second(checkpoints, tmp_path, monkeypatch):
    tried = NoNumbersInBf16(monkeypatch).tried
    cell, asked = toy.cell(checkpoints("bert"), epochs=2, precision="bf16"), Interruption()
    with pytest.raises(Interrupted):
        run_cell(
            cell, "cpu", Store(tmp_path), lambda event: event["event"] == "validation" and asked.request(),
            SaveInterval(steps=1000), asked,
        )  # fmt: skip
    record = run(cell, tmp_path)
    assert tried == ["bf16", "no", "no"]
    assert record["training"]["retried"] and record["training"]["resumed"] == 1


@pytest.mark.parametrize("most", [1, 2])
def test_a_device_that_holds_no_three_rows_computes_them_one_by_one(checkpoints, tmp_path, monkeypatch, most):
    """Nothing of it is kept: on another day, or without a neighbour on the device, there may be more memory."""
    monkeypatch.setenv("BENCH_CACHE", str(tmp_path / "cache"))
    cell = toy.cell(checkpoints("llama"), epochs=2)
    whole = run(cell, tmp_path / "whole")
    assert whole["training"]["batches"] == "packed" and len(list((tmp_path / "cache/preflight").iterdir())) == 1
    monkeypatch.setenv("BENCH_CACHE", str(tmp_path / "other"))
    small_device(monkeypatch, most)
    alone = run(cell, tmp_path / "alone")
    assert alone["training"]["batches"] == "single rows" and "memory was too short" in alone["training"]["notes"][0]
    assert losses(alone) == pytest.approx(losses(whole), abs=1e-4)
    assert not list((tmp_path / "other/preflight").iterdir())


def test_a_single_row_that_does_not_fit_is_told_before_the_training(checkpoints, tmp_path, monkeypatch):
    monkeypatch.setenv("BENCH_CACHE", "off")
    small_device(monkeypatch, 0)
    with pytest.raises(NotEnoughMemory, match="training does not fit with one row at a time"):
        run(toy.cell(checkpoints("llama")), tmp_path)


def test_no_number_in_fp32_is_a_failure_that_leaves_no_checkpoint(checkpoints, tmp_path):
    cell = toy.cell(checkpoints("bert"), epochs=8, learning_rate=1e30, max_grad_norm=1e30, evaluations=1)
    with pytest.raises(FloatingPointError):
        run(cell, tmp_path, every=SaveInterval(steps=1))
    assert list(Store(tmp_path).folder(cell.id).iterdir()) == []


@pytest.mark.parametrize(("kind", "faithful"), [("bert", True), ("gpt2", True), ("t5", True), ("bert", False)])
def test_one_prediction_for_all_is_tried_in_fp32_unless_it_is_the_models_own(
    checkpoints, tmp_path, monkeypatch, kind, faithful
):
    monkeypatch.setattr(
        attempt, "predict", lambda accelerator, model, head, features, count, size, **more: ["good"] * count
    )
    if not faithful:  # of numbers that were lost

        def lost(head, model, batch):
            loss = plain(head, model, batch)
            return loss if next(model.parameters()).dtype == torch.float32 else loss * 0.5

        plain = SequenceHead.loss
        monkeypatch.setattr(SequenceHead, "loss", lost)
    record = run(toy.cell(checkpoints(kind), epochs=1, precision="bf16"), tmp_path)
    assert record["constant"] and math.isfinite(record["score"])
    assert record["environment"]["precision"] == ("bf16" if faithful else "fp32"), record["training"]
    said = "one and the same prediction for every row in bf16"
    assert record["training"].get("retried") == (None if faithful else said)
