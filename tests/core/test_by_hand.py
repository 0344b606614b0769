"""Attention against pencil and paper."""

import math
import sys

import numpy as np
import pytest

from attention.core import attention_scores, attention_weights
from attention.core.plain import plain_attention

E = math.e
INF = math.inf
TWO = np.zeros((2, 1))  # two queries, or two keys, that all match equally


def test_attention_by_hand():
    # q = 2, keys 0 and 1/2: scores 0 and 1, weights 1 : e, values 10 and 20.
    query, key, value = [[2.0]], [[0.0], [0.5]], [[10.0], [20.0]]
    np.testing.assert_allclose(attention_scores(query, key), [[0, 1]])
    np.testing.assert_allclose(attention_weights(query, key), [[1 / (1 + E), E / (1 + E)]])
    output = plain_attention(query, key, value)
    np.testing.assert_allclose(output, [[(10 + 20 * E) / (1 + E)]])


def test_the_default_scale_is_one_over_the_root_of_the_width():
    query, key = np.ones((1, 4)), np.ones((1, 4))
    np.testing.assert_array_equal(attention_scores(query, key), [[4 / 2]])
    np.testing.assert_array_equal(attention_scores(query, key, scale=1.0), [[4]])
    np.testing.assert_array_equal(attention_scores(query, key, scale=0.0), [[0]])


def test_causal_rows_average_what_they_may_see():
    value = np.array([[0.0], [6.0], [30.0]])
    zeros = np.zeros((3, 1))
    output = plain_attention(zeros, zeros, value, is_causal=True)
    np.testing.assert_allclose(output, [[0], [3], [12]])


def test_causal_is_aligned_top_left():
    wide = attention_weights(np.zeros((2, 1)), np.zeros((4, 1)), is_causal=True)
    np.testing.assert_array_equal(wide, [[1, 0, 0, 0], [0.5, 0.5, 0, 0]])
    tall = attention_weights(np.zeros((3, 1)), np.zeros((2, 1)), is_causal=True)
    np.testing.assert_array_equal(tall, [[1, 0], [0.5, 0.5], [0.5, 0.5]])


def test_a_bool_mask_says_who_takes_part_and_a_float_mask_is_added():
    np.testing.assert_array_equal(attention_weights(TWO, TWO, [[True, False]]), [[1, 0], [1, 0]])
    tilted = attention_weights(TWO, TWO, [[0.0, 1.0]])
    np.testing.assert_allclose(tilted, [[1 / (1 + E), E / (1 + E)]] * 2)
    np.testing.assert_array_equal(attention_scores(TWO, TWO, [[0.0, -INF]]), [[0, -INF]] * 2)


@pytest.mark.parametrize("lowest", [-INF, float(np.finfo(np.float64).min), -1e9])
def test_every_customary_minus_infinity_hides_a_key(lowest):
    query = np.full((2, 1), -1, np.float32)
    weights = attention_weights(query, query, np.array([0, lowest]))
    assert weights.dtype == np.float32
    np.testing.assert_array_equal(weights, [[1, 0], [1, 0]])


def test_causal_and_mask_combine():
    weights = attention_weights(TWO, TWO, [False, True], is_causal=True)
    np.testing.assert_array_equal(weights, [[0, 0], [0, 1]])


def test_a_query_that_may_look_nowhere_gets_zeros():
    for nothing in ([[True, True], [False, False]], [[0.0, 0.0], [-INF, -INF]]):
        output = plain_attention(TWO, TWO, [[2.0], [4.0]], nothing)
        np.testing.assert_array_equal(output, [[3], [0]])


def test_query_heads_share_key_heads_in_consecutive_groups():
    key = np.array([[[0.0]], [[0.0]]])
    value = np.array([[[1.0]], [[2.0]]])
    output = plain_attention(np.zeros((4, 1, 1)), key, value, enable_gqa=True)
    np.testing.assert_array_equal(output.ravel(), [1, 1, 2, 2])


def test_softcap_bends_the_scores():
    # tanh(log 2) = (2 - 1/2) / (2 + 1/2) = 3/5
    query, key = [[1.0]], [[0.0], [2 * math.log(2)], [1e6], [-1e6]]
    np.testing.assert_allclose(
        attention_scores(query, key, softcap=2.0), [[0, 6 / 5, 2, -2]], rtol=1e-15
    )
    np.testing.assert_allclose(
        attention_scores(query, key, softcap=1e12), [[0, *np.ravel(key)[1:]]]
    )


def test_softcap_comes_before_the_mask():
    for nobody in ([True, False], [0.0, -INF]):
        weights = attention_weights(TWO, TWO, nobody, softcap=0.5)
        np.testing.assert_array_equal(weights, [[1, 0], [1, 0]])


