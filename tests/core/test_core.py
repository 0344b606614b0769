"""Attention against pencil and paper, against a loop over single numbers, and against its laws."""

import math
import re
import sys

import ml_dtypes
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from attention.core import (
    attention_scores,
    attention_weights,
    blend,
    causal_mask,
    padding_mask,
    scores_for,
    softmax,
    window_mask,
)
from attention.core.plain import plain_attention

E = math.e
INF = math.inf
TWO = np.zeros((2, 1))  # two queries, or two keys, that all match equally


# softmax


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


# by hand


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


# types


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_float_types_are_kept(dtype):
    x = np.ones((2, 3), dtype)
    mask = np.zeros((2, 2))  # a float64 mask does not widen the result
    assert softmax(x).dtype == dtype
    assert attention_scores(x, x, mask).dtype == dtype
    assert attention_weights(x, x, mask).dtype == dtype
    assert plain_attention(x, x, x, mask).dtype == dtype
    assert {part.dtype for part in blend(x[0, :2], x)} == {np.dtype(dtype)}


def test_whole_numbers_and_truth_values_give_float64():
    for x in ([[1, 0], [0, 1]], [[True, False], [False, True]]):
        assert softmax(x).dtype == np.float64
        assert plain_attention(x, x, x).dtype == np.float64
        assert {part.dtype for part in blend(x[0], x)} == {np.dtype(np.float64)}


def test_mixed_types_take_the_wider():
    narrow, wide = np.ones((2, 3), np.float32), np.ones((2, 3))
    assert plain_attention(narrow, narrow, wide).dtype == np.float64


def test_float16_is_computed_in_float32():
    # Scores 1000 and 1000.25: in float16 neighbours of 1000 are 0.5 apart, so they would be equal.
    query, key = np.array([[1000, 1]], np.float16), np.array([[1, 0], [1, 0.25]], np.float16)
    assert np.float16(1000.25) == np.float16(1000)
    weights = attention_weights(query, key, scale=1.0)
    ratio = math.exp(0.25)
    np.testing.assert_array_equal(weights, np.float16([[1 / (1 + ratio), ratio / (1 + ratio)]]))


def test_a_float16_dot_product_may_be_larger_than_float16():
    # 64 * 60 * 60 = 230,400 is beyond float16's 65,504; the scaled score 28,800 is not.
    query = np.full((1, 64), 60, np.float16)
    np.testing.assert_array_equal(attention_scores(query, query), [[28_800]])


def test_a_float16_sum_of_many_small_weights_does_not_stall():
    # Adding 1/4096 to 1/2 is nothing in float16 arithmetic.
    keys = 4096
    ones = np.ones((keys, 2), np.float16)
    np.testing.assert_array_equal(plain_attention(ones[:1], ones, ones), [[1, 1]])
    np.testing.assert_array_equal(blend(ones[:, 0] / keys, ones).output, [1, 1])


def test_bfloat16_is_computed_in_float32():
    bfloat16 = ml_dtypes.bfloat16  # 8 bits: the neighbours of 256 are 2 apart
    query, key = np.array([[256, 1]], bfloat16), np.array([[1, 0], [1, 0.25]], bfloat16)
    assert bfloat16(256.25) == bfloat16(256)
    ratio = math.exp(0.25)
    weights = attention_weights(query, key, np.zeros((1, 2), bfloat16), scale=1.0)
    assert weights.dtype == bfloat16
    expected = np.array([[1 / (1 + ratio), ratio / (1 + ratio)]]).astype(bfloat16)
    np.testing.assert_array_equal(weights.astype(np.float32), expected.astype(np.float32))
    assert attention_scores(query, key).dtype == bfloat16
    assert plain_attention(query, key, key).dtype == bfloat16
    assert softmax(query).dtype == bfloat16
    assert {part.dtype for part in blend(query, np.ones((2, 1), bfloat16))} == {np.dtype(bfloat16)}
    assert attention_scores(query, key.astype(np.float32)).dtype == np.float32


def test_types_without_one_in_common_are_named():
    query, key = np.ones((1, 2), ml_dtypes.bfloat16), np.ones((1, 2), np.float16)
    with pytest.raises(ValueError, match="bfloat16, float16"):
        attention_scores(query, key)


