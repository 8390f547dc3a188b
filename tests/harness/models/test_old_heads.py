"""A checkpoint that was fine-tuned for something else: its head is replaced with a note, or kept if the user asks for it."""

import json
from dataclasses import replace

import pytest
import tiny
import torch
from transformers import (
    AutoConfig,
    AutoModelForQuestionAnswering,
    AutoModelForSequenceClassification,
    AutoModelForTokenClassification,
)

from harness.adapt.frozen import freeze
from harness.adapt.lora import add_adapters
from harness.errors import BenchError
from harness.heads.base import label_names
from harness.methods import METHODS
from harness.models.load import Pretrained
from harness.models.resolve import resolve
from harness.recipe import Recipe

KINDS = ("bert", "roberta", "distilbert", "electra", "deberta-v2", "modernbert", "gpt2", "llama", "t5", "bart")
AUTO = {"sequence": AutoModelForSequenceClassification, "token": AutoModelForTokenClassification, "spans": AutoModelForQuestionAnswering}


def fine_tuned(folder, kind, auto, labels, **more):
    """A checkpoint with a head whose weights cannot be random."""
    tiny.make(kind, folder)
    config = AutoConfig.from_pretrained(folder, **({} if auto is AutoModelForQuestionAnswering else label_names(labels)), **more)
    model = auto.from_pretrained(folder, config=config)
    with torch.no_grad():
        for parameter in head_of(model).values():
            parameter.copy_(torch.arange(parameter.numel()).view(parameter.shape) + 100.0)
    model.save_pretrained(folder)
    return folder


def loaded(folder, auto, labels, method="full", keep=False):
    """(model, the `Pretrained` that loaded it)"""
    checkpoint = replace(resolve(str(folder)), keep_head=keep)
    pretrained = Pretrained(checkpoint, METHODS[method])
    torch.manual_seed(0)
    return pretrained.load(auto, pretrained.configure(**label_names(labels) if labels else {})), pretrained


def head_of(model):
    names = ("classifier", "classification_head", "score", "qa_outputs", "pre_classifier", "pooler")
    return {name: parameter for name, parameter in model.named_parameters() if name.startswith(names)}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("what", AUTO)
@pytest.mark.parametrize("count", [2, 5])
def test_an_old_head_is_never_trained_on(tmp_path, kind, what, count):
    auto, labels = AUTO[what], ["bad", "good"]
    try:
        folder = fine_tuned(tmp_path, kind, auto, [f"star {number}" for number in range(count)])
    except ValueError:
        pytest.skip(f"transformers has no such head for {kind}")
    model, pretrained = loaded(folder, auto, None if what == "spans" else labels)
    head = head_of(model)
    assert head and all(float(parameter.abs().max()) < 50 for parameter in head.values()), "the old head is still there"
    assert not any(parameter in pretrained.taken for parameter in head.values())
    assert "left out" in pretrained.left_out
    plain = auto.from_pretrained(folder, config=pretrained.configure(), ignore_mismatched_sizes=True)
    expected = dict(plain.named_parameters())
    for name, parameter in model.named_parameters():
        if name not in head:
            assert torch.equal(parameter, expected[name]) and parameter in pretrained.taken


def test_a_checkpoint_without_a_head_has_nothing_left_out(tmp_path):
    _, pretrained = loaded(tiny.make("bert", tmp_path), AutoModelForSequenceClassification, ["bad", "good"])
    assert pretrained.left_out == ""


@pytest.mark.parametrize("method", ["frozen", "lora"])
@pytest.mark.parametrize("count", [2, 5])
def test_frozen_and_lora_train_the_new_head(tmp_path, method, count):
    folder = fine_tuned(tmp_path, "bert", AutoModelForSequenceClassification, list("abcde")[:count])
    model, pretrained = loaded(folder, AutoModelForSequenceClassification, ["bad", "good"], method)
    {"frozen": freeze, "lora": add_adapters}[method](model, pretrained, Recipe())
    trained = {name for name, parameter in model.named_parameters() if parameter.requires_grad}
    assert {"classifier.weight", "classifier.bias"} <= trained
    assert (trained == {"classifier.weight", "classifier.bias"}) == (method == "frozen")


