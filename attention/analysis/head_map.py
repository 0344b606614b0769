"""Which heads do alike on a text: how far apart all of them are, in order, in the plane, nearest.

Source: Clark et al. 2019, "What does BERT look at?", section 6.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from attention.analysis.telling import ordinary
from attention.analysis.words import View
from attention.arrays import Array
from attention.runtime.threads import each, one_blas_thread
from attention.runtime.timing import Progress

_SMALL = 1e-300  # in place of 0, whose logarithm there is none of; 0 log 0 is 0
_SHARED_FROM = 4_000_000  # numbers to be compared: below, sharing costs more than it saves
_AT_ONCE = 4_000_000  # weights that are compared before it is said how far that is: 32 MB


def head_distances(
    view: View, most: int | None = None, on_progress: Progress = lambda share: None
) -> Array:
    """Return how far apart the rows of any two heads are, in bits, `(N, N)` with N = L * H.

    The Jensen-Shannon divergence, the mean over ordinary words:
    `H((p + q) / 2) - (H(p) + H(q)) / 2` with H the entropy in bits; 0 is the same, 1 has nothing in
    common. Its root is a distance in the strict sense (Endres and Schindelin 2003).

    Parameters
    ----------
    most : rows, evenly spread, that are compared of a longer text; None is all
    on_progress : called after every few rows; may raise to stop

    Source: Lin 1991, "Divergence measures based on the Shannon entropy", section IV.

    >>> from attention import load_model
    >>> from attention.analysis.words import view
    >>> head_distances(view(load_model("minilm").trace("The cat sat"))).shape
    (72, 72)
    """
    layers, heads = view.weights.shape[:2]
    rows = np.flatnonzero(ordinary(view))
    if most is not None and len(rows) > most:
        rows = rows[np.linspace(0, len(rows) - 1, most).round().astype(int)]
    found = np.zeros((layers * heads, layers * heads))
    together = max(1, _AT_ONCE // (len(found) * len(view.units)))
    for start in range(0, len(rows), together):
        some = rows[start : start + together]
        _add_distances(found, _packed(view, some))
        on_progress((start + len(some)) / len(rows))
    return np.clip((found + found.T) / (2 * np.log(2) * max(len(rows), 1)), 0, 1)


def _add_distances(found: Array, packed: Array) -> None:
    """Add twice the divergences of some rows in nats to the lower half of a table `(N, N)`.

    Parameters
    ----------
    packed : (N, cells that are not hidden)
    """
    own = _sums(2 * packed)

    def compare(i: int) -> None:
        both = _sums(packed[:i] + packed[i])  # s = p + q: -2 H of their mean, and what cancels
        found[i, :i] += (own[i] + own[:i]) / 2 - both

    each(compare, len(packed), large=packed.size * len(packed) > _SHARED_FROM)


def _packed(view: View, rows: Array) -> Array:
    """Return the rows of each head one after the other, without the cells that a mask hides."""
    chosen = view.weights[:, :, rows].reshape(-1, len(rows), view.weights.shape[-1])
    if view.is_causal:
        return chosen[:, np.arange(chosen.shape[-1]) <= rows[:, None]].astype(np.float64)
    return chosen.reshape(len(chosen), -1).astype(np.float64)


def _sums(pairs: Array) -> Array:
    """Return `sum s ln s` of each row, and overwrite the table."""
    np.maximum(pairs, _SMALL, out=pairs)
    return np.einsum("nc,nc->n", pairs, np.log(pairs))


def leaf_order(distances: Array) -> list[int]:
    """Return the heads in an order in which alike ones stand together: hierarchical clustering.

    The two nearest clusters are joined until one is left; the distance of two clusters is the mean
    over their pairs. When two are joined, their nearest ends meet.

    Parameters
    ----------
    distances : (N, N)

    Source: Sokal and Michener 1958, "A statistical method for evaluating systematic relationships":
    average linkage.

    >>> leaf_order(np.array([[0.0, 0.9, 0.1], [0.9, 0.0, 0.8], [0.1, 0.8, 0.0]]))
    [0, 2, 1]
    """
    between = distances.astype(np.float64)
    np.fill_diagonal(between, np.inf)
    clusters = {i: [i] for i in range(len(between))}
    while len(clusters) > 1:
        one, other = sorted(divmod(int(between.argmin()), len(between)))
        here, there = clusters[one], clusters.pop(other)
        sizes = len(here), len(there)
        clusters[one] = _joined(here, there, distances)
        mean = (sizes[0] * between[one] + sizes[1] * between[other]) / sum(sizes)
        between[one] = between[:, one] = mean
        between[other] = between[:, other] = np.inf
        between[one, one] = np.inf
    return next(iter(clusters.values()), [])


def _joined(here: list[int], there: list[int], distances: Array) -> list[int]:
    """Return two rows of heads as one, turned so that the ends which meet are the nearest."""
    ways = [(a, b) for a in (here[::-1], here) for b in (there, there[::-1])]
    left, right = min(ways, key=lambda way: float(distances[way[0][-1], way[1][0]]))
    return left + right


def layout(distances: Array) -> tuple[Array, float]:
    """Return a place in the plane for each head `(N, 2)`, and how much of the distances it shows.

    Classical scaling of the roots of the divergences: the two leading axes of the centred table.
    The share is theirs of all positive eigenvalues: the rest cannot be seen in a plane.

    Source: Torgerson 1952, "Multidimensional scaling: I. Theory and method".

    >>> places, share = layout(np.array([[0.0, 1.0], [1.0, 0.0]]))
    >>> places.round(3), round(share, 3)
    (array([[ 0.5,  0. ],
           [-0.5,  0. ]]), 1.0)
    """
    size = len(distances)
    centre = np.eye(size) - 1 / max(size, 1)
    with one_blas_thread():
        values, vectors = np.linalg.eigh(-centre @ distances @ centre / 2)
    order = np.argsort(-values, kind="stable")[:2]
    places = vectors[:, order] * np.sqrt(np.maximum(values[order], 0))
    places = np.pad(places, ((0, 0), (0, 2 - places.shape[1])))
    places[np.abs(places) < 1e-9] = 0  # noise around an axis that is not there
    places *= np.where(places[np.abs(places).argmax(axis=0), [0, 1]] < 0, -1, 1)
    positive = values[values > 1e-12].sum()
    return places, float(np.maximum(values[order], 0).sum() / positive) if positive else 1.0


def nearest(distances: Array, head: int, count: int) -> list[int]:
    """Return the heads that are nearest to one, itself left out.

    >>> nearest(np.array([[0.0, 0.9, 0.1], [0.9, 0.0, 0.8], [0.1, 0.8, 0.0]]), 0, 2)
    [2, 1]
    """
    order = np.argsort(distances[head], kind="stable")
    return order[order != head][:count].tolist()


def in_common(here: Array, others: Sequence[Array], count: int) -> Array:
    """Return how many of each head's nearest are among its nearest on other texts, `(N,)`.

    The mean over the other texts. By chance it would be `count^2 / (N - 1)`.

    Parameters
    ----------
    here : (N, N) the distances on one text
    others : those on others

    >>> one = np.array([[0.0, 0.9, 0.1], [0.9, 0.0, 0.8], [0.1, 0.8, 0.0]])
    >>> in_common(one, [one, 1 - one], 1).tolist()
    [0.5, 0.5, 0.5]
    """
    heads = range(len(here))
    own = [set(nearest(here, head, count)) for head in heads]
    shared = [
        [len(own[head] & set(nearest(other, head, count))) for head in heads] for other in others
    ]
    return np.mean(shared, axis=0) if others else np.full(len(here), np.nan)
