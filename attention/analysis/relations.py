"""Which key each query would have to attend to for a role: as positions, or as a table of cells."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from attention.analysis.telling import ordinary
from attention.analysis.words import View
from attention.arrays import Array

FARTHEST_ROLE = 8  # of the fixed distances


@dataclass(frozen=True, eq=False)
class Text:
    """A text as roles are measured on it: who asks, who may be asked, and which words are alike.

    `W` units, in layers that see the same keys. In a decoder the first token is a sink, and what
    goes there says nothing of a role: it is a target of the role "first token" only.
    """

    view: View
    pronouns: Sequence[tuple[int, int]] = ()  # positions of a pronoun and of the noun it stands for

    @cached_property
    def queries(self) -> Array:
        """The rows that count, `(W,)` bool: ordinary words."""
        return ordinary(self.view)

    @property
    def seen(self) -> Array:
        """The cells that no mask hides, `(W, W)` bool."""
        return self.view.seen_in(0)

    @cached_property
    def allowed(self) -> Array:
        """The cells that count for all roles but that of the first token, `(W, W)` bool."""
        found = self.queries[:, None] & self.seen
        if self.view.is_causal:
            found[:, :1] = False
        return found

    @cached_property
    def words(self) -> Array:
        """The number of each unit's word, `(W,)`: the same for the same word, -1 for special."""
        names = [u.word.casefold() if u.ordinary else "" for u in self.view.units]
        numbers = {name: at for at, name in enumerate(dict.fromkeys(filter(None, names)))}
        return np.array([numbers.get(name, -1) for name in names], np.intp)

    @cached_property
    def marks(self) -> Array:
        """Which units are punctuation marks, `(W,)` bool."""
        return np.array([u.ordinary and is_punctuation(u.word) for u in self.view.units], bool)

    @property
    def offsets(self) -> list[int]:
        """The fixed distances that can be measured, in positions from the query."""
        signs = (-1,) if self.view.is_causal else (-1, 1)
        return [sign * far for sign in signs for far in range(2, FARTHEST_ROLE + 1)]


def is_punctuation(word: str) -> bool:
    """Return whether a word is made of punctuation marks and other signs only.

    >>> is_punctuation("."), is_punctuation("'s"), is_punctuation("€")
    (True, False, True)
    """
    return bool(word) and all(unicodedata.category(letter)[0] in "PS" for letter in word)


def neighbours(text: Text, offset: int, order: Array) -> Array:
    """Return the key `offset` on from each query, `(..., W)`; -1 where there is none that counts.

    Parameters
    ----------
    order : (..., W), where the key at each position stands: `range(W)`, or shuffled for a null
    """
    size = len(text.view.units)
    places = np.arange(size) + offset
    inside = (places >= 0) & (places < size)
    found = np.where(inside, order[..., np.clip(places, 0, size - 1)], -1)
    return np.where(text.allowed[np.arange(size), found] & (found >= 0), found, -1)


def column(text: Text, position: int, order: Array) -> Array:
    """Return one position as the key of every query that counts, `(..., W)`, else -1.

    In a decoder the queries that count have another word between them and the key.
    """
    size = len(text.view.units)
    found = np.broadcast_to(order[..., position, None], order.shape)
    counts = np.broadcast_to(text.queries, found.shape)
    if text.view.is_causal:
        counts = counts & (np.arange(size) - found >= 2) & text.seen[np.arange(size), found]
    return np.where(counts, found, -1)


def same_word(text: Text, words: Array) -> Array:
    """Return the other places of each query's word, `(..., W, W)` bool.

    Parameters
    ----------
    words : (..., W), as `Text.words`, or shuffled for a null
    """
    alike = (words[..., :, None] == words[..., None, :]) & (words[..., None] >= 0)
    return alike & text.allowed & ~np.eye(words.shape[-1], dtype=bool)


def followers(text: Text, words: Array) -> Array:
    """Return what came after earlier places of each query's word, `(..., W, W)` bool."""
    alike = (words[..., :, None] == words[..., None, :]) & (words[..., None] >= 0)
    found = np.zeros_like(alike)
    found[..., 1:] = alike[..., :-1]
    return found & text.allowed & np.tri(words.shape[-1], k=-1, dtype=bool)


def punctuation(text: Text, marks: Array) -> Array:
    """Return the punctuation marks as keys of every other word, `(..., W, W)` bool."""
    keys = np.broadcast_to(marks[..., None, :], (*marks.shape, marks.shape[-1]))
    return keys & ~marks[..., :, None] & text.allowed


def nouns(text: Text, order: Array) -> Array:
    """Return the noun of each pronoun, `(..., W, W)` bool.

    Parameters
    ----------
    order : (..., W), where the word of each position stands
    """
    found = np.zeros((*order.shape, order.shape[-1]), bool)
    rows = np.indices(order.shape[:-1], sparse=True)
    for pronoun, noun in text.pronouns:
        found[(*rows, order[..., pronoun], order[..., noun])] = True
    return found & text.allowed
