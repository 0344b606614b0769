"""The meaning of PyTorch's function of the same name, on random problems of every kind."""

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from attention.core.plain import plain_attention
from attention.core.tiled import tiled_attention

torch = pytest.importorskip("torch", reason="the reference, PyTorch, is not installed")

TOLERANCE = {np.float32: 2e-6, np.float64: 1e-12}
MASKS = ("none", "bool", "float", "-inf", "causal")


def torch_attention(query, key, value, attn_mask=None, *places, **options):
    inputs = [torch.from_numpy(a.copy()) for a in (query, key, value)]
    mask = None if attn_mask is None else torch.from_numpy(attn_mask.copy())
    function = torch.nn.functional.scaled_dot_product_attention
    return function(*inputs, mask, *places, **options).numpy()


def same(query, key, value, attn_mask=None, *places, **options):
    expected = torch_attention(query, key, value, attn_mask, *places, **options)
    for function in (plain_attention, tiled_attention):
        found = function(query, key, value, attn_mask, *places, **options)
        assert (found.shape, found.dtype) == (expected.shape, expected.dtype)
        np.testing.assert_allclose(found, expected, rtol=0, atol=TOLERANCE[query.dtype.type])


def masks(rng, kind, shape, dtype):
    """Return `attn_mask` and `is_causal`; torch takes one or the other."""
    hidden = rng.random(shape) < 0.3
    made = {
        "bool": ~hidden,
        "float": rng.standard_normal(shape).astype(dtype),
        "-inf": np.where(hidden, -np.inf, rng.standard_normal(shape)).astype(dtype),
    }
    return made.get(kind), kind == "causal"


@st.composite
def leads(draw, rank):
    """Draw three batch shapes that broadcast: each may have 1 where the others have more."""
    full = draw(st.lists(st.integers(1, 3), min_size=rank, max_size=rank))
    return [tuple(draw(st.sampled_from([1, n])) for n in full) for _ in range(3)]


@settings(deadline=None, max_examples=300)
@given(st.data(), st.sampled_from(list(TOLERANCE)), st.sampled_from(MASKS), st.integers(0, 2**32))
def test_random_problems(data, dtype, kind, seed):
    rng = np.random.default_rng(seed)
    lead = data.draw(leads(data.draw(st.integers(0, 3))))
    queries, keys = data.draw(st.integers(0, 40)), data.draw(st.integers(0, 40))
    width, value_width = data.draw(st.integers(1, 20)), data.draw(st.integers(1, 20))
    if 0 in (queries, keys):  # torch then returns the query's shape and broadcasts nothing
        lead[0] = np.broadcast_shapes(*lead)
    query, key, value = (
        rng.standard_normal((*front, tokens, size)).astype(dtype)
        for front, tokens, size in zip(
            lead, (queries, keys, keys), (width, width, value_width), strict=True
        )
    )
    scores = (*np.broadcast_shapes(*lead[:2]), queries, keys)
    rank = data.draw(st.integers(2, len(scores)))
    shape = tuple(data.draw(st.sampled_from([1, n])) for n in scores[len(scores) - rank :])
    attn_mask, is_causal = masks(rng, kind, shape, dtype)
    # Scale 1 makes scores of 20; float32 rounds them by 1e-6, and everybody rounds differently.
    scale = data.draw(st.sampled_from([None, 0.1, -0.25] + [1.0] * (dtype == np.float64)))
    same(query, key, value, attn_mask, 0.0, is_causal, scale=scale)


@settings(deadline=None, max_examples=100)
@given(
    st.sampled_from(list(TOLERANCE)),
    st.sampled_from(MASKS),
    st.tuples(st.integers(1, 3), st.integers(1, 3), st.integers(1, 4)),
    st.tuples(st.integers(0, 12), st.integers(0, 12)),
    st.integers(0, 2**32),
)
@example(np.float32, "causal", (1, 3, 3), (12, 5), 0)
def test_heads_that_share_keys(dtype, kind, heads, tokens, seed):
    rng = np.random.default_rng(seed)
    batch, groups, shared = heads
    queries, keys = tokens
    query = rng.standard_normal((batch, groups * shared, queries, 8)).astype(dtype)
    key = rng.standard_normal((batch, groups, keys, 8)).astype(dtype)
    value = rng.standard_normal((batch, groups, keys, 5)).astype(dtype)
    attn_mask, is_causal = masks(rng, kind, (batch, 1, queries, keys), dtype)
    same(query, key, value, attn_mask, is_causal=is_causal, enable_gqa=True)


@pytest.mark.parametrize("dtype", TOLERANCE)
@pytest.mark.parametrize(("queries", "keys"), [(0, 5), (5, 0), (0, 0), (1, 1)])
def test_empty_sequences(dtype, queries, keys):
    query, key = np.ones((2, 3, queries, 4), dtype), np.ones((2, 3, keys, 4), dtype)
    for is_causal in (False, True):
        same(query, key, key, is_causal=is_causal)


@pytest.mark.parametrize("dtype", TOLERANCE)
@pytest.mark.parametrize(("queries", "keys"), [(300, 300), (70, 600), (600, 70)])
def test_longer_than_a_tile(dtype, queries, keys):
    rng = np.random.default_rng(0)
    query = rng.standard_normal((1, 2, queries, 64)).astype(dtype)
    key, value = rng.standard_normal((2, 1, 2, keys, 64)).astype(dtype)
    for is_causal in (False, True):
        same(query, key, value, is_causal=is_causal)
