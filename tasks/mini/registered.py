"""The entry points of the suite `mini`: its tasks, its models and its file."""

from __future__ import annotations

from pathlib import Path

from harness.data.source import GeneratedSource
from harness.model import Model
from harness.task import Task
from tasks.mini import ner, qa, sentiment, topics, translation

VERSION = 1  # increased with every change of a grammar

_GRAMMARS = {
    "mini-sentiment": ("sentiment", sentiment.generate, {}, "opinions: negation, contrast and unseen words"),
    "mini-topics": ("text-classification", topics.generate, {}, "topics by words that training never showed"),
    "mini-ner": ("ner", ner.generate, {}, "names: unseen ones, and places that act as organisations"),
    "mini-qa": ("qa", qa.generate, {}, "facts in a short text: distractors, paraphrase, questions without answer"),
    "mini-translation": (
        "translation", translation.generate, {"source_language": "en", "target_language": "de"},
        "English to German: agreement, word order, rare genders",
    ),
}  # fmt: skip

TASKS = [
    Task(
        name=name,
        family=family,
        source=GeneratedSource(generate, f"grammar {generate.__module__}"),
        version=VERSION,
        options=options,
        description=description,
    )
    for name, (family, generate, options, description) in _GRAMMARS.items()
]

MODELS = [
    Model(
        "bert-mini", "pkg:tasks/mini/models/bert-mini", "encoder", description="masked-language model, about 1M weights"
    ),
    Model(
        "gpt2-mini", "pkg:tasks/mini/models/gpt2-mini", "decoder", description="causal language model, about 1M weights"
    ),
    Model(
        "t5-mini",
        "pkg:tasks/mini/models/t5-mini",
        "encoder-decoder",
        description="span-corruption model, about 1M weights",
    ),
]

SUITE = Path(__file__).with_name("suite.yaml")
