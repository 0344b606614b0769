"""Softmax and its inverse: with a pencil, at the limits of floats, and their laws."""

import math
import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from attention.core import scores_for, softmax

E = math.e
INF = math.inf


def test_softmax_of_0_and_1_is_1_and_e_over_their_sum():
    np.testing.assert_allclose(softmax([0.0, 1.0]), np.array([1, E]) / (1 + E), rtol=1e-15)


def test_temperature_divides_the_scores():
    np.testing.assert_allclose(softmax([0.0, 2.0], temperature=2), np.array([1, E]) / (1 + E))
    sharp = softmax([0.0, 1.0], temperature=0.5)
    np.testing.assert_allclose(sharp, np.array([1, E**2]) / (1 + E**2))


def test_softmax_works_along_any_axis():
    columns = softmax([[0.0, 5.0], [1.0, 5.0]], axis=0)
    np.testing.assert_allclose(columns, [[1 / (1 + E), 0.5], [E / (1 + E), 0.5]])


@pytest.mark.parametrize(
    ("scores", "weights"),
    [
        ([1e4, 0.0], [1, 0]),
        ([-1e4, -1e4], [0.5, 0.5]),
        ([1e4, 1e4, -1e4], [0.5, 0.5, 0]),
        ([-INF, 3.0], [0, 1]),
        ([-INF, -INF], [0, 0]),
        ([7.0], [1]),
        ([], []),
    ],
)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_softmax_of_extreme_scores(scores, weights, dtype):
    result = softmax(np.array(scores, dtype))
    assert result.dtype == dtype
    np.testing.assert_array_equal(result, weights)


def test_softmax_over_the_whole_range_of_floats():
    for dtype in (np.float16, np.float32, np.float64):
        limits = np.finfo(dtype)
        np.testing.assert_array_equal(softmax(np.array([limits.max, limits.min])), [1, 0])


@pytest.mark.parametrize("temperature", [5e-324, 1e-50, 1e-30])
def test_the_coldest_temperature_picks_the_largest_score(temperature):
    for dtype in (np.float32, np.float64):
        scores = np.array([1, 2, -INF, 2], dtype)
        np.testing.assert_array_equal(softmax(scores, temperature=temperature), [0, 0.5, 0, 0.5])


@pytest.mark.parametrize("temperature", [1e50, 1e308])
def test_the_hottest_temperature_weighs_all_that_take_part_alike(temperature):
    for dtype in (np.float32, np.float64):
        scores = np.array([1, 2, -INF], dtype)
        np.testing.assert_allclose(softmax(scores, temperature=temperature), [0.5, 0.5, 0])


def test_nan_stays_visible():
    assert np.isnan(softmax([np.nan, 0.0])).all()
    assert np.isnan(softmax([INF, INF])).all()


@pytest.mark.parametrize("temperature", [0, -1, math.nan, INF, -INF])
def test_temperature_must_be_positive_and_finite(temperature):
    with pytest.raises(ValueError, match=str(temperature)):
        softmax([0.0, 1.0], temperature=temperature)


def test_softmax_refuses_a_bare_number_and_what_is_not_real():
    with pytest.raises(ValueError, match=re.escape("()")):
        softmax(1.0)
    for odd in ([1j], ["a"], [None]):
        with pytest.raises(ValueError, match=str(np.asarray(odd).dtype)):
            softmax(odd)


def test_scores_for_undoes_softmax():
    weights = [0.35, 0.30, 0.15, 0.20, 0.0]
    scores = scores_for(weights)
    assert np.isfinite(scores).all()
    np.testing.assert_allclose(softmax(scores), weights, atol=1e-15)


# laws


def rows(low=-50.0, high=50.0, *, min_side=1):
    shapes = hnp.array_shapes(min_dims=1, max_dims=3, min_side=min_side, max_side=5)
    return hnp.arrays(np.float64, shapes, elements=st.floats(low, high))


@settings(deadline=None)
@given(rows(-1e4, 1e4), st.floats(1e-6, 1e6))
def test_rows_sum_to_1_and_are_never_negative(scores, temperature):
    weights = softmax(scores, temperature=temperature)
    assert (weights >= 0).all()
    np.testing.assert_allclose(weights.sum(axis=-1), 1, rtol=1e-12)


@settings(deadline=None)
@given(rows(), st.floats(-1e3, 1e3))
def test_adding_a_constant_to_a_row_changes_nothing(scores, constant):
    np.testing.assert_allclose(softmax(scores + constant), softmax(scores), rtol=1e-9, atol=1e-12)
