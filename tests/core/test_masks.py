"""Masks, and which keys a query may see, by block and by hand."""

import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from attention.core import attention_weights
from attention.core.masks import causal_mask, key_range, padding_mask, window_mask

SIDES = st.none() | st.integers(0, 8)


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


# by block


def test_a_run_of_keys_by_hand():
    seen = key_range(4, 5, is_causal=True, window=2, query_offset=1, key_lengths=4)
    np.testing.assert_array_equal(seen.first, [0, 0, 1, 2])
    np.testing.assert_array_equal(seen.stop, [2, 3, 4, 4])


def test_without_a_rule_everything_is_visible():
    seen = key_range(3, 4)
    assert seen.all_visible(slice(0, 3), slice(0, 4))
    assert seen.visible(slice(1, 3), slice(2, 4)).tolist() == [[True, True], [True, True]]


def test_offsets_and_lengths_of_many_sequences():
    seen = key_range(2, 9, is_causal=True, query_offset=[[0], [5]], key_lengths=[[9], [6]])
    np.testing.assert_array_equal(seen.stop, [[[1, 2]], [[6, 6]]])  # (B, 1, Q)
    assert seen.first.max() == 0
    assert seen.visible(slice(0, 2), slice(0, 9)).shape == (2, 1, 2, 9)


def test_a_long_sequence_takes_two_numbers_a_query():
    seen = key_range(10**6, 10**6, is_causal=True, window=100)
    assert seen.first.size == seen.stop.size == 10**6
    block = seen.visible(slice(500_000, 500_002), slice(499_899, 499_902))
    np.testing.assert_array_equal(block, [[0, 1, 1], [0, 0, 1]])


@given(
    st.tuples(st.integers(0, 9), st.integers(0, 9)),
    st.booleans(),
    st.tuples(SIDES, SIDES),
    st.integers(-4, 9),
    st.data(),
)
def test_a_block_is_a_part_of_the_whole_mask(tokens, is_causal, window, offset, data):
    queries, keys = tokens
    length = data.draw(st.integers(0, keys))
    seen = key_range(
        queries,
        keys,
        is_causal=is_causal,
        window=window,
        query_offset=offset,
        key_lengths=length,
    )
    whole = window_mask(queries, keys, window=window, query_offset=offset)
    whole &= np.arange(keys) < length
    if is_causal:
        whole &= causal_mask(queries, keys, query_offset=offset)
    rows, columns = (slice(*sorted(data.draw(st.tuples(*[st.integers(0, n)] * 2)))) for n in tokens)
    block = whole[rows, columns]
    np.testing.assert_array_equal(seen.visible(rows, columns), block)
    if block.size:
        assert seen.all_visible(rows, columns) == block.all()