def test_inputs_are_left_as_they_were():
    rng = np.random.default_rng(0)
    query, key, value, mask = (rng.normal(size=(3, 3)) for _ in range(4))
    before = [a.copy() for a in (query, key, value, mask)]
    softmax(query, temperature=2)
    plain_attention(query, key, value, mask, is_causal=True)
    attention_weights(query, key, mask)
    blend(query[0], value)
    for now, then in zip((query, key, value, mask), before, strict=True):
        np.testing.assert_array_equal(now, then)


# masks and blend


def test_causal_mask():
    np.testing.assert_array_equal(causal_mask(2), [[True, False], [True, True]])
    np.testing.assert_array_equal(causal_mask(3, 1), [[True]] * 3)
    assert causal_mask(0).shape == (0, 0)


def test_window_mask_by_distance():
    for window, left, right in ((1, 1, 1), (0, 0, 0), ((2, 0), 2, 0), ((0, 1), 0, 1)):
        mask = window_mask(5, 4, window=window)
        assert mask.shape == (5, 4)
        for q, k in np.ndindex(5, 4):
            assert mask[q, k] == (-left <= k - q <= right)
    np.testing.assert_array_equal(window_mask(4, window=(3, 0)), causal_mask(4))


@pytest.mark.parametrize("window", [-1, (-1, 0), (0, -2)])
def test_window_mask_refuses_negative_distances(window):
    with pytest.raises(ValueError, match=re.escape(str(window))):
        window_mask(3, window=window)


def test_padding_mask_hides_the_end_of_each_sequence():
    mask = padding_mask([0, 2, 3], keys=3)
    assert mask.shape == (3, 1, 3)
    np.testing.assert_array_equal(mask[:, 0], [[0, 0, 0], [1, 1, 0], [1, 1, 1]])
    assert padding_mask(2, keys=3).shape == (1, 3)

    tokens = np.zeros((2, 4, 3, 1))  # (B, H, T, E)
    weights = attention_weights(tokens, tokens, padding_mask([[1], [2]], keys=3))
    np.testing.assert_array_equal(weights[0], np.broadcast_to([1, 0, 0], (4, 3, 3)))
    np.testing.assert_array_equal(weights[1], np.broadcast_to([0.5, 0.5, 0], (4, 3, 3)))


@pytest.mark.parametrize("lengths", [[-1], [1, 4], [1.5]])
def test_padding_mask_refuses_impossible_lengths(lengths):
    with pytest.raises(ValueError, match=f"{re.escape(str(lengths))}") as error:
        padding_mask(lengths, keys=3)
    assert "3" in str(error.value)


def test_blend_by_hand():
    output, contributions = blend([0.25, 0.75], [[4.0, 0.0], [0.0, 4.0]])
    np.testing.assert_array_equal(contributions, [[1, 0], [0, 3]])
    np.testing.assert_array_equal(output, [1, 3])


def test_blend_of_nothing_is_zero():
    assert blend([], np.ones((0, 2))).output.tolist() == [0, 0]


@pytest.mark.parametrize(("weights", "values"), [((2,), (3, 4)), ((), (3, 4)), ((3,), (3,))])
def test_blend_refuses_shapes_that_do_not_fit(weights, values):
    with pytest.raises(ValueError, match=re.escape(str(weights))) as error:
        blend(np.ones(weights), np.ones(values))
    assert str(values) in str(error.value)


# errors


@pytest.mark.parametrize(
    ("query", "key", "value", "enable_gqa"),
    [
        ((4,), (3, 4), (3, 4), False),  # rank
        ((2, 4), (4,), (3, 4), False),
        ((2, 4), (3, 4), (3,), False),
        ((), (3, 4), (3, 4), False),
        ((2, 4), (3, 5), (3, 4), False),  # width
        ((2, 4), (3, 4), (2, 4), False),  # length
        ((2, 2, 4), (3, 3, 4), (3, 3, 4), False),  # batch
        ((2, 2, 4), (2, 3, 4), (3, 3, 4), False),
        ((4, 2, 4), (2, 3, 4), (2, 3, 4), False),  # shared heads not asked for
        ((4, 2, 4), (3, 3, 4), (3, 3, 4), True),  # 3 does not divide 4
        ((2, 2, 4), (4, 3, 4), (4, 3, 4), True),
        ((4, 2, 4), (2, 3, 4), (3, 3, 4), True),
        ((4, 2, 4), (0, 3, 4), (0, 3, 4), True),
        ((2, 4), (3, 4), (3, 4), True),  # no head axis
        ((2, 4, 2, 4), (3, 2, 3, 4), (3, 2, 3, 4), True),
    ],
)
def test_shapes_that_do_not_fit_are_named(query, key, value, enable_gqa):
    arrays = [np.ones(shape) for shape in (query, key, value)]
    with pytest.raises(ValueError, match=re.escape(str(query))) as error:
        plain_attention(*arrays, enable_gqa=enable_gqa)
    assert str(key) in str(error.value)
    assert str(value) in str(error.value)


