"""Words aligned: of one sentence in two models, and of two texts in one model."""

from __future__ import annotations

from collections.abc import Sequence
from difflib import SequenceMatcher
from itertools import zip_longest
from typing import NamedTuple

import numpy as np

from attention.analysis.words import Unit, View
from attention.arrays import Array
from attention.models.trace import Tokens


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


def matched(one: Sequence[str], other: Sequence[str]) -> list[Match]:
    """Return the words of two texts side by side, in order: kept, replaced, inserted, left out.

    What the texts have in common is found as in `difflib`: the longest run that both have, then
    the longest on either side of it, and so on. Between these, words stand beside each other as
    far as they go, as replaced.

    >>> for match in matched("the cat sat".split(), "the old dog sat".split()):
    ...     print(match)
    Match(one=0, other=0, same=True)
    Match(one=1, other=1, same=False)
    Match(one=None, other=2, same=False)
    Match(one=2, other=3, same=True)
    """
    found = []
    for kind, i, i_end, j, j_end in SequenceMatcher(None, one, other, False).get_opcodes():
        pairs = zip_longest(range(i, i_end), range(j, j_end))
        found += [Match(a, b, kind == "equal") for a, b in pairs]
    return found


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
