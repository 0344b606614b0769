"""What becomes of a score between the dot product and softmax, besides the causal mask."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from attention.arrays import Array


@dataclass(frozen=True, eq=False)
class Scoring:
    """What some models do to their scaled scores: a cap, a bias by distance, a window.

    Parameters
    ----------
    cap : scores come to lie between -cap and cap, `cap tanh(s / cap)`; Gemma 2, section 2
    bias : (H, 2 R + 1), added for each distance k - q from -R to R, further away as there; Raffel
        et al. 2020, "T5", section 2.1
    windows : of each layer, how many keys a query sees, itself among them; None or none, all;
        Beltagy et al. 2020, "Longformer", section 3.1
    """

    cap: float | None = None
    bias: Array | None = None
    windows: tuple[int | None, ...] = ()

    def window(self, layer: int) -> int | None:
        """Return how many keys a query of a layer sees, if there is a limit."""
        return self.windows[layer] if self.windows else None

    @property
    def widest(self) -> int | None:
        """How many keys a query sees in the layer that sees most, if all have a limit."""
        limits = [window for window in self.windows if window is not None]
        return max(limits) if limits and len(limits) == len(self.windows) else None

    def in_place(
        self, scores: Array, layer: int, first_head: int = 0, first_query: int = 0
    ) -> Array:
        """Change scaled scores `(..., part of H, part of Q, K)`; return them.

        Parameters
        ----------
        first_head, first_query : the head and the query of `scores[..., 0, 0, :]`

        >>> Scoring(windows=(2,)).in_place(np.zeros((1, 1, 3)), 0, first_query=2)
        array([[[-inf,   0.,   0.]]])
        """
        *_, heads, queries, keys = scores.shape
        capped_in_place(scores, self.cap)
        apart = np.arange(keys) - np.arange(first_query, first_query + queries)[:, None]
        if self.bias is not None:
            farthest = self.bias.shape[1] // 2
            own = self.bias[first_head : first_head + heads]
            scores += own[:, np.clip(apart, -farthest, farthest) + farthest]
        if (window := self.window(layer)) is not None and window < first_query + queries:
            np.copyto(scores, -math.inf, where=apart <= -window)
        return scores


def capped_in_place(scores: Array, cap: float | None) -> Array:
    """Overwrite scores with `cap tanh(s / cap)`, where there is a cap; return them.

    >>> capped_in_place(np.array([0.0, 1000.0]), 50.0)
    array([ 0., 50.])
    """
    if cap is not None:
        scores /= cap
        np.tanh(scores, out=scores)
        scores *= cap
    return scores


def cap_slope(capped: Array, cap: float | None) -> Array:
    """Return how capped scores change with those before the cap, `1 - (s / cap)^2`.

    >>> cap_slope(np.array([0.0, 25.0]), 50.0)
    array([1.  , 0.75])
    """
    if cap is None:
        return np.ones_like(capped)
    return 1 - np.square(capped / np.asarray(cap, capped.dtype))


def bias_by_distance(embedding: Array, buckets: int = 32, farthest: int = 128) -> Array:
    """Return the bias of each distance k - q from -`farthest` to `farthest`, `(H, 2 R + 1)`.

    Half of the buckets are for keys after the query. Of each half the first half is for one
    distance each; those further away share buckets that grow as powers do.

    Parameters
    ----------
    embedding : (buckets, H), learned
    """
    apart = np.arange(-farthest, farthest + 1)
    half, exact = buckets // 2, buckets // 4
    distance = np.abs(apart).astype(np.float32)
    growth = np.log(np.maximum(distance, 1) / np.float32(exact)) / math.log(farthest / exact)
    shared = np.minimum(exact + (growth * (half - exact)).astype(np.int64), half - 1)
    bucket = np.where(distance < exact, distance, shared).astype(np.int64) + half * (apart > 0)
    bias: Array = np.ascontiguousarray(embedding[bucket].T)
    bias.flags.writeable = False
    return bias
