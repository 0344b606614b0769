"""Which keys a query may see, by block and by hand. The masks themselves: see test_core.py."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from attention.core.masks import causal_mask, key_range, window_mask

SIDES = st.none() | st.integers(0, 8)


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
