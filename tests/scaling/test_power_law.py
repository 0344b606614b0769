import math

import numpy as np
import pytest

from attention.scaling.power_law import fit, student_t_quantile


@pytest.mark.parametrize(
    ("freedom", "quantile"),
    [(1, 12.706), (2, 4.303), (3, 3.182), (5, 2.571), (10, 2.228), (30, 2.042), (120, 1.980)],
)
def test_student_t_quantiles_of_the_textbook(freedom, quantile):
    assert student_t_quantile(0.975, freedom) == pytest.approx(quantile, abs=5e-4)


def test_student_t_quantiles_in_closed_form():
    for p in (0.5, 0.9, 0.95, 0.999):
        assert student_t_quantile(p, 1) == pytest.approx(math.tan(math.pi * (p - 0.5)))
        two = (2 * p - 1) / math.sqrt(2 * p * (1 - p))
        assert student_t_quantile(p, 2) == pytest.approx(two)


@pytest.mark.parametrize(
    ("freedom", "quantiles"),
    [
        (1, (3.07768353718, 12.7062047362, 318.308838986)),
        (2, (1.88561808316, 4.30265272975, 22.3271247701)),
        (3, (1.6377443537, 3.18244630528, 10.2145318524)),
        (4, (1.53320627406, 2.7764451052, 7.17318221978)),
        (7, (1.41492392765, 2.36462425159, 4.78528962864)),
        (12, (1.35621733402, 2.17881282967, 3.92963326463)),
        (29, (1.3114336473, 2.04522964213, 3.39624028836)),
        (60, (1.29582109352, 2.00029782201, 3.23170912602)),
    ],
)
def test_student_t_quantiles_are_scipys(freedom, quantiles):
    """`scipy.stats.t.ppf` of 1.17.1. The library itself would be 143 MB and a second BLAS."""
    found = [student_t_quantile(p, freedom) for p in (0.9, 0.975, 0.999)]
    assert found == pytest.approx(quantiles, rel=1e-11)


def test_a_fit_is_scipys():
    """`scipy.stats.linregress` of 1.17.1 on the logarithms, and its interval."""
    trend = fit([1000, 1500, 2000, 3000, 4000, 8000], [0.011, 0.026, 0.041, 0.1, 0.17, 0.66])
    assert trend.exponent == pytest.approx(1.9651611548957468, rel=1e-12)
    assert (trend.low, trend.high) == pytest.approx((1.892668342116552, 2.0376539676749417))
    assert trend.intercept == pytest.approx(-18.07025055771219, rel=1e-12)
    assert trend.predict(16_000).seconds == pytest.approx(2.5939594136154214)


@pytest.mark.parametrize(("probability", "freedom"), [(0.4, 3), (1.0, 3), (0.9, 0)])
def test_student_t_refuses_what_has_no_quantile(probability, freedom):
    with pytest.raises(ValueError, match=str(probability)):
        student_t_quantile(probability, freedom)


@pytest.mark.parametrize("exponent", [1.0, 2.0, 2.5])
def test_an_exact_power_law_is_found_exactly(exponent):
    lengths = [1000, 1500, 2000, 3000, 4000]
    trend = fit(lengths, [3e-9 * n**exponent for n in lengths])
    assert trend.lengths == tuple(lengths)
    np.testing.assert_allclose([trend.exponent, trend.low, trend.high], exponent)
    assert trend.constant == pytest.approx(3e-9)
    np.testing.assert_allclose(trend.predict(1e6), 3e-9 * 1e6**exponent)


def test_intervals_by_hand():
    """x = 0, 1, 2, 3 and y = x + d * (1, -1, -1, 1): slope 1, S = 5, squares 4 d^2, freedom 2."""
    d = 0.3
    trend = fit(np.exp([0, 1, 2, 3]), np.exp([d, 1 - d, 2 - d, 3 + d]))
    assert trend.exponent == pytest.approx(1)
    assert trend.constant == pytest.approx(1)
    assert trend.residual == pytest.approx(d * math.sqrt(2))
    margin = 4.302653 * trend.residual / math.sqrt(5)
    assert (trend.low, trend.high) == pytest.approx((1 - margin, 1 + margin))
    middle = trend.predict(math.exp(1.5))  # at the mean of x only 1 + 1/m remains of the root
    factor = math.exp(4.302653 * trend.residual * math.sqrt(1 + 1 / 4))
    assert middle.seconds == pytest.approx(math.exp(1.5))
    assert middle.low == pytest.approx(middle.seconds / factor)
    assert middle.high == pytest.approx(middle.seconds * factor)


def test_a_hopeless_scatter_gives_a_hopeless_interval_and_no_overflow():
    far = fit([100, 101, 102, 103], [1e-9, 1.0, 1e-9, 1e3]).predict(1e6)
    assert far.low < 1e-100
    assert 1e100 < far.high < math.inf


def test_only_lengths_of_an_eighth_of_the_longest_count():
    lengths = [64, 128, 256, 499, 500, 1000, 2000, 4000]
    assert fit(lengths, lengths).lengths == (500, 1000, 2000, 4000)


def test_four_points_are_used_where_there_are_four():
    assert fit([1, 10, 100, 1000, 10_000], [1, 2, 3, 4, 5]).lengths == (10, 100, 1000, 10_000)
    assert fit([1, 2, 4, 8], [1, 2, 3, 4]).lengths == (1, 2, 4, 8)


def test_the_order_of_the_points_does_not_matter():
    assert fit([4, 1, 2, 3], [17, 1, 4, 9]) == fit([1, 2, 3, 4], [1, 4, 9, 17])


@pytest.mark.parametrize("lengths", [[], [8], [8, 16, 32], [8, 16, 32, 32]])
def test_too_few_different_lengths_give_no_fit(lengths):
    assert fit(lengths, [1.0] * len(lengths)) is None


def test_what_has_no_logarithm_is_refused():
    with pytest.raises(ValueError, match="2 lengths but 1 times"):
        fit([1, 2], [1.0])
    with pytest.raises(ValueError, match="positive"):
        fit([1, 2, 4], [1.0, 0.0, 2.0])


def test_intervals_hold_what_they_promise():
    """Of 2000 noisy sweeps 95 % hold the slope and the next point, give or take 3 errors."""
    rng = np.random.default_rng(0)
    lengths = np.array([512, 768, 1024, 1536, 2048, 3072, 4096])
    slopes = points = 0
    for _ in range(2000):
        trend = fit(lengths, 1e-9 * lengths**2 * np.exp(rng.normal(0, 0.1, lengths.size)))
        slopes += trend.low <= 2 <= trend.high
        far = trend.predict(100_000)
        points += far.low <= 1e-9 * 100_000**2 * np.exp(rng.normal(0, 0.1)) <= far.high
    error = math.sqrt(0.95 * 0.05 / 2000)
    assert slopes / 2000 == pytest.approx(0.95, abs=3 * error)
    assert points / 2000 == pytest.approx(0.95, abs=3 * error)
