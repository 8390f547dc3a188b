"""Splits and subsets on many random tables."""

import random
from collections import Counter

import pytest

from harness.data.splits import canonical, complete_splits
from harness.data.subsets import limit
from harness.errors import BenchError

FROZEN = {
    "plain": {"train": [1, 2, 3, 5, 6, 7, 9, 10, 12], "validation": [11, 13, 14], "test": [0, 4, 8]},
    "labels": {"train": [1, 2, 3, 5, 6, 7, 9, 10, 12], "validation": [8, 13, 14], "test": [0, 4, 11]},
    "groups": {"train": [0, 1, 2, 3, 4, 5, 12, 13, 14], "validation": [6, 7, 8], "test": [9, 10, 11]},
}
FROZEN_SUBSET = [1, 2, 8, 10, 11]


def table(rng, rows, labels=3, groups=None):
    """Rows sorted by label, as publishers like to have them; label i is about twice as rare as label i - 1."""
    drawn = sorted(min(int(rng.expovariate(0.7)), labels - 1) for _ in range(rows))
    return [{"n": n, "label": label, "group": rng.randrange(groups) if groups else n} for n, label in enumerate(drawn)]


def label(row):
    return row["label"]


def group(row):
    return row["group"]


def test_one_file_becomes_60_20_20_with_exact_label_shares():
    for seed in range(60):
        rng = random.Random(seed)
        rows = table(rng, rng.randint(20, 400), rng.randint(1, 6))
        made = complete_splits({"all": rows}, seed=seed, stratify=label)
        assert list(made) == ["train", "validation", "test"]
        assert sorted(row["n"] for part in made.values() for row in part) == list(range(len(rows)))
        counts = Counter(map(label, rows))
        for name in ("validation", "test"):
            inside = Counter(map(label, made[name]))
            for one, count in counts.items():
                assert abs(inside[one] - count * 0.2) < 1 or count < 5  # rare labels yield to train
                assert inside[one] < count
            if min(counts.values()) >= 5:
                assert len(made[name]) == round(len(rows) * 0.2)
        assert set(map(label, made["train"])) == set(counts)


def test_a_label_with_one_row_stays_in_train():
    rows = [{"label": "often"}] * 40 + [{"label": "once"}] + [{"label": "twice"}] * 2
    made = complete_splits({"all": rows}, stratify=label)
    assert {"label": "once"} in made["train"]
    assert {"label": "twice"} in made["train"]


def test_rows_keep_their_order_and_another_seed_gives_another_split():
    rows = table(random.Random(0), 200)
    made = [complete_splits({"all": rows}, seed=seed, stratify=label) for seed in (1, 1, 2)]
    assert made[0] == made[1] != made[2]
    assert all([row["n"] for row in part] == sorted(row["n"] for row in part) for part in made[0].values())


