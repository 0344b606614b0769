"""The tiled path against the readable one, at every length and with every option."""

import inspect

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import attention
from attention.core.plain import plain_attention
from attention.core.tiled import tiled_attention
from tests.rounding import attention_error


def arrays(*shapes, seed=0, dtype=np.float32, size=1.0):
    rng = np.random.default_rng(seed)
    return [(rng.standard_normal(shape) * size).astype(dtype) for shape in shapes]


def same(query, key, value, *mask, **options):
    inputs = query, key, value, *mask
    found = tiled_attention(*inputs, **options)
    expected = plain_attention(*inputs, **options)
    assert (found.shape, found.dtype) == (expected.shape, expected.dtype)
    error = attention_error(query, key, value, options.get("scale"))
    np.testing.assert_allclose(found, expected, atol=error, rtol=0)


def test_what_is_allowed_is_less_than_a_thousandth_of_the_scale():
    query, key, value = arrays((64, 8), (64, 8), (64, 8))
    one, other = (tiled_attention(query, key, value, scale=s) for s in (0.353, 0.3533))
    assert np.abs(one - other).max() > attention_error(query, key, value, 0.353)


@pytest.mark.parametrize("is_causal", [False, True])
def test_every_length_from_0_to_300(is_causal):
    for length in range(301):
        same(*arrays(*[(length, 8)] * 3, seed=length), is_causal=is_causal)


@pytest.mark.parametrize("queries", [1, 255, 257, 700])
@pytest.mark.parametrize("keys", [1, 511, 513, 1100])
@pytest.mark.parametrize("is_causal", [False, True])
def test_lengths_around_the_sides_of_a_tile(queries, keys, is_causal):
    same(*arrays((2, queries, 5), (2, keys, 5), (2, keys, 3)), is_causal=is_causal)


@pytest.mark.parametrize("size", [1e-3, 1.0, 10.0, 100.0])
def test_scores_up_to_ten_thousand(size):
    query, key, value = arrays((600, 4), (600, 4), (600, 4))
    query, key = query * size, key * size
    assert size < 100 or np.abs(query @ key.T / 2).max() > 1e4
    same(query, key, value)
    same(query, key, value, is_causal=True)


@pytest.mark.slow
@pytest.mark.parametrize("size", [1.0, 100.0])
def test_masks_of_both_kinds(size):
    query, key, value = arrays((2, 3, 300, 4), (2, 3, 600, 4), (2, 3, 600, 4), size=size)
    rng = np.random.default_rng(1)
    mask = rng.random((300, 600)) < 0.3
    mask[5:9] = False
    added = np.where(mask, rng.standard_normal((3, 300, 600)), -np.inf).astype(np.float32)
    for attn_mask in (mask, added, mask[:, :1], mask[:1], added[:, :, :1]):
        for is_causal in (False, True):
            same(query, key, value, attn_mask, is_causal=is_causal)
    assert not tiled_attention(query, key, value, mask)[..., 5:9, :].any()


def test_a_row_of_large_negative_numbers_is_still_a_softmax():
    query, key, value = arrays((3, 2), (700, 2), (700, 2))
    same(query, key, value, np.full((3, 700), -1e4, np.float32))


OPTIONS = st.fixed_dictionaries(
    {},
    optional={
        "is_causal": st.booleans(),
        "softcap": st.sampled_from([0.5, 20.0, 500.0]),
        "window": st.one_of(
            st.integers(0, 400),
            st.tuples(*[st.one_of(st.none(), st.integers(0, 400))] * 2),
        ),
        "query_offset": st.integers(-300, 700),
        "scale": st.floats(-2, 2),
    },
)


