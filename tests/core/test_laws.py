"""Attention against a loop over single numbers, and the laws that hold whatever the numbers."""

import math

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from attention.core import (
    attention_scores,
    attention_weights,
    blend,
    causal_mask,
    padding_mask,
    window_mask,
)
from attention.core.plain import plain_attention
from tests.core.problems import problems, slow_attention


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


@settings(deadline=None)
@given(problems())
def test_weights_sum_to_1_or_to_0_where_nothing_is_seen(problem):
    inputs = problem["query"], problem["key"], problem["mask"]
    weights = attention_weights(*inputs, **problem["options"])
    seen = (attention_scores(*inputs, **problem["options"]) > -math.inf).any(axis=-1)
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
