"""Classification of words: named entities and other tags."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import accumulate
from typing import Any

from torch import Tensor, nn
from transformers import AutoModelForTokenClassification, PreTrainedTokenizerBase

from harness.heads.backbone import ClassifierOnBackbone
from harness.heads.base import IGNORE, Feature, Head, accepted, label_names
from harness.heads.unable import Unable, computing
from harness.models.load import Pretrained
from harness.recipe import Recipe

LOG = logging.getLogger(__name__)
# Words by which a tokeniser shows what it does between two of them; whatever it does not know is equally unknown either way.
PROBES = ("Anna moved to Lisbon in 2019 .".split(), "the garden , which is good".split())
BLANKS = "\u2581\u0120 "  # what a blank is called in a vocabulary of pieces, of bytes, and elsewhere
Reading = tuple[Any, list[list[tuple[int, ...]]]]  # an encoding, and the words that each token of each window touches


def glues(tokenizer: PreTrainedTokenizerBase) -> bool:
    """Whether a fast tokeniser reads a list of words as if there were no blanks between them, or cannot read lists of words.

    Most byte-level ones of today do the first: to put a blank before each word is a setting of older classes, which the one class that
    reads any tokenizer.json does not know. LUKE's takes the words of several sentences for pairs of texts.
    """
    try:
        with computing():
            lists = tokenizer([list(words) for words in PROBES], is_split_into_words=True, add_special_tokens=False)["input_ids"]
    except Unable:
        return True
    for words, apart in zip(PROBES, lists, strict=True):
        joined = tokenizer(" ".join(words), add_special_tokens=False)["input_ids"]
        if apart != joined and tokenizer.decode(apart).split() != tokenizer.decode(joined).split():
            return True
    return False


class TokenHead(Head):
    """Reads examples `{"words": [str], "tags": [str]}`; gives a tag name for each word.

    A word is judged at its first sub-word (Devlin et al. 2019, section 5.3). A sentence that is longer than the model's
    limit is read in overlapping windows, and each word is judged in the first window that holds it, so no word is lost.

    Attributes:
        joined: whether words are read as a sentence with blanks between them, because a list of words would be glued.
    """

    windows = True

    def __init__(
        self, pretrained: Pretrained, recipe: Recipe, labels: Sequence[str] | None, options: Mapping[str, Any]
    ):
        super().__init__(pretrained, recipe, labels, options)
        self.joined = glues(self.tokenizer)

    def build(self) -> nn.Module:
        if not self.pretrained.has(AutoModelForTokenClassification):
            return ClassifierOnBackbone(self.pretrained, self.labels)
        config = self.pretrained.configure(
            **label_names(self.labels),
            pad_token_id=self.tokenizer.pad_token_id,
        )
        return self.pretrained.load(AutoModelForTokenClassification, config)

    def encode(self, examples: Sequence[Mapping[str, Any]], training: bool) -> list[Feature]:
        sentences = [list(example["words"]) for example in examples]
        encoded, touched = self._read_joined(sentences) if self.joined else self._read_words(sentences)
        index = {name: position for position, name in enumerate(self.labels)}
        judged: set[tuple[int, int]] = set()
        shared: dict[tuple[int, int], tuple[int, int]] = {}  # (sentence, word) -> (window, token) of its neighbour
        places: list[list[tuple[int, int]]] = []  # (token, word) where a word is judged, of each window
        numbers = encoded["overflow_to_sample_mapping"]
        for row, number in enumerate(numbers):
            places.append([])
            for token, words in enumerate(touched[row]):
                new = [word for word in words if (number, word) not in judged]
                if new:
                    judged.add((number, new[0]))
                    shared.pop((number, new[0]), None)
                    places[row].append((token, new[0]))
                    shared |= {(number, word): (row, token) for word in new[1:] if (number, word) not in shared}
        if shared:
            LOG.warning("%d words have no token of their own; each gets the tag of the word before it", len(shared))
        neighbours: list[list[tuple[int, int]]] = [[] for _ in numbers]
        for (_, word), (row, token) in shared.items():
            neighbours[row].append((token, word))
        features = []
        for row, number in enumerate(numbers):
            inputs = {key: encoded[key][row] for key in encoded if key in self.tokenizer.model_input_names}
            inputs.setdefault("attention_mask", [1] * len(inputs["input_ids"]))
            if training:
                inputs["labels"] = [IGNORE] * len(inputs["input_ids"])
                for token, word in places[row]:
                    inputs["labels"][token] = index[examples[number]["tags"][word]]
            extra = {"places": places[row], "words": len(sentences[number])}
            if self.joined:
                extra["shared"] = neighbours[row]
            if inputs["input_ids"]:
                features.append(Feature(number, inputs, extra))
        return features

    def _read_words(self, sentences: list[list[str]]) -> Reading:
        """The words as a list, which the tokeniser knows by their numbers."""
        encoded = self._tokens(sentences, is_split_into_words=True)
        rows = range(len(encoded["input_ids"]))
        return encoded, [[() if word is None else (word,) for word in encoded.word_ids(row)] for row in rows]

    def _read_joined(self, sentences: list[list[str]]) -> Reading:
        """The words as a sentence, where they are found by the places of the tokens in it.

        A blank is put in front, so that the first word has the tokens that it has elsewhere.
        """
        encoded = self._tokens(
            ["".join(f" {word}" for word in words if word) for words in sentences], return_offsets_mapping=True
        )
        spans = [_spans(words) for words in sentences]
        touched = []
        for row, number in enumerate(encoded["overflow_to_sample_mapping"]):
            own = [side is not None for side in encoded.sequence_ids(row)]
            offsets = [pair if text else (0, 0) for pair, text in zip(encoded["offset_mapping"][row], own, strict=True)]
            words = list(_touched(offsets, spans[number]))
            pieces = self.tokenizer.convert_ids_to_tokens(encoded["input_ids"][row])
            for token in range(len(words) - 1):
                # A piece that is a blank and no more says nothing of the word that it belongs to.
                if words[token] and words[token] == words[token + 1] and not pieces[token].strip(BLANKS):
                    words[token] = ()
            touched.append(words)
        return encoded, touched

    def _tokens(self, texts: Sequence[Any], **more: Any) -> Any:
        return self.tokenizer(
            texts,
            truncation=True,
            max_length=self.max_length,
            stride=self.max_length // 4,
            return_overflowing_tokens=True,
            **more,
        )

    def predict(self, model: nn.Module, batch: dict[str, Tensor]) -> list[list[int]]:
        return model(**accepted(model, batch)).logits.float().argmax(-1).tolist()

    def decode(self, features: Sequence[Feature], outputs: Sequence[list[int]], count: int) -> list[list[str]]:
        tags: list[list[str]] = [[] for _ in range(count)]
        for feature, output in zip(features, outputs, strict=True):
            row = tags[feature.example]
            row += ["O"] * (feature.extra["words"] - len(row))  # words without a token of their own stay outside
            for token, word in feature.extra["places"]:
                row[word] = self.labels[output[token]]
            for token, word in feature.extra.get("shared", ()):
                row[word] = self._carried_on(self.labels[output[token]])
        return tags

    def _carried_on(self, tag: str) -> str:
        """The tag of a word that is one token with the word before it."""
        inside = f"I-{tag.removeprefix('B-')}"
        return inside if tag.startswith("B-") and inside in self.labels else tag


def _spans(words: Sequence[str]) -> list[tuple[int, int, int]]:
    """(start, end, number) of each word that is not empty, in the sentence with a blank before each."""
    ends = accumulate(len(word) + 1 if word else 0 for word in words)
    return [(end - len(word), end, number) for number, (word, end) in enumerate(zip(words, ends, strict=True)) if word]


def _touched(offsets: Iterable[tuple[int, int]], spans: Sequence[tuple[int, int, int]]) -> Iterator[tuple[int, ...]]:
    """The words that each token overlaps; tokens and words are in the order of the text."""
    first = 0
    for start, end in offsets:
        while first < len(spans) and spans[first][1] <= start:
            first += 1
        found = []
        for begin, stop, number in spans[first:]:
            if begin >= end:
                break
            if stop > start:
                found.append(number)
        yield tuple(found)