@pytest.mark.slow
@settings(max_examples=150, deadline=None)
@given(
    st.integers(0, 300),
    st.integers(0, 1100),
    st.sampled_from([0.1, 1.0, 30.0]),
    OPTIONS,
    st.booleans(),
)
def test_any_sizes_and_options(queries, keys, size, options, padded):
    inputs = arrays((2, queries, 3), (2, keys, 3), (2, keys, 2), seed=queries + keys, size=size)
    if padded:
        options = {**options, "key_lengths": [keys // 3, keys]}
    same(*inputs, **options)


@pytest.mark.parametrize("window", [(1, 0), 3, (100, None), (None, 0), (700, 5)])
@pytest.mark.parametrize("size", [1.0, 100.0])
def test_windows_longer_and_shorter_than_a_tile(window, size):
    same(*arrays(*[(1200, 4)] * 3, size=size), window=window)


def test_leading_dimensions_broadcast_and_heads_share_keys():
    same(*arrays((5, 1, 30, 4), (3, 40, 4), (1, 3, 40, 2)))
    same(*arrays((2, 6, 30, 4), (2, 3, 40, 4), (1, 1, 40, 2)), enable_gqa=True)


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_types_and_strides(dtype):
    query, key, value = arrays((300, 2, 4), (600, 2, 4), (600, 2, 4), dtype=dtype)
    same(*(a.swapaxes(0, 1) for a in (query, key, value)))
    same(query.T[:, :, :300], key.T[:, :, :300], value.T[:, :, :300])


def test_nan_reaches_just_the_queries_that_see_it():
    query, key, value = arrays((4, 2), (4, 2), (4, 2))
    query[1] = np.nan
    found = tiled_attention(query, key, value)
    assert np.isnan(found).all(axis=1).tolist() == [False, True, False, False]


@pytest.mark.parametrize(
    ("shapes", "options"),
    [
        ([(2, 3), (2, 4), (2, 3)], {}),
        ([(2, 3), (2, 3), (3, 3)], {}),
        ([(3,), (2, 3), (2, 3)], {}),
        ([(2, 2, 3), (3, 2, 3), (3, 2, 3)], {}),
        ([(2, 3)] * 3, {"attn_mask": np.zeros((3, 2))}),
        ([(2, 3)] * 3, {"attn_mask": np.full((2, 2), np.nan)}),
    ],
)
def test_what_the_readable_path_refuses_is_refused(shapes, options):
    inputs = arrays(*shapes)
    with pytest.raises(ValueError, match=r"got|has|does not") as expected:
        plain_attention(*inputs, **options)
    with pytest.raises(ValueError, match=r"got|has|does not") as found:
        tiled_attention(*inputs, **options)
    assert str(found.value) == str(expected.value)


@pytest.mark.parametrize(
    "attend",
    [
        attention.scaled_dot_product_attention,
        plain_attention,
        attention.tiled_attention,
    ],
)
@pytest.mark.parametrize("tokens", [3, 600])
def test_code_written_for_pytorch_runs_as_it_is(attend, tokens):
    """With every argument in its place: no dropout, then `is_causal`; any dropout is refused."""
    q, k, v = arrays(*[(tokens, 4)] * 3)
    names = list(inspect.signature(attend).parameters)
    torchs = ["query", "key", "value", "attn_mask", "dropout_p", "is_causal", "scale", "enable_gqa"]
    assert names[: len(torchs)] == torchs
    plain = attend(q, k, v, is_causal=True)
    np.testing.assert_array_equal(attend(q, k, v, None, 0.0, True), plain)
    np.testing.assert_array_equal(attend(q, k, v, dropout_p=0.0, is_causal=True), plain)
    for chance in (0.1, 1.0, -0.1, float("nan")):
        with pytest.raises(ValueError, match=rf"dropout_p must be 0\.0, got {chance}: dropout is"):
            attend(q, k, v, dropout_p=chance)


def test_every_option_of_the_public_function_is_seen_in_its_signature():
    public, core_s = map(
        inspect.signature,
        (attention.scaled_dot_product_attention, plain_attention),
    )
    assert public == core_s


@pytest.mark.parametrize("shape", [(2, 30, 4), (1, 600, 4)])
def test_the_public_function_takes_either_way(shape):
    inputs = arrays(shape, shape, shape)
    options = {"is_causal": True, "window": (50, None), "softcap": 5.0}
    found = attention.scaled_dot_product_attention(*inputs, **options)
    expected = plain_attention(*inputs, **options)
    np.testing.assert_allclose(found, expected, atol=2e-6)
    with pytest.raises(ValueError, match="at least"):
        attention.scaled_dot_product_attention([1.0], [[1.0]], [[1.0]])
    with pytest.raises(TypeError):
        attention.scaled_dot_product_attention(*inputs, causal=True)
