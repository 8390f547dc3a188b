"""Batches hold every feature once, in an order that seed and epoch decide."""

import random

from harness.training.batches import evaluation_batches, micro_batches, training_batches

_GENERATOR = random.Random(1)
LENGTHS = [_GENERATOR.randint(3, 60) for _ in range(1003)]


def flat(batches):
    return [number for batch in batches for number in batch]


def test_every_feature_is_in_exactly_one_batch():
    for batches in (training_batches(len(LENGTHS), 32, 0, 0), evaluation_batches(LENGTHS, 50)):
        assert sorted(flat(batches)) == list(range(len(LENGTHS)))
    assert len(training_batches(len(LENGTHS), 32, 0, 0)) == 32


def test_seed_and_epoch_decide_the_order():
    assert training_batches(len(LENGTHS), 32, 0, 0) == training_batches(len(LENGTHS), 32, 0, 0)
    assert training_batches(len(LENGTHS), 32, 0, 0) != training_batches(len(LENGTHS), 32, 0, 1)
    assert training_batches(len(LENGTHS), 32, 0, 0) != training_batches(len(LENGTHS), 32, 1, 0)


def test_evaluation_begins_with_the_longest():
    first, *_, last = evaluation_batches(LENGTHS, 50)
    assert LENGTHS[first[0]] == max(LENGTHS) and LENGTHS[last[-1]] == min(LENGTHS)


def test_micro_batches():
    assert micro_batches([1, 2, 3, 4, 5], 2) == [[1, 2], [3, 4], [5]]
    assert micro_batches([1, 2, 3], None) == [[1, 2, 3]]
