"""Words aligned: of one sentence in two models, and of two texts in one model."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import NamedTuple

import numpy as np

from attention.analysis.words import Unit, View
from attention.arrays import Array
from attention.models.trace import Tokens

_ADDED, _REPLACED = 4, 5  # the price of a word added or left out, and of one replaced


class Span(NamedTuple):
    """Where a word stands in the text that all models are given, spaces around it left out."""

    start: int
    stop: int
    word: str


class Match(NamedTuple):
    """A word of one text beside that of another; None where only one of them has a word."""

    one: int | None
    other: int | None
    same: bool

    @property
    def both(self) -> bool:
        """Whether each text has a word here, the same or another."""
        return self.one is not None and self.other is not None


def matched(one: Sequence[Hashable], other: Sequence[Hashable]) -> list[Match]:
    """Return the words of two texts side by side, in order: kept, replaced, inserted, left out.

    By the fewest changes that lead from one to the other, with a word replaced at the price of 1.25
    inserted or left out: two names that change places are both replaced, and a word that moves by
    one place is kept.

    Source: Needleman and Wunsch 1970, "A general method applicable to the search for similarities".

    >>> for match in matched("the cat sat".split(), "the old cat ran".split()):
    ...     print(match)
    Match(one=0, other=0, same=True)
    Match(one=None, other=1, same=False)
    Match(one=1, other=2, same=True)
    Match(one=2, other=3, same=False)
    """
    prices = _prices(one, other)
    i, j, found = len(one), len(other), []
    while i or j:
        same = bool(i and j) and one[i - 1] == other[j - 1]
        if i and j and prices[i][j] == prices[i - 1][j - 1] + (0 if same else _REPLACED):
            i, j = i - 1, j - 1
            found.append(Match(i, j, same))
        elif i and prices[i][j] == prices[i - 1][j] + _ADDED:
            i -= 1
            found.append(Match(i, None, False))
        else:
            j -= 1
            found.append(Match(None, j, False))
    return found[::-1]


def _prices(one: Sequence[Hashable], other: Sequence[Hashable]) -> list[list[int]]:
    """Return the price of leading the first i words of one to the first j of the other."""
    prices = [[_ADDED * j for j in range(len(other) + 1)]]
    for i, word in enumerate(one, start=1):
        above, row = prices[-1], [_ADDED * i]
        for j, theirs in enumerate(other):
            across = above[j] + (0 if word == theirs else _REPLACED)
            row.append(min(across, above[j + 1] + _ADDED, row[j] + _ADDED))
        prices.append(row)
    return prices


def places(view: View, tokens: Tokens) -> list[Span | None]:
    """Return where each word of a view stands in the text; None for what is no word."""
    return [_place(tokens, unit) if unit.ordinary else None for unit in view.units]


def aligned(one: Sequence[Span | None], other: Sequence[Span | None]) -> list[tuple[int, int]]:
    """Return the positions, in both, of the words that two models have in common, in order.

    Tokenizers cut a text into different pieces, but its words begin at the same letters. Words that
    only one of them has, such as special tokens, are left out.

    >>> aligned([None, Span(0, 3, "The"), Span(4, 7, "cat")], [Span(4, 7, "cat")])
    [(2, 0)]
    """
    there = {(place.start, place.word): j for j, place in enumerate(other) if place}
    found = ((i, there.get((place.start, place.word))) for i, place in enumerate(one) if place)
    return [(i, j) for i, j in found if j is not None]


def counterpart(place: Span | None, others: Sequence[Span | None]) -> int | None:
    """Return the position of the word that holds the first letter of `place`, if there is one.

    >>> counterpart(Span(6, 8, "ed"), [Span(0, 2, "so"), Span(3, 8, "tired")])
    1
    """
    if place is None:
        return None
    held = (j for j, p in enumerate(others) if p and p.start <= place.start < p.stop)
    return next(held, None)


def later_share(view: View) -> Array:
    """Return the share that each word gives to words after it, `(L, H, W)`: 0 in a decoder.

    >>> view = View((), np.array([[[[0.2, 0.8], [0.5, 0.5]]]]), np.zeros((1, 1, 2)))
    >>> later_share(view)
    array([[[0.8, 0. ]]])
    """
    words = view.weights.shape[-1]
    later = ~np.tri(words, dtype=bool)
    return np.einsum("lhqk,qk->lhq", view.weights, later.astype(view.weights.dtype))


def _place(tokens: Tokens, unit: Unit) -> Span:
    start, stop = tokens.spans[unit.positions[0]][0], tokens.spans[unit.positions[-1]][1]
    inside = tokens.text[start:stop]
    return Span(start + len(inside) - len(inside.lstrip()), stop, unit.word)
