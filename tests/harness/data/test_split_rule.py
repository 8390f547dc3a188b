"""Splits in words, from the very function that makes them."""

import pytest
import toy

from harness import registry
from harness.data.source import GeneratedSource, HubSource
from harness.data.split_rule import split_rule
from harness.task import Task
from harness.task_data import load_data

ROWS = toy.sentiment()["train"]
GROUPED = [{**row, "group": number // 4} for number, row in enumerate(ROWS)]


@pytest.mark.parametrize(
    ("splits", "rule"),
    [
        ({"train": ROWS, "validation": ROWS, "test": ROWS}, "publisher's splits"),
        ({"all": ROWS}, "60/20/20 of all rows, stratified by label, seed 42"),
        ({"train": ROWS}, "60/20/20 of all rows, stratified by label, seed 42"),
        ({"train": ROWS, "test": ROWS}, "validation: 20 % of train, stratified by label, seed 42; the others are the publisher's"),
        ({"train": ROWS, "dev": ROWS}, "test: 20 % of train, stratified by label, seed 42; the others are the publisher's"),
        ({"all": GROUPED}, "60/20/20 of all rows, grouped by group, seed 42"),
    ],
)  # fmt: skip
def test_what_was_done(splits, rule):
    task = Task("t", "sentiment", GeneratedSource(lambda: splits, "x"))
    data = load_data(task, registry.family("sentiment"))
    assert data.rule == rule and set(data.splits) == {"train", "validation", "test"}


def test_a_family_without_labels_and_a_named_group():
    rows = [{"source": f"a {number}", "target": "b", "doc": number // 2} for number in range(20)]
    family = registry.family("translation")
    source = GeneratedSource(lambda: {"all": rows}, "x")
    assert load_data(Task("t", "translation", source), family).rule == "60/20/20 of all rows, seed 42"
    columns = {"source": "source", "target": "target", "group": "doc"}
    assert (
        load_data(Task("t", "translation", source, columns=columns), family).rule
        == "60/20/20 of all rows, grouped by doc, seed 42"
    )


def test_another_split_that_serves_as_test_is_named():
    splits = HubSource("owner/name", splits={"train": "train", "test": "validation"}).splits
    rule = split_rule(["train", "test"], seed=42, stratified=True, group=None, renamed=splits)
    assert rule.startswith("validation: 20 % of train") and rule.endswith("; test is the publisher's validation")
    assert (
        split_rule(["train", "validation", "test"], seed=42, stratified=True, group=None, renamed={"validation": "dev"})
        == "publisher's splits"
    )


def test_a_subset_says_of_how_many_rows():
    task = Task("t", "sentiment", GeneratedSource(lambda: {"all": ROWS}, "x"), limit=8)
    data = load_data(task, registry.family("sentiment"))
    assert {len(rows) for rows in data.splits.values()} == {8}
    assert sum(data.rows_without_limit.values()) == len(ROWS)
