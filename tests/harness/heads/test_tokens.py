"""Words and sub-words: a word is classified once, at its first sub-word, wherever its window begins."""

import logging
from types import SimpleNamespace

import pytest
import tiny
from tokenizers import Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers
from transformers import PreTrainedTokenizerFast

from harness.heads.base import IGNORE
from harness.heads.tokens import TokenHead, glues
from harness.methods import METHODS
from harness.models.load import Pretrained, read_as_text
from harness.models.resolve import resolve
from harness.recipe import Recipe

LABELS = ["O", "B-X", "I-X"]


@pytest.fixture(params=["bert", "roberta", "modernbert", "gpt2", "llama", "qwen3", "t5", "bart"])
def head(request, checkpoints):
    return TokenHead(
        Pretrained(resolve(str(checkpoints(request.param))), METHODS["full"]), Recipe(max_length=24), LABELS, {}
    )


def test_each_word_is_classified_once_at_its_first_piece(head):
    words = [f"gardenlisbon{number % 7}" if number % 3 else "cat" for number in range(50)]
    tags = [LABELS[number % 3] for number in range(50)]
    features = head.encode([{"words": words, "tags": tags}], training=True)
    assert len(features) > 1
    first_tokens = [word for feature in features for _, word in feature.extra["first_tokens"]]
    assert sorted(first_tokens) == list(range(50))
    for feature in features:
        assert feature.length <= 24
        classified = dict(feature.extra["first_tokens"])
        for token, label in enumerate(feature.inputs["labels"]):
            assert label == (LABELS.index(tags[classified[token]]) if token in classified else IGNORE)
        for token, word in classified.items():
            piece = head.tokenizer.decode([feature.inputs["input_ids"][token]]).strip().removeprefix("##")
            assert words[word].startswith(piece) or piece in ("", "[UNK]", "<unk>")


def test_a_perfect_model_predicts_every_tag(head):
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
    first = [ids[token] for token, _ in features[0].extra["first_tokens"]]
    assert len(set(first)) == 1


def byte_level():
    """As in most recent decoders: no blank before the first word, and no setting for one."""
    return tiny.byte_bpe(False)


def sentence_pieces():
    """As in Gemma: a blank is the first letter of a piece, and none is added in front."""
    tokenizer = Tokenizer(models.BPE(unk_token="<unk>", fuse_unk=True, byte_fallback=True))
    tokenizer.normalizer = normalizers.Replace(" ", "\u2581")
    tokenizer.decoder = decoders.Sequence([decoders.Replace("\u2581", " "), decoders.ByteFallback(), decoders.Fuse()])
    special = ["<pad>", "<unk>", "</s>", *(f"<0x{number:02X}>" for number in range(256))]
    words = [f"{blank}{word}" for word in tiny.WORDS for blank in ("", "\u2581")] * 3
    tokenizer.train_from_iterator(
        [*words, *"abcdefghijklmnopqrstuvwxyz\u2581"], trainers.BpeTrainer(special_tokens=special)
    )
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, pad_token="<pad>", unk_token="<unk>", eos_token="</s>")


