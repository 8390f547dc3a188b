"""Batches hold every feature once, in an order that seed and epoch decide."""

import random

from harness.training.batches import evaluation_batches, pieces, training_batches

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


def test_evaluation_computes_no_more_tokens_at_once_than_it_may():
    batches = evaluation_batches(LENGTHS, 500, tokens=700)
    assert sorted(flat(batches)) == list(range(len(LENGTHS)))
    sizes = [len(batch) * LENGTHS[batch[0]] for batch in batches]  # the first of a batch is its longest
    assert max(sizes) <= 700 and min(sizes[:-1]) > 700 - max(LENGTHS)
    assert max(map(len, evaluation_batches(LENGTHS, 9, tokens=700))) == 9
    assert evaluation_batches([5, 1000], 50, tokens=700) == [[1], [0]]


def test_pieces_hold_the_batch_longest_first():
    batch = list(range(40))
    for size, extra in ((None, None), (7, None), (None, 10.0), (3, 10.0)):
        cut = pieces(batch, LENGTHS, size, extra)
        assert sorted(flat(cut)) == batch
        lengths = [LENGTHS[number] for number in flat(cut)]
        assert lengths == sorted(lengths, reverse=True)
        assert size is None or max(map(len, cut)) <= size
    assert len(pieces(batch, LENGTHS, None, None)) == 1
    assert [len(piece) for piece in pieces(batch, LENGTHS, 16, None)] == [16, 16, 8]


def test_pieces_save_padding_as_long_as_that_is_worth_it():
    batch, lengths = list(range(32)), [10] * 30 + [60] * 2

    def computed(extra):
        return sum(
            len(piece) * max(lengths[number] for number in piece) for piece in pieces(batch, lengths, None, extra)
        )

    assert computed(None) == 32 * 60
    assert computed(20.0) == 2 * 60 + 30 * 10
    assert computed(1e6) == 32 * 60
