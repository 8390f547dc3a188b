"""The cache of token ids: the same features as without it, for every head and architecture, and never those of another."""

import json
import multiprocessing
import os
import shutil
from dataclasses import fields, replace
from pathlib import Path

import numpy as np
import pytest
import tiny

from harness.cache import encoded
from harness.cache.encoded import CachedEncoder
from harness.heads.sequence import SequenceHead
from harness.heads.spans import SpanHead
from harness.heads.text import TextHead
from harness.heads.tokens import TokenHead
from harness.methods import METHODS
from harness.models.load import Pretrained
from harness.models.resolve import resolve
from harness.recipe import Recipe

CONTEXT = "the dog is bad . " * 12 + "anna likes the cat in lisbon . " + "the house is good . " * 12
EXAMPLES = {
    SequenceHead: [
        {"text": "the cat", "text_pair": None, "label": "bad"},
        {"text": "the cat sees a very good garden " * 12, "text_pair": None, "label": "good"},
    ],
    TokenHead: [
        {"words": ["anna", "sees", "lisbon"], "tags": ["B-PER", "O", "B-LOC"]},
        {"words": ["the", "cat"] * 40, "tags": ["O", "O"] * 40},
    ],
    SpanHead: [
        {"question": "where ?", "context": "in lisbon .", "answers": {"text": ["lisbon"], "answer_start": [3]}},
        {"question": "who ? " * 40, "context": CONTEXT, "answers": {"text": ["anna"], "answer_start": [CONTEXT.index("anna")]}},
        {"question": "when ?", "context": "the dog is bad .", "answers": {"text": [], "answer_start": []}},
    ],
    TextHead: [
        {"source": "the cat", "target": "die katze"},
        {"source": "the cat sees the house " * 12, "target": "die katze sieht das haus " * 12},
    ],
}  # fmt: skip
LABELS = {SequenceHead: ["bad", "good"], TokenHead: ["O", "B-LOC", "B-PER"], SpanHead: None, TextHead: None}
RECIPE = Recipe(max_length=48, doc_stride=12, max_target_length=40)


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """A cache of this test's own."""
    monkeypatch.setenv("BENCH_CACHE", str(tmp_path))
    return tmp_path / "encoded"


def make(checkpoints, name="bert", kind=SequenceHead, recipe=RECIPE, labels=None, options=None):
    pretrained = Pretrained(resolve(str(checkpoints(name))), METHODS["full"])
    return kind.for_architecture(pretrained.architecture)(pretrained, recipe, labels or LABELS[kind], options or {})


def same(one, other) -> bool:
    """Whether features are equal to the types of their numbers."""
    return repr(_plain(one)) == repr(_plain(other))


def _plain(features):
    def plain(value):
        if hasattr(value, "offsets"):
            arrays = (value.offsets, value.tokens)
            assert all(isinstance(array, np.ndarray) for array in arrays)
            return [[array.dtype.str, array.shape, array.tolist()] for array in arrays], type(value.null), value.null
        return value

    return [(one.example, list(one.inputs.items()), [(k, plain(v)) for k, v in one.extra.items()]) for one in features]


def forbidden(*arguments, **named):
    raise AssertionError("tokenised again")


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("kind", EXAMPLES, ids=lambda kind: kind.__name__)
@pytest.mark.parametrize("name", tiny.KINDS)
def test_cached_features_equal_those_of_the_head(name, kind, training, checkpoints, monkeypatch):
    plain = make(checkpoints, name, kind)
    expected = plain.encode(EXAMPLES[kind], training)
    first = make(checkpoints, name, kind)
    assert same(CachedEncoder(first).encode(EXAMPLES[kind], training), expected)
    again = make(checkpoints, name, kind)
    monkeypatch.setattr(type(again), "encode", forbidden)
    assert same(CachedEncoder(again).encode(EXAMPLES[kind], training), expected)
    # What encoding leaves in the head comes back too: cut texts, and whether a question may have no answer.
    assert encoded.plain_attributes(again) == encoded.plain_attributes(first) == encoded.plain_attributes(plain)
    assert kind is TokenHead or again.truncated
    assert kind is not SpanHead or again.may_abstain is training


def test_models_with_equal_tokenizers_share_features(checkpoints, folder, tmp_path):
    """Other weights, another training, another seed: the same tokens."""
    other = tmp_path / "other"
    shutil.copytree(checkpoints("bert"), other)
    config = json.loads((other / "config.json").read_text())
    (other / "config.json").write_text(json.dumps({**config, "hidden_dropout_prob": 0.5}))
    first = make(checkpoints)
    second = make({"bert": other}.get, recipe=replace(RECIPE, learning_rate=1.0, epochs=9))
    assert first.pretrained.checkpoint.digest != second.pretrained.checkpoint.digest
    for head in (first, second):
        CachedEncoder(head).encode(EXAMPLES[SequenceHead], True)
    assert len(list(folder.iterdir())) == 1


