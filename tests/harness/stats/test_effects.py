"""Effect sizes: by hand, compared with scipy, and their intervals on simulated pairs of known truth."""

import numpy as np
import pytest
from scipy import stats

from harness.metrics.additive import f1_of, mean_of
from harness.stats.row_comparison import Effect, odds_ratio, superiority

CHANCE = np.random.default_rng(4)


def test_superiority_is_mann_whitneys_statistic():
    ours, theirs = CHANCE.integers(0, 5, 6), CHANCE.integers(0, 5, 4)
    found = superiority(ours, theirs)
    assert found.value == pytest.approx(stats.mannwhitneyu(ours, theirs).statistic / 24)
    mirrored = superiority(theirs, ours)
    assert (mirrored.low, mirrored.high) == pytest.approx((1 - found.high, 1 - found.low))


def test_three_better_seeds_are_not_significant_but_ten_are():
    three, ten = superiority([4, 5, 6], [1, 2, 3]), superiority(range(10, 20), range(10))
    assert three.value == three.high == 1 and three.low < 0.5 < 0.7 < ten.low
    assert superiority([1], [1]).value == 0.5 and superiority([1], [2]).low == 0


def marks(right, rows=100):
    return mean_of([float(row in right) for row in range(rows)])


def test_the_odds_ratio_of_one_seed_is_exact():
    # Ours alone has 12 rows right, theirs alone 4.
    found = odds_ratio([marks(range(62))], [marks(range(12, 66))], 100)
    share = stats.binomtest(12, 16).proportion_ci(0.95, method="exact")
    assert found.value == pytest.approx(3.0)
    assert (found.low, found.high) == pytest.approx((share.low / (1 - share.low), share.high / (1 - share.high)))
    assert found.low < 1  # McNemar's p is 0.077
    never = odds_ratio([marks(range(60))], [marks(range(50))], 100)
    assert never.value is None and never.high is None and never.low > 1
    assert odds_ratio([marks(range(60))], [marks(range(60))], 100).value == 1.0


def test_the_odds_ratio_of_several_seeds_is_their_geometric_mean():
    found = odds_ratio([marks(range(62)), marks(range(65))], [marks(range(12, 66))] * 2, 100)
    assert found.value == pytest.approx(np.sqrt(12.5 / 4.5 * 12.5 / 1.5))
    assert found.low < found.value < found.high


def test_odds_ratio_is_none_for_other_metrics():
    assert odds_ratio([mean_of([0.5, 1.0])], [mean_of([0.0, 1.0])], 2) is None
    assert odds_ratio([f1_of([[1, 1, 1]])], [f1_of([[1, 1, 2]])], 1) is None


@pytest.mark.parametrize("seeds", [1, 3])
def test_odds_ratio_without_rows_on_one_side_is_unbounded(seeds):
    ours, theirs = [marks(range(180), 200)] * seeds, [marks([], 200)] * seeds
    bound = 0.025 ** (1 / 180)  # Clopper & Pearson: so small a share of ours has 180 of 180 with a chance of 2.5 %
    found = odds_ratio(ours, theirs, 200)
    assert (found.value, found.high) == (None, None) and found.low == pytest.approx(bound / (1 - bound))
    turned = odds_ratio(theirs, ours, 200)
    assert (turned.value, turned.low) == (0, 0) and turned.high == pytest.approx((1 - bound) / bound)
    assert odds_ratio(ours, ours, 200) == Effect(1.0, 0.0, None)


def test_one_seed_without_rows_on_one_side_makes_the_interval_unbounded():
    whole, most, nothing = marks(range(20)), marks(range(1, 20)), marks([0])
    found = odds_ratio([whole, most, most], [marks([]), nothing, nothing], 100)
    assert found.high is None and found.value == pytest.approx((20.5 / 0.5 * (19.5 / 1.5) ** 2) ** (1 / 3))
    one = odds_ratio([most], [nothing], 100)
    assert 0 < found.low <= one.low
    turned = odds_ratio([marks([]), nothing, nothing], [whole, most, most], 100)
    assert turned.low == 0
    assert (turned.value, turned.high) == pytest.approx((1 / found.value, 1 / found.low))
    both = odds_ratio([whole, nothing], [nothing, whole], 100)
    assert (both.low, both.high) == (0, None) and both.value == pytest.approx(1)


def test_seeds_without_discordant_rows_are_left_out():
    ours, theirs = marks(range(62)), marks(range(12, 66))
    assert odds_ratio([ours, ours], [theirs, ours], 100) == odds_ratio([ours], [theirs], 100)


@pytest.mark.slow
@pytest.mark.parametrize("seeds", [2, 3, 5, 10])
@pytest.mark.parametrize("apart", [0.0, 1.0, 2.0])
def test_interval_of_superiority_covers_the_truth(seeds, apart):
    """Wider than it needs to be for few seeds, for there are few values that it can have; never narrower."""
    chance, real, held = np.random.default_rng([seeds, int(apart)]), stats.norm.cdf(apart / np.sqrt(2)), 0
    for _ in range(600):
        found = superiority(chance.normal(apart, 1, seeds), chance.normal(0, 1, seeds))
        held += found.low <= real <= found.high
    assert held / 600 >= 0.94, held / 600


@pytest.mark.long
@pytest.mark.parametrize("seeds", [1, 3, 5])
def test_interval_of_the_odds_ratio_covers_the_truth(seeds):
    spread = 0.0 if seeds == 1 else 0.3

    def right(chance, skill, hard, luck):
        return chance.random((len(luck), len(hard))) < 1 / (1 + np.exp(-(skill + hard + luck[:, None])))

    chance = np.random.default_rng(0)
    hard = chance.normal(0, 1.5, 400_000)
    # The mean logarithm of the ratio over seeds, each with endless many rows.
    one, other = (chance.normal(0, spread, 200) for _ in range(2))
    logs = []
    for our, their in zip(one, other, strict=True):
        some = hard[:40_000]
        a, b = (1 / (1 + np.exp(-(skill + some + luck))) for skill, luck in ((1.0, our), (0.5, their)))
        logs.append(np.log((a * (1 - b)).mean() / (b * (1 - a)).mean()))
    real, held = np.exp(np.mean(logs)), 0
    for turn in range(500):
        chance = np.random.default_rng([seeds, turn])
        hard = chance.normal(0, 1.5, 250)
        sides = [right(chance, skill, hard, chance.normal(0, spread, seeds)) for skill in (1.0, 0.5)]
        found = odds_ratio(*([mean_of(row) for row in side] for side in sides), 250, resamples=300)
        held += found.low <= real <= found.high
    assert 0.93 <= held / 500 <= 0.985, held / 500
