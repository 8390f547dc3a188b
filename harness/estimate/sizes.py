"""How much text a task holds, as a model's tokeniser and a head would cut it: told from 200 rows of each split, without the model."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from harness.check.lengths import without_blanks
from harness.family import Row, TaskFamily
from harness.recipe import Recipe
from harness.recipe_rules import LengthStatistics

SAMPLE = 200  # rows of a split that are tokenised; evenly spread over it
SEPARATOR = "\n=\n"  # of source and target in one sequence: `harness.heads.text`, which imports torch
# Characters of a token where no tokeniser can be asked: usual for sub-words of English, and for scripts without blanks.
LETTERS, LETTERS_WITHOUT_BLANKS = 4.0, 1.5
# The heads of this package that do something else than read each row once, cut to fit.
WRITES, WINDOWS, SPANS = "harness.heads.text:TextHead", "harness.heads.tokens:TokenHead", "harness.heads.spans:SpanHead"


@dataclass(frozen=True)
class TextSize:
    """One split.

    Attributes:
        features: rows, or windows of rows.
        tokens: read in all, padding left out.
        squares: the sum of the features' squared lengths.
        written, longest_written: tokens of all targets, and of the longest; 0 for heads that write nothing.
        different: unlike tokens in the texts of all splits; None where nothing tells.
    """

    features: int
    tokens: float
    squares: float
    written: float = 0.0
    longest_written: int = 0
    different: int | None = None


def trained_on(sizes: Mapping[str, TextSize], rows: int, of: int) -> dict[str, TextSize]:
    """The sizes where a training sees `rows` of `of` training rows: of their usual length."""
    train, share = sizes["train"], rows / of
    parts = {name: getattr(train, name) * share for name in ("tokens", "squares", "written")}
    return {**sizes, "train": replace(train, features=max(1, round(train.features * share)), **parts)}


@dataclass(frozen=True)
class Texts:
    """A row: the columns that a model reads, and what it is to write ("" where it writes nothing)."""

    read: tuple[str, ...]
    target: str = ""

    @property
    def whole(self) -> str:
        """All that is read."""
        return " ".join(self.read)


@dataclass(frozen=True)
class Content:
    """A task's rows, as far as their length goes: split → how many there are, and the texts of some of them."""

    rows: Mapping[str, int]
    sample: Mapping[str, Sequence[Texts]]


