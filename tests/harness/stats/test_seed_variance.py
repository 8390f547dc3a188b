"""The variance over seeds of a column: a known one is recovered, and tests keep their level in the tails."""

from itertools import combinations

import numpy as np
import pytest

from harness.stats.seed_variance import MOST, MeanError, Prior, SeedVariance, _fitted_prior


@pytest.mark.parametrize("degrees", [2.0, 6.0])
@pytest.mark.parametrize("own", [1, 2, 9])
def test_a_known_prior_is_recovered(degrees, own):
    chance = np.random.default_rng(3)
    true = 5.0 * degrees / chance.chisquare(degrees, 20_000)
    found = _fitted_prior([(float(one * chance.chisquare(own) / own), own) for one in true])
    assert found.variance == pytest.approx(5.0, rel=0.08) and found.degrees == pytest.approx(degrees, rel=0.15)


def test_variances_with_different_degrees_are_fitted_together():
    chance = np.random.default_rng(4)
    own = chance.integers(1, 6, 20_000)
    true = 2.0 * 8 / chance.chisquare(8, len(own))
    found = _fitted_prior(list(zip((true * chance.chisquare(own) / own).tolist(), own.tolist(), strict=True)))
    assert found.variance == pytest.approx(2.0, rel=0.05) and found.degrees == pytest.approx(8, rel=0.15)


def test_equal_variances_are_pooled():
    assert _fitted_prior([(1.0, 2), (1.2, 2), (0.8, 4)]) == Prior(pytest.approx((2.0 + 2.4 + 3.2) / 8), np.inf)
    assert _fitted_prior([(1.0, 2)]) is None and _fitted_prior([]) is None


def test_the_posterior_variance_never_gets_smaller():
    assert Prior(4.0, 2.0).posterior(1.0, 2.0) == (2.5, 4.0)
    assert Prior(4.0, 2.0).posterior(9.0, 2.0) == (9.0, 4.0)
    assert Prior(4.0, 2.0).posterior(0.0, 1.0) == (pytest.approx(8 / 3), 3.0)


def seeds(*scores):
    return dict(enumerate(scores))


def test_a_prior_has_no_more_degrees_than_the_other_rows():
    column = {"a": seeds(50.0, 51.0, 53.0), "b": seeds(60.0, 58.0, 61.0)}
    assert SeedVariance(column).prior("a", "b") is None  # there is nobody else
    assert SeedVariance(column).prior("a").degrees == pytest.approx(1.0)  # half of b's two
    column["c"] = seeds(55.0, 56.5, 54.0)
    assert SeedVariance(column).prior("a", "b").degrees == pytest.approx(1.0)
    chance = np.random.default_rng(5)
    column |= {f"d{number}": seeds(*chance.normal(70, 2, 3).tolist()) for number in range(9)}
    assert SeedVariance(column).prior("a", "b").degrees == MOST


def test_rows_without_variance_neither_give_nor_get_a_prior():
    column = {"a": seeds(50.0, 51.0, 53.0), "b": seeds(60.0, 58.0, 61.0), "c": seeds(55.0, 56.5, 54.0)}
    luck, still = (
        SeedVariance(column),
        SeedVariance(column | {"x": seeds(30.0, 30.0, 30.0), "y": seeds(20.0, 20.0, 20.0), "z": {0: 9.0}}),
    )
    assert still.prior("a", "b") == luck.prior("a", "b") and still.prior("a") == luck.prior("a")
    assert still.prior("x", "y") is None and still.prior("x") is None and still.prior("x", "z") is None
    assert still.prior("a", "x") == luck.prior("a")  # the difference varies as a does, not as two would


def test_priors_of_pairs_use_common_seeds():
    column = {"a": seeds(50.0, 51.0, 53.0), "b": seeds(60.0, 58.0, 61.0), "c": {7: 55.0, 8: 56.0, 9: 54.0}}
    assert SeedVariance(column).prior("a", "b") is None and SeedVariance(column).prior("a") is not None


def simulated(kind, count=3, rows=5, columns=3000, prior=True):
    """p values [columns, pairs] of equal models, and of those that differ by three standard errors."""
    chance, found = np.random.default_rng([count, rows]), []
    lucky = np.ones((columns, rows))
    if kind == "unlike":
        lucky = np.exp(chance.normal(0, 0.7, lucky.shape))
    elif kind == "unstable":
        lucky[:, 0] = 3.0
    scores = 3 * lucky[..., None] * chance.normal(size=(columns, rows, count)) + chance.normal(size=(columns, rows, 1))
    for column, own in zip(scores, lucky, strict=True):
        luck = SeedVariance({str(name): dict(enumerate(row)) for name, row in enumerate(column.tolist())})
        for one, other in combinations(range(rows), 2):
            each = column[one] - column[other]
            variance, degrees = float(each.var(ddof=1)), count - 1
            if prior and (known := luck.prior(str(one), str(other))):
                variance, degrees = known.posterior(variance, degrees)
            error, value = MeanError(2.0, 1e9, variance / count, degrees), float(each.mean())
            away = 3 * np.sqrt(2 + 9 * (own[one] ** 2 + own[other] ** 2) / count)
            found.append((error.p(value), error.p(value + away)))
    return np.array(found).reshape(columns, -1, 2).transpose(2, 0, 1)


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["alike", "unlike", "unstable"])
def test_pairs_of_a_column_keep_their_level_in_the_tails(kind):
    """Student's t with Satterthwaite's degrees says p < 0.0005 in more than 1 % of these, and parts every second board."""
    p, away = simulated(kind)
    for level, most in ((0.05, 1.2), (0.005, 1.6), (0.0005, 2.5)):
        assert 0.1 * level <= np.mean(p < level) + 1e-4 <= most * level + 1e-4, level
    boards = p.reshape(len(p) // 5, -1)
    assert np.mean(boards.min(axis=1) * boards.shape[1] < 0.05) <= 0.06
    assert np.mean(away < 0.05) >= 0.55  # 0.40 without the other rows


@pytest.mark.slow
def test_two_rows_alone_never_reject_too_often():
    """Rather less: neither a normal nor Student's t is the whole sum."""
    p, _ = simulated("alike", rows=2, columns=15_000)
    for level, least, most in ((0.05, 0.5, 1.05), (0.005, 0.2, 1.2), (0.0005, 0.0, 1.4)):
        assert least * level <= np.mean(p < level) <= most * level, level
