"""Differences with known truth: intervals cover it, tests keep their level, and well-known libraries agree."""

import math

import numpy as np
import pytest
from sacrebleu.metrics import BLEU
from sacrebleu.significance import PairedTest
from scipy import stats
from seqeval.metrics import f1_score

from harness.metrics.additive import Additive, f1_of, mean_of, rows_of
from harness.metrics.counts import bleu_counts
from harness.stats.multiple_tests import holm
from harness.stats.paired import Resampling, TestRows, difference, mean_spread

CHANCE = np.random.default_rng(7)


def right(chance, rows, skill, seeds, spread):
    """[seeds, rows], whether rows are right. Rows differ in difficulty and seeds in luck."""
    luck = chance.normal(0, spread, size=(seeds, 1))
    return chance.random((seeds, len(rows))) < 1 / (1 + np.exp(-(skill + rows + luck)))


def truth(skill, spread):
    """The accuracy over all possible rows and seeds."""
    points = np.random.default_rng(0).normal(size=(2, 400_000))
    return 100 * float(np.mean(1 / (1 + np.exp(-(skill + points[0] * 1.5 + points[1] * spread)))))


@pytest.mark.long
@pytest.mark.parametrize(("seeds", "spread"), [(1, 0.0), (3, 0.0), (3, 0.3), (5, 0.3), (5, 0.8)])
def test_intervals_cover_the_truth_and_tests_keep_their_level(seeds, spread):
    """95 % intervals for two models of different skill, and the level of tests of equal models."""
    times, rows, covered, rejected, tossed = 800, 250, 0, 0, 0
    real = truth(1.0, spread) - truth(0.5, spread)
    for turn in range(times):
        chance = np.random.default_rng([seeds, int(spread * 10), turn])
        hard = chance.normal(0, 1.5, size=rows)
        one, other, same = (
            [mean_of(row) for row in right(chance, hard, skill, seeds, spread)] for skill in (1.0, 0.5, 1.0)
        )
        found = difference(one, other, rows, resamples=300)
        covered += found.low <= real <= found.high
        alike = difference(one, same, rows, resamples=300)
        rejected += alike.p < 0.05
        tossed += alike.p_randomised < 0.05
    assert 0.935 <= covered / times <= 0.97, covered / times
    assert 0.03 <= rejected / times <= 0.065, rejected / times
    if spread == 0.0:  # alone it knows nothing of seeds, and is too sure where they matter
        assert 0.03 <= tossed / times <= 0.07, tossed / times


@pytest.mark.slow
def test_intervals_over_rows_only_are_too_narrow_if_seeds_matter():
    """Intervals over the rows of a single seed miss the mean over seeds."""
    missed = 0
    for turn in range(300):
        chance = np.random.default_rng([99, turn])
        hard = chance.normal(0, 1.5, size=250)
        one, other = ([mean_of(right(chance, hard, 1.0, 1, 0.8)[0])] for _ in range(2))
        missed += difference(one, other, 250, resamples=200).p < 0.05
    assert missed / 300 > 0.3


def test_means_agree_with_scipy():
    one, other = CHANCE.random(400), CHANCE.random(400) + 0.05
    found = difference([mean_of(one)], [mean_of(other)], 400, resamples=9999)
    paired = stats.ttest_rel(100 * one, 100 * other)
    assert found.value == pytest.approx(100 * (one.mean() - other.mean()))
    assert found.p == pytest.approx(paired.pvalue, rel=0.1) and found.degrees == pytest.approx(399)
    low, high = paired.confidence_interval()
    assert (found.low, found.high) == pytest.approx((low, high), abs=0.1)
    bootstrap = stats.bootstrap((100 * (one - other),), np.mean, n_resamples=9999, rng=1)
    assert found.row_error == pytest.approx(bootstrap.standard_error, rel=0.05)
    permuted = stats.permutation_test(
        (one, other), lambda x, y, axis: np.mean(x - y, axis=axis), permutation_type="samples", n_resamples=9999, rng=1
    )
    assert found.p_randomised == pytest.approx(permuted.pvalue, abs=0.015)


def test_mcnemar_is_the_sign_test_of_discordant_rows():
    one, other = CHANCE.random(300) < 0.8, CHANCE.random(300) < 0.7
    found = difference([mean_of(one)], [mean_of(other)], 300)
    only, also = np.sum(one & ~other), np.sum(other & ~one)
    assert found.p_mcnemar == stats.binomtest(int(only), int(only + also)).pvalue
    assert difference([mean_of(CHANCE.random(9))], [mean_of(CHANCE.random(9))], 9).p_mcnemar is None
    assert difference([mean_of(one)] * 2, [mean_of(other)] * 2, 300).p_mcnemar is None


def texts(count):
    words = "the a cat dog house garden sees likes was very good bad in".split()
    golds = [" ".join(CHANCE.choice(words, 9)) for _ in range(count)]

    def noisy(share):
        return [
            " ".join(word if CHANCE.random() > share else str(CHANCE.choice(words)) for word in gold.split())
            for gold in golds
        ]

    return golds, noisy(0.25), noisy(0.32)


