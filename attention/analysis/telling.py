"""Which head, word or pair says something about a text: weights held against a base rate.

A head in which every word attends to "cat" shows nothing about "it" and "cat". What tells is a
weight that is particular to this query: larger than what the other words give the same key.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from attention.analysis.words import View
from attention.arrays import Array
from attention.runtime.threads import each

LARGE = 1_000_000  # weights: from here on processors share the work on layers


def base_rate(
    weights: ArrayLike,
    counted: ArrayLike | None = None,
    *,
    is_causal: bool = False,
    seen: Array | None = None,
    query: int | None = None,
) -> Array:
    r"""Return the mean weight that the other queries give the same key.

    `b_qk = mean over r of w_rk`, where r runs over all queries that count, but q, and that may
    attend to key k

    Parameters
    ----------
    weights : (..., Q, K), rows sum to 1
    counted : (Q,) bool, the queries that count: as a rule the ordinary words, not special tokens
    is_causal : query r may attend to keys 0..r only
    seen : (..., Q, K) bool, which keys each query may attend to, where there is more to that
    query : the one row to return, if it is not all

    Returns
    -------
    (..., Q, K), or (..., K) of one query; NaN where no other query may attend to the key

    Source: a key that every query attends to alike is the "vertical" pattern of Kovaleva et al.
    2019, "Revealing the dark secrets of BERT", section 4.1.

    >>> base_rate([[0.5, 0.5], [0.25, 0.75]])
    array([[0.25, 0.75],
           [0.5 , 0.5 ]])
    """
    weights = _rows(weights)
    queries, keys = np.arange(weights.shape[-2]), np.arange(weights.shape[-1])
    counts = np.ones(len(queries), bool) if counted is None else np.asarray(counted, bool)
    allowed = (queries[:, None] >= keys) | (not is_causal) if seen is None else seen
    may = counts[:, None] & allowed  # (..., Q, K)
    counted_once = may.astype(weights.dtype)
    total = np.einsum("...qk,...qk->...k", weights, counted_once)[..., None, :]
    rows = slice(None) if query is None else slice(query, query + 1)
    # how many other queries may attend to the key
    others = may.sum(axis=-2, keepdims=True) - may[..., rows, :]
    rest = weights[..., rows, :] * counted_once[..., rows, :]  # of a long text large: few passes
    np.maximum(np.subtract(total, rest, out=rest), 0, out=rest)  # rounding can lead below 0
    count = np.where(others > 0, others, np.nan).astype(np.result_type(rest, np.float16))
    mean = np.divide(rest, count, out=rest if rest.dtype == count.dtype else None)
    return mean if query is None else mean[..., 0, :]


def selectivity(
    weights: ArrayLike,
    counted: ArrayLike | None = None,
    *,
    is_causal: bool = False,
    seen: Array | None = None,
    query: int | None = None,
) -> Array:
    """Return how much more each query gives a key than the other queries do: -1 to 1.

    `s_qk = w_qk - b_qk` with the base rate b; the weight itself where there is no other query to
    compare with. The parameters and shapes are those of `base_rate`.

    >>> selectivity([[0.5, 0.5], [0.25, 0.75]])
    array([[ 0.25, -0.25],
           [-0.25,  0.25]])
    """
    base = base_rate(weights, counted, is_causal=is_causal, seen=seen, query=query)
    own = np.asarray(weights) if query is None else np.asarray(weights)[..., query, :]
    base[np.isnan(base)] = 0
    return own - base


def distance_rate(weights: ArrayLike, query: int, counted: ArrayLike | None = None) -> Array:
    """Return the mean weight that the other queries give the key at the same distance from them.

    `d_k = mean over r of w_r,(r + k - q)`, where r runs over all queries that count, but q

    A head that attends to the word before, whatever it is, gives every word the same at that
    distance.

    Parameters
    ----------
    weights : (..., Q, K), rows sum to 1
    query : the row that is compared with the others
    counted : (Q,) bool, the queries that count

    Returns
    -------
    (..., K); NaN where no other query has a key at that distance

    Source: the "diagonal" pattern of Kovaleva et al. 2019, section 4.1.

    >>> distance_rate([[1.0, 0.0, 0.0], [0.9, 0.1, 0.0], [0.0, 0.7, 0.3]], query=1)
    array([0.7 , 0.65, 0.  ])
    """
    weights = _rows(weights)
    keys = np.arange(weights.shape[-1])
    counts = np.ones(weights.shape[-2], bool) if counted is None else np.asarray(counted, bool)
    total, count = np.zeros_like(weights[..., query, :]), np.zeros(len(keys))
    for r in np.flatnonzero(counts & (np.arange(len(counts)) != query)):
        here = keys[(keys >= query - r) & (keys < len(keys) + query - r)]
        total[..., here] += weights[..., r, here + r - query]
        count[here] += 1
    return np.divide(total, count, out=np.full_like(total, np.nan), where=count > 0)


def _rows(weights: ArrayLike) -> Array:
    rows = np.asarray(weights)
    if rows.ndim < 2 or rows.dtype.kind not in "fiub":
        raise ValueError(f"weights must be numbers (..., Q, K), got {rows.dtype} {rows.shape}")
    return rows


def ordinary(view: View) -> Array:
    """Return which units are words of the text: no special tokens, no white space: `(W,)` bool."""
    return np.array([unit.ordinary for unit in view.units], dtype=bool)


def others_give(view: View, head: tuple[int, int], query: int) -> Array:
    """Return what the other words of the text give each key in one head, on average: `(W,)`."""
    return base_rate(view.weights[head], ordinary(view), seen=view.seen_in(head[0]), query=query)


def row_selectivity(view: View, query: int) -> Array:
    """Return how much more one word attends to each key than the other words do: `(L, H, W)`."""
    return selectivity(view.weights, ordinary(view), seen=view.seen, query=query)


def telling_heads(view: View, query: int, key: int, count: int) -> list[tuple[int, int]]:
    """Return the `(layer, head)` pairs in which `query` is most selective for `key`, those first.

    Ranked by selectivity: the weight less the mean weight that the other words give the same key.
    Heads whose window hides the key are left out, if others see it.
    """
    found = row_selectivity(view, query)[..., key]
    sees = np.broadcast_to(view.seen[..., query, key], found.shape).ravel()
    order = np.argsort(-found, axis=None, kind="stable")
    some = order[sees[order]] if sees.any() else order
    return [divmod(int(i), found.shape[1]) for i in some[:count]]


def telling_link(
    view: View, least: int = 2, *, query: int | None = None, but: int | None = None
) -> tuple[int, int, int, int]:
    """Return `(query, key, layer, head)` of the most selective link between two ordinary words.

    The words are at least `least` positions apart, if the text has such words; else any that are
    not the same, else the only word there is. In a decoder the first word is taken last: nearly
    every head rests its weight there.

    Parameters
    ----------
    query : the word whose links are meant, if it is not any
    but : a word that is not the query, if there is another
    """
    allowed, words = _candidates(view, least, query, but), ordinary(view)

    def best(layer: int) -> tuple[float, tuple[int, int, int, int]]:
        own = selectivity(view.weights[layer], words, seen=view.seen_in(layer))
        found = np.where(allowed & view.seen_in(layer), own, -np.inf)
        head, q, k = np.unravel_index(int(np.argmax(found)), found.shape)
        return float(found[head, q, k]), (int(q), int(k), layer, int(head))

    # one layer at a time: a long text has many weights
    layers = each(best, len(view.weights), large=view.weights.size > LARGE)
    return max(layers, key=lambda found: found[0], default=(0.0, (0, 0, 0, 0)))[1]


def _candidates(view: View, least: int, query: int | None, but: int | None) -> Array:
    """Return which pairs of a query and a key may be chosen, `(W, W)` bool."""
    words, positions = ordinary(view), np.arange(len(view.units))
    if view.other is not None:  # of another text no word is far or near
        keys = np.array([unit.ordinary for unit in view.other], dtype=bool)
        asked = words if query is None else positions == query
        return np.outer(asked, keys) if (asked.any() and keys.any()) else np.outer(asked, ~keys)
    apart = np.abs(positions[:, None] - positions)
    queries = words if query is None else positions == query
    if (queries & (positions != but)).any():
        queries = queries & (positions != but)
    candidates = np.outer(queries, words)
    candidates &= view.seen.any(axis=(0, 1))
    if view.is_causal:
        but_first = candidates & (positions > 0)
        candidates = but_first if (but_first & (apart > 0)).any() else candidates
    return next(m for d in (least, 1, 0) if (m := candidates & (apart >= d)).any())
