"""Weights held against what they move: by the length of what is written, and over all layers.

A weight says how much of a key's value a query takes. What that adds to the stream is as long as
the value makes it; and what a token's vector holds has come from other tokens in the layers below.

Source: Kobayashi et al. 2020, "Attention is not only a weight: analyzing transformers with vector
norms", section 2; Abnar and Zuidema 2020, "Quantifying attention flow in transformers", section 3.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from attention.analysis import words
from attention.analysis.sinks import written_lengths
from attention.analysis.telling import LARGE
from attention.analysis.words import View
from attention.arrays import Array
from attention.models.marian import Marian
from attention.models.model import Model
from attention.models.trace import Trace
from attention.models.translation import Translation
from attention.runtime.threads import each


def written_shares(model: Model, trace: Trace) -> Array:
    """Return what each key makes up of what a head writes for a query, by length: `(L, H, Q, K)`.

    `w_qk ||v_k W_O|| / sum_j w_qj ||v_j W_O||`; rows sum to 1. Lengths alone: vectors in different
    directions partly cancel, and how much of the rest is of use to later layers is not asked.

    >>> from attention import load_model
    >>> model = load_model("minilm")
    >>> written_shares(model, model.trace("The cat sat")).sum(axis=-1).round(5).min()
    np.float32(1.0)
    """
    return _shares(trace.weights, written_lengths(model, trace))


def _shares(weights: Array, lengths: Array) -> Array:
    """Return the shares of each row `(L, H, Q, K)` by lengths `(L, H, K)`."""
    lengths, written = lengths.astype(weights.dtype), np.empty_like(weights)

    def write(layer: int) -> None:
        own = np.multiply(weights[layer], lengths[layer, :, None], out=written[layer])
        total = own.sum(axis=-1, keepdims=True)
        total[total == 0] = 1
        own /= total

    each(write, len(written), large=written.size > LARGE)
    return written


def written_translation(pair: Marian, done: Translation) -> Translation:
    """Return a translation whose `cross_weights` are shares of what is written, by length.

    As `written_shares`, of the decoder's look at its source: rows sum to 1.

    Source: Kobayashi et al. 2020, section 5.

    >>> from attention import load_translator
    >>> pair = load_translator("en-pt")
    >>> written_translation(pair, pair.translate("A bank.")).cross_weights.shape
    (2, 8, 4, 4)
    """
    value = pair.decoder.source(done.encoder.hidden[-1]).value  # (L, H, S, E)
    layers, heads, _, width = value.shape
    w_o = np.stack([pair.decoder.output_projection(layer) for layer in range(layers)])
    written = value @ w_o.reshape(layers, heads, width, -1)  # (L, H, S, D)
    shares = _shares(done.cross_weights, np.linalg.norm(written, axis=-1))
    return replace(done, cross_weights=shares)


def written_view(model: Model, trace: Trace, *, merged: bool = True, special: bool = True) -> View:
    """Return `written_shares` over the units that a view shows, as `words.view` does weights."""
    shares = replace(trace, weights=written_shares(model, trace))
    return words.view(shares, words=merged, special=special)


def rollout(weights: Array) -> Array:
    """Return how much of each token's vector after each layer comes from which word: `(L, Q, K)`.

    `R_l = (mean_h A_l + I) / 2 @ R_(l-1)`, with R below the first layer the identity. It takes for
    granted that half of a stream is what it was, that heads count alike, and that a value says what
    its token said: it follows weights, not what is written.

    Parameters
    ----------
    weights : (L, H, Q, K), rows sum to 1

    Returns
    -------
    (L, Q, K) : rows sum to 1

    >>> rollout(np.array([[[[1.0, 0.0], [1.0, 0.0]]]] * 2)).tolist()
    [[[1.0, 0.0], [0.5, 0.5]], [[1.0, 0.0], [0.75, 0.25]]]
    """
    mixed = (weights.mean(axis=1, dtype=np.float64) + np.eye(weights.shape[-1])) / 2
    found = np.empty_like(mixed)
    before = np.eye(weights.shape[-1])
    for layer, own in enumerate(mixed):
        found[layer] = before = own @ before
    return found


def rollout_view(trace: Trace, *, merged: bool = True, special: bool = True) -> View:
    """Return a view of two heads a layer: the mean of its heads, and the rollout up to it.

    What a window hides in one layer comes through those below: no cell is absent for it.
    """
    mean = trace.weights.mean(axis=1, dtype=np.float64)
    both = np.stack([mean, rollout(trace.weights)], axis=1).astype(trace.weights.dtype)
    return words.view(replace(trace, weights=both), words=merged, special=special)


def rolled_up_to(rolled: View, layer: int) -> View:
    """Return the mean of a layer's heads and the rollout up to it, as two layers of one head.

    With windows, each layer takes the rollout as much further back as its own window does.

    Parameters
    ----------
    rolled : as from `rollout_view`
    """
    below = rolled.windows[: layer + 1]
    reach = None if None in below else 1 + sum(window - 1 for window in below if window)
    return replace(
        rolled,
        weights=rolled.weights[layer][:, None],
        removed=rolled.removed[layer][:, None],
        windows=(below[-1], reach) if below else (),
    )