def test_bleu_agrees_with_sacrebleus_own_paired_tests():
    golds, one, other = texts(200)
    sides = []
    for side in (one, other):
        rows, bleu = bleu_counts(side, [[gold] for gold in golds])
        sides.append(Additive(np.asarray(rows, float), lambda sums, bleu=bleu: np.apply_along_axis(bleu, -1, sums)))
    found = difference([sides[0]], [sides[1]], 200, resamples=2000)
    bleu = BLEU()
    named = [("one", one), ("other", other)]
    for kind, p in (("ar", found.p_randomised), ("bs", found.p)):
        _, results = PairedTest(named, {"BLEU": bleu}, [golds], test_type=kind, n_samples=2000)()
        scores = results["BLEU"]
        assert scores[0].score - scores[1].score == pytest.approx(found.value, abs=1e-6)
        assert p == pytest.approx(scores[1].p_value, abs=0.02), kind


def test_entity_f1_is_resampled_by_sentences():
    def tags():
        return [list(CHANCE.choice(["O", "B-X", "O", "B-Y"], 6)) for _ in range(60)]

    from harness.metrics.counts import entity_counts

    golds, ours = tags(), tags()
    metric = f1_of(entity_counts(ours, golds))
    times = CHANCE.multinomial(60, np.full(60, 1 / 60), size=20)
    for drawn, score in zip(times, metric.resampled(times.astype(float)), strict=True):
        rows = np.repeat(np.arange(60), drawn)
        assert score == pytest.approx(100 * f1_score([golds[row] for row in rows], [ours[row] for row in rows]))


def test_other_metrics_are_computed_on_each_resample():
    one, other = CHANCE.random(80), CHANCE.random(80)

    def medians(values):
        return rows_of(lambda rows: 100 * float(np.median(values[rows])), 80)

    found = difference([medians(one)], [medians(other)], 80, resamples=100)
    assert found.value == pytest.approx(100 * (np.median(one) - np.median(other)))
    assert found.low < found.value < found.high and found.p_randomised is None and found.p_mcnemar is None


def test_agreement_on_all_rows_still_has_an_interval():
    """Of what is seen in none of 50 rows, the exact 95 % interval reaches to 7.1 of 100."""
    same = mean_of(CHANCE.random(50) < 0.5)
    found = difference([same] * 3, [same] * 3, 50)
    assert (found.value, found.p, found.p_randomised) == (0.0, 1.0, 1.0)
    assert found.high == -found.low == pytest.approx(100 * stats.binomtest(0, 50).proportion_ci(method="exact").high)
    assert math.isinf(found.degrees)


def test_results_are_reproducible():
    one, other = [[mean_of(CHANCE.random(50) < 0.5)] for _ in range(2)]
    assert difference(one, other, 50) == difference(one, other, 50)


def test_holm():
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])  # Holm's own way by hand
    assert holm([0.5, 0.9]) == [1.0, 1.0] and holm([]) == [] and holm([0.2]) == [0.2]


@pytest.mark.parametrize(("rows", "unlike", "least"), [(2, 2, 0.5), (1, 1, 1.0), (200, 3, 0.25), (200, 6, 0.03125)])
def test_p_is_limited_by_the_number_of_rows(rows, unlike, least):
    """All rows on which two differ speak for one of them: an exact test of so few rows gives no smaller p."""
    ours, theirs = np.ones(rows), np.ones(rows)
    theirs[:unlike] = 0
    for seeds in (1, 3):
        found = difference([mean_of(ours)] * seeds, [mean_of(theirs)] * seeds, rows)
        assert found.p >= least == 2 * 0.5**unlike
        assert math.isfinite(found.low) and math.isfinite(found.high) and found.low < found.value < found.high


@pytest.mark.parametrize("rows", [1, 2, 30, 500])
def test_interval_of_agreeing_rows_is_exact(rows):
    drawing = Resampling(rows)
    one = drawing.score(mean_of(np.ones(rows)))
    found = mean_spread(np.array([one.score]), np.array([one.drawn]), TestRows(rows, shares=True))
    exact = stats.binomtest(rows, rows).proportion_ci(method="exact")
    assert found.low == pytest.approx(100 * exact.low)


def test_one_more_error_never_raises_the_lower_end():
    """One row of 200 is wrong: its low end lies below that of none wrong."""
    lows = []
    for wrong in range(6):
        values = np.ones(200)
        values[:wrong] = 0
        one = Resampling(200).score(mean_of(values))
        lows.append(mean_spread(np.array([one.score]), np.array([one.drawn]), TestRows(200, shares=True)).low)
    assert lows == sorted(lows, reverse=True)


@pytest.mark.parametrize("seeds", [1, 2, 3])
def test_one_row_is_never_significant(seeds):
    """Resamples of one row are that row, but for the last bits of sums, which are no variance."""
    ours, theirs = ([bleu_of(["ein Haus"], ["ein Haus am See"])] * seeds for _ in range(2))
    found = difference(ours, theirs, 1)
    assert (found.value, found.p) == (0.0, 1.0) and math.isfinite(found.high)


def bleu_of(predictions, references):
    return rows_of(
        lambda rows: float(BLEU().corpus_score([predictions[r] for r in rows], [[references[r] for r in rows]]).score),
        len(predictions),
    )
