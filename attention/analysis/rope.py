"""Rotation made visible: what a score owes to how far apart two tokens stand.

Source: Su et al. 2021, "RoFormer", section 3.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from attention.arrays import Array
from attention.models.layers import kv_head, rotate
from attention.models.trace import Trace
from attention.models.transformer import Transformer


class ByDistance(NamedTuple):
    """The mean score over all pairs of a text at each distance, 0 to T - 1."""

    rotated: Array  # (T,)
    unrotated: Array  # (T,)


def mean_scores(model: Transformer, trace: Trace, layer: int, head: int) -> ByDistance:
    """Return the mean of `q_i k_j / sqrt(E)` over pairs with i - j = d, with and without rotation.

    Both from the same queries and keys: `trace.query` and `trace.key` are rotated, and
    `model.unrotated` gives them as they were before.
    """
    group = kv_head(head, trace.query.shape[1], trace.key.shape[1])
    made = model.unrotated(layer, trace.hidden[layer])
    pairs = (
        (trace.query[layer, head], trace.key[layer, group]),
        (made.query[head], made.key[group]),
    )
    return ByDistance(*(_diagonal_means(q @ k.T / np.sqrt(q.shape[-1])) for q, k in pairs))


def pair_scores(
    model: Transformer, trace: Trace, place: tuple[int, int], query: int, key: int, farthest: int
) -> Array:
    """Return the score of one query and one key if they stood 0 to `farthest` tokens apart.

    The vectors stay what they are before rotation; only the distance changes: `(farthest + 1,)`.

    Parameters
    ----------
    place : layer and head
    query, key : the tokens that the vectors are taken from
    """
    layer, head = place
    group = kv_head(head, trace.query.shape[1], trace.key.shape[1])
    made = model.unrotated(layer, trace.hidden[layer])
    q, k = made.query[head, query], made.key[group, key]
    angles = model.angles(farthest + 1, layer=layer)
    turned = rotate(np.broadcast_to(q, (farthest + 1, len(q))), *angles)
    k = rotate(k[None], *model.angles(1, layer=layer))[0]  # it stays at position 0
    return np.asarray(turned @ k / np.sqrt(np.float32(len(q))))


def _diagonal_means(scores: Array) -> Array:
    return np.array([np.diagonal(scores, -d).mean() for d in range(len(scores))])
