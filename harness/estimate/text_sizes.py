"""Estimate the tokens of a task, as a tokenizer and a head would cut it, from 200 rows of each split."""

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

SAMPLE = 200  # rows of a split that are tokenized, evenly spread
SEPARATOR = "\n=\n"  # between source and target in one sequence; copied from `harness.heads.text`, which imports torch
# Characters per token without a tokenizer: usual for sub-words of English, and for scripts without spaces.
CHARACTERS, CHARACTERS_WITHOUT_SPACES = 4.0, 1.5
# Heads that do something else than read each row once, truncated.
WRITES, WINDOWS, SPANS = "harness.heads.text:TextHead", "harness.heads.tokens:TokenHead", "harness.heads.spans:SpanHead"
UNLIMITED = 10**9  # tokens


@dataclass(frozen=True)
class TextSize:
    """The size of one split.

    Attributes:
        features: rows, or windows of rows.
        tokens: all tokens that are read, without padding.
        squares: the sum of the features' squared lengths.
        written: the tokens of all targets; 0 for heads that do not generate text.
        longest_written: the tokens of the longest target.
        different: the number of distinct tokens in the texts of all splits; None if unknown.
    """

    features: int
    tokens: float
    squares: float
    written: float = 0.0
    longest_written: int = 0
    different: int | None = None


@dataclass(frozen=True)
class RowTexts:
    """The columns of a row that a model reads, and the text that it generates ("" if none)."""

    read: tuple[str, ...]
    target: str = ""

    @property
    def joined(self) -> str:
        """Everything that is read."""
        return " ".join(self.read)


@dataclass(frozen=True)
class TaskTexts:
    """The number of rows of each split, and the texts of a sample of them."""

    rows: Mapping[str, int]
    sample: Mapping[str, Sequence[RowTexts]]


