"""Which head, word or pair says something about a text: weights held against a base rate.

A head in which every word reads "cat" shows nothing about "it" and "cat". What tells is a weight
that is there because this word asks: larger than what the other words give the same key.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from attention.analysis.words import View
from attention.arrays import Array


def base_rate(
    weights: ArrayLike,
    asking: ArrayLike | None = None,
    *,
    is_causal: bool = False,
    query: int | None = None,
) -> Array:
    r"""Return the mean weight that the other queries give the same key.

    `b_qk = mean over r of w_rk`, where r runs over all asking queries but q that may see key k

    Parameters
    ----------
    weights : (..., Q, K), rows sum to 1
    asking : (Q,) bool, the queries that count: as a rule the ordinary words, not special tokens
    is_causal : query r sees keys 0..r only
    query : the one row to return, if it is not all

    Returns
    -------
    (..., Q, K), or (..., K) of one query; NaN where no other query may see the key

    Source: a key that every query reads alike is the "vertical" pattern of Kovaleva et al. 2019,
    "Revealing the dark secrets of BERT", section 4.1.

    >>> base_rate([[0.5, 0.5], [0.25, 0.75]])
    array([[0.25, 0.75],
           [0.5 , 0.5 ]])
    """
    weights = np.asarray(weights)
    queries, keys = np.arange(weights.shape[-2]), np.arange(weights.shape[-1])
    counts = np.ones(len(queries), bool) if asking is None else np.asarray(asking, bool)
    sees = counts[:, None] & ((queries[:, None] >= keys) | (not is_causal))  # (Q, K)
    total = np.einsum("...qk,qk->...k", weights, sees.astype(weights.dtype))[..., None, :]
    rows = slice(None) if query is None else slice(query, query + 1)
    others = sees.sum(axis=0) - sees[rows]  # (Q, K) how many other queries see the key
    rest = np.maximum(total - weights[..., rows, :] * sees[rows], 0)  # rounding can lead below 0
    mean = np.divide(rest, others, out=np.full_like(rest, np.nan), where=others > 0)
    return mean if query is None else mean[..., 0, :]


def selectivity(
    weights: ArrayLike,
    asking: ArrayLike | None = None,
    *,
    is_causal: bool = False,
    query: int | None = None,
) -> Array:
    """Return how much more each query gives a key than the other queries do: -1 to 1.

    `s_qk = w_qk - b_qk` with the base rate b; the weight itself where there is no other query to
    compare with. The parameters and shapes are those of `base_rate`.

    >>> selectivity([[0.5, 0.5], [0.25, 0.75]])
    array([[ 0.25, -0.25],
           [-0.25,  0.25]])
    """
    base = base_rate(weights, asking, is_causal=is_causal, query=query)
    own = np.asarray(weights) if query is None else np.asarray(weights)[..., query, :]
    return own - np.nan_to_num(base)


def distance_rate(weights: ArrayLike, query: int, asking: ArrayLike | None = None) -> Array:
    """Return the mean weight that the other queries give the key at the same distance from them.

    `d_k = mean over r of w_r,(r + k - q)`, where r runs over all asking queries but q

    A head that reads the word before, whatever it is, gives every word the same at that distance.

    Parameters
    ----------
    weights : (..., Q, K), rows sum to 1
    query : the row that is compared with the others
    asking : (Q,) bool, the queries that count

    Returns
    -------
    (..., K); NaN where no other query has a key at that distance

    Source: the "diagonal" pattern of Kovaleva et al. 2019, section 4.1.

    >>> distance_rate([[1.0, 0.0, 0.0], [0.9, 0.1, 0.0], [0.0, 0.7, 0.3]], query=1)
    array([0.7 , 0.65, 0.  ])
    """
    weights = np.asarray(weights)
    keys = np.arange(weights.shape[-1])
    counts = np.ones(weights.shape[-2], bool) if asking is None else np.asarray(asking, bool)
    total, found = np.zeros_like(weights[..., query, :]), np.zeros(len(keys))
    for r in np.flatnonzero(counts & (np.arange(len(counts)) != query)):
        here = keys[(keys >= query - r) & (keys < len(keys) + query - r)]
        total[..., here] += weights[..., r, here + r - query]
        found[here] += 1
    return np.divide(total, found, out=np.full_like(total, np.nan), where=found > 0)


def ordinary(view: View) -> Array:
    """Return which units are words of the text: no special tokens, no white space: `(W,)` bool."""
    return np.array([unit.ordinary for unit in view.units], dtype=bool)


def others_give(view: View, head: tuple[int, int], query: int) -> Array:
    """Return what the other words of the text give each key in one head, on average: `(W,)`."""
    return base_rate(view.weights[head], ordinary(view), is_causal=view.is_causal, query=query)


def row_selectivity(view: View, query: int) -> Array:
    """Return how much more one word reads each key than the other words do: `(L, H, W)`."""
    return selectivity(view.weights, ordinary(view), is_causal=view.is_causal, query=query)


def telling_heads(view: View, query: int, key: int, count: int) -> list[tuple[int, int]]:
    """Return the `(layer, head)` pairs that read `key` most because `query` asks, those first.

    Ranked by selectivity: the weight less the mean weight that the other words give the same key.
    """
    found = row_selectivity(view, query)[..., key]
    order = np.argsort(-found, axis=None, kind="stable")[:count]
    return [divmod(int(i), found.shape[1]) for i in order]


def telling_link(
    view: View, least: int = 2, *, asks: int | None = None, but: int | None = None
) -> tuple[int, int, int, int]:
    """Return `(query, key, layer, head)` of the most selective link between two ordinary words.

    The words are at least `least` positions apart, if the text has such words; else any that are
    not the same, else the only word there is. In a decoder the first word is taken last: nearly
    every head rests its weight there.

    Parameters
    ----------
    asks : the word that asks, if it is not any
    but : a word that does not ask, if there is another
    """
    allowed = _candidates(view, least, asks, but)
    words = ordinary(view)
    best, place = -np.inf, (0, 0, 0, 0)
    for layer, weights in enumerate(view.weights):  # one at a time: a long text has many weights
        found = np.where(allowed, selectivity(weights, words, is_causal=view.is_causal), -np.inf)
        head, query, key = np.unravel_index(int(np.argmax(found)), found.shape)
        if found[head, query, key] > best:
            best = found[head, query, key]
            place = int(query), int(key), layer, int(head)
    return place


def _candidates(view: View, least: int, asks: int | None, but: int | None) -> Array:
    """Return which pairs of a query and a key may be chosen, `(W, W)` bool."""
    words, positions = ordinary(view), np.arange(len(view.units))
    apart = np.abs(positions[:, None] - positions)
    asking = words if asks is None else positions == asks
    if (asking & (positions != but)).any():
        asking = asking & (positions != but)
    candidates = np.outer(asking, words)
    if view.is_causal:
        candidates &= positions <= positions[:, None]
        but_first = candidates & (positions > 0)
        candidates = but_first if (but_first & (apart > 0)).any() else candidates
    return next(m for d in (least, 1, 0) if (m := candidates & (apart >= d)).any())