@pytest.mark.parametrize("function", [attention_scores, attention_weights])
@pytest.mark.parametrize(
    ("query", "key", "enable_gqa"),
    [
        ((4,), (3, 4), False),
        ((2, 4), (3, 5), False),
        ((2, 2, 4), (3, 3, 4), False),
        ((4, 2, 4), (3, 3, 4), True),
    ],
)
def test_the_other_entrances_check_too(function, query, key, enable_gqa):
    with pytest.raises(ValueError, match=re.escape(str(query))) as error:
        function(np.ones(query), np.ones(key), enable_gqa=enable_gqa)
    assert str(key) in str(error.value)


@pytest.mark.parametrize(
    "mask",
    [
        np.zeros((3, 2)),
        np.zeros(4),
        np.zeros((2, 1, 1, 1)),  # would add an axis
        np.zeros((3, 2, 3)),
        np.ones((3, 2), bool),
    ],
)
def test_a_mask_that_does_not_fit_is_refused_with_both_shapes(mask):
    with pytest.raises(ValueError, match=re.escape(str(mask.shape))) as error:
        attention_weights(np.ones((2, 2, 4)), np.ones((2, 3, 4)), mask)
    assert str((2, 2, 3)) in str(error.value)


@pytest.mark.parametrize("bad", [math.nan, INF])
def test_nan_and_plus_infinity_in_a_mask_are_refused(bad):
    with pytest.raises(ValueError, match=re.escape("(2, 2)")):
        attention_weights(TWO, TWO, [[0.0, bad], [0.0, 0.0]])


@pytest.mark.parametrize("dtype", [np.int64, np.uint8, np.complex128, object])
def test_a_mask_is_bool_or_float(dtype):
    with pytest.raises(ValueError, match=str(np.dtype(dtype))):
        attention_weights(TWO, TWO, np.zeros((2, 2), dtype))


@pytest.mark.parametrize("function", [attention_scores, attention_weights])
@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("softcap", 0),
        ("softcap", -1.5),
        ("softcap", math.nan),
        ("softcap", INF),
        ("window", -1),
        ("window", (1, -2)),
        ("window", (1, 2, 3)),
        ("window", 1.5),
        ("query_offset", 0.5),
        ("query_offset", 2**62),
        ("key_lengths", 4),
        ("key_lengths", -1),
        ("key_lengths", 1.5),
    ],
)
def test_options_out_of_range_are_named(function, option, value):
    with pytest.raises(ValueError, match=re.escape(str(value))):
        function(np.ones((2, 1)), np.ones((3, 1)), **{option: value})


@pytest.mark.parametrize("option", ["query_offset", "key_lengths"])
@pytest.mark.parametrize("shape", [(3,), (2, 3), (1, 1, 2)])
def test_offsets_and_lengths_belong_to_the_leading_dimensions(option, shape):
    tokens = np.ones((2, 4, 5, 1))
    with pytest.raises(ValueError, match=re.escape(str(shape))) as error:
        attention_scores(tokens, tokens, **{option: np.ones(shape, int)})
    assert option in str(error.value)
    assert str((2, 4, 5, 5)) in str(error.value)


def test_numbers_must_be_real():
    with pytest.raises(ValueError, match="complex128"):
        attention_weights([[1j]], [[1.0]])


# one number at a time


