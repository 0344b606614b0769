"""Pushes: scores moved from one word to another, and what a decoder predicts then.

A word in pieces is pushed by its last piece: under a causal mask only that one may attend to the
whole word.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from attention.analysis.words import Unit, View
from attention.arrays import Array
from attention.core import softmax
from attention.edits import Add, Edits, Numbers
from attention.interventions.effects import cosine_distance, sentence_vector
from attention.interventions.passes import edited_figures
from attention.models.model import Model, predictor
from attention.models.spelling import spelling
from attention.models.trace import Trace
from attention.models.transformer import Transformer
from attention.presets import Preset
from attention.runtime.timing import Progress

MOST_PUSH = 8.0  # to either side; e^8 = 2,981 times the weight
MOST_INTERESTS = 12  # words
_FEW_TOKENS = 60  # that a pass runs again: thirteen such passes take about as long as one of 800


@dataclass(frozen=True)
class Target:
    """Where a push acts: which queries, layers and heads; None is all."""

    queries: Numbers = None
    layers: Numbers = None
    heads: Numbers = None


def query_positions(units: Sequence[Unit], word: int, *, and_later: bool) -> tuple[int, ...]:
    """Return the tokens of the word that is the query, and of all after it where those count.

    Special tokens do not count as later words: their scores are not pushed along.

    >>> three = [Unit("a", (0,), False), Unit("b", (1,), False), Unit("[SEP]", (2,), True)]
    >>> query_positions(three, 0, and_later=True), query_positions(three, 2, and_later=False)
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

    names: tuple[str, ...]  # of the groups: of a word in several tokens only the first is meant
    ids: tuple[tuple[int, ...], ...]  # the first token of each word

    @property
    def all_ids(self) -> list[int]:
        """Every token once, in order."""
        return list(dict.fromkeys(token for group in self.ids for token in group))


def interests(model: Transformer, typed: str) -> Interests:
    """Return the groups in a line such as `small | big, large`.

    Raises
    ------
    ValueError : as for `first_tokens`
    """
    groups = word_groups(typed)
    tokens = first_tokens(model, [word for group in groups for word in group])
    names = tuple(" or ".join(_named(model, w, tokens[w]) for w in group) for group in groups)
    return Interests(names, tuple(tuple(tokens[word] for word in group) for group in groups))


def _named(model: Transformer, word: str, token: int) -> str:
    """Return the word; of one that is no single token, the first one and an ellipsis."""
    single = len(spelling(model.tokenizer).after_space(word)) == 1
    return word if single else f"{model.spell(token).strip()}…"


def interests_or_best(model: Transformer, typed: str, logits: Array) -> Interests:
    """Return the groups in a line or, where there are none, the most probable next token.

    Raises
    ------
    ValueError : as for `first_tokens`
    """
    groups, best = interests(model, typed), int(np.argmax(logits))
    return groups if groups.names else Interests((model.spell(best),), ((best,),))


def first_tokens(model: Model, words: Sequence[str]) -> dict[str, int]:
    """Return the token with which each word goes on after a space, by word.

    Raises
    ------
    ValueError : there are too many words, or one gives no token.
    """
    if len(words) > MOST_INTERESTS:
        raise ValueError(f"{len(words)} words of interest; the limit is {MOST_INTERESTS}")
    tokens = {}
    for word in words:
        ids = spelling(model.tokenizer).after_space(word)
        if not ids:
            raise ValueError(f"{word!r} gives no token")
        tokens[word] = int(ids[0])
    return tokens


