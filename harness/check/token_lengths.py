"""Lengths as a model sees them, and how many rows it has to cut. The work is done in a process of its own, which imports torch."""

from __future__ import annotations

import multiprocessing
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from copy import copy
from dataclasses import dataclass
from typing import Any

from harness.cell import Cell
from harness.check.lengths import Lengths, summary
from harness.family import Row, TaskFamily
from harness.main_module import hidden_main

CHUNK = 2000  # rows encoded together, so that features of a large data set need little memory


@dataclass(frozen=True)
class Tokens:
    """What a model's tokeniser makes of a task.

    Attributes:
        max_length: tokens that the head reads at once: the recipe's, or the model's limit where that is lower.
        read: split → length of a whole row as the head lays it out, special tokens included.
        columns: of each column alone.
        truncated: split → rows that are cut, by the very code that encodes them for training and test.
        windows: split → pieces read, for heads that read long rows in overlapping windows instead of cutting them.
    """

    model: str
    max_length: int
    read: tuple[Lengths, ...]
    columns: tuple[Lengths, ...]
    truncated: Mapping[str, int]
    windows: Mapping[str, int]


def measure(cell: Cell, splits: Mapping[str, Sequence[Row]]) -> Tokens:
    """Tokenise every row in a fresh process.

    Raises:
        BenchError: the model's tokeniser cannot be used.
    """
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        with hidden_main():
            running = pool.submit(_measure, cell, splits)
        return running.result()


def _measure(cell: Cell, splits: Mapping[str, Sequence[Row]]) -> Tokens:
    import transformers

    from harness import registry
    from harness.heads.base import UNLIMITED
    from harness.heads.make import fitted_head

    transformers.utils.logging.set_verbosity_error()  # "longer than the maximum": that is what we are here to count
    family = registry.family(cell.task.family)
    labels = family.labels(splits, cell.task)
    head = fitted_head(cell, family, labels, splits).head
    whole = copy(head)
    whole.max_length = UNLIMITED
    read, columns, truncated, windows = [], [], {}, {}
    for split, rows in splits.items():
        lengths: list[int] = []
        truncated[split] = windows[split] = 0
        for start in range(0, len(rows), CHUNK):
            examples = [family.example(row, cell.task) for row in rows[start : start + CHUNK]]
            longest = [0] * len(examples)
            for feature in whole.encode(examples, training=False):
                longest[feature.example] = max(longest[feature.example], feature.length)
            lengths += longest
            windows[split] += len(head.encode(examples, training=split == "train"))
            truncated[split] += head.truncated
            head.truncated = 0
        read.append(summary("whole row", split, "tokens", lengths))
        columns += _columns(head.tokenizer, split, rows, family)
    return Tokens(
        cell.model.name, head.max_length, tuple(one for one in read if one), tuple(columns), truncated, windows
    )


def _columns(tokenizer: Any, split: str, rows: Sequence[Row], family: TaskFamily) -> list[Lengths]:
    """Lengths of each column alone, special tokens left out."""
    from harness.heads.tokens import glues

    counts: dict[str, list[int]] = {}
    for start in range(0, len(rows), CHUNK):
        texts: dict[str, list[Any]] = {}
        for row in rows[start : start + CHUNK]:
            for name, value in family.texts(row).items():
                texts.setdefault(name, []).append(value if isinstance(value, str) else list(value))
        for name, values in texts.items():
            words = not isinstance(values[0], str)
            if words and glues(tokenizer):
                values, words = [" ".join(value) for value in values], False
            encoded = tokenizer(values, add_special_tokens=False, is_split_into_words=words, verbose=False)
            counts.setdefault(name, []).extend(len(ids) for ids in encoded["input_ids"])
    return [found for name, numbers in counts.items() if (found := summary(name, split, "tokens", numbers))]
