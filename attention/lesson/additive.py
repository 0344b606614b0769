"""Additive scores, the attention of 2014, beside the scaled dot products of 2017.

Source: Bahdanau et al. 2014, "Neural machine translation by jointly learning to align and
translate", section A.1.2; compared in Vaswani et al. 2017, "Attention is all you need", section
3.2.1.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from time import perf_counter
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from attention.arrays import Array
from attention.core import attention_scores
from attention.runtime.threads import one_blas_thread

_BLOCK = 1 << 18  # numbers at a time: the hidden layer of all pairs would not stay in the cache
_ROUNDS = 9
DOT, ADDITIVE = "scaled dot product", "additive"


class AdditiveWeights(NamedTuple):
    """The weights that an additive score needs and a dot product does not."""

    w_query: Array  # (E, A)
    w_key: Array  # (E, A)
    v: Array  # (A,)


class ScoreCost(NamedTuple):
    """What all the scores of one head cost at one length."""

    n: int
    kind: str
    multiplications: int
    tanhs: int
    seconds: float  # measured: the median of several rounds


def random_weights(width: int, inner: int, seed: int) -> AdditiveWeights:
    """Draw untrained weights from normal distributions, with variance 1 over the inputs of each.

    Parameters
    ----------
    width : E, of queries and keys
    inner : A, of the hidden layer
    """
    rng = np.random.default_rng(seed)
    w_query, w_key = rng.standard_normal((2, width, inner), dtype=np.float32) / np.sqrt(width)
    v = rng.standard_normal(inner, dtype=np.float32) / np.sqrt(inner)
    return AdditiveWeights(w_query, w_key, v)


def additive_scores(query: ArrayLike, key: ArrayLike, weights: AdditiveWeights) -> Array:
    """Return `v . tanh(W q + U k)` for every query and key: a small network for every pair.

    Parameters
    ----------
    query : (Q, E)
    key : (K, E)

    Returns
    -------
    (Q, K)

    >>> one = AdditiveWeights(np.eye(1), np.eye(1), np.array([2.0]))
    >>> additive_scores([[0.0]], [[0.0], [50.0]], one)
    array([[0., 2.]])
    """
    asked, offered = np.asarray(query) @ weights.w_query, np.asarray(key) @ weights.w_key
    scores = np.empty((len(asked), len(offered)), asked.dtype)
    rows = max(1, _BLOCK // max(offered.size, 1))
    for start in range(0, len(asked), rows):
        some = slice(start, start + rows)
        inner = asked[some, None] + offered  # (rows, K, A)
        scores[some] = np.tanh(inner, out=inner) @ weights.v
    return scores


def counted(n: int, width: int, inner: int) -> dict[str, tuple[int, int]]:
    """Return `(multiplications, tanhs)` of all n x n scores of one head, by kind.

    Scaled dot products: `n^2 E` and `n E` for the scale. Additive: `2 n E A` for the projections,
    `n^2 A` for v, and `n^2 A` times tanh.

    >>> counted(10, width=4, inner=3)
    {'scaled dot product': (440, 0), 'additive': (540, 300)}
    """
    pairs = n * n
    return {
        DOT: (pairs * width + n * width, 0),
        ADDITIVE: (2 * n * width * inner + pairs * inner, pairs * inner),
    }


def costs(
    lengths: Sequence[int],
    width: int,
    inner: int,
    on_progress: Callable[[float], object] = lambda share: None,
) -> list[ScoreCost]:
    """Count and time both kinds of scores on the same normal float32 vectors.

    After a warm-up both are timed in turn, so that a slow moment hits both; the median counts. On
    one processor, so that neither looks quick for having more of them.
    """
    found = []
    weights = random_weights(width, inner, seed=0)
    for done, n in enumerate(lengths):
        query, key = np.random.default_rng(n).standard_normal((2, n, width), dtype=np.float32)
        calls: dict[str, Callable[[], Array]] = {
            DOT: partial(attention_scores, query, key),
            ADDITIVE: partial(additive_scores, query, key, weights),
        }
        with one_blas_thread():
            rounds = [{k: _seconds(call) for k, call in calls.items()} for _ in range(_ROUNDS + 1)]
        for kind, numbers in counted(n, width, inner).items():
            median = float(np.median([times[kind] for times in rounds[1:]]))  # [0]: the warm-up
            found.append(ScoreCost(n, kind, *numbers, median))
        on_progress((done + 1) / len(lengths))
    return found


def _seconds(call: Callable[[], object]) -> float:
    start = perf_counter()
    call()
    return perf_counter() - start