def test_whatever_affects_the_encoding_changes_the_file(checkpoints, folder, monkeypatch):
    examples = EXAMPLES[SequenceHead]
    CachedEncoder(make(checkpoints)).encode(examples, True)
    others = [
        (make(checkpoints), examples, False),
        (make(checkpoints), examples[:1], True),
        (make(checkpoints), [{**examples[0], "text": "the cat "}, examples[1]], True),
        (make(checkpoints), [{**examples[0], "label": "good"}, examples[1]], True),
        (make(checkpoints), list(reversed(examples)), True),
        (make(checkpoints, recipe=replace(RECIPE, max_length=47)), examples, True),
        (make(checkpoints, recipe=replace(RECIPE, max_target_length=39)), examples, True),
        (make(checkpoints, labels=["good", "bad"]), examples, True),
        (make(checkpoints, options={"anything": 1}), examples, True),
        (make(checkpoints, "gpt2"), examples, True),
        (make(checkpoints, "t5"), examples, True),
    ]
    for count, (head, rows, training) in enumerate(others, start=2):
        CachedEncoder(head).encode(rows, training)
        assert len(list(folder.iterdir())) == count
    settings = {"add_prefix_space": not make(checkpoints).tokenizer.add_prefix_space}
    for name, value in settings.items():
        head = make(checkpoints)
        setattr(head.tokenizer, name, value)
        CachedEncoder(head).encode(examples, True)
    head = make(checkpoints)
    head.tokenizer.add_tokens(["garden"])
    CachedEncoder(head).encode(examples, True)
    monkeypatch.setattr(encoded, "source_digest", lambda names: "another version of this program")
    CachedEncoder(make(checkpoints)).encode(examples, True)
    assert len(list(folder.iterdir())) == len(others) + 1 + len(settings) + 2


def test_fields_without_effect_exist():
    assert set(encoded.WITHOUT_EFFECT) < {field.name for field in fields(Recipe)}


def test_the_file_contains_no_text(checkpoints, folder):
    CachedEncoder(make(checkpoints, kind=SpanHead)).encode(EXAMPLES[SpanHead], True)
    (file,) = folder.iterdir()
    assert b"lisbon" not in file.read_bytes() and b"anna" not in file.read_bytes()


@pytest.mark.parametrize("kind", [SequenceHead, SpanHead], ids=lambda kind: kind.__name__)
def test_a_damaged_file_is_replaced(kind, checkpoints, folder):
    expected = CachedEncoder(make(checkpoints, kind=kind)).encode(EXAMPLES[kind], True)
    (file,) = folder.iterdir()
    whole = file.read_bytes()
    damaged = [b"", b"\x93", whole[: len(whole) // 2], whole[:-9], b"\0" * len(whole)]
    flipped = [whole[:at] + bytes([whole[at] ^ 0xFF]) + whole[at + 1 :] for at in range(0, len(whole), 23)]
    head = make(checkpoints, kind=kind)
    for content in damaged + flipped:
        file.write_bytes(content)
        head.truncated = 0
        vars(head).pop("may_abstain", None)  # as it was before any training rows
        assert same(CachedEncoder(head).encode(EXAMPLES[kind], True), expected)
        assert content in flipped or file.read_bytes() == whole  # a byte between two columns may be anything


def test_nothing_is_cached_if_the_cache_is_off(checkpoints, tmp_path, monkeypatch):
    monkeypatch.setenv("BENCH_CACHE", "off")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert CachedEncoder(make(checkpoints)).encode(EXAMPLES[SequenceHead], True)
    assert not list(tmp_path.iterdir())


def test_a_path_that_is_not_a_folder_means_no_cache(checkpoints, tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("BENCH_CACHE", str(tmp_path / "file"))
    assert CachedEncoder(make(checkpoints)).encode(EXAMPLES[SequenceHead], True)


class Foreign(SequenceHead):
    """A plugin's head: what its code reads is unknown."""


class Odd(SequenceHead):
    """Features that would not come back as they are."""

    def encode(self, examples, training):
        features = super().encode(examples, training)
        features[0].extra["weight"] = 0.5
        return features


class Keeper(SequenceHead):
    """Keeps more than plain values."""

    def encode(self, examples, training):
        self.seen = list(examples)
        return super().encode(examples, training)


def test_heads_of_other_packages_are_not_cached(checkpoints, folder):
    head = make(checkpoints, kind=SequenceHead)
    head.__class__ = Foreign
    assert CachedEncoder(head).encode(EXAMPLES[SequenceHead], True)
    assert not folder.exists()


@pytest.mark.parametrize("kind", [Odd, Keeper])
def test_unstorable_features_are_not_cached(kind, checkpoints, folder, monkeypatch):
    monkeypatch.setattr(encoded, "OWN_HEADS", "")
    head = make(checkpoints, kind=SequenceHead)
    head.__class__ = kind
    for _ in range(2):
        assert len(CachedEncoder(head).encode(EXAMPLES[SequenceHead], True)) == 2
    assert not list(folder.iterdir())


def test_examples_with_other_than_plain_values_are_not_cached(checkpoints, folder):
    rows = [{**example, "more": object()} for example in EXAMPLES[SequenceHead]]
    assert CachedEncoder(make(checkpoints)).encode(rows, True)
    assert not list(folder.iterdir())


def _encode(place, location, results):
    os.environ["BENCH_CACHE"] = place
    pretrained = Pretrained(resolve(location), METHODS["full"])
    rows = [{"text": f"the cat {number}", "text_pair": None, "label": "bad"} for number in range(3000)]
    for _ in range(3):
        for file in Path(place, "encoded").glob("*.msgpack"):
            file.unlink(missing_ok=True)
        head = SequenceHead(pretrained, RECIPE, ["bad", "good"], {})
        results.put(hash(tuple(tuple(one.inputs["input_ids"]) for one in CachedEncoder(head).encode(rows, True))))


def test_two_processes_can_write_at_the_same_time(checkpoints, folder):
    context = multiprocessing.get_context("spawn")
    results = context.Queue()
    workers = [
        context.Process(target=_encode, args=(str(folder.parent), str(checkpoints("bert")), results)) for _ in range(2)
    ]
    for worker in workers:
        worker.start()
    found = {results.get(timeout=300) for _ in range(6)}
    for worker in workers:
        worker.join()
        assert worker.exitcode == 0
    assert len(found) == 1
    assert [file.suffix for file in folder.iterdir()] == [".msgpack"]