def sample_texts(splits: Mapping[str, Sequence[Row]], family: TaskFamily) -> TaskTexts:
    """Collect the texts of a sample of a task's rows."""

    def row_texts(row: Row) -> RowTexts:
        columns = family.texts(row).items()
        texts = {name: value if isinstance(value, str) else " ".join(value) for name, value in columns}
        inputs = texts.keys() & {*family.inputs} if family.head == WRITES else texts.keys()
        inputs = inputs or texts.keys()
        target = next((text for name, text in texts.items() if name not in inputs), "")
        return RowTexts(tuple(text for name, text in texts.items() if name in inputs), target)

    def sample(rows: Sequence[Row]) -> list[RowTexts]:
        count = min(SAMPLE, len(rows))
        return [row_texts(rows[number * len(rows) // count]) for number in range(count)]

    counts = {split: len(rows) for split, rows in splits.items()}
    return TaskTexts(counts, {split: sample(rows) for split, rows in splits.items()})


class TokenCounter:
    """Counts the tokens of texts, with a tokenizer file or, without one, from the number of characters."""

    def __init__(self, file: Path | None):
        from tokenizers import Tokenizer

        self.tokenizer: Any = Tokenizer.from_file(str(file)) if file else None
        if self.tokenizer:
            self.tokenizer.no_truncation()
            self.tokenizer.no_padding()
        self.special = len(self.tokenizer.encode("").ids) if self.tokenizer else 2

    def count(self, texts: Sequence[str]) -> list[int]:
        """Count the tokens of each text, without special tokens."""
        if self.tokenizer:
            return [len(ids) for ids in self._ids(texts)]
        characters = CHARACTERS_WITHOUT_SPACES if without_blanks(texts) else CHARACTERS
        return [math.ceil(len(text) / characters) for text in texts]

    def different(self, texts: Sequence[str], factor: float) -> int | None:
        """Estimate the number of distinct tokens in `factor` times as much text; None without a tokenizer.

        By Heaps' law with its usual exponent of 1/2.
        """
        if self.tokenizer is None:
            return None
        distinct = len({token for ids in self._ids(texts) for token in ids})
        return min(round(distinct * math.sqrt(max(1.0, factor))), self.tokenizer.get_vocab_size())

    def _ids(self, texts: Sequence[str]) -> list[Sequence[int]]:
        return [encoding.ids for encoding in self.tokenizer.encode_batch(list(texts), add_special_tokens=False)]


def text_sizes(
    task: TaskTexts, counter: TokenCounter, head: str, recipe: Recipe, limit: int | None, one_sequence: bool
) -> dict[str, TextSize]:
    """Estimate the size of each split.

    Args:
        counter: with the model's tokenizer.
        head: the family's head, as `module:Class`.
        recipe: for the maximum lengths and the stride of windows.
        limit: the maximum number of tokens that the model can read, or None.
        one_sequence: whether source and target are in one sequence (decoders).
    """
    texts = [row.joined for rows in task.sample.values() for row in rows]
    different = counter.different(texts, sum(task.rows.values()) / max(1, len(texts)))
    max_length, sizes = min(recipe.max_length, limit or recipe.max_length), {}
    for split, rows in task.sample.items():
        written = _target_lengths(rows, counter, head, recipe.max_target_length)
        # A decoder that generates text reads a prompt; in training, the answer too.
        answers = (written if split == "train" else [0] * len(rows)) if one_sequence else None
        lengths = _feature_lengths(rows, counter, head, max_length, recipe.doc_stride, answers)
        scale = task.rows[split] / max(1, len(rows))
        sizes[split] = TextSize(
            features=max(1, round(len(lengths) * scale)),
            tokens=sum(lengths) * scale,
            squares=sum(length**2 for length in lengths) * scale,
            written=sum(written) * scale,
            longest_written=max(written, default=0),
            different=different,
        )
    return sizes


def with_train_rows(sizes: Mapping[str, TextSize], rows: int, total: int) -> dict[str, TextSize]:
    """Scale the sizes to a training that uses `rows` of `total` training rows."""
    train, share = sizes["train"], rows / total
    scaled = {name: getattr(train, name) * share for name in ("tokens", "squares", "written")}
    return {**sizes, "train": replace(train, features=max(1, round(train.features * share)), **scaled)}


def length_statistics(
    task: TaskTexts, counter: TokenCounter, head: str, limit: int | None, one_sequence: bool
) -> LengthStatistics:
    """Return what decides the recipe fields that are left to the data; the arguments are those of `text_sizes`."""
    tokens = []
    for rows in (task.sample.get(split, ()) for split in ("train", "validation")):
        written = _target_lengths(rows, counter, head, UNLIMITED)
        lengths = _feature_lengths(rows, counter, head, UNLIMITED, 0, [0] * len(rows) if one_sequence else None)
        tokens.append({"max_length": lengths, **({"max_target_length": written} if head == WRITES else {})})
    return LengthStatistics(task.rows.get("train", 0), tokens, limit, head in (WINDOWS, SPANS))


def _target_lengths(rows: Sequence[RowTexts], counter: TokenCounter, head: str, max_length: int) -> list[int]:
    """Return the length of each target; zeros for heads that do not generate text."""
    if head != WRITES:
        return [0] * len(rows)
    return [min(count + 1, max_length) for count in counter.count([row.target for row in rows])]


def _feature_lengths(
    rows: Sequence[RowTexts],
    counter: TokenCounter,
    head: str,
    max_length: int,
    stride: int,
    answers: Sequence[int] | None,
) -> list[int]:
    """Return the length of each feature: of a truncated row, or of its windows.

    Args:
        max_length: tokens of a feature.
        stride: tokens that the windows of a context share.
        answers: tokens that are read after each row, if source and target are in one sequence; else None.
    """
    special = counter.special
    if head == SPANS:  # every window repeats the question, and a decoder's ends with one more token
        questions = counter.count([" ".join(row.read[:-1]) for row in rows])
        contexts = counter.count([row.read[-1] if row.read else "" for row in rows])
        lengths = []
        for question, context in zip(questions, contexts, strict=True):
            around = min(question, max_length // 2) + special + (answers is not None)
            lengths += [around + part for part in window_lengths(context, max(1, max_length - around), stride)]
        return lengths
    lengths = [count + special for count in counter.count([row.joined for row in rows])]
    if head == WINDOWS:
        return [part for length in lengths for part in window_lengths(length, max_length, max_length // 4)]
    if head == WRITES and answers is not None:
        separator = counter.count([SEPARATOR])[0]
        return [min(length + separator, max_length) + answer for length, answer in zip(lengths, answers, strict=True)]
    return [min(length, max_length) for length in lengths]


def window_lengths(length: int, max_length: int, overlap: int) -> list[int]:
    """Return the lengths of the windows in which a long row is read."""
    overlap, lengths, rest = min(overlap, max_length - 1), [min(length, max_length)], length - max_length
    while rest > 0:
        lengths.append(min(max_length, rest + overlap))
        rest -= max_length - overlap
    return lengths
