"""Shared keys and values: which query heads read the same ones, how alike they are, what is saved.

Source: Ainslie et al. 2023, "GQA: training generalized multi-query transformer models", section 2.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from attention import metrics
from attention.models.trace import Trace
from attention.words import View


@dataclass(frozen=True)
class Sharing:
    """How many heads ask and how many answer in each layer, and what a kept token takes."""

    heads: int  # H
    groups: int  # G
    layers: int  # L
    width: int  # E

    @property
    def each(self) -> int:
        """How many query heads share one head of keys and values."""
        return self.heads // self.groups

    def siblings(self, head: int) -> list[int]:
        """Return the query heads that read what `head` reads, itself among them.

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


def divergence(view: View, groups: int) -> tuple[float, float]:
    """Return how far apart two heads of a layer read, in bits: inside a group, and across groups.

    The Jensen-Shannon divergence of their rows, the mean over ordinary words, pairs and layers;
    NaN where there are no such pairs.
    """
    layers, heads = view.weights.shape[:2]
    ordinary = [i for i, unit in enumerate(view.units) if not unit.special]
    group = np.arange(heads) * groups // heads
    inside, across = [], []
    for layer in range(layers):
        rows = view.weights[layer][:, ordinary]
        for head in range(1, heads):
            apart = metrics.jensen_shannon(rows[head], rows[:head]).mean(axis=-1)
            same = group[:head] == group[head]
            inside += apart[same].tolist()
            across += apart[~same].tolist()
    return (
        float(np.mean(inside)) if inside else np.nan,
        float(np.mean(across)) if across else np.nan,
    )
