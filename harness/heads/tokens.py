"""Classification of words: named entities and other tags."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import accumulate
from typing import Any

from torch import Tensor, nn
from transformers import AutoModelForTokenClassification, PreTrainedTokenizerBase

from harness.heads.assembled import ClassifierOnBackbone
from harness.heads.base import IGNORE, Feature, Head, accepted, label_names
from harness.heads.library_errors import LibraryError, library_errors

LOG = logging.getLogger(__name__)
# Sentences that show what a tokeniser does between two words; unknown words would be equally unknown either way.
PROBES = ("Anna moved to Lisbon in 2019 .".split(), "the garden , which is good".split())
BLANKS = "\u2581\u0120 "  # how SentencePiece, byte-level and other vocabularies write a blank
Words = list[list[tuple[int, ...]]]  # the words of each token of each window
Pairs = list[list[tuple[int, int]]]  # (token, word) pairs of each window


def glues(tokenizer: PreTrainedTokenizerBase) -> bool:
    """Whether a fast tokeniser reads a list of words as if there were no blanks between them, or cannot read lists of words.

    Most recent byte-level tokenisers do the first: `add_prefix_space` is a setting of older classes that the class for any
    tokenizer.json lacks. LUKE's tokeniser takes the words of several sentences for text pairs.
    """
    try:
        with library_errors():
            encoded = tokenizer([list(words) for words in PROBES], is_split_into_words=True, add_special_tokens=False)
    except LibraryError:
        return True
    for words, split in zip(PROBES, encoded["input_ids"], strict=True):
        joined = tokenizer(" ".join(words), add_special_tokens=False)["input_ids"]
        if split != joined and tokenizer.decode(split).split() != tokenizer.decode(joined).split():
            return True
    return False


class TokenHead(Head):
    """Takes examples `{"words": [str], "tags": [str]}`; gives a tag name for each word.

    A word is classified at its first sub-word (Devlin et al. 2019, section 5.3). A sentence above the model's limit is read in
    overlapping windows, and each word is classified in the first window that holds it, so no word is lost.

    Attributes:
        joined: whether words are read as a text with blanks between them, because `glues(tokenizer)`.
    """

    windows = True

    def __init__(self, *args: Any):
        super().__init__(*args)
        self.joined = glues(self.tokenizer)

    def build(self) -> nn.Module:
        if not self.pretrained.has(AutoModelForTokenClassification):
            return ClassifierOnBackbone(self.pretrained, self.labels)
        config = self.pretrained.configure(**label_names(self.labels), pad_token_id=self.tokenizer.pad_token_id)
        return self.pretrained.load(AutoModelForTokenClassification, config)

    def encode(self, examples: Sequence[Mapping[str, Any]], training: bool) -> list[Feature]:
        sentences = [list(example["words"]) for example in examples]
        encoded, words = self._tokenize_joined(sentences) if self.joined else self._tokenize_words(sentences)
        sentence_of = encoded["overflow_to_sample_mapping"]
        first_tokens, shared = _first_tokens(sentence_of, words)
        label_ids = {name: index for index, name in enumerate(self.labels)}
        features = []
        for row, number in enumerate(sentence_of):
            inputs = {key: encoded[key][row] for key in encoded if key in self.tokenizer.model_input_names}
            inputs.setdefault("attention_mask", [1] * len(inputs["input_ids"]))
            if training:
                inputs["labels"] = [IGNORE] * len(inputs["input_ids"])
                for token, word in first_tokens[row]:
                    inputs["labels"][token] = label_ids[examples[number]["tags"][word]]
            extra = {"first_tokens": first_tokens[row], "words": len(sentences[number])}
            if self.joined:
                extra["shared_tokens"] = shared[row]
            if inputs["input_ids"]:
                features.append(Feature(number, inputs, extra))
        return features

    def _tokenize_words(self, sentences: list[list[str]]) -> tuple[Any, Words]:
        """Tokenise lists of words; the tokeniser knows the word of each token."""
        encoded = self._tokenize(sentences, is_split_into_words=True)
        rows = range(len(encoded["input_ids"]))
        return encoded, [[() if word is None else (word,) for word in encoded.word_ids(row)] for row in rows]

    def _tokenize_joined(self, sentences: list[list[str]]) -> tuple[Any, Words]:
        """Tokenise sentences as texts; a token's words are those that it overlaps.

        A blank comes first, so that the first word has the same tokens as elsewhere.
        """
        texts = ["".join(f" {word}" for word in words if word) for words in sentences]
        encoded = self._tokenize(texts, return_offsets_mapping=True)
        spans = [_word_spans(words) for words in sentences]
        words_by_row = []
        for row, number in enumerate(encoded["overflow_to_sample_mapping"]):
            in_text = [side is not None for side in encoded.sequence_ids(row)]
            offsets = [pair if own else (0, 0) for pair, own in zip(encoded["offset_mapping"][row], in_text, strict=True)]
            words = list(_overlapping_words(offsets, spans[number]))
            pieces = self.tokenizer.convert_ids_to_tokens(encoded["input_ids"][row])
            for token in range(len(words) - 1):
                # A piece that is only a blank says nothing about the word that it belongs to.
                if words[token] and words[token] == words[token + 1] and not pieces[token].strip(BLANKS):
                    words[token] = ()
            words_by_row.append(words)
        return encoded, words_by_row

    def _tokenize(self, texts: Sequence[Any], **options: Any) -> Any:
        return self.tokenizer(
            texts,
            truncation=True,
            max_length=self.max_length,
            stride=self.max_length // 4,
            return_overflowing_tokens=True,
            **options,
        )

    def predict(self, model: nn.Module, batch: dict[str, Tensor]) -> list[list[int]]:
        return model(**accepted(model, batch)).logits.float().argmax(-1).tolist()

    def decode(self, features: Sequence[Feature], outputs: Sequence[list[int]], count: int) -> list[list[str]]:
        tags: list[list[str]] = [[] for _ in range(count)]
        for feature, output in zip(features, outputs, strict=True):
            row = tags[feature.example]
            row += ["O"] * (feature.extra["words"] - len(row))  # the tag of words without any token
            for token, word in feature.extra["first_tokens"]:
                row[word] = self.labels[output[token]]
            for token, word in feature.extra.get("shared_tokens", ()):
                row[word] = self._continued(self.labels[output[token]])
        return tags

    def _continued(self, tag: str) -> str:
        """The tag of a word that shares its token with the word before it."""
        inside = f"I-{tag.removeprefix('B-')}"
        return inside if tag.startswith("B-") and inside in self.labels else tag


def _first_tokens(sentence_of: Sequence[int], words: Words) -> tuple[Pairs, Pairs]:
    """The first token of each word, and tokens that words share with the word before them, both as (token, word) by window.

    Args:
        sentence_of: the sentence of each window.
        words: the words of each token of each window.
    """
    first_tokens: Pairs = [[] for _ in sentence_of]
    assigned: set[tuple[int, int]] = set()  # (sentence, word)
    shared: dict[tuple[int, int], tuple[int, int]] = {}  # (sentence, word) -> (window, token)
    for row, number in enumerate(sentence_of):
        for token, token_words in enumerate(words[row]):
            new = [word for word in token_words if (number, word) not in assigned]
            if new:
                assigned.add((number, new[0]))
                shared.pop((number, new[0]), None)
                first_tokens[row].append((token, new[0]))
                shared |= {(number, word): (row, token) for word in new[1:] if (number, word) not in shared}
    if shared:
        LOG.warning("%d words have no token of their own; each gets the tag of the word before it", len(shared))
    shared_tokens: Pairs = [[] for _ in sentence_of]
    for (_, word), (row, token) in shared.items():
        shared_tokens[row].append((token, word))
    return first_tokens, shared_tokens


def _word_spans(words: Sequence[str]) -> list[tuple[int, int, int]]:
    """(start, end, index) of each non-empty word in the sentence with a blank before each word."""
    ends = accumulate(len(word) + 1 if word else 0 for word in words)
    return [(end - len(word), end, index) for index, (word, end) in enumerate(zip(words, ends, strict=True)) if word]


def _overlapping_words(
    offsets: Iterable[tuple[int, int]], spans: Sequence[tuple[int, int, int]]
) -> Iterator[tuple[int, ...]]:
    """The words that each token overlaps; tokens and words are in the order of the text."""
    first = 0
    for start, end in offsets:
        while first < len(spans) and spans[first][1] <= start:
            first += 1
        words = []
        for begin, stop, index in spans[first:]:
            if begin >= end:
                break
            if stop > start:
                words.append(index)
        yield tuple(words)
