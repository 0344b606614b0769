"""The steps of one call, and calls that go on where others ended."""

import math
import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import attention
from attention import KVCache, attention_stages, extend_cache

E = math.e


def test_every_stage_by_hand():
    # scores 0, 2 log 2 and 50; the cap 2 makes 2 tanh(log 2) = 6/5 and 2; the last key is masked
    stages = attention_stages(
        [[2.0]],
        [[0.0], [math.log(2)], [25.0]],
        [[1.0], [11.0], [1e9]],
        [True, True, False],
        scale=1.0,
        softcap=2.0,
    )
    np.testing.assert_allclose(stages.scaled, [[0, 2 * math.log(2), 50]])
    np.testing.assert_allclose(stages.capped, [[0, 6 / 5, 2]])
    np.testing.assert_allclose(stages.masked, [[0, 6 / 5, -math.inf]])
    share = E**1.2 / (1 + E**1.2)
    np.testing.assert_allclose(stages.weights, [[1 - share, share, 0]])
    np.testing.assert_allclose(stages.output, [[1 + 10 * share]])


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_the_stages_end_in_what_the_other_functions_return(dtype):
    rng = np.random.default_rng(0)
    query = rng.standard_normal((2, 4, 5, 8)).astype(dtype)
    key, value = rng.standard_normal((2, 2, 2, 6, 8)).astype(dtype)
    mask = rng.standard_normal((5, 6)).astype(dtype)
    options = {
        "is_causal": True,
        "scale": 0.3,
        "enable_gqa": True,
        "softcap": 1.5,
        "window": (2, None),
        "query_offset": 1,
        "key_lengths": [[5], [3]],
    }
    stages = attention_stages(query, key, value, mask, **options)
    assert {stage.dtype for stage in stages} == {np.dtype(dtype)}
    scores = attention.attention_scores(query, key, mask, **options)
    weights = attention.attention_weights(query, key, mask, **options)
    output = attention.scaled_dot_product_attention(query, key, value, mask, **options)
    np.testing.assert_array_equal(stages.masked, scores)
    np.testing.assert_array_equal(stages.weights, weights)
    np.testing.assert_array_equal(stages.output, output)


def test_no_stage_shares_memory_with_another():
    stages = attention_stages(*np.ones((3, 2, 1)))
    for i, one in enumerate(stages):
        assert not any(np.shares_memory(one, other) for other in stages[i + 1 :])


def test_the_stages_refuse_what_attention_refuses():
    with pytest.raises(ValueError, match=re.escape("(2, 4)")):
        attention_stages(np.ones((2, 3)), np.ones((2, 4)), np.ones((2, 3)))


def test_a_cache_grows_along_the_tokens():
    cache = extend_cache(None, np.full((2, 3, 1), 1), np.full((2, 3, 4), 2))
    assert cache.length == 3
    cache = extend_cache(cache, np.full((2, 1, 1), 5), np.full((2, 1, 4), 6))
    assert cache.length == 4
    np.testing.assert_array_equal(cache.key[:, :, 0], [[1, 1, 1, 5]] * 2)
    np.testing.assert_array_equal(cache.value[:, :, 0], [[2, 2, 2, 6]] * 2)


@pytest.mark.parametrize(
    ("name", "key", "value"),
    [
        ("key", (2, 1, 2), (2, 1, 4)),
        ("key", (3, 1, 1), (2, 1, 4)),
        ("key", (1, 1), (2, 1, 4)),
        ("value", (2, 1, 1), (2, 1, 5)),
    ],
)
def test_a_cache_takes_only_what_fits(name, key, value):
    cache = KVCache(np.ones((2, 3, 1)), np.ones((2, 3, 4)))
    with pytest.raises(ValueError, match=f"^{name} ") as error:
        extend_cache(cache, np.ones(key), np.ones(value))
    assert str({"key": key, "value": value}[name]) in str(error.value)
    assert str({"key": cache.key, "value": cache.value}[name].shape) in str(error.value)


def test_a_cache_holds_tokens():
    with pytest.raises(ValueError, match=re.escape("(4,)")):
        extend_cache(KVCache(np.ones(4), np.ones(4)), np.ones(4), np.ones(4))


@settings(deadline=None)
@given(st.lists(st.integers(0, 4), min_size=1, max_size=5), st.none() | st.integers(0, 5))
def test_decoding_in_chunks_equals_one_causal_pass(chunks, left):
    tokens = sum(chunks)
    rng = np.random.default_rng(tokens)
    query, key, value = (rng.standard_normal((heads, tokens, 3)) for heads in (4, 2, 2))
    options = {"is_causal": True, "window": (left, None), "enable_gqa": True, "softcap": 2.0}
    whole = attention.scaled_dot_product_attention(query, key, value, **options)
    cache, outputs = None, []
    for chunk in chunks:
        past = 0 if cache is None else cache.length
        now = slice(past, past + chunk)
        cache = extend_cache(cache, key[:, now], value[:, now])
        outputs.append(
            attention.scaled_dot_product_attention(
                query[:, now], *cache, query_offset=past, **options
            )
        )
    np.testing.assert_allclose(np.concatenate(outputs, axis=1), whole, rtol=1e-12, atol=1e-14)
