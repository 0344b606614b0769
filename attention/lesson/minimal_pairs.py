"""Does attention turn with the meaning? What the heads make of a minimal pair.

A head prefers the candidate that the pronoun attends to more.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from attention.analysis import words
from attention.analysis.pair_sentences import KNOWN, PAIRS, Pair
from attention.analysis.telling import others_give, telling_heads
from attention.arrays import Array
from attention.runtime import threads
from attention.wording import Head, head_name

if TYPE_CHECKING:
    from attention.analysis.words import View
    from attention.models.model import Model

TURNS, FIRST, SECOND, WRONG, TIED = range(5)  # what a head makes of a pair
_MOST_WORDS = 60  # of each sentence
_PRONOUNS = ("it", "they", "he", "she", "him", "her", "them")
_ARTICLES = ("the", "a", "an")


def same_words(one: Sequence[str], other: Sequence[str]) -> list[tuple[int, int]]:
    """Return the positions, in both, of the words before the first difference and after the last.

    >>> same_words(["it", "is", "big", "."], ["it", "is", "far", "away", "."])
    [(0, 0), (1, 1), (3, 4)]
    """
    shorter = min(len(one), len(other))
    start = next((i for i in range(shorter) if one[i] != other[i]), shorter)
    end = next((i for i in range(shorter - start) if one[-1 - i] != other[-1 - i]), shorter - start)
    pairs = [(i, i) for i in range(start)]
    return pairs + [(len(one) - i, len(other) - i) for i in range(end, 0, -1)]


def preferences(views: Sequence[View], queries: Sequence[int], keys: Array) -> Array:
    """Return how much the pronoun attends to each candidate in each sentence: `(2, 2, L, H)`.

    Parameters
    ----------
    views : one per sentence
    queries : the pronoun's position in each
    keys : (2, 2) positions; `keys[s, c]` is candidate c in sentence s
    """
    return np.stack(
        [
            np.stack([view.weights[:, :, query, key] for key in row])
            for view, query, row in zip(views, queries, keys, strict=True)
        ]
    )


def outcomes(weights: Array) -> Array:
    """Return for each head what it prefers: TURNS with the meaning, FIRST or SECOND in both, WRONG.

    `(2, 2, L, H) -> (L, H)`. WRONG is a head that turns the other way, TIED one that attends
    to both alike in one of the sentences, as a decoder's does that may attend to neither.
    """
    first, second = weights[:, 0] > weights[:, 1], weights[:, 0] < weights[:, 1]  # by sentence
    kinds = [first[0] & second[1], first.all(0), second.all(0), second[0] & first[1]]
    return np.select(kinds, [TURNS, FIRST, SECOND, WRONG], TIED)


def turning_sentence(weights: Array, base: Array, names: Sequence[str], head: Head) -> str:
    """Say what one head prefers in both sentences, and how many heads turn with the meaning.

    Parameters
    ----------
    weights : (2, 2, L, H) as from `preferences`
    base : (2, 2) what the other words give each candidate in this head
    names : of the candidates
    """
    given = [
        f"“{name}” {weight:.2f}"
        + ("" if np.isnan(usual) else f" (the other words give it {usual:.2f} on average)")
        for name, weight, usual in zip(
            (*names, *names), weights[..., head[0], head[1]].ravel(), base.ravel(), strict=True
        )
    ]
    kinds = outcomes(weights)
    mean = outcomes(weights.mean(axis=(-2, -1), keepdims=True)).item()
    verdict = (
        "It turns with the meaning.",
        f"It prefers “{names[0]}” both times: the meaning does not turn it.",
        f"It prefers “{names[1]}” both times: the meaning does not turn it.",
        "It turns against the meaning: both times it prefers the one that is not meant.",
        "It attends to both alike in at least one of the sentences.",
    )[kinds[head]]
    return (
        f"In {head_name(head)} the pronoun gives {given[0]} and {given[1]}; in the second "
        f"sentence {given[2]} and {given[3]}. {verdict} Of {kinds.size} heads "
        f"{int((kinds == TURNS).sum())} turn with the meaning and {int((kinds == WRONG).sum())} "
        f"against it; the mean of all {'turns' if mean == TURNS else 'does not turn'} with it."
    )


@dataclass(frozen=True, eq=False)
class SentencePair:
    """Two sentences as a model reads them, and the words that they share."""

    texts: tuple[str, str]
    views: tuple[View, View]

    @cached_property
    def shared(self) -> dict[int, int]:
        """The words that can be chosen: position in the first sentence -> in the second."""
        one, two = self.views
        return {i: j for i, j in same_words(one.labels, two.labels) if one.units[i].ordinary}

    @property
    def guess(self) -> tuple[int, int, int]:
        """The pronoun and both candidates, in the first sentence: a known pair's, or a guess."""
        labels, choices = self.views[0].labels, list(self.shared)
        if pair := KNOWN.get(self.texts):
            known = [self.views[0].find(word) for word in (pair.pronoun, pair.first, pair.second)]
            if None not in known:  # tokens that span words leave no such words
                pronoun, first, second = (place for place in known if place is not None)
                return pronoun, first, second
        pronouns = [i for i in choices if labels[i].casefold() in _PRONOUNS] or choices
        rest = [i for i in choices if i != pronouns[-1]]
        rest.sort(key=lambda i: i == 0 or labels[i - 1].casefold() not in _ARTICLES)  # nouns first
        return pronouns[-1], rest[0], rest[1]