def content(splits: Mapping[str, Sequence[Row]], family: TaskFamily) -> Content:
    """What is needed of a task's rows."""

    def texts(row: Row) -> Texts:
        found = {name: value if isinstance(value, str) else " ".join(value) for name, value in family.texts(row).items()}
        inputs = found.keys() & {*family.inputs} if family.head == WRITES else found.keys()
        read = tuple(text for name, text in found.items() if name in (inputs or found))
        return Texts(read, next((text for name, text in found.items() if name not in (inputs or found)), ""))

    def spread(rows: Sequence[Row]) -> list[Texts]:
        count = min(SAMPLE, len(rows))
        return [texts(rows[number * len(rows) // count]) for number in range(count)]

    return Content({split: len(rows) for split, rows in splits.items()}, {split: spread(rows) for split, rows in splits.items()})


class Counter:
    """Counts the tokens of texts, by a tokeniser's file or, without one, by the number of letters."""

    def __init__(self, file: Path | None):
        from tokenizers import Tokenizer

        self.tokenizer: Any = Tokenizer.from_file(str(file)) if file else None
        if self.tokenizer:
            self.tokenizer.no_truncation()
            self.tokenizer.no_padding()
        self.special = len(self.tokenizer.encode("").ids) if self.tokenizer else 2

    def count(self, texts: Sequence[str]) -> list[int]:
        """Tokens of each text, special ones left out."""
        if self.tokenizer:
            return [len(ids) for ids in self._ids(texts)]
        letters = LETTERS_WITHOUT_BLANKS if without_blanks(texts) else LETTERS
        return [math.ceil(len(text) / letters) for text in texts]

    def different(self, texts: Sequence[str], times: float) -> int | None:
        """Unlike tokens in `times` as much text as this, by Heaps' law with its usual power of 1/2; None without a tokeniser."""
        if self.tokenizer is None:
            return None
        found = len({token for ids in self._ids(texts) for token in ids})
        return min(round(found * math.sqrt(max(1.0, times))), self.tokenizer.get_vocab_size())

    def _ids(self, texts: Sequence[str]) -> list[Sequence[int]]:
        return [one.ids for one in self.tokenizer.encode_batch(list(texts), add_special_tokens=False)]


def sizes(content: Content, counter: Counter, head: str, recipe: Recipe, limit: int | None, one_sequence: bool) -> dict[str, TextSize]:
    """Split → its size.

    Args:
        counter: with the model's tokeniser.
        head: the family's, as `module:Class`.
        recipe: for the greatest lengths and the stride of windows.
        limit: the most tokens that the model can read, if any.
        one_sequence: True where source and target stand in one sequence (decoders).
    """
    texts = [row.whole for rows in content.sample.values() for row in rows]
    different = counter.different(texts, sum(content.rows.values()) / max(1, len(texts)))
    most, found = min(recipe.max_length, limit or recipe.max_length), {}
    for split, rows in content.sample.items():
        written = _written(rows, counter, head, recipe.max_target_length)
        # A decoder that is asked for a text reads a prompt; in training the answer too.
        answers = written if split == "train" else [0] * len(rows)
        lengths = _features(rows, counter, head, most, recipe.doc_stride, answers if one_sequence else None)
        scale = content.rows[split] / max(1, len(rows))
        features, squares = max(1, round(len(lengths) * scale)), sum(length**2 for length in lengths) * scale
        found[split] = TextSize(features, sum(lengths) * scale, squares, sum(written) * scale, max(written, default=0), different)
    return found


def needs(content: Content, counter: Counter, head: str, limit: int | None, one_sequence: bool) -> LengthStatistics:
    """What the recipe's fields that are left to the data go by, from the sample; arguments as those of `sizes`."""
    endless, tokens = 10**9, []
    for rows in (content.sample.get(split, ()) for split in ("train", "validation")):
        written = _written(rows, counter, head, endless)
        lengths = _features(rows, counter, head, endless, 0, [0] * len(rows) if one_sequence else None)
        tokens.append({"max_length": lengths, **({"max_target_length": written} if head == WRITES else {})})
    return LengthStatistics(content.rows.get("train", 0), tokens, limit, head in (WINDOWS, SPANS))


def _written(rows: Sequence[Texts], counter: Counter, head: str, most: int) -> list[int]:
    """The length of each target; zeros for heads that write nothing."""
    return [min(count + 1, most) for count in counter.count([row.target for row in rows])] if head == WRITES else [0] * len(rows)


def _features(rows: Sequence[Texts], counter: Counter, head: str, most: int, stride: int, answers: Sequence[int] | None) -> list[int]:
    """The length of each feature: a row cut to fit, or its windows.

    Args:
        most: tokens of a feature.
        stride: tokens that windows of a context share.
        answers: tokens that are read behind each row, where source and target stand in one sequence; else None.
    """
    special, found = counter.special, []
    if head == SPANS:  # every window repeats the question, and a decoder's ends with one more token
        questions = counter.count([" ".join(row.read[:-1]) for row in rows])
        contexts = counter.count([row.read[-1] if row.read else "" for row in rows])
        for question, context in zip(questions, contexts, strict=True):
            around = min(question, most // 2) + special + (answers is not None)
            found += [around + part for part in windows(context, max(1, most - around), stride)]
        return found
    lengths = [count + special for count in counter.count([row.whole for row in rows])]
    if head == WINDOWS:
        return [part for length in lengths for part in windows(length, most, most // 4)]
    if head == WRITES and answers is not None:
        between = counter.count([SEPARATOR])[0]
        return [min(length + between, most) + answer for length, answer in zip(lengths, answers, strict=True)]
    return [min(length, most) for length in lengths]


def windows(length: int, most: int, overlap: int) -> list[int]:
    """The lengths of the windows in which a long row is read."""
    overlap, found, rest = min(overlap, most - 1), [min(length, most)], length - most
    while rest > 0:
        found.append(min(most, rest + overlap))
        rest -= most - overlap
    return found
