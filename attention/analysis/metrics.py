"""Figures that say what a head does on one text.

Every figure is `(L, H)`: the mean over the rows of ordinary words; special tokens have rows too,
but those say nothing about the text, nor do those of white space. Source: Clark et al. 2019, "What
does BERT look at?".
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from attention.analysis.telling import LARGE, ordinary
from attention.analysis.words import View
from attention.arrays import Array
from attention.runtime.threads import each


def entropy(weights: Array) -> Array:
    """Return how widely each row spreads, in bits: `-sum_k w log2 w`, 0 to log2(K).

    Parameters
    ----------
    weights : (..., Q, K)

    >>> entropy(np.array([[1.0, 0.0], [0.5, 0.5]]))
    array([0., 1.])
    """
    safe = np.where(weights > 0, weights, 1)
    return -np.sum(weights * np.log2(safe), axis=-1) + 0.0  # + 0.0: no negative zero


def distance(weights: Array) -> Array:
    """Return how far away each row attends, in positions: `sum_k w |q - k|`.

    >>> distance(np.array([[0.0, 1.0], [0.5, 0.5]]))
    array([1. , 0.5])
    """
    queries, keys = weights.shape[-2:]
    return np.sum(weights * np.abs(np.arange(queries)[:, None] - np.arange(keys)), axis=-1)


def jensen_shannon(p: ArrayLike, q: ArrayLike, axis: int = -1) -> Array:
    """Return how far apart two rows of weights are, in bits: 0 where equal, 1 where disjoint.

    `H((p + q) / 2) - (H(p) + H(q)) / 2` with H the entropy in bits

    Parameters
    ----------
    p, q : weights that broadcast to one shape and sum to 1 along `axis`

    Returns
    -------
    The shape of `p + q` without `axis`; symmetric in p and q

    Source: Lin 1991, "Divergence measures based on the Shannon entropy", section IV.

    >>> jensen_shannon([[1.0, 0.0], [0.0, 1.0]], [0.0, 1.0])
    array([1., 0.])
    """
    one, other = np.broadcast_arrays(np.asarray(p, np.float64), np.asarray(q, np.float64))
    mean = (one + other) / 2
    middle, left, right = (entropy(np.moveaxis(row, axis, -1)) for row in (mean, one, other))
    return np.clip(middle - (left + right) / 2, 0, 1)  # rounding can lead just below 0


def entropy_per_head(view: View) -> Array:
    """Return the mean entropy in bits, `(L, H)`."""
    return _mean_rows(_by_layer(entropy, view), ordinary(view))


def distance_per_head(view: View) -> Array:
    """Return the mean distance in positions, `(L, H)`."""
    return _mean_rows(_by_layer(distance, view), ordinary(view))


def neighbour_share(view: View, offset: int) -> Array:
    """Return the mean share that goes `offset` positions on, `(L, H)`; -1 is the previous word."""
    diagonal = np.diagonal(view.weights, offset=offset, axis1=-2, axis2=-1)  # (L, H, W - |offset|)
    rows = ordinary(view)[max(0, -offset) :][: diagonal.shape[-1]]
    return _mean_rows(diagonal, rows)


def position_share(view: View, position: int) -> Array:
    """Return the mean share that goes to one position, `(L, H)`; -1 is the last."""
    if not view.units:
        return np.zeros(view.weights.shape[:2], view.weights.dtype)
    return _mean_rows(view.weights[..., position], ordinary(view))


def separator_share(view: View) -> Array:
    """Return the mean share that goes to the closing special token, `(L, H)`; 0 without one."""
    if not (view.units and view.units[-1].special):
        return np.zeros(view.weights.shape[:2], view.weights.dtype)
    return position_share(view, -1)


@dataclass(frozen=True)
class Metric:
    """A figure per head: its name, what it says in plain words, and how it is computed."""

    label: str
    meaning: str
    per_head: Callable[[View], Array]
    unit: str = ""


METRICS = {
    "entropy": Metric(
        "Entropy", "how widely it spreads: 0 is one word only", entropy_per_head, "bits"
    ),
    "distance": Metric(
        "Distance", "how many positions away it attends", distance_per_head, "positions"
    ),
    "previous": Metric(
        "Previous", "share that goes to the word before", lambda v: neighbour_share(v, -1)
    ),
    "next": Metric("Next", "share that goes to the word after", lambda v: neighbour_share(v, 1)),
    "same": Metric("Same", "share that goes to the word itself", lambda v: neighbour_share(v, 0)),
    "first": Metric(
        "First", "share that goes to the first position", lambda v: position_share(v, 0)
    ),
    "separator": Metric(
        "Separator", "share that goes to the closing special token", separator_share
    ),
}


def figures_for(view: View) -> dict[str, Metric]:
    """Return the figures that can say something: a decoder attends to no later word, for one."""
    if view.other is not None:  # positions of two texts say nothing to each other
        return {"entropy": METRICS["entropy"]}
    idle = {"next"} if view.is_causal else set()
    if view.is_causal and not (view.units and view.units[-1].special):
        idle.add("separator")
    return {name: metric for name, metric in METRICS.items() if name not in idle}


def special_share(view: View) -> Array:
    """Return the mean share that goes to special tokens, `(L, H)`."""
    special = [i for i, unit in enumerate(view.keys) if unit.special]
    return _mean_rows(view.weights[..., special].sum(axis=-1), ordinary(view))


def first_share(view: View) -> Array:
    """Return the mean share that goes to the first position from words with another in between.

    `(L, H)`; 0 where there is no such word. In a decoder the first token is the one that all can
    attend to, where no window hides it: it is a sink as `[SEP]` is in an encoder. Source: Xiao et
    al. 2023, "Efficient streaming language models with attention sinks", section 3.1.
    """
    later = ordinary(view)
    later[:2] = False
    return _mean_rows(view.weights[..., :1].sum(axis=-1), later)


def _by_layer(figure: Callable[[Array], Array], view: View) -> Array:
    """Return a figure of each row, `(L, H, W)`: of one layer after another, which fits a cache."""
    weights = view.weights
    large = weights.size > LARGE
    return np.array(each(lambda layer: figure(weights[layer]), len(weights), large=large))


def _mean_rows(figures: Array, rows: Array) -> Array:
    """Return the mean over the chosen rows of `(L, H, W)`; 0 where there are none."""
    if not rows.any():
        return np.zeros(figures.shape[:2], figures.dtype)
    return figures[..., rows].mean(axis=-1)
