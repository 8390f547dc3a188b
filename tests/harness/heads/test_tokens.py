"""Words and sub-words: a word is judged once, at its first sub-word, wherever its window begins."""

import pytest

from harness.heads.base import IGNORE
from harness.heads.tokens import TokenHead
from harness.methods import METHODS
from harness.models.load import Pretrained
from harness.models.resolve import resolve
from harness.recipe import Recipe

LABELS = ["O", "B-X", "I-X"]


@pytest.fixture(params=["bert", "roberta", "modernbert", "gpt2", "llama", "qwen3", "t5", "bart"])
def head(request, checkpoints):
    return TokenHead(
        Pretrained(resolve(str(checkpoints(request.param))), METHODS["full"]), Recipe(max_length=24), LABELS, {}
    )


def test_each_word_is_judged_once_at_its_first_piece(head):
    words = [f"gardenlisbon{number % 7}" if number % 3 else "cat" for number in range(50)]
    tags = [LABELS[number % 3] for number in range(50)]
    features = head.encode([{"words": words, "tags": tags}], training=True)
    assert len(features) > 1
    places = [word for feature in features for _, word in feature.extra["places"]]
    assert sorted(places) == list(range(50))
    for feature in features:
        assert feature.length <= 24
        judged = dict(feature.extra["places"])
        for token, label in enumerate(feature.inputs["labels"]):
            assert label == (LABELS.index(tags[judged[token]]) if token in judged else IGNORE)
        for token, word in judged.items():
            piece = head.tokenizer.decode([feature.inputs["input_ids"][token]]).strip().removeprefix("##")
            assert words[word].startswith(piece) or piece in ("", "[UNK]", "<unk>")


def test_a_perfect_model_gets_every_tag_back(head):
    examples = [
        {"words": ["cat", "\u200d", "dog"], "tags": ["B-X", "O", "I-X"]},
        {"words": ["cat"] * 60, "tags": ["B-X", "I-X", "O"] * 20},
        {"words": [], "tags": []},
    ]
    features = head.encode(examples, training=True)
    outputs = [[max(label, 0) for label in feature.inputs["labels"]] for feature in features]
    assert head.decode(features, outputs, 3) == [example["tags"] for example in examples]


def test_a_word_has_the_same_pieces_at_the_start_and_inside(head):
    features = head.encode([{"words": ["cat", "cat", "cat"], "tags": ["O"] * 3}], training=False)
    ids = features[0].inputs["input_ids"]
    first = [ids[token] for token, _ in features[0].extra["places"]]
    assert len(set(first)) == 1
