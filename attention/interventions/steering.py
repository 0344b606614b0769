"""Pushes: scores moved from one word to another, and what a decoder would say next.

A word in pieces is pushed by its last piece: where later tokens cannot be read, only that piece has
read the whole word.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from attention.analysis.words import Unit
from attention.arrays import Array
from attention.core import softmax
from attention.edits import Add, Edits, Numbers
from attention.models.model import Model
from attention.models.spelling import spelling

MOST_PUSH = 8.0  # to either side; e^8 = 2,981 times the weight
MOST_INTERESTS = 12  # words


@dataclass(frozen=True)
class Target:
    """Where a push acts: which queries, layers and heads; None is all."""

    queries: Numbers = None
    layers: Numbers = None
    heads: Numbers = None


def asking(units: Sequence[Unit], word: int, *, and_later: bool) -> tuple[int, ...]:
    """Return the tokens of the word that asks, with all after it where the push reaches on.

    Special tokens are no later words: what they ask is not pushed along.

    >>> three = [Unit("a", (0,), False), Unit("b", (1,), False), Unit("[SEP]", (2,), True)]
    >>> asking(three, 0, and_later=True), asking(three, 2, and_later=False)
    ((0, 1), (2,))
    """
    later = [unit for unit in units[word + 1 :] if not unit.special] if and_later else []
    return tuple(p for unit in (units[word], *later) for p in unit.positions)


def pushes(units: Sequence[Unit], amounts: Mapping[int, float], place: Target) -> Edits:
    """Return the edits that add an amount to the scores of each word; none for 0.

    Parameters
    ----------
    amounts : word -> what is added to the score of its last piece

    >>> pushes([Unit("suitcase", (7, 8), False)], {0: 2.0}, Target(queries=(10,)))
    (Add(amount=2.0, queries=(10,), keys=(8,), layers=None, heads=None),)
    """
    return tuple(
        Add(amount, place.queries, (units[word].positions[-1],), place.layers, place.heads)
        for word, amount in amounts.items()
        if amount
    )


def move(units: Sequence[Unit], source: int, target: int, strength: float, place: Target) -> Edits:
    """Return the edits that take a score from one word and give it to another."""
    return pushes(units, {source: -strength, target: strength}, place)


@dataclass(frozen=True)
class Interests:
    """Groups of words that the reader wants to see among the next tokens."""

    names: tuple[str, ...]  # of the groups
    ids: tuple[tuple[int, ...], ...]  # the first token of each word

    @property
    def all_ids(self) -> list[int]:
        """Every token once, in order."""
        return list(dict.fromkeys(token for group in self.ids for token in group))


def interests(model: Model, typed: str) -> Interests:
    """Return the groups in a line such as `small | big, large`.

    Raises
    ------
    ValueError : as for `first_tokens`
    """
    groups = word_groups(typed)
    found = first_tokens(model, [word for group in groups for word in group])
    names = tuple(" or ".join(group) for group in groups)
    return Interests(names, tuple(tuple(found[word] for word in group) for group in groups))


def first_tokens(model: Model, words: Sequence[str]) -> dict[str, int]:
    """Return the token with which each word goes on after a space, by word.

    Raises
    ------
    ValueError : there are too many words, or one gives no token.
    """
    if len(words) > MOST_INTERESTS:
        raise ValueError(f"{len(words)} words of interest; the limit is {MOST_INTERESTS}")
    found = {}
    for word in words:
        ids = spelling(model.tokenizer).after_space(word)
        if not ids:
            raise ValueError(f"{word!r} gives no token")
        found[word] = int(ids[0])
    return found


def likely_words(model: Model, logits: Array, most: int = 2, least: float = 0.01) -> str:
    """Return the most probable next words as a line that `interests` reads; empty for none.

    A token counts where a reader can type it: its letters, after a space, give the same token.

    Parameters
    ----------
    most : words, parted by bars
    least : probability of a word that is worth following
    """
    probabilities = softmax(logits.astype(np.float64))
    likely = np.flatnonzero(probabilities >= least)
    best = likely[np.argsort(-probabilities[likely], kind="stable")].tolist()
    spelled = [(model.tokenizer.decode([token]).strip(), token) for token in best]
    found = [word for word, token in spelled
             if word.isalpha() and first_tokens(model, [word])[word] == token]  # fmt: skip
    return " | ".join(found[:most])


def word_groups(typed: str) -> list[list[str]]:
    """Return groups of words: commas part the words of a group, a bar parts groups.

    >>> word_groups("small | big, large")
    [['small'], ['big', 'large']]
    """
    groups = [[word.strip() for word in group.split(",")] for group in typed.split("|")]
    return [words for group in groups if (words := [word for word in group if word])]


def shares(logits: Array, groups: Sequence[Sequence[int]]) -> Array:
    """Return how probable each group of next tokens is, `(groups,)`.

    >>> shares(np.log([0.5, 0.3, 0.2]), [[0], [1, 2]]).round(3)
    array([0.5, 0.5])
    """
    probabilities = softmax(logits.astype(np.float64))
    return np.array([probabilities[list(dict.fromkeys(group))].sum() for group in groups])
