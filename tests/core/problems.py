"""Attention one number at a time, slow and obvious, and problems of every shape to try it on."""

import math

import numpy as np
from hypothesis import strategies as st

INF = math.inf


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
