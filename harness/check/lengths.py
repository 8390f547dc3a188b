"""Measure texts: in words or characters, and in a model's tokens as its head reads them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from copy import copy
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from harness.check.repeats import Text, Texts
from harness.main_module import hidden_main

if TYPE_CHECKING:
    from harness.cell import Cell
    from harness.family import Row, TaskFamily

UNSPACED = 15  # characters per word: scripts with blanks between words have far fewer, Chinese and Thai far more
CHUNK = 2000  # rows encoded together, so that features of a large data set need little memory


@dataclass(frozen=True)
class Lengths:
    """The lengths of a column in one split, in words, characters or tokens."""

    column: str
    split: str
    unit: str
    median: int
    p95: int
    longest: int


def lengths(texts: Texts) -> list[Lengths]:
    """Measure each column in words, or in characters if its script has no blanks between words."""
    columns: dict[str, dict[str, list[Text]]] = defaultdict(lambda: defaultdict(list))
    for split, rows in texts.items():
        for _, values in rows:
            for column, value in values.items():
                columns[column][split].append(value)
    measured = []
    for column, by_split in columns.items():
        values = [value for split_values in by_split.values() for value in split_values]
        unspaced = isinstance(values[0], str) and sum(map(len, values)) > UNSPACED * sum(map(_words, values))
        unit, measure = ("characters", len) if unspaced else ("words", _words)
        for split, split_values in by_split.items():
            measured += _summary(column, split, unit, map(measure, split_values))
    return measured


def without_blanks(texts: Iterable[str]) -> bool:
    """Whether a script writes no blanks between words (Chinese, Japanese, Thai), judged by some texts."""
    letters = words = 0
    for text in texts:
        letters, words = letters + len(text), words + len(text.split())
    return letters > UNSPACED * words > 0


def _words(value: Text) -> int:
    return len(value.split()) if isinstance(value, str) else len(value)


def _summary(column: str, split: str, unit: str, numbers: Iterable[int]) -> list[Lengths]:
    """Return the median, 95th percentile (nearest rank) and maximum; nothing for no numbers."""
    ranked = sorted(numbers)
    if not ranked:
        return []
    median, p95 = ranked[(len(ranked) - 1) // 2], ranked[-(-len(ranked) * 95 // 100) - 1]
    return [Lengths(column, split, unit, median, p95, ranked[-1])]


@dataclass(frozen=True)
class Tokens:
    """The tokens that a model reads of a task.

    Attributes:
        max_length: tokens that the head reads at once: the recipe's, or the model's limit if that is lower.
        read: split → length of a whole row as the head lays it out, special tokens included.
        columns: lengths of each column alone, without special tokens.
        truncated: split → rows that are cut, counted by the code that encodes them for training and test.
        windows: split → encoded pieces, for heads that read long rows in overlapping windows instead of cutting them.
    """

    model: str
    max_length: int
    read: tuple[Lengths, ...]
    columns: tuple[Lengths, ...]
    truncated: Mapping[str, int]
    windows: Mapping[str, int]


def measure_tokens(cell: Cell, splits: Mapping[str, Sequence[Row]]) -> Tokens:
    """Tokenise every row, in a process of its own, since that imports torch.

    Raises:
        BenchError: the model's tokeniser cannot be used.
    """
    import multiprocessing  # here, because every family imports this module
    from concurrent.futures import ProcessPoolExecutor

    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        with hidden_main():
            future = pool.submit(_measure_tokens, cell, splits)
        return future.result()


def _measure_tokens(cell: Cell, splits: Mapping[str, Sequence[Row]]) -> Tokens:
    import transformers

    from harness import registry
    from harness.heads.base import UNLIMITED
    from harness.heads.make import fitted_head

    transformers.utils.logging.set_verbosity_error()  # no warnings of texts beyond the maximum: they are counted here
    family = registry.family(cell.task.family)
    head = fitted_head(cell, family, family.labels(splits, cell.task), splits).head
    untruncated = copy(head)
    untruncated.max_length = UNLIMITED
    read: list[Lengths] = []
    columns: list[Lengths] = []
    truncated = dict.fromkeys(splits, 0)
    windows = dict.fromkeys(splits, 0)
    for split, rows in splits.items():
        row_lengths: list[int] = []
        for start in range(0, len(rows), CHUNK):
            examples = [family.example(row, cell.task) for row in rows[start : start + CHUNK]]
            longest = [0] * len(examples)
            for feature in untruncated.encode(examples, training=False):
                longest[feature.example] = max(longest[feature.example], feature.length)
            row_lengths += longest
            windows[split] += len(head.encode(examples, training=split == "train"))
            truncated[split] += head.truncated
            head.truncated = 0
        read += _summary("whole row", split, "tokens", row_lengths)
        columns += _column_tokens(head.tokenizer, split, rows, family)
    return Tokens(cell.model.name, head.max_length, tuple(read), tuple(columns), truncated, windows)


def _column_tokens(tokenizer: Any, split: str, rows: Sequence[Row], family: TaskFamily) -> list[Lengths]:
    """Measure each column alone, without special tokens."""
    from harness.heads.tokens import glues

    counts: dict[str, list[int]] = defaultdict(list)
    for start in range(0, len(rows), CHUNK):
        texts: dict[str, list[Any]] = defaultdict(list)
        for row in rows[start : start + CHUNK]:
            for name, value in family.texts(row).items():
                texts[name].append(value if isinstance(value, str) else list(value))
        for name, values in texts.items():
            words = not isinstance(values[0], str)
            if words and glues(tokenizer):
                values, words = [" ".join(value) for value in values], False
            encoded = tokenizer(values, add_special_tokens=False, is_split_into_words=words, verbose=False)
            counts[name] += map(len, encoded["input_ids"])
    return [summary for name, numbers in counts.items() for summary in _summary(name, split, "tokens", numbers)]
