"""The parts of a transformer besides attention, against math.erf and by hand."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import attention
from attention.models.layers import (
    gelu_in_place,
    layer_norm,
    merge_heads,
    softmax_rows_in_place,
    split_heads,
)


def slow_gelu(x):
    return np.array([v * (1 + math.erf(v / math.sqrt(2))) / 2 for v in x.ravel()]).reshape(x.shape)


# The approximation of Phi is off by up to 8e-8, times x; float32 at 10 is spaced 1e-6 besides.
@pytest.mark.parametrize(("dtype", "error"), [(np.float32, 1e-6), (np.float64, 3e-7)])
def test_gelu_is_x_times_the_normal_distribution(dtype, error):
    x = np.linspace(-10, 10, 20_001).astype(dtype)
    expected = slow_gelu(x.astype(float))
    result = gelu_in_place(x.copy())
    assert result.dtype == dtype
    np.testing.assert_allclose(result, expected, rtol=0, atol=error)


def test_gelu_by_hand():
    # Phi(0) = 1/2, Phi(1) = 0.841345; far out it is 0 on the left and x on the right.
    x = np.array([0, 1, -1, 1e4, -1e4])
    np.testing.assert_allclose(gelu_in_place(x), [0, 0.841345, -0.158655, 1e4, 0], atol=1e-6)


@pytest.mark.parametrize("size", [0, 1, 16_383, 16_384, 16_385, 50_000])
def test_gelu_at_the_edges_of_its_blocks(size):
    x = np.random.default_rng(size).normal(size=size, scale=3).astype(np.float32)
    expected = slow_gelu(x.astype(float))
    result = gelu_in_place(x)
    assert result is x
    np.testing.assert_allclose(result, expected, rtol=0, atol=1e-6)


def test_gelu_keeps_the_shape():
    x = np.random.default_rng(0).normal(size=(3, 4, 5))
    expected = slow_gelu(x)
    np.testing.assert_allclose(gelu_in_place(x), expected, atol=1e-6)


def test_layer_norm_by_hand():
    # Mean 4, variance (9 + 1 + 1 + 9) / 4 = 5; with eps 4 the divisor is 3.
    x = np.array([[1.0, 3.0, 5.0, 7.0]])
    gain, bias = np.array([1.0, 1.0, 3.0, 1.0]), np.array([0.0, 0.0, 0.0, 10.0])
    np.testing.assert_allclose(layer_norm(x, gain, bias, eps=4.0), [[-1, -1 / 3, 1, 11]])


def test_layer_norm_of_equal_numbers_is_the_bias():
    result = layer_norm(np.full((2, 3), 7.0), np.ones(3), np.array([1.0, 2.0, 3.0]), eps=1e-12)
    np.testing.assert_array_equal(result, [[1, 2, 3]] * 2)


def test_layer_norm_leaves_its_input_alone_and_keeps_float32():
    x = np.random.default_rng(0).normal(size=(2, 3, 8)).astype(np.float32)
    before = x.copy()
    gain, bias = np.ones(8, np.float32), np.zeros(8, np.float32)
    result = layer_norm(x, gain, bias, 1e-12)
    assert result.dtype == np.float32
    np.testing.assert_array_equal(x, before)
    np.testing.assert_allclose(result.mean(axis=-1), 0, atol=1e-6)
    np.testing.assert_allclose(result.std(axis=-1), 1, atol=1e-6)


def test_each_head_gets_its_own_consecutive_columns():
    x = np.array([[1, 2, 3, 4], [5, 6, 7, 8]])  # two tokens, two heads of width 2
    np.testing.assert_array_equal(split_heads(x, 2), [[[1, 2], [5, 6]], [[3, 4], [7, 8]]])


@settings(deadline=None)
@given(st.integers(0, 5), st.integers(1, 4), st.integers(1, 4))
def test_merging_heads_undoes_splitting_them(tokens, heads, width):
    x = np.arange(tokens * heads * width).reshape(tokens, heads * width)
    split = split_heads(x, heads)
    assert split.shape == (heads, tokens, width)
    np.testing.assert_array_equal(merge_heads(split), x)


@pytest.mark.parametrize("size", [1, 30, 63.9, 64.1, 200, 1e4])
@pytest.mark.parametrize("shape", [(3, 0), (1, 1), (2, 5, 7)])
def test_softmax_rows_is_the_cores_softmax(size, shape):
    scores = np.random.default_rng(0).uniform(-size, size, shape).astype(np.float32)
    expected = attention.softmax(scores)
    np.testing.assert_allclose(softmax_rows_in_place(scores), expected, rtol=1e-5, atol=1e-7)


def test_softmax_rows_hides_what_is_masked():
    scores = np.array([[0, -np.inf], [-np.inf, -np.inf]], np.float32)
    assert softmax_rows_in_place(scores).tolist() == [[1, 0], [0, 0]]
