"""In which type attention is computed and given back; what is put in stays as it was."""

import math

import ml_dtypes
import numpy as np
import pytest

from attention.core import attention_scores, attention_weights, blend, softmax
from attention.core.plain import plain_attention


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
