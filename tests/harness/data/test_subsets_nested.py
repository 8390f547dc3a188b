"""Nested training subsets: each is part of the larger ones, labels are in proportion, and groups are not torn unnecessarily."""

import random
from collections import Counter
from itertools import pairwise

import pytest

from harness.data.subsets import GROUP_CHUNK, nested

SIZES = (2, 3, 7, 20, 50, 51, 150)


def table(seed, count=300, labels=5):
    """Rows whose labels are of unlike frequency, sorted by label as many files are."""
    chance = random.Random(seed)
    weights = [chance.random() + 0.05 for _ in range(labels)]
    found = sorted(chance.choices(range(labels), weights, k=count))
    return [{"n": number, "label": label, "group": number // 3} for number, label in enumerate(found)]


def label(row):
    return row["label"]


def group(row):
    return row["group"]


@pytest.mark.parametrize("how", [{}, {"stratify": label}, {"group": group}])
def test_every_subset_is_a_part_of_the_larger_ones_and_of_the_right_size(how):
    for seed in range(20):
        rows = table(seed)
        subsets = [nested(rows, count, seed=seed, **how) for count in SIZES]
        assert [len(subset) for subset in subsets] == list(SIZES)
        for small, large in pairwise(subsets):
            assert {row["n"] for row in small} < {row["n"] for row in large}
        for subset in subsets:
            assert [row["n"] for row in subset] == sorted(row["n"] for row in subset)
    assert nested(rows, len(rows), seed=1, **how) == nested(rows, 10**6, seed=2, **how) == rows


@pytest.mark.parametrize("how", [{}, {"stratify": label}, {"group": group}])
def test_the_seed_decides_the_rows(how):
    rows = table(3)
    found = [tuple(row["n"] for row in nested(rows, 20, seed=seed, **how)) for seed in range(10)]
    assert len(set(found)) == 10
    assert found[4] == tuple(row["n"] for row in nested(rows, 20, seed=4, **how))
    assert len({n for subset in found for n in subset}) > 100  # not the same few rows in another order


def test_labels_come_once_each_and_then_in_proportion():
    for seed in range(30):
        rows = table(seed)
        counts = Counter(map(label, rows))
        for size in (5, 20, 100, 250):
            inside = Counter(map(label, nested(rows, size, seed=seed, stratify=label)))
            assert set(inside) == set(counts)
            # A label that has its one row beyond its share takes it from the others.
            assert all(abs(inside[one] - count * size / len(rows)) <= 1.5 for one, count in counts.items())
        few = Counter(map(label, nested(rows, 3, seed=seed, stratify=label)))
        assert set(few.values()) == {1} and min(counts[one] for one in few) >= sorted(counts.values())[-3]


def test_no_label_loses_a_row_when_there_are_more():
    """As it may by largest remainder: 6, 6 and 2 of 14 get 4, 4, 2 of 10, and 5, 5, 1 of 11."""
    rows = [{"label": one} for one in "aaaaaabbbbbbcc"]
    for size in range(2, 14):
        before, after = (Counter(map(label, nested(rows, n, seed=0, stratify=label))) for n in (size, size + 1))
        assert not before - after


def test_rows_of_a_group_come_together_but_one_long_group_is_not_all():
    rows = [{"n": n, "group": n // 50} for n in range(500)]  # ten long documents
    subset = nested(rows, 25, seed=0, group=group)
    counts = Counter(map(group, subset))
    assert len(counts) == 25 // GROUP_CHUNK and set(counts.values()) == {GROUP_CHUNK}
    for own in counts:  # neighbours
        numbers = [row["n"] for row in subset if group(row) == own]
        assert numbers == list(range(numbers[0], numbers[0] + GROUP_CHUNK))
    short = [{"n": n, "group": n // 3} for n in range(90)]
    assert set(Counter(map(group, nested(short, 30, seed=1, group=group))).values()) == {3}