def test_a_kept_head_has_the_classes_in_the_order_of_the_task(tmp_path):
    folder = fine_tuned(tmp_path, "bert", AutoModelForSequenceClassification, ["Good", "bad"])
    model, pretrained = loaded(folder, AutoModelForSequenceClassification, ["bad", "good"], keep=True)
    old = AutoModelForSequenceClassification.from_pretrained(folder)
    assert torch.equal(model.classifier.weight, old.classifier.weight[[1, 0]])
    assert torch.equal(model.classifier.bias, old.classifier.bias[[1, 0]])
    assert model.classifier.weight in pretrained.taken and not pretrained.left_out


@pytest.mark.parametrize(("head_labels", "task_labels"), [(["neg", "pos"], ["bad", "good"]), (["bad", "fair", "good"], ["bad", "good"])])
def test_a_head_of_other_classes_is_not_kept(tmp_path, head_labels, task_labels):
    folder = fine_tuned(tmp_path, "bert", AutoModelForSequenceClassification, head_labels)
    with pytest.raises(BenchError, match=f"its head knows {', '.join(head_labels)}, the task has bad, good; --keep-head"):
        loaded(folder, AutoModelForSequenceClassification, task_labels, keep=True)


def test_keep_head_needs_a_head(tmp_path):
    with pytest.raises(BenchError, match="no head of this kind to keep"):
        loaded(tiny.make("bert", tmp_path), AutoModelForSequenceClassification, ["bad", "good"], keep=True)


def test_weights_of_another_size_than_the_configuration_says_are_an_error(tmp_path):
    tiny.make("bert", tmp_path)
    config = json.loads((tmp_path / "config.json").read_text())
    (tmp_path / "config.json").write_text(json.dumps({**config, "intermediate_size": 96}))
    with pytest.raises(BenchError, match=r"intermediate.*has the size \[64.*\[96.*do not belong together"):
        loaded(tmp_path, AutoModelForSequenceClassification, ["bad", "good"])


def test_keeping_the_head_changes_the_identity_of_the_model(tmp_path):
    checkpoint = resolve(str(tiny.make("bert", tmp_path)))
    assert replace(checkpoint, keep_head=True).identity() != checkpoint.identity()
    assert replace(checkpoint, keep_head=True).facts()["keep_head"] and "keep_head" not in checkpoint.facts()


@pytest.mark.parametrize(
    ("kind", "values", "expected"),
    [("bert", {}, 128), ("roberta", {}, 128), ("gpt2", {}, 128), ("bart", {}, 128), ("t5", {}, None), ("bert", {"max_position_embeddings": 999}, 128)],
)
def test_the_maximum_length_is_that_of_the_position_table(tmp_path, kind, values, expected):
    """If the configuration says more than there are rows, an index would be out of range in the middle of a training."""
    tiny.make(kind, tmp_path)
    config = json.loads((tmp_path / "config.json").read_text())
    (tmp_path / "config.json").write_text(json.dumps({**config, **values}))
    assert Pretrained(resolve(str(tmp_path)), METHODS["full"]).max_positions == expected


def test_a_padding_token_without_an_embedding_is_replaced(tmp_path):
    tiny.make("gpt2", tmp_path)
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(tmp_path)
    tokenizer.add_special_tokens({"pad_token": "[PAD]"})
    tokenizer.save_pretrained(tmp_path)
    pretrained = Pretrained(resolve(str(tmp_path)), METHODS["full"])
    assert pretrained.tokenizer.pad_token == "<|endoftext|>"
    assert pretrained.tokenizer.pad_token_id < pretrained.config.vocab_size
