"""Lengths in tokens: the check counts the rows that the training cuts."""

import pytest
import toy

from harness import registry
from harness.check.lengths import measure_tokens
from harness.store import Store
from harness.task_data import load_data
from harness.training.worker import run_cell

pytestmark = pytest.mark.slow  # each measurement starts a process that imports torch


def long_texts():
    rows = toy.sentiment()
    rows["test"] = [
        {**row, "text": row["text"] + " and so on" * (number % 3)} for number, row in enumerate(rows["test"])
    ]
    return rows


@pytest.mark.parametrize("kind", ["bert", "gpt2"])
def test_truncated_rows_agree_with_a_record(kind, checkpoints, tmp_path):
    cell = toy.cell(checkpoints(kind), toy.task(long_texts), max_length=9, epochs=1)
    data = load_data(cell.task, registry.family("sentiment"))
    tokens = measure_tokens(cell, data.splits)
    run_cell(cell, "cpu", Store(tmp_path), lambda event: None)
    record = Store(tmp_path).record(cell.id)
    assert tokens.truncated == record["task"]["truncated"] and tokens.truncated["test"] > 0
    assert tokens.max_length == 9 and tokens.windows == record["task"]["rows"]
    test = next(one for one in tokens.read if one.split == "test")
    assert test.unit == "tokens" and test.longest > 9
    bare = next(one for one in tokens.columns if (one.column, one.split) == ("text", "test"))
    specials = {"bert": 2, "gpt2": 0}[kind]
    assert test.longest == bare.longest + specials
    assert record["task"]["split_rule"] == "publisher's splits" == data.rule
    assert record["task"]["rows_without_limit"] == record["task"]["rows"] and record["task"]["limit"] is None


def sentences():
    rows = [{"words": ["cat"] * length, "tags": ["O"] * (length - 1) + ["B-X"]} for length in (3, 5, 60)]
    return {"train": rows, "validation": rows, "test": rows}


def test_sentences_are_read_in_windows(checkpoints):
    cell = toy.cell(checkpoints("bert"), toy.task(sentences, "ner"), max_length=24)
    tokens = measure_tokens(cell, load_data(cell.task, registry.family("ner")).splits)
    assert set(tokens.truncated.values()) == {0}
    assert tokens.windows["train"] > 3
    assert [one.longest for one in tokens.read] == [62] * 3
