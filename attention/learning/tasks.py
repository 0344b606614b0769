"""Tasks to learn from examples that are new every time: small pure functions of a seed.

An example is a text of n tokens and then one that asks. A token is a sum of embeddings, such as a
title's and a content's; `tokens` has their rows in the embedding table. Nothing can be learned by
heart, only where to look.

Axes: `B` example, `T` = n + 1 tokens, the last of which asks, `F` features of a token.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from attention.arrays import Array

TITLES, CONTENTS, WORDS = 32, 16, 16
LONGEST_EXAMPLE = 512
Seed = int | Sequence[int]


class Batch(NamedTuple):
    """Examples with their answers."""

    tokens: Array  # (B, T, F) rows of the embedding table
    answer: Array  # (B,)
    relevant: Array  # (B, n) of bool: the tokens that the answer depends on


@dataclass(frozen=True)
class Task:
    """A task: how many embeddings and answers it has, and how examples are drawn."""

    name: str
    vocabulary: int
    answers: int
    shortest: int
    longest: int
    draw: Callable[[np.random.Generator, int, int], Batch]
    ask_all: Callable[[Array], Batch] | None = None  # of one text, where it can be asked more

    def batch(self, n: int, size: int, seed: Seed) -> Batch:
        """Return `size` examples of n tokens; the same for the same seed.

        Raises
        ------
        ValueError : the task has no examples of this length, or `size` is less than 1.

        >>> LIBRARY.batch(4, 64, seed=0).tokens.shape
        (64, 5, 2)
        """
        if not self.shortest <= n <= self.longest:
            raise ValueError(f"{self.name} has {self.shortest} to {self.longest} tokens, got {n}")
        if size < 1:
            raise ValueError(f"a batch has at least 1 example, got {size}")
        return self.draw(np.random.default_rng(seed), size, n)

    def example(self, n: int, seed: Seed) -> Batch:
        """Return the examples that are looked at while a network learns: n of them.

        In the library they are one shelf, asked for each of its titles in turn.

        >>> one = LIBRARY.example(4, seed=0)
        >>> bool((one.tokens[:, :-1] == one.tokens[0, :-1]).all()), one.relevant.astype(int)[:2]
        (True, array([[1, 0, 0, 0],
               [0, 1, 0, 0]]))
        """
        batch = self.batch(n, n, seed)
        return self.ask_all(batch.tokens[0]) if self.ask_all else batch


def _library(rng: np.random.Generator, size: int, n: int) -> Batch:
    """Draw shelves: titles without repetition, contents at random, one title asked for."""
    titles = rng.random((size, TITLES)).argsort(axis=1)[:, :n]  # (B, n)
    contents = rng.integers(CONTENTS, size=(size, n))
    asked = rng.integers(n, size=size)
    rows, ask = np.arange(size), TITLES + CONTENTS
    tokens = np.empty((size, n + 1, 2), np.intp)
    tokens[:, :-1, 0], tokens[:, :-1, 1] = titles, TITLES + contents
    tokens[:, -1, 0], tokens[:, -1, 1] = titles[rows, asked], ask
    return Batch(tokens, contents[rows, asked], np.arange(n) == asked[:, None])


def _asked_in_turn(shelf: Array) -> Batch:
    """Return one shelf (T, F) n times, each time with another title asked for."""
    n = len(shelf) - 1
    tokens = np.repeat(shelf[None], n, axis=0)
    tokens[:, -1, 0] = shelf[:-1, 0]
    return Batch(tokens, shelf[:-1, 1] - TITLES, np.eye(n, dtype=bool))


def _with_question(words: Array) -> Array:
    """Return words (B, n) as tokens with one feature, and the token that asks."""
    asking = np.full((len(words), 1), WORDS)
    return np.concatenate([words, asking], axis=1)[..., None]


def _one_place(place: int) -> Callable[[np.random.Generator, int, int], Batch]:
    """Draw texts whose answer is the word at `place`, counted from the end if negative."""

    def draw(rng: np.random.Generator, size: int, n: int) -> Batch:
        words = rng.integers(WORDS, size=(size, n))
        relevant = np.zeros((size, n), bool)
        relevant[:, place] = True
        return Batch(_with_question(words), words[:, place], relevant)

    return draw


def _majority(rng: np.random.Generator, size: int, n: int) -> Batch:
    """Draw texts of a few words, one of which is more frequent than any other."""
    words = rng.integers(_CANDIDATES, size=(size, n))
    frequency = (words[..., None] == np.arange(_CANDIDATES)).sum(axis=1)  # (B, candidates)
    answer = (frequency + rng.random(frequency.shape)).argmax(axis=1)  # ties at random
    tied = (frequency == frequency.max(axis=1, keepdims=True)).sum(axis=1) > 1
    others = np.where(words == answer[:, None], -1.0, rng.random((size, n)))
    words[tied, others.argmax(axis=1)[tied]] = answer[tied]  # one more decides it
    return Batch(_with_question(words), answer, np.ones((size, n), bool))


def _marked(rng: np.random.Generator, size: int, n: int) -> Batch:
    """Draw texts in which one word is marked."""
    words, marked = rng.integers(WORDS, size=(size, n)), rng.integers(n, size=size)
    relevant = np.arange(n) == marked[:, None]
    marks = np.zeros((size, n + 1), np.intp)
    marks[:, :-1] = relevant
    tokens = np.concatenate([_with_question(words), WORDS + 1 + marks[..., None]], axis=-1)
    return Batch(tokens, words[np.arange(size), marked], relevant)


_CANDIDATES = 4

LIBRARY = Task("library", TITLES + CONTENTS + 1, CONTENTS, 1, TITLES, _library, _asked_in_turn)
FIRST_WORD = Task("first word", WORDS + 1, WORDS, 1, LONGEST_EXAMPLE, _one_place(0))
MAJORITY = Task("majority", WORDS + 1, _CANDIDATES, 1, LONGEST_EXAMPLE, _majority)
MARKED_WORD = Task("one marked word", WORDS + 3, WORDS, 1, LONGEST_EXAMPLE, _marked)


def word_back(k: int) -> Task:
    """Return the task to say the word k back from the one that asks; the last word is 1 back.

    >>> batch = word_back(2).batch(5, 3, seed=0)
    >>> bool((batch.answer == batch.tokens[:, 3, 0]).all())
    True
    """
    if not 1 <= k <= LONGEST_EXAMPLE:
        raise ValueError(f"a word is 1 to {LONGEST_EXAMPLE} back, got {k}")
    return Task(f"the word {k} back", WORDS + 1, WORDS, k, LONGEST_EXAMPLE, _one_place(-k))
