"""Batches hold every feature once, near-equal lengths, and no order from long to short."""

import itertools
import random

from harness.training.batches import evaluation_batches, micro_batches, training_batches

_GENERATOR = random.Random(1)
LENGTHS = [_GENERATOR.randint(3, 60) for _ in range(1003)]


def flat(batches):
    return [number for batch in batches for number in batch]


def test_every_feature_is_in_exactly_one_batch():
    for batches in (training_batches(LENGTHS, 32, 0, 0), evaluation_batches(LENGTHS, 50)):
        assert sorted(flat(batches)) == list(range(len(LENGTHS)))
    assert len(training_batches(LENGTHS, 32, 0, 0)) == 32


def test_seed_and_epoch_decide_the_order():
    assert training_batches(LENGTHS, 32, 0, 0) == training_batches(LENGTHS, 32, 0, 0)
    assert training_batches(LENGTHS, 32, 0, 0) != training_batches(LENGTHS, 32, 0, 1)
    assert training_batches(LENGTHS, 32, 0, 0) != training_batches(LENGTHS, 32, 1, 0)


def test_padding_is_a_small_part_of_what_random_batches_have():
    def padding(batches):
        return sum(max(LENGTHS[number] for number in batch) * len(batch) for batch in batches) - sum(LENGTHS)

    order = list(range(len(LENGTHS)))
    plain = [order[begin : begin + 32] for begin in range(0, len(order), 32)]
    assert padding(training_batches(LENGTHS, 32, 0, 0)) < padding(plain) / 5


def test_training_does_not_run_from_long_to_short():
    means = [sum(LENGTHS[number] for number in batch) / len(batch) for batch in training_batches(LENGTHS, 32, 0, 0)]
    half = len(means) // 2
    assert abs(sum(means[:half]) / half - sum(means[half:]) / (len(means) - half)) < 10
    assert sum(later > earlier for earlier, later in itertools.pairwise(means)) > len(means) / 4


def test_evaluation_begins_with_the_longest():
    first, *_, last = evaluation_batches(LENGTHS, 50)
    assert LENGTHS[first[0]] == max(LENGTHS) and LENGTHS[last[-1]] == min(LENGTHS)


def test_micro_batches():
    assert micro_batches([1, 2, 3, 4, 5], 2) == [[1, 2], [3, 4], [5]]
    assert micro_batches([1, 2, 3], None) == [[1, 2, 3]]