def test_a_window_averages_the_neighbours():
    zeros, value = np.zeros((4, 1)), np.array([[0.0], [6.0], [30.0], [90.0]])
    for window, means in (
        (0, [0, 6, 30, 90]),
        (1, [3, 12, 42, 60]),
        ((1, 0), [0, 3, 18, 60]),
        ((None, 0), [0, 3, 12, 31.5]),
        ((0, None), [31.5, 42, 60, 90]),
        (3, [31.5] * 4),
        (None, [31.5] * 4),
        (sys.maxsize, [31.5] * 4),
    ):
        output = plain_attention(zeros, zeros, value, window=window)
        np.testing.assert_allclose(output.ravel(), means)


def test_a_causal_window_looks_back_only():
    zeros = np.zeros((4, 1))
    weights = attention_weights(zeros, zeros, window=(1, 5), is_causal=True)
    np.testing.assert_array_equal(
        weights, [[1, 0, 0, 0], [0.5, 0.5, 0, 0], [0, 0.5, 0.5, 0], [0, 0, 0.5, 0.5]]
    )


def test_an_offset_tells_where_the_queries_stand():
    query, key = np.zeros((2, 1)), np.zeros((4, 1))
    causal = attention_weights(query, key, is_causal=True, query_offset=1)
    np.testing.assert_allclose(causal, [[1 / 2, 1 / 2, 0, 0], [1 / 3, 1 / 3, 1 / 3, 0]])
    window = attention_weights(query, key, window=(1, 0), query_offset=2)
    np.testing.assert_array_equal(window, [[0, 0.5, 0.5, 0], [0, 0, 0.5, 0.5]])
    before = attention_weights(query, key, is_causal=True, query_offset=-1)
    np.testing.assert_array_equal(before, [[0, 0, 0, 0], [1, 0, 0, 0]])
    beyond = attention_weights(query, key, window=0, query_offset=3)
    np.testing.assert_array_equal(beyond, [[0, 0, 0, 1], [0, 0, 0, 0]])


def test_an_offset_for_each_sequence():
    tokens = np.zeros((2, 3, 1, 1)), np.zeros((2, 3, 2, 1))  # (B, H, T, E)
    weights = attention_weights(*tokens, is_causal=True, query_offset=[[0], [1]])
    np.testing.assert_array_equal(weights[0, :, 0], [[1, 0]] * 3)
    np.testing.assert_array_equal(weights[1, :, 0], [[0.5, 0.5]] * 3)


def test_keys_after_the_length_are_padding():
    value = np.array([[2.0], [4.0], [1e9]])
    query, key = np.zeros((1, 1)), np.zeros((3, 1))
    for length, mean in ((0, 0), (1, 2), (2, 3)):
        output = plain_attention(query, key, value, key_lengths=length)
        np.testing.assert_array_equal(output, [[mean]])
    tokens = np.zeros((2, 3, 1, 1)), np.zeros((2, 3, 3, 1))
    weights = attention_weights(*tokens, key_lengths=[[1], [2]])
    np.testing.assert_array_equal(weights[:, 1, 0], [[1, 0, 0], [0.5, 0.5, 0]])
    heads = attention_weights(*tokens, key_lengths=[1, 2, 3])
    np.testing.assert_array_equal((heads > 0).sum(axis=-1)[..., 0], [[1, 2, 3]] * 2)


@pytest.mark.parametrize("size", [-1e4, 1e4])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_scores_of_ten_thousand(size, dtype):
    query, key = np.array([[1]], dtype), np.array([[0], [size]], dtype)
    winner = int(size > 0)
    output = plain_attention(query, key, np.array([[5], [7]], dtype))
    np.testing.assert_array_equal(output, [[(5, 7)[winner]]])


def test_one_token_reads_itself():
    one = np.array([[3.0, 4.0]])
    np.testing.assert_array_equal(attention_weights(one, one, is_causal=True), [[1]])
    np.testing.assert_array_equal(plain_attention(one, one, one), one)


@pytest.mark.parametrize("is_causal", [False, True])
def test_empty_sequences(is_causal):
    some, none = np.ones((2, 3, 4)), np.ones((2, 0, 4))
    no_query = plain_attention(none, some, some, is_causal=is_causal)
    assert no_query.shape == (2, 0, 4)
    assert attention_weights(some, none, is_causal=is_causal).shape == (2, 3, 0)
    no_key = plain_attention(some, none, none, is_causal=is_causal)
    np.testing.assert_array_equal(no_key, np.zeros((2, 3, 4)))
    shared = plain_attention(np.ones((4, 0, 4)), some, some, enable_gqa=True)
    assert shared.shape == (4, 0, 4)


def test_zero_width_vectors_match_all_alike():
    output = plain_attention(np.ones((1, 0)), np.ones((2, 0)), [[2.0], [4.0]])
    np.testing.assert_array_equal(output, [[3]])
