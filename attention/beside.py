"""Two models on one sentence: their words aligned, and what a mask takes from the one."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from attention.core import Array
from attention.words import View


def aligned(one: View, other: View, *, first: int = 512) -> list[tuple[int, int]]:
    """Return the positions, in both, of the words that the two have in common, in order.

    Tokenizers cut a text into different pieces, but its words are the same. Words that only one
    of them has, such as special tokens, are left out. It is the longest common subsequence of the
    `first` so many words of each; the time grows with their square.

    >>> from attention.words import Unit
    >>> views = [View(tuple(Unit(word, (i,), False) for i, word in enumerate(text.split())),
    ...               np.zeros(0), np.zeros(0)) for text in ("[CLS] the cat .", "The cat")]
    >>> aligned(*views)
    [(1, 0), (2, 1)]
    """
    left, right = ([label.casefold() for label in view.labels[:first]] for view in (one, other))
    longest = _common_lengths(left, right)
    pairs, i, j = [], 0, 0
    while i < len(left) and j < len(right):
        if left[i] == right[j] and longest[i, j] == longest[i + 1, j + 1] + 1:
            pairs.append((i, j))
            i, j = i + 1, j + 1
        elif longest[i + 1, j] >= longest[i, j + 1]:
            i += 1
        else:
            j += 1
    return pairs


def later_share(view: View) -> Array:
    """Return the share that each word gives to words after it, `(L, H, W)`: 0 in a decoder."""
    words = view.weights.shape[-1]
    return np.asarray((view.weights * ~np.tri(words, dtype=bool)).sum(axis=-1))


def _common_lengths(left: Sequence[str], right: Sequence[str]) -> Array:
    """Return the length of the longest common subsequence of `left[i:]` and `right[j:]`."""
    lengths = np.zeros((len(left) + 1, len(right) + 1), dtype=int)
    for i in reversed(range(len(left))):
        for j in reversed(range(len(right))):
            lengths[i, j] = (
                lengths[i + 1, j + 1] + 1
                if left[i] == right[j]
                else max(lengths[i + 1, j], lengths[i, j + 1])
            )
    return lengths
