"""Shared keys and values: which query heads use the same ones, how alike they are, what is saved.

Source: Ainslie et al. 2023, "GQA: training generalized multi-query transformer models", section 2.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from attention.analysis import metrics
from attention.analysis.words import View
from attention.arrays import Array
from attention.models.layers import kv_head
from attention.models.trace import Trace


@dataclass(frozen=True)
class Sharing:
    """How many heads share keys and values in each layer, and what a cached token takes."""

    heads: int  # H
    groups: int  # G
    layers: int  # L
    width: int  # E

    @property
    def each(self) -> int:
        """How many query heads share one head of keys and values."""
        return self.heads // self.groups

    def siblings(self, head: int) -> list[int]:
        """Return the query heads that use the keys and values of `head`, itself among them.

        >>> Sharing(heads=9, groups=3, layers=30, width=64).siblings(4)
        [3, 4, 5]
        """
        first = head // self.each * self.each
        return list(range(first, first + self.each))

    def token_bytes(self, groups: int, number_bytes: int = 4) -> int:
        """Return what the keys and values of one token take: `2 L G E` numbers.

        >>> Sharing(heads=9, groups=3, layers=30, width=64).token_bytes(3)
        46080
        """
        return 2 * self.layers * groups * self.width * number_bytes


def sharing(trace: Trace) -> Sharing:
    """Return how the heads of a trace share keys and values."""
    layers, heads, _, width = trace.query.shape
    return Sharing(heads, trace.key.shape[1], layers, width)


def pairwise(view: View, on_progress: Callable[[float], None] = lambda _: None) -> Array:
    """Return how far apart the rows of any two heads of a layer are, in bits, `(L, H, H)`: 0 is the
    same.

    The Jensen-Shannon divergence of their rows, the mean over ordinary words:
    `H((p + q) / 2) - (H(p) + H(q)) / 2` with H the entropy in bits.
    """
    layers, heads = view.weights.shape[:2]
    ordinary = [i for i, unit in enumerate(view.units) if unit.ordinary]
    apart = np.zeros((layers, heads, heads))
    for layer in range(layers):
        rows = view.weights[layer][:, ordinary]
        own = metrics.entropy(rows).mean(axis=-1)  # once for each head, not for each pair
        for head in range(1, heads):
            both = metrics.entropy((rows[head] + rows[:head]) / 2).mean(axis=-1)
            bits = both - (own[head] + own[:head]) / 2
            apart[layer, head, :head] = apart[layer, :head, head] = np.clip(bits, 0, 1)
        on_progress((layer + 1) / layers)
    return apart


class Apart(NamedTuple):
    """How far from each head the others of its layer are, in bits; NaN where there are none."""

    inside: Array  # (L, H), the mean over those that share its keys and values
    across: Array  # (L, H), the mean over those that do not


def divergence(apart: Array, groups: int) -> Apart:
    """Return how far each head is from those in its group and from the others.

    Groups are of one size, so the mean over heads is the mean over pairs.

    Parameters
    ----------
    apart : (L, H, H) from `pairwise`

    >>> divergence(np.array([[[0.0, 0.2], [0.2, 0.0]]]), groups=1).inside
    array([[0.2, 0.2]])
    """
    heads = apart.shape[-1]
    group = kv_head(np.arange(heads), heads, groups)
    same = group[:, None] == group
    return Apart(_mean_of(apart, same & ~np.eye(heads, dtype=bool)), _mean_of(apart, ~same))


def _mean_of(apart: Array, pairs: Array) -> Array:
    """Return the mean of each row over the pairs `(H, H)` that are true."""
    total = np.einsum("lhk,hk->lh", apart, pairs.astype(apart.dtype))
    count = np.broadcast_to(pairs.sum(axis=-1), total.shape)
    return np.divide(total, count, out=np.full(total.shape, np.nan), where=count > 0)
