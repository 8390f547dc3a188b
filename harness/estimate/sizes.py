"""How much text a task holds, as a model's tokeniser and a head would cut it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from harness.check.lengths import without_blanks
from harness.family import Row, TaskFamily
from harness.recipe import Recipe

SAMPLE = 200  # rows of a split that are tokenised; evenly spread over it
# Characters of a token where no tokeniser can be asked: usual for sub-words of English, and for scripts without blanks.
LETTERS, LETTERS_WITHOUT_BLANKS = 4.0, 1.5
# The heads of this package that do something else with a row than to read it once, cut to fit.
WRITES, WINDOWS, SPANS = "harness.heads.text:TextHead", "harness.heads.tokens:TokenHead", "harness.heads.spans:SpanHead"


@dataclass(frozen=True)
class Size:
    """One split.

    Attributes:
        features: rows, or windows of rows.
        tokens: read in all, padding left out.
        squares: the sum of the features' squared lengths.
        longest: tokens of the longest features.
        written: tokens of all targets; 0 for heads that write nothing.
        longest_written: tokens of the longest targets.
        letters: characters of the texts.
        padding: numbers in shuffled batches for each token, where rows are padded to the longest of their batch.
    """

    features: int
    tokens: float
    squares: float
    longest: int
    written: float = 0.0
    longest_written: int = 0
    letters: float = 0.0
    padding: float = 1.0


def trained_on(sizes: Mapping[str, Size], rows: int, of: int) -> dict[str, Size]:
    """The sizes where a training sees `rows` of `of` training rows: of their usual length."""
    train, share = sizes["train"], rows / of
    parts = {name: getattr(train, name) * share for name in ("tokens", "squares", "written", "letters")}
    return {**sizes, "train": replace(train, features=max(1, round(train.features * share)), **parts)}


Texts = Mapping[str, Sequence[Mapping[str, Any]]]  # split → sample of rows, each column → text or words


@dataclass(frozen=True)
class Content:
    """A task's rows, as far as their length goes: read once, and counted for every tokeniser.

    Attributes:
        rows: split → rows.
        sample: split → texts of some of its rows.
        read: the columns that a model reads; the others it writes.
    """

    rows: Mapping[str, int]
    sample: Texts
    read: frozenset[str]


def content(splits: Mapping[str, Sequence[Row]], family: TaskFamily) -> Content:
    """What is needed of a task's rows."""
    sample = {split: [family.texts(row) for row in _spread(rows)] for split, rows in splits.items()}
    names = {name for texts in sample.values() for row in texts for name in row}
    read = names & set(family.inputs) if family.head == WRITES else names
    return Content({split: len(rows) for split, rows in splits.items()}, sample, frozenset(read or names))


def _spread(rows: Sequence[Row]) -> Sequence[Row]:
    return rows[:: max(1, len(rows) // SAMPLE)][:SAMPLE]


class Counter:
    """Counts the tokens of texts, by a tokeniser's file or by the number of letters."""

    def __init__(self, file: Path | None):
        from tokenizers import Tokenizer

        self.tokenizer = Tokenizer.from_file(str(file)) if file else None
        if self.tokenizer:
            self.tokenizer.no_truncation()
            self.tokenizer.no_padding()
        self.special = len(self.tokenizer.encode("").ids) if self.tokenizer else 2

    def count(self, texts: Sequence[str]) -> list[int]:
        """Tokens of each text, special ones left out."""
        if self.tokenizer:
            return [len(one.ids) for one in self.tokenizer.encode_batch(list(texts), add_special_tokens=False)]
        letters = LETTERS_WITHOUT_BLANKS if without_blanks(texts) else LETTERS
        return [math.ceil(len(text) / letters) for text in texts]


def sizes(
    content: Content, counter: Counter, head: str, recipe: Recipe, limit: int | None, one_sequence: bool
) -> dict[str, Size]:
    """Split → its size.

    Args:
        content: of the task.
        counter: with the model's tokeniser.
        head: the family's, as `module:Class`.
        recipe: for the greatest lengths and the stride of windows.
        limit: the most tokens that the model can read, if any.
        one_sequence: True where source and target stand in one sequence (decoders).
    """
    return {
        split: _size(rows, texts, content.read, counter, head, recipe, min(recipe.max_length, limit or recipe.max_length), one_sequence)
        for (split, texts), rows in zip(content.sample.items(), content.rows.values(), strict=True)
    }  # fmt: skip


def _size(
    rows: int,
    texts: Sequence[Mapping[str, Any]],
    read: frozenset[str],
    counter: Counter,
    head: str,
    recipe: Recipe,
    most: int,
    one_sequence: bool,
) -> Size:
    inputs = [" ".join(_text(value) for name, value in row.items() if name in read) for row in texts]
    lengths = [count + counter.special for count in counter.count(inputs)]
    targets = [next((_text(value) for name, value in row.items() if name not in read), "") for row in texts]
    written = [0] * len(texts)
    if head == WRITES:
        written = [min(count + 1, recipe.max_target_length) for count in counter.count(targets)]
    features: list[int] = []
    for length, target in zip(lengths, written, strict=True):
        if head in (WINDOWS, SPANS):
            features += _windows(length, most, recipe.doc_stride if head == SPANS else most // 4)
        else:
            features.append(min(length, most) + (target if one_sequence else 0))
    scale = rows / max(1, len(texts))
    together = recipe.micro_batch_size or recipe.batch_size
    batches = [features[start : start + together] for start in range(0, len(features), together)]
    padded = sum(max(batch) * len(batch) for batch in batches)
    return Size(
        features=max(1, round(len(features) * scale)),
        tokens=sum(features) * scale,
        squares=sum(length * length for length in features) * scale,
        longest=max(features, default=0),
        written=sum(written) * scale,
        longest_written=max(written, default=0),
        letters=sum(map(len, inputs)) * scale,
        padding=padded / max(1, sum(features)),
    )


def _windows(length: int, most: int, overlap: int) -> list[int]:
    """The lengths of the windows in which a long row is read."""
    found = [min(length, most)]
    rest = length - most
    while rest > 0:
        found.append(min(most, rest + overlap))
        rest -= max(1, most - overlap)
    return found


def _text(value: Any) -> str:
    return value if isinstance(value, str) else " ".join(value)