@dataclass(frozen=True, eq=False)
class PairOutcome:
    """What every head makes of a pair."""

    pair: SentencePair
    pronoun: int  # in the first sentence, as the candidates
    candidates: tuple[int, int]

    @property
    def queries(self) -> list[int]:
        """Where the pronoun stands in each sentence."""
        return [self.pronoun, self.pair.shared[self.pronoun]]

    @property
    def keys(self) -> Array:
        """Where the candidates stand, `(2, 2)`: sentence, candidate."""
        return np.array([self.candidates, [self.pair.shared[i] for i in self.candidates]])

    @property
    def names(self) -> tuple[str, str]:
        """Both candidates."""
        first, second = (self.pair.views[0].labels[i] for i in self.candidates)
        return first, second

    @cached_property
    def weights(self) -> Array:
        """How much the pronoun attends to each candidate, `(2, 2, L, H)`."""
        return preferences(self.pair.views, self.queries, self.keys)

    @cached_property
    def kinds(self) -> Array:
        """What each head prefers, `(L, H)`."""
        return outcomes(self.weights)

    @property
    def kind_labels(self) -> tuple[str, ...]:
        """What each kind is called, ties only where there are any."""
        both = (f"{name} in both" for name in self.names)
        labels = ("turns with the meaning", *both, "turns against it", "attends to both alike")
        return labels if (self.kinds == TIED).any() else labels[:-1]

    @property
    def telling_head(self) -> Head:
        """The head in which the pronoun is most selective for the first candidate."""
        return telling_heads(self.pair.views[0], self.pronoun, self.candidates[0], 1)[0]

    def sentence(self, head: Head) -> str:
        """Say what one head prefers in both sentences, and how many heads turn."""
        rows = zip(self.pair.views, self.queries, self.keys, strict=True)
        base = np.stack([others_give(view, head, query)[keys] for view, query, keys in rows])
        return turning_sentence(self.weights, base, self.names, head)


def refusal_of_sentence(model: Model, text: str) -> str | None:
    """Return why a text cannot be one of a pair, if it cannot."""
    try:
        units = words.whole_words(model.tokenize(text))
    except ValueError as refusal:
        return str(refusal)
    if len(units) > _MOST_WORDS:
        return f"It has {len(units)} words; pairs have up to {_MOST_WORDS}."
    return None


def is_read(model: Model, pair: Pair) -> bool:
    """Whether a model reads both sentences, and finds the words of the pair in them."""
    for text in pair.texts:
        try:
            labels = [unit.label for unit in words.whole_words(model.tokenize(text))]
        except ValueError:  # too long for it
            return False
        if not {pair.pronoun, pair.first, pair.second} <= set(labels):
            return False
    return True


def read_pairs(
    model: Model,
    chosen: Sequence[Pair] = PAIRS,
    on_progress: Callable[[float], object] = lambda share: None,
) -> Array:
    """Run the model on every pair and return what the pronoun gives each candidate.

    `(P, 2, 2, L, H)`: pair, sentence, candidate, layer, head.

    Raises
    ------
    ValueError : a pair does not have its own words.
    """
    rows = []
    for done, pair in enumerate(chosen):
        with threads.one_blas_thread():  # short texts gain little from two, and lose much if busy
            views = [words.view(model.trace(text)) for text in pair.texts]
        places = np.array(
            [
                [_place(view, word) for word in (pair.pronoun, pair.first, pair.second)]
                for view in views
            ]
        )
        rows.append(preferences(views, places[:, 0].tolist(), places[:, 1:]))
        on_progress((done + 1) / len(chosen))
    return np.stack(rows)


def _place(view: View, label: str) -> int:
    place = view.find(label)
    if place is None:
        raise ValueError(f"no word {label!r} in {' '.join(view.labels)!r}")
    return place
