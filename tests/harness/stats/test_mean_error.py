"""The distribution of an error of two parts, compared with scipy's integrals and Student's t, also in the tails."""

import math
from itertools import pairwise

import numpy as np
import pytest
from scipy import integrate, special, stats

from harness.stats.seed_variance import MeanError

FAR = (0.3, 1.0, 3.0, 10.0, 60.0)


@pytest.mark.parametrize("degrees", [1, 2, 3.7, 9, 200])
def test_a_single_part_is_students_t(degrees):
    for size in FAR:
        for error in (MeanError(4.0, degrees), MeanError(0.0, 99, 4.0, degrees)):
            assert error.p(size) == error.p(-size) == pytest.approx(2 * stats.t.sf(size / 2, degrees), rel=1e-6)
            assert error.degrees == pytest.approx(degrees)


@pytest.mark.parametrize("degrees", [1, 2, 5, 12])
@pytest.mark.parametrize("rows", [0.05, 1.0, 30.0])
def test_two_parts_are_the_sum_of_a_normal_and_a_t(rows, degrees):
    """Another way to the same: the sum's distribution is a convolution."""
    error, level = MeanError(rows, math.inf, 1.0, degrees), stats.t.pdf(0.0, degrees)
    for size in FAR:
        ends = np.linspace(-1, 1, 81) * (size + 12 * math.sqrt(rows))

        def beyond(t, size=size):
            """More than the size, above or below; twice, as the t is symmetric."""
            return (
                2 * level * (1 + t * t / degrees) ** (-(degrees + 1) / 2) * special.ndtr((t - size) / math.sqrt(rows))
            )

        inside = sum(integrate.quad(beyond, a, b, epsabs=0, epsrel=1e-9)[0] for a, b in pairwise(ends))
        outside = integrate.quad(beyond, ends[-1], math.inf, epsabs=0, epsrel=1e-9)[0]
        assert error.p(size) == pytest.approx(inside + outside, rel=1e-6, abs=1e-15)


def test_few_rows_make_p_larger():
    """Where the seeds' part is nothing, or nearly, it is Student's t of the rows."""
    assert MeanError(1.0, 9, 1e-9, 2).p(2.5) == pytest.approx(2 * stats.t.sf(2.5, 9), rel=1e-4)
    assert MeanError(1.0, 9, 0.5, 2).p(2.5) > MeanError(1.0, 900, 0.5, 2).p(2.5)


def test_half_width_is_where_p_is_one_minus_the_level():
    for error in (MeanError(1.0, 300), MeanError(1.0, 300, 2.0, 1), MeanError(0.0, 300, 2.0, 6), MeanError(5.0, 20, 0.1, 3)):
        assert error.p(error.half_width(0.95)) == pytest.approx(0.05, rel=1e-6)
        assert error.p(error.half_width(0.999)) == pytest.approx(0.001, rel=1e-6)
    assert MeanError(1.0, 300, 2.0, 1).half_width(0.95) > MeanError(1.0, 300, 2.0, 6).half_width(0.95) > math.sqrt(3) * 1.96


def test_no_variance_gives_p_of_zero_or_one():
    none = MeanError(0.0, 9)
    assert (none.p(0.0), none.p(0.1), none.half_width(0.95)) == (1.0, 0.0, 0.0) and math.isinf(none.degrees)
