"""Additive scores, the attention of 2014, beside the scaled dot products of 2017.

Source: Bahdanau et al. 2014, "Neural machine translation by jointly learning to align and
translate", section A.1.2; compared in Vaswani et al. 2017, "Attention is all you need", section
3.2.1.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from attention.analysis.metrics import entropy
from attention.analysis.words import View
from attention.arrays import Array
from attention.core import attention_scores, causal_mask, softmax
from attention.models.layers import kv_head
from attention.models.trace import Trace
from attention.runtime.threads import one_blas_thread
from attention.runtime.timing import Progress, clock, in_turn
from attention.wording import Head

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
    queries, keys = np.asarray(query) @ weights.w_query, np.asarray(key) @ weights.w_key
    scores = np.empty((len(queries), len(keys)), queries.dtype)
    rows = max(1, _BLOCK // max(keys.size, 1))
    for start in range(0, len(queries), rows):
        some = slice(start, start + rows)
        inner = queries[some, None] + keys  # (rows, K, A)
        scores[some] = np.tanh(inner, out=inner) @ weights.v
    return scores


@dataclass(frozen=True, eq=False)
class BothRows:
    """One row of weights of a head, from its own dot products and from random additive scores."""

    view: View
    query: int
    rows: dict[str, Array]  # kind of score -> (W,)

    def largest(self, count: int) -> list[int]:
        """Return the words that weigh most in either row, in the order of the text."""
        strongest = np.max(list(self.rows.values()), axis=0)
        return sorted(np.argsort(-strongest, kind="stable")[:count].tolist())

    @property
    def sentence(self) -> str:
        """Say what the word attends to most by each kind of score, and how widely."""
        most = {kind: self.view.labels[int(row.argmax())] for kind, row in self.rows.items()}
        spread = {kind: float(entropy(row)) for kind, row in self.rows.items()}
        return (
            f"With trained dot products “{self.view.labels[self.query]}” attends to “{most[DOT]}” "
            f"most (entropy {spread[DOT]:.1f} bits), with the random network to "
            f"“{most[ADDITIVE]}” ({spread[ADDITIVE]:.1f} bits): what a head attends to is learned, "
            "in both forms."
        )


def both_rows(
    trace: Trace, view: View, query: int, head: Head, weights: AdditiveWeights
) -> BothRows:
    """Score the queries and keys of a head by a small network, too, with these weights.

    Of a word of several pieces the row is the mean of theirs, and its own weight their sum.
    """
    layer, number = head
    keys = trace.key[layer, kv_head(number, trace.query.shape[1], trace.key.shape[1])]  # (T, E)
    positions = list(view.units[query].positions)
    scores = additive_scores(trace.query[layer, number, positions], keys, weights)
    if trace.is_causal:
        scores[~causal_mask(len(keys))[positions]] = -np.inf
    row = softmax(scores).mean(axis=0)  # (T,)
    merged = np.array([row[list(unit.positions)].sum() for unit in view.units])
    return BothRows(view, query, {DOT: view.weights[head][query], ADDITIVE: merged / merged.sum()})


def longer_sentence(costs: Sequence[ScoreCost], n: int) -> str:
    """Say how much longer the additive scores took at one length, where they were timed."""
    seconds = {cost.kind: cost.seconds for cost in costs if cost.n == n}
    if not seconds:
        return ""
    times = seconds[ADDITIVE] / seconds[DOT]
    return f"At {n} tokens the additive scores took {times:.0f} times as long. "


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
    on_progress: Progress = lambda share: None,
) -> list[ScoreCost]:
    """Count and time both kinds of scores on the same normal float32 vectors.

    After a warm-up both are timed in turn, so that a slow moment hits both; the median counts. On
    one processor, so that neither looks quick for having more of them.
    """
    measured = []
    weights = random_weights(width, inner, seed=0)
    for done, n in enumerate(lengths):
        query, key = np.random.default_rng(n).standard_normal((2, n, width), dtype=np.float32)
        calls: dict[str, Callable[[], Array]] = {
            DOT: partial(attention_scores, query, key),
            ADDITIVE: partial(additive_scores, query, key, weights),
        }
        with one_blas_thread():
            timings = in_turn([clock(call) for call in calls.values()], _ROUNDS)
        for (kind, numbers), time in zip(counted(n, width, inner).items(), timings, strict=True):
            measured.append(ScoreCost(n, kind, *numbers, time.median))
        on_progress((done + 1) / len(lengths))
    return measured
