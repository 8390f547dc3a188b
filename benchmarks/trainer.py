"""The reference side of the agreement test: `transformers.Trainer`, written as the library's own examples are.

On purpose nothing here comes from the harness: a mistake in its heads, batches or loop must not be copied along. The
three functions follow run_classification, run_ner and run_qa of the transformers repository.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any

import numpy as np
from datasets import Dataset
from fit import Score, Way, fit
from transformers import (
    AutoModelForQuestionAnswering,
    AutoModelForSequenceClassification,
    AutoModelForTokenClassification,
    AutoTokenizer,
    DataCollatorForTokenClassification,
    DataCollatorWithPadding,
    set_seed,
)

Rows = Sequence[dict[str, Any]]


def classify(model: str, splits: dict[str, Rows], recipe: Any, seed: int, way: Way, score: Score) -> list[str]:
    """A label for each test text."""
    set_seed(seed)
    tokenizer = AutoTokenizer.from_pretrained(model)
    labels = sorted({row["label"] for row in splits["train"]})

    def encode(rows: Rows) -> Dataset:
        encoded = tokenizer([row["text"] for row in rows], truncation=True, max_length=recipe.max_length)
        return Dataset.from_dict({**encoded, "label": [labels.index(row["label"]) for row in rows]})

    def names(logits: np.ndarray) -> list[str]:
        return [labels[number] for number in logits.argmax(-1)]

    network = AutoModelForSequenceClassification.from_pretrained(model, num_labels=len(labels))
    collator = DataCollatorWithPadding(tokenizer, pad_to_multiple_of=way.pad_to)
    data = {name: encode(rows) for name, rows in splits.items()}
    return names(fit(network, tokenizer, collator, data, recipe, seed, way, lambda logits: score(names(logits))))


def tag(model: str, splits: dict[str, Rows], recipe: Any, seed: int, way: Way, score: Score) -> list[list[str]]:
    """A tag for each word of each test sentence; only a word's first token has a label.

    The examples cut long sentences, and score the words that are left. Here all words are scored: one that was cut is
    `O`, for nothing was predicted for it. How many there are is printed, and kept as `cut_words` for the test split.
    """
    set_seed(seed)
    tokenizer = AutoTokenizer.from_pretrained(model)
    labels = sorted({tag for row in splits["train"] for tag in row["tags"]})

    def encode(rows: Rows) -> tuple[Dataset, list[dict[int, int]]]:
        words = [row["words"] for row in rows]
        encoded = tokenizer(words, is_split_into_words=True, truncation=True, max_length=recipe.max_length)
        aligned, places = [], []
        for number, row in enumerate(rows):
            first: dict[int, int] = {}  # word → its first token
            numbers = encoded.word_ids(batch_index=number)
            for token, word in enumerate(numbers):
                if word is not None:
                    first.setdefault(word, token)
            ids = [-100] * len(numbers)
            for word, token in first.items():
                if row["tags"][word] in labels:
                    ids[token] = labels.index(row["tags"][word])
            aligned.append(ids)
            places.append(first)
        return Dataset.from_dict({**encoded, "labels": aligned}), places

    def read(split: str, logits: np.ndarray) -> list[list[str]]:
        best = logits.argmax(-1)
        return [
            [labels[best[number][first[word]]] if word in first else "O" for word in range(len(row["words"]))]
            for number, (row, first) in enumerate(zip(splits[split], places[split], strict=True))
        ]

    network = AutoModelForTokenClassification.from_pretrained(model, num_labels=len(labels))
    collator = DataCollatorForTokenClassification(tokenizer, pad_to_multiple_of=way.pad_to)
    data, places, cut = {}, {}, {}
    for name, rows in splits.items():
        data[name], places[name] = encode(rows)
        cut[name] = sum(len(row["words"]) - len(first) for row, first in zip(rows, places[name], strict=True))
        if cut[name]:
            words = sum(len(row["words"]) for row in rows)
            print(f"{name}: {cut[name]} of {words} words were cut; they count as O", file=sys.stderr)
    logits = fit(network, tokenizer, collator, data, recipe, seed, way,
                 lambda logits: score(read("validation", logits)))  # fmt: skip
    way.figures["cut_words"] = cut["test"]
    return read("test", logits)


def answer(model: str, splits: dict[str, Rows], recipe: Any, seed: int, way: Way, score: Score) -> list[str]:
    """An answer for each test question: overlapping windows, the best span over all windows of an example; none where
    the begin token is better in every window, if the training rows have questions without answer."""
    set_seed(seed)
    tokenizer = AutoTokenizer.from_pretrained(model)
    abstains = any(not row["answers"]["text"] for row in splits["train"])

    def windows(rows: Rows) -> tuple[Dataset, list[tuple[int, int, list[tuple[int, int] | None]]]]:
        encoded = tokenizer(
            [row["question"].lstrip() for row in rows], [row["context"] for row in rows], truncation="only_second",
            max_length=recipe.max_length, stride=recipe.doc_stride, return_overflowing_tokens=True, return_offsets_mapping=True,
        )  # fmt: skip
        owners, offsets = encoded.pop("overflow_to_sample_mapping"), encoded.pop("offset_mapping")
        starts, ends, places = [], [], []
        for window, owner in enumerate(owners):
            sides = encoded.sequence_ids(window)
            inside = [pair if side == 1 else None for pair, side in zip(offsets[window], sides, strict=True)]
            cls = encoded["input_ids"][window].index(tokenizer.cls_token_id)
            places.append((owner, cls, inside))
            answers = rows[owner]["answers"]
            # No answer lies before every window.
            begin, text = next(zip(answers["answer_start"], answers["text"], strict=True), (-1, ""))
            end = begin + len(text)
            context = [token for token, pair in enumerate(inside) if pair]
            if inside[context[0]][0] > begin or inside[context[-1]][1] < end:
                starts.append(cls)
                ends.append(cls)
            else:
                starts.append(max(token for token in context if inside[token][0] <= begin))
                ends.append(min(token for token in context if inside[token][1] >= end))
        return Dataset.from_dict({**encoded, "start_positions": starts, "end_positions": ends}), places

    def read(rows: Rows, places: list, logits: tuple[np.ndarray, np.ndarray]) -> list[str]:
        best, none = [(-np.inf, "")] * len(rows), [np.inf] * len(rows)
        for (owner, cls, inside), start_logits, end_logits in zip(places, *logits, strict=True):
            none[owner] = min(none[owner], start_logits[cls] + end_logits[cls])
            for start in np.argsort(start_logits[: len(inside)])[-recipe.n_best :]:
                for end in np.argsort(end_logits[: len(inside)])[-recipe.n_best :]:
                    if not inside[start] or not inside[end] or not 0 <= end - start < recipe.max_answer_length:
                        continue
                    total = start_logits[start] + end_logits[end]
                    if total > best[owner][0]:
                        best[owner] = total, rows[owner]["context"][inside[start][0] : inside[end][1]]
        return ["" if abstains and none > total else text for (total, text), none in zip(best, none, strict=True)]

    data, places = {}, {}
    for name, rows in splits.items():
        data[name], places[name] = windows(rows)
    network = AutoModelForQuestionAnswering.from_pretrained(model)
    collator = DataCollatorWithPadding(tokenizer, pad_to_multiple_of=way.pad_to)
    logits = fit(network, tokenizer, collator, data, recipe, seed, way,
                  lambda logits: score(read(splits["validation"], places["validation"], logits)))  # fmt: skip
    return read(splits["test"], places["test"], logits)


BY_FAMILY = {"sentiment": classify, "text-classification": classify, "ner": tag, "qa": answer}