def multi_word_pieces():
    """Pieces across blanks: "very good" is one token."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.normalizer = normalizers.Replace(" ", "\u2581")
    tokenizer.decoder = decoders.Replace("\u2581", " ")
    texts = ["\u2581very\u2581good"] * 9 + [f"\u2581{word}" for word in tiny.WORDS] + [*"abcdefghijklmnopqrstuvwxyz"]
    tokenizer.train_from_iterator(texts, trainers.BpeTrainer(special_tokens=["<pad>", "</s>"]))
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, pad_token="<pad>", eos_token="</s>")


def split_digits():
    """As in Llama 3 and Qwen: a blank before a number is a token of its own."""
    tokenizer = byte_level()
    backend = tokenizer.backend_tokenizer
    pattern = r"[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}|\s+"
    backend.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(pattern), "isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    return tokenizer


def token_head(tokenizer, **recipe):
    """A head with nothing but a tokeniser."""
    if tokenizer.pad_token is None:
        tokenizer.pad_token = tokenizer.eos_token
    read_as_text(tokenizer)
    pretrained = SimpleNamespace(tokenizer=tokenizer, max_positions=None, architecture="decoder")
    return TokenHead(pretrained, Recipe(**{"max_length": 64, **recipe}), LABELS, {})


def read(head, words):
    """The text as the model reads it, and each word: its tokens up to those of the next word."""
    feature = head.encode([{"words": words, "tags": ["O"] * len(words)}], training=True)[0]
    first_tokens = feature.extra["first_tokens"]
    ids = [number for number in feature.inputs["input_ids"] if number != head.tokenizer.eos_token_id]
    ends = [token for token, _ in first_tokens[1:]] + [len(ids)]
    read_as = {
        word: head.tokenizer.decode(ids[token:end]).strip() for (token, word), end in zip(first_tokens, ends, strict=True)
    }
    return head.tokenizer.decode(ids).split(), [read_as.get(word) for word in range(len(words))]


JOINED = [byte_level, sentence_pieces, split_digits]


@pytest.mark.parametrize("tokenizer", JOINED)
@pytest.mark.parametrize(
    "words",
    [
        ["anna", "sees", "the", "garden", "."],
        ["anna", "2019", "1", "cat"],
        ["\u6771", "\u4eac", "\u306b", "\u3042"],
        ["caf\u00e9", "\U0001f600", "</s>", "x"],
    ],
)
def test_words_that_would_be_glued_are_read_as_a_text(tokenizer, words):
    head = token_head(tokenizer())
    assert head.joined
    text, single = read(head, words)
    assert text == words and single == words


@pytest.mark.parametrize("tokenizer", JOINED)
def test_a_joined_sentence_of_many_windows_loses_no_word(tokenizer):
    head = token_head(tokenizer(), max_length=24)
    words = [f"gardenlisbon{number % 7}" if number % 3 else "cat" for number in range(50)]
    words[5] = words[20] = ""  # has no token: stays outside
    tags = [LABELS[number % 3] if words[number] else "O" for number in range(50)]
    features = head.encode([{"words": words, "tags": tags}, {"words": [], "tags": []}], training=True)
    assert len(features) > 1 and max(feature.length for feature in features) <= 24
    first_tokens = [word for feature in features for _, word in feature.extra["first_tokens"]]
    assert sorted(first_tokens) == [number for number in range(50) if words[number]]
    outputs = [[max(label, 0) for label in feature.inputs["labels"]] for feature in features]
    assert head.decode(features, outputs, 2) == [tags, []]


def test_a_word_without_a_token_of_its_own_gets_its_neighbours_tag(caplog):
    head = token_head(multi_word_pieces())
    assert head.joined
    examples = [{"words": ["anna", "very", "good", "cat"], "tags": ["O", "B-X", "I-X", "O"]}]
    with caplog.at_level(logging.WARNING):
        features = head.encode(examples, training=True)
    assert "1 words have no token of their own" in caplog.text
    outputs = [[max(label, 0) for label in feature.inputs["labels"]] for feature in features]
    assert head.decode(features, outputs, 1) == [examples[0]["tags"]]


@pytest.mark.parametrize(
    ("kind", "joined"), [("bert", False), ("t5", False), ("roberta", True), ("llama", False), ("gpt2", True)]
)
def test_tokenisers_that_keep_words_apart_read_lists(kind, joined, checkpoints):
    assert glues(Pretrained(resolve(str(checkpoints(kind))), METHODS["full"]).tokenizer) == joined


@pytest.mark.parametrize("name", ["bert-mini", "gpt2-mini", "t5-mini"])
def test_the_bundled_models_read_words_apart(name):
    assert not glues(Pretrained(resolve(name), METHODS["full"]).tokenizer)


def test_a_tokeniser_that_takes_lists_of_words_for_pairs_reads_texts(checkpoints, monkeypatch):
    """As LUKE: two words would be a pair of texts, and any other number an error."""
    head = TokenHead(Pretrained(resolve(str(checkpoints("bert"))), METHODS["full"]), Recipe(max_length=16), ["O", "B-LOC"], {})
    assert not head.joined
    whole = type(head.tokenizer).__call__

    def pairs(self, text, *more, **options):
        if options.get("is_split_into_words") and isinstance(text[0], list):
            text, _ = zip(*text, strict=True)
        return whole(self, text, *more, **options)

    monkeypatch.setattr(type(head.tokenizer), "__call__", pairs)
    head = TokenHead(head.pretrained, Recipe(max_length=16), ["O", "B-LOC"], {})
    sentences = [{"words": ["Anna", "sees", "Lisbon"]}, {"words": ["the", "garden"]}]
    assert head.joined
    features = head.encode(sentences, training=False)
    assert [feature.extra["words"] for feature in features] == [3, 2]
    assert [[word for _, word in feature.extra["first_tokens"]] for feature in features] == [[0, 1, 2], [0, 1]]
