"""The registered models: entries are complete, and their facts reach the code that needs them."""

import json
from dataclasses import replace

import pytest
import torch

import harness.training.device as device
from harness import registry
from harness.family import ARCHITECTURES
from harness.heads.text import TextHead
from harness.methods import METHODS
from harness.models.hub_checkpoints import is_hub_id
from harness.models.load import Pretrained
from harness.models.resolve import registered, resolve
from harness.models.zoo import MODELS
from harness.planning.suite import load_suite
from harness.recipe import Recipe
from harness.recipe_rules import apply_rules, rules_for


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.name)
def test_an_entry_is_complete(model):
    assert is_hub_id(model.source) and model.architecture in ARCHITECTURES and model.kind and model.description
    assert 1_000_000 < model.parameters < 10**9 and model.max_length >= 128
    assert set(model.avoid) <= {"fp32", "bf16", "fp16"} and "fp32" not in model.avoid
    assert set(model.families or ()) <= set(registry.families())
    model.prefix.format(source="English", target="German")
    json.dumps(model.traps())
    facts = {
        "family": "ner", "task": "x", "model": model.name, "architecture": model.architecture, "kind": model.kind,
        "method": "full", "width": 768,
    }  # fmt: skip
    assert apply_rules(rules_for((), load_suite("standard").recipes), facts)[0].learning_rate < 1e-3


def test_the_rules_of_the_suite_name_existing_kinds_and_tasks():
    suite = load_suite("standard")
    kinds, tasks = {model.kind for model in MODELS}, {task.name for task in suite.tasks}
    for rule in suite.recipes:
        for fact, known in (("kind", kinds), ("task", tasks), ("family", set(registry.families()))):
            wanted = rule.get("when", {}).get(fact, [])
            assert set(wanted if isinstance(wanted, list) else [wanted]) <= known


def test_never_fp16():
    assert all(
        "fp16" in registry.models()[name].avoid for name in ("t5", "t5-base", "mt5-small", "flan-t5-base", "deberta-v3")
    )


def test_a_repository_has_its_facts_under_any_name():
    entry = registered("google-t5/t5-small@abc")
    assert entry.name == entry.source == "google-t5/t5-small@abc"
    assert entry.traps() == registry.models()["t5-small"].traps() == registry.models()["t5"].traps()
    assert registered("someone/t5-small").traps() == {}


def test_auto_precision_respects_avoid(monkeypatch):
    monkeypatch.setattr(device, "has_fast_bf16", lambda _: True)
    assert device.precisions("cpu", "auto") == ["bf16", "fp32"]
    assert device.precisions("cpu", "auto", avoid=("bf16",)) == device.precisions("cpu", "fp32") == ["fp32"]
    monkeypatch.setattr(device, "has_fast_bf16", lambda _: False)
    assert device.precisions("cpu", "auto") == ["fp32"] and device.precisions("cpu", "bf16") == ["bf16", "fp32"]


def test_maximum_length_and_identity_follow_the_registry(checkpoints):
    plain = resolve(str(checkpoints("deberta-v2")))
    short = replace(plain, max_length=64)
    assert Pretrained(short, METHODS["full"]).max_positions == 64
    assert plain.identity() != short.identity() and len(plain.identity()) == 3


@pytest.mark.parametrize(
    ("known", "options", "prefix"),
    [
        ("translate {source} to {target}: ", {"source_language": "en", "target_language": "de"}, "translate English to German: "),
        ("translate {source} to {target}: ", {"source_language": "en", "target_language": "tlh"}, ""),
        ("translate {source} to {target}: ", {}, ""),
        ("", {"source_language": "en", "target_language": "de"}, ""),
    ],
)  # fmt: skip
def test_the_prefix_is_read_by_the_model(checkpoints, known, options, prefix):
    torch.manual_seed(0)
    checkpoint = replace(resolve(str(checkpoints("t5"))), prefix=known)
    head = TextHead(Pretrained(checkpoint, METHODS["full"]), Recipe(), None, options)
    with_prefix = head.encode([{"source": "the cat", "target": ""}], training=False)[0].inputs["input_ids"]
    assert with_prefix == head.tokenizer(prefix + "the cat")["input_ids"]


def test_the_prefix_of_the_checkpoint_takes_precedence(checkpoints):
    checkpoint = replace(resolve(str(checkpoints("t5"))), prefix="translate {source} to {target}: ")
    pretrained = Pretrained(checkpoint, METHODS["full"])
    pretrained.config.task_specific_params = {"translation_en_to_de": {"prefix": "say in German: "}}
    head = TextHead(pretrained, Recipe(), None, {"source_language": "en", "target_language": "de"})
    assert head._prefix() == "say in German: "