def slow_attention(query, key, value, mask, *, scale, softcap, **rules):
    """Compute with scalars: query (B, H, Q, E), key (B, G, K, E), value (B, G, K, V)."""
    batch, heads, queries, width = query.shape
    keys, shared = key.shape[-2], heads // key.shape[1]
    weights = np.zeros((batch, heads, queries, keys))
    output = np.zeros((batch, heads, queries, value.shape[-1]))
    for b, h, q in np.ndindex(batch, heads, queries):
        scores = []
        for k in range(keys):
            score = 0.0
            for e in range(width):
                score += query[b, h, q, e] * key[b, h // shared, k, e]
            score *= scale
            if softcap is not None:
                score = softcap * math.tanh(score / softcap)
            if not sees(b, q, k, **rules):
                score = -INF
            if mask is not None and mask.dtype == bool and not mask[b, h, q, k]:
                score = -INF
            if mask is not None and mask.dtype != bool:
                score += mask[b, h, q, k]
            scores.append(score)
        total = sum(math.exp(score) for score in scores)
        for k in range(keys):
            weights[b, h, q, k] = math.exp(scores[k]) / total if total else 0.0
            output[b, h, q] += weights[b, h, q, k] * value[b, h // shared, k]
    return weights, output


def sees(b, q, k, *, is_causal, window, query_offset, key_lengths):
    """Say whether query q may see key k in sequence b."""
    left, right = window or (None, None)
    position = query_offset[b, 0] + q
    return not (
        (is_causal and k > position)
        or (left is not None and k < position - left)
        or (right is not None and k > position + right)
        or (key_lengths is not None and k >= key_lengths[b, 0])
    )


@st.composite
def problems(draw):
    """Draw shapes of every kind, and numbers to fill them."""
    size = st.integers(1, 3)
    batch, groups, shared, width, value_width = (draw(size) for _ in range(5))
    queries, keys = draw(st.integers(0, 4)), draw(st.integers(0, 4))
    heads = groups * shared
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    full = (batch, heads, queries, keys)
    kind, rank = draw(st.sampled_from(["none", "bool", "float"])), draw(st.integers(0, 4))
    shape = tuple(draw(st.sampled_from([1, n])) for n in full[4 - rank :])
    mask = {
        "none": None,
        "bool": rng.random(shape) < 0.6,
        "float": np.where(rng.random(shape) < 0.3, -INF, rng.normal(size=shape)),
    }[kind]
    return {
        "query": rng.normal(size=(batch, heads, queries, width)),
        "key": rng.normal(size=(batch, groups, keys, width)),
        "value": rng.normal(size=(batch, groups, keys, value_width)),
        "mask": mask,
        "options": {
            "is_causal": draw(st.booleans()),
            "scale": draw(st.sampled_from([None, 0.1, 2.0])),
            "softcap": draw(st.sampled_from([None, 0.5, 3.0])),
            "window": draw(st.none() | st.tuples(*[st.none() | st.integers(0, 3)] * 2)),
            "query_offset": rng.integers(-2, 4, size=(batch, 1)),
            "key_lengths": draw(st.none() | st.just(rng.integers(0, keys + 1, size=(batch, 1)))),
            "enable_gqa": True,
        },
    }


@settings(deadline=None, max_examples=200)
@given(problems())
def test_against_a_loop_over_single_numbers(problem):
    query, key, value, mask = (problem[name] for name in ("query", "key", "value", "mask"))
    options = problem["options"]
    slow = {name: option for name, option in options.items() if name != "enable_gqa"}
    slow["scale"] = options["scale"] or 1 / math.sqrt(query.shape[-1])
    full = (*query.shape[:-1], key.shape[-2])
    shown = None if mask is None else np.broadcast_to(mask, full)
    weights, output = slow_attention(query, key, value, shown, **slow)
    np.testing.assert_allclose(
        attention_weights(query, key, mask, **options), weights, rtol=1e-12, atol=1e-15
    )
    fast = plain_attention(query, key, value, mask, **options)
    np.testing.assert_allclose(fast, output, rtol=1e-12, atol=1e-14)


def test_any_number_of_leading_dimensions_also_where_they_broadcast():
    rng = np.random.default_rng(1)
    query = rng.normal(size=(2, 1, 4, 3, 5))  # (B1, B2, H, Q, E)
    key, value = rng.normal(size=(3, 2, 6, 5)), rng.normal(size=(3, 2, 6, 7))  # (B2, G, K, E)
    output = plain_attention(query, key, value, enable_gqa=True)
    assert output.shape == (2, 3, 4, 3, 7)
    for a, b, h in np.ndindex(2, 3, 4):
        alone = plain_attention(query[a, 0, h], key[b, h // 2], value[b, h // 2])
        np.testing.assert_allclose(output[a, b, h], alone, rtol=1e-12)


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


@settings(deadline=None)
@given(problems())
def test_weights_sum_to_1_or_to_0_where_nothing_is_seen(problem):
    inputs = problem["query"], problem["key"], problem["mask"]
    weights = attention_weights(*inputs, **problem["options"])
    seen = (attention_scores(*inputs, **problem["options"]) > -INF).any(axis=-1)
    assert (weights >= 0).all()
    np.testing.assert_allclose(weights.sum(axis=-1), seen, rtol=1e-12)


@settings(deadline=None)
@given(problems(), st.randoms(use_true_random=False))
def test_permuting_keys_and_values_together_changes_nothing(problem, random):
    query, key, value = problem["query"], problem["key"], problem["value"]
    order = list(range(key.shape[-2]))
    random.shuffle(order)
    shuffled = key[..., order, :], value[..., order, :]
    np.testing.assert_allclose(
        plain_attention(query, *shuffled, enable_gqa=True),
        plain_attention(query, key, value, enable_gqa=True),
        rtol=1e-9,
        atol=1e-12,
    )


@settings(deadline=None)
@given(problems(), st.integers(0, 4))
def test_causal_rows_never_see_the_future(problem, now):
    query, key, value = problem["query"], problem["key"].copy(), problem["value"].copy()
    options = {"is_causal": True, "enable_gqa": True}
    before = plain_attention(query, key, value, **options)
    weights = attention_weights(query, key, **options)
    assert not weights[..., ~causal_mask(*weights.shape[-2:])].any()
    key[..., now + 1 :, :] += 100
    value[..., now + 1 :, :] -= 100
    after = plain_attention(query, key, value, **options)
    np.testing.assert_allclose(after[..., : now + 1, :], before[..., : now + 1, :], atol=1e-13)


@settings(deadline=None)
@given(problems())
def test_contributions_sum_to_the_output_of_attention(problem):
    query, value = problem["query"], problem["value"]
    shared = query.shape[1] // value.shape[1]
    value = np.repeat(value, shared, axis=1)  # every query head its own copy
    weights = attention_weights(query, problem["key"], enable_gqa=True)  # (B, H, Q, K)
    output, contributions = blend(weights, value[..., None, :, :])
    np.testing.assert_allclose(contributions.sum(axis=-2), output, atol=1e-13)
    attended = plain_attention(query, problem["key"], problem["value"], enable_gqa=True)
    np.testing.assert_allclose(output, attended, rtol=1e-9, atol=1e-12)


@settings(deadline=None)
@given(problems(), st.integers(0, 3))
def test_rules_are_masks(problem, more):
    """Every rule says the same as the mask of its name."""
    query, key = problem["query"], problem["key"]
    queries, keys = query.shape[-2], key.shape[-2]
    window, offset = problem["options"]["window"], int(problem["options"]["query_offset"][0, 0])
    lengths = np.minimum(more, keys)
    for rule, mask in (
        ({"is_causal": True}, causal_mask(queries, keys, query_offset=offset)),
        ({"window": window}, window_mask(queries, keys, window=window, query_offset=offset)),
        ({"key_lengths": lengths}, padding_mask(lengths, keys)),
    ):
        np.testing.assert_array_equal(
            attention_scores(query, key, query_offset=offset, enable_gqa=True, **rule),
            attention_scores(query, key, mask, enable_gqa=True),
        )


@settings(deadline=None)
@given(problems())
def test_what_limits_nothing_changes_nothing(problem):
    inputs = [problem[name] for name in ("query", "key", "value", "mask")]
    queries, keys = inputs[0].shape[-2], inputs[1].shape[-2]
    plain = plain_attention(*inputs, enable_gqa=True)
    for wide in (
        {"window": (max(queries - 1, 0), max(keys - 1, 0))},
        {"window": (None, None)},
        {"key_lengths": keys},
        {"query_offset": 3},
        {"is_causal": True, "query_offset": keys},
    ):
        found = plain_attention(*inputs, enable_gqa=True, **wide)
        np.testing.assert_array_equal(found, plain)


@settings(deadline=None)
@given(problems(), st.integers(0, 4))
def test_padding_is_as_good_as_absent(problem, length):
    query, key, value = problem["query"], problem["key"], problem["value"]
    length = min(length, key.shape[-2])
    options = {name: problem["options"][name] for name in ("is_causal", "softcap", "window")}
    options |= {"enable_gqa": True, "query_offset": problem["options"]["query_offset"]}
    padded = plain_attention(query, key, value, key_lengths=length, **options)
    short = key[..., :length, :], value[..., :length, :]
    np.testing.assert_allclose(
        padded, plain_attention(query, *short, **options), rtol=1e-12, atol=1e-14
    )