def test_the_split_is_the_one_of_all_earlier_releases():
    """Which rows these are is part of every cell whose task we split: a change here makes old records wrong."""
    rows = [{"n": n, "label": n % 2, "group": n // 3} for n in range(15)]
    numbers = {
        name: {split: [row["n"] for row in part] for split, part in complete_splits({"all": rows}, **keys).items()}
        for name, keys in {"plain": {}, "labels": {"stratify": label}, "groups": {"group": group}}.items()
    }
    assert numbers == FROZEN
    assert [row["n"] for row in limit(rows, 5, stratify=label)] == FROZEN_SUBSET


def test_given_splits_are_not_changed():
    train, test = table(random.Random(1), 100), [{"n": -1, "label": 0}]
    made = complete_splits({"train": train, "test": test}, stratify=label)
    assert made["test"] == test
    assert len(made["validation"]) == 20
    assert len(made["train"]) == 80
    given = {"train": train, "dev": test, "test": test}
    assert complete_splits(given) == {"train": train, "validation": test, "test": test}
    assert len(complete_splits({"all": train, "validation": test})["test"]) == 20


def test_groups_never_cross_and_sizes_stay_reasonable():
    for seed in range(60):
        rng = random.Random(seed)
        groups = rng.randint(10, 60)
        rows = table(rng, groups * rng.randint(2, 8), groups=groups)
        for stratify in (None, label):
            made = complete_splits({"all": rows}, seed=seed, group=group, stratify=stratify)
            seen = [set(map(group, part)) for part in made.values()]
            assert not (seen[0] & seen[1] or seen[0] & seen[2] or seen[1] & seen[2])
            assert sum(map(len, made.values())) == len(rows)
            largest = max(Counter(map(group, rows)).values())
            for name, share in {"train": 0.6, "validation": 0.2, "test": 0.2}.items():
                slack = largest if stratify is None else 2 * largest
                assert abs(len(made[name]) - share * len(rows)) <= slack


@pytest.mark.parametrize(
    ("sizes", "expected"),
    [
        ([5, 5, 5], (5, 5, 5)),
        ([10] * 5, (30, 10, 10)),
        ([10] * 10, (60, 20, 20)),
        ([90, 5, 5], (90, 5, 5)),
        ([40, 30, 20, 10], (50, 20, 30)),
    ],
)
def test_few_groups(sizes, expected):
    rows = [{"group": number} for number, size in enumerate(sizes) for _ in range(size)]
    for seed in range(5):
        made = complete_splits({"all": rows}, seed=seed, group=group)
        assert tuple(len(part) for part in made.values()) == expected


def test_held_out_parts_get_large_groups_too():
    rows = [{"group": number} for number in range(50) for _ in range(20 if number < 10 else 2)]
    made = complete_splits({"all": rows}, group=group)
    for part in ("validation", "test"):
        assert sum(number < 10 for number in set(map(group, made[part]))) == 2


def test_grouped_rows_are_stratified_as_far_as_groups_allow():
    rows = [{"group": number, "label": number % 10 == 0} for number in range(100) for _ in range(3)]
    made = complete_splits({"all": rows}, group=group, stratify=label)
    assert {name: sum(map(label, part)) for name, part in made.items()} == {"train": 18, "validation": 6, "test": 6}


@pytest.mark.parametrize(
    ("splits", "keys", "words"),
    [
        ({"test": [{}]}, {}, "no train split among test"),
        ({}, {}, "no train split"),
        ({"train": [{}] * 9, "all": [{}]}, {}, "both given"),
        ({"train": [{}] * 9, "tset": [{}]}, {}, "unknown split 'tset'; did you mean 'test'"),
        ({"train": [{}] * 9, "dev": [{}], "val": [{}]}, {}, "two names for one split"),
        ({"train": [{}] * 9, "dev": [{}], "test": []}, {}, "split test has no rows; "),
        ({"all": [{}] * 2}, {}, "2 rows in train are too few"),
        ({"all": [{"group": 1}] * 50}, {"group": group}, r"1 group\(s\)"),
        ({"all": [{"label": n} for n in range(9)]}, {"stratify": label}, "no label occurs twice"),
    ],
)
def test_tables_that_cannot_be_split(splits, keys, words):
    with pytest.raises(BenchError, match=words):
        complete_splits(splits, **keys)


def test_canonical_names():
    assert canonical({"Train": 1, "dev": 2, "TEST": 3}) == {"train": 1, "validation": 2, "test": 3}


def test_subsets_are_stratified_seeded_and_in_order():
    for seed in range(60):
        rng = random.Random(seed)
        rows = table(rng, rng.randint(30, 300), 4)
        n = rng.randint(4, len(rows) - 1)
        subset = limit(rows, n, seed=seed, stratify=label)
        assert len(subset) == n
        assert subset == limit(rows, n, seed=seed, stratify=label)
        assert [row["n"] for row in subset] == sorted(row["n"] for row in subset)
        counts, inside = Counter(map(label, rows)), Counter(map(label, subset))
        assert all(abs(inside[one] - count * n / len(rows)) < 1 for one, count in counts.items())


def test_subset_of_everything_and_of_nothing():
    rows = [{"n": n} for n in range(5)]
    assert limit(rows, 5) == limit(rows, 99) == rows
    assert len(limit(rows, 2)) == 2
    with pytest.raises(BenchError, match="limit is 0"):
        limit(rows, 0)


def same(row):
    return (row["text"],)


def test_equal_texts_stay_in_one_split_and_labels_keep_their_shares():
    for seed in range(40):
        rng = random.Random(seed)
        rows = table(rng, 400, 3)
        for row in rows:  # a fifth of the rows repeats another one
            row["text"] = f"text {row['n'] if rng.random() > 0.2 else rng.randrange(20)}"
        made = complete_splits({"all": rows}, seed=seed, stratify=label, same=same)
        parts = [{row["text"] for row in part} for part in made.values()]
        assert sum(map(len, parts)) == len(set.union(*parts))
        assert sorted(row["n"] for part in made.values() for row in part) == list(range(len(rows)))
        counts = Counter(map(label, rows))
        for name in ("validation", "test"):
            assert abs(len(made[name]) - 80) <= 4
            inside = Counter(map(label, made[name]))
            assert all(abs(inside[one] - count * 0.2) <= 12 for one, count in counts.items())
        assert set(map(label, made["train"])) == set(counts)


def test_without_equal_texts_nothing_changes():
    for seed in range(20):
        rng = random.Random(seed)
        rows = [{**row, "text": str(row["n"])} for row in table(rng, 200, 4, groups=30)]
        for how in ({"stratify": label}, {}, {"group": group}):
            assert complete_splits({"all": rows}, seed=seed, **how) == complete_splits(
                {"all": rows}, seed=seed, same=same, **how
            )


def test_rows_without_text_are_not_equal_texts():
    rows = [{"text": "", "label": n % 2} for n in range(50)]
    made = complete_splits({"all": rows}, stratify=label, same=lambda row: ())
    assert [len(part) for part in made.values()] == [30, 10, 10]


def test_groups_with_a_row_in_common_are_joined_unless_that_joins_all():
    rows = [{"n": n, "group": n // 5, "text": str(n)} for n in range(500)]
    for n in (3, 8):  # of groups 0 and 1
        rows[n]["text"] = "the same"
    made = complete_splits({"all": rows}, group=group, same=same)
    where = {row["group"]: name for name, part in made.items() for row in part}
    assert where[0] == where[1] and len(where) == 100
    for row in rows[::5]:
        row["text"] = "a heading"  # in every group
    made = complete_splits({"all": rows}, group=group, same=same)
    assert {len(part) for part in made.values()} == {300, 100}


def test_one_text_on_most_rows_leaves_no_split_short_and_takes_no_time():
    rows = [{"n": n, "label": n % 2, "text": "the same" if n % 5 else str(n)} for n in range(100_000)]
    made = complete_splits({"all": rows}, stratify=label, same=same)
    assert [len(part) for part in made.values()] == [86_668, 6_666, 6_666]  # a third each of the rows that can be moved
    assert not any(row["text"] == "the same" for name in ("validation", "test") for row in made[name])
