"""Two models on one sentence: their words aligned, and what a mask takes from the one."""

from __future__ import annotations

from collections.abc import Sequence
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