def likely_words(model: Model, logits: Array, most: int = 2, least: float = 0.01) -> str:
    """Return the most probable next words as a line for `interests`; empty for none.

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
    words = [word for word, token in spelled
             if word.isalpha() and first_tokens(model, [word])[word] == token]  # fmt: skip
    return " | ".join(words[:most])


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


def rival(view: View, query: int, key: int, preset: Preset | None) -> int:
    """Return the word that a push goes to at first, away from `key`.

    The lesson's own, or else the one that the query attends to most after `key`, the first token
    aside: it is often a sink.
    """
    named = view.find(preset.rival) if preset and preset.rival else None
    if named is not None:
        return named
    weights = mean_weights(view, query)
    others = [k for k, unit in enumerate(view.units) if k not in (query, key, 0) and unit.ordinary]
    return max(others, key=lambda k: float(weights[k]), default=key)


def most_attended(view: View, query: int, most: int) -> list[int]:
    """Return the words, special tokens aside, that a query attends to most, in their order."""
    weights = mean_weights(view, query)
    own = [i for i, unit in enumerate(view.units) if not unit.special]
    return sorted(sorted(own, key=lambda k: -float(weights[k]))[:most])


def mean_weights(view: View, query: int) -> Array:
    """Return the row of a query, the mean over all heads, `(W,)`."""
    row: Array = view.weights[:, :, query].mean(axis=(0, 1))
    return row


def mean_share(trace: Trace, query: Unit, key: Unit) -> float:
    """Return what the last piece of one word gives another word, the mean over all heads."""
    row = trace.weights[..., query.positions[-1], list(key.positions)]  # (L, H, pieces)
    return float(row.sum(axis=-1).mean())


@dataclass(frozen=True)
class Move:
    """Scores taken from one word and given to another, for some queries, layers and heads."""

    source: int
    target: int
    place: Target


@dataclass(frozen=True)
class PushCurve:
    """What a push does at every strength."""

    title: str
    series: tuple[str, ...]
    strengths: tuple[float, ...]  # ascending
    values: Array  # (strengths, series)

    def joined(self, other: PushCurve) -> PushCurve:
        """Return this curve with the points of another of the same push."""
        strengths = (*self.strengths, *other.strengths)
        order = np.argsort(strengths, kind="stable")
        values = np.concatenate([self.values, other.values])[order]
        return replace(self, strengths=tuple(strengths[i] for i in order), values=values)


def rounds(strengths: Sequence[float], tokens: int) -> list[tuple[float, ...]]:
    """Return the strengths in the order in which their passes are run, so many at once.

    All at once where few tokens follow the push, else coarse to fine.

    >>> rounds(range(-3, 4), tokens=10), rounds(range(-6, 7), tokens=250)[:2]
    ([(-3, -2, -1, 0, 1, 2, 3)], [(-6, 0, 6), (-3, 3)])
    """
    if tokens <= _FEW_TOKENS:
        return [tuple(strengths)]
    steps = [1 if i % 3 else 3 if i % 6 else 6 for i in range(len(strengths))]
    return [
        tuple(each for each, own in zip(strengths, steps, strict=True) if own == step)
        for step in (6, 3, 1)
    ]


def push_curve(
    model: Model,
    trace: Trace,
    units: Sequence[Unit],
    moved: Move,
    strengths: Sequence[float],
    follow: Interests | None,
    on_progress: Progress = lambda share: None,
) -> PushCurve:
    """Run a model with a push at every strength.

    Parameters
    ----------
    follow : words whose odds are followed or, of one group, the probability; None for the distance
        by which the sentence vector moves
    """

    decoder = predictor(model)
    ids = follow.ids if follow and decoder else None

    def figures(streams: Array) -> Array:
        if ids is None or decoder is None:
            return cosine_distance(streams.mean(axis=1), sentence_vector(trace.hidden))[:, None]
        own = [shares(logits, ids) for logits in decoder.logits(streams[:, -1])]
        return np.array([[each[0] / each[1]] if len(ids) > 1 else each for each in own])

    place = moved.place
    changes = [move(units, moved.source, moved.target, each, place) for each in strengths]
    *_, values = edited_figures(model, trace, changes, figures, on_progress)
    return PushCurve(*_followed(follow), tuple(strengths), values)


def _followed(follow: Interests | None) -> tuple[str, tuple[str, ...]]:
    """Return the title and the series of a curve."""
    if follow is None:
        return "the vector moves by", ("sentence vector",)
    if len(follow.names) > 1:
        return "odds", (f"{follow.names[0]} against {follow.names[1]}",)
    return "probability", follow.names
