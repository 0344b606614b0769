"""What one head writes into the stream for a word, key by key."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from attention.analysis.words import Unit
from attention.arrays import Array
from attention.models.layers import kv_head
from attention.models.model import Model
from attention.models.trace import Trace


def unit_outputs(
    model: Model, trace: Trace, units: Sequence[Unit], head: tuple[int, int], query: Unit
) -> Array:
    """Return what each unit would add to the stream if one head gave it all its weight: `(W, D)`.

    `u_k = sum_p a_p v_p W_O / sum_p a_p` over the tokens p of unit k, with a the row of the word
    that is the query (the mean of its pieces) and W_O the rows of this head. So the units' weights
    blend the `u_k` into the head's own output, `z W_O`. The bias of W_O, which belongs to no head,
    is left out. A unit without any weight is the plain mean of its tokens.

    Parameters
    ----------
    head : (layer, head)
    query : the unit whose output it is

    Source: Kobayashi et al. 2020, "Attention is not only a weight: analyzing transformers with
    vector norms", section 2.

    >>> from attention import load_model
    >>> from attention.analysis import words
    >>> model = load_model("minilm")
    >>> trace = model.trace("The cat sat")
    >>> units = words.whole_words(trace.input)
    >>> unit_outputs(model, trace, units, (3, 1), units[2]).shape
    (5, 384)
    """
    layer, at = head
    row = trace.weights[layer, at, list(query.positions)].mean(axis=0, dtype=np.float64)  # (T,)
    heads, value = trace.weights.shape[1], trace.value[layer]  # (H or G, T, E)
    w_o, _ = model.output_projection(layer)  # (H * E, D)
    written = value[kv_head(at, heads, len(value))] @ w_o.reshape(heads, value.shape[-1], -1)[at]
    return np.stack([_mean(written, row, list(unit.positions)) for unit in units])


def _mean(written: Array, row: Array, positions: list[int]) -> Array:
    """Return the mean of some rows `(D,)`, weighted where there is any weight."""
    weights = row[positions]
    if weights.sum() == 0:
        weights = np.ones(len(positions))
    return (weights / weights.sum()) @ written[positions]


def makes_up(contributions: Array) -> Array:
    """Return how much of a sum each of its parts makes up, along the sum itself: `(K,)`.

    `c_k . o / (o . o)` with `o = sum_k c_k`; the shares sum to 1, and one that points the other way
    is below 0. Zeros for a sum of length 0.

    Parameters
    ----------
    contributions : (K, D)

    >>> makes_up(np.array([[3.0, 1.0], [1.0, -1.0]]))
    array([0.75, 0.25])
    """
    total = contributions.sum(axis=0)
    length = float(total @ total)
    return contributions @ total / length if length else np.zeros(len(contributions))
