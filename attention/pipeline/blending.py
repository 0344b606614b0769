"""The explorer's blend: whose scores it starts from, which vectors it mixes, and what comes out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations
from typing import NamedTuple

import numpy as np

from attention import wording
from attention.analysis import embeddings, head_values, words
from attention.analysis.words import View
from attention.arrays import Array
from attention.core import Blend, blend, scores_for, softmax
from attention.models.model import Model
from attention.models.trace import Trace
from attention.models.transformer import Transformer
from attention.presets import Preset, illustrative_weights
from attention.wording import Head, head_name, percent, spelled

MOST_MOVABLE = 24
MOST_COLOURED = 4  # words; one more colour, and they are hard to tell apart
NEAREST = 8
_ALIKE = 1e-3  # less, and two meanings are one


class Leaning(NamedTuple):
    """Where a blend stands between two meanings, now and at the start: -1 at one, 1 at the other.

    `(cos(blend, right) - cos(blend, left)) / (1 - cos(left, right))`
    """

    left: str
    right: str
    now: float
    before: float

    @property
    def sentence(self) -> str:
        """Say where it stands."""
        now, before = (f"{place:+.2f}" for place in (self.now, self.before))
        moved = f" (at the start, {before})" if now != before else ""
        return f"Between “{self.left}” (-1) and “{self.right}” (+1) it stands at {now}{moved}."


@dataclass(frozen=True, eq=False)
class BlendStart:
    """Where the scores stand at first, and what they blend."""

    view: View  # the words that have a score
    base: Array  # (W,) scores
    vectors: Array  # (W, D)
    origin: str  # of the scores: a short code
    says: str  # whose scores these are, and what is blended
    query_label: str | None = None  # the word whose blend it is; None for any
    head: Head | None = None  # whose row it is
    row: Array | None = None  # (W,) the model's own
    own: bool = False  # the vectors are the head's values, not the vocabulary's
    first: int = 0  # where the words that have a score begin in the text

    @cached_property
    def weights(self) -> Array:
        """The weights at the start, `(W,)`."""
        return softmax(self.base)

    @cached_property
    def movable(self) -> list[int]:
        """The words whose score can be moved, those that weigh most, in the order of the text."""
        return sorted(np.argsort(-self.weights, kind="stable")[:MOST_MOVABLE].tolist())

    @property
    def rest(self) -> int:
        """How many words keep the score that they start with."""
        return len(self.base) - len(self.movable)

    @property
    def explanation(self) -> str:
        """What the blend's bars are."""
        if self.own:
            return (
                "No meanings are named here. A head's output is no word's vector: it is added to "
                "the stream of its layer, and what later layers take from it they have learned. A "
                "cosine with vectors of the vocabulary would name words, but measure no meaning."
            )
        return (
            "A word of several pieces has the mean of their vectors. The bars measure the cosine "
            "of the blend with another word's vector; each word's part is its weight times its own "
            "vector's share in it, so the parts add up to the bar. On the axis above them stands "
            "its cosine with the right meaning less that with the left one, divided by what that "
            "is for the right meaning itself."
        )


def preset_start(model: Model, trace: Trace, view: View, preset: Preset) -> BlendStart:
    """Start from weights that are made up: their scores are their logarithms."""
    named = ", ".join(f"{name} {percent(w)}" for name, w in preset.weights.items())
    whose = "Illustrative, from the lesson" if preset.from_lesson else "Illustrative"
    base = scores_for(illustrative_weights(preset, view.words))
    says = (
        f"{whose}, for “{preset.query}”: {named}; the other words share the rest. "
        f"{_of_inputs(model)}"
    )
    vectors = embeddings.unit_vectors(model, trace.input, view.units)
    return BlendStart(view, base - base.min(), vectors, "lesson", says, preset.query)


def equal_start(model: Model, trace: Trace, view: View) -> BlendStart:
    """Start from the same score for every word."""
    says = f"Every word has the same score, whichever is the query. {_of_inputs(model)}"
    vectors = embeddings.unit_vectors(model, trace.input, view.units)
    return BlendStart(view, np.zeros(len(view.units)), vectors, "equal", says)


def head_start(
    model: Transformer, trace: Trace, view: View, head: Head, query: int, *, own: bool
) -> BlendStart:
    """Start from one row of a head, over the words that the query may attend to.

    Parameters
    ----------
    own : blend what the head passes on itself, not the words' input vectors
    """
    seen, unit = words.seen_by(view, head[0], query), view.units[query]
    if own:
        vectors = head_values.unit_outputs(model, trace, seen.units, head, unit)
        blended = (
            "Blended: what it passes on itself, the value of each word taken through the head's "
            f"part of W_O, {vectors.shape[1]} numbers that it adds to the stream. The bias of W_O, "
            "which belongs to no head, is left out."
        )
    else:
        vectors = embeddings.unit_vectors(model, trace.input, seen.units)
        blended = (
            f"{_of_inputs(model)} The head itself passes on others: “The head's own values” shows "
            "them."
        )
    return BlendStart(
        seen,
        words.row_scores(trace, view, *head, query),
        vectors,
        f"{head[0]}.{head[1]}.{query}",
        f"The weights are those of {head_name(head)}. {blended}",
        unit.label,
        head,
        view.weights[*head, query, view.seen_in(head[0])[query]],
        own,
        view.units.index(seen.units[0]),
    )


@dataclass(frozen=True, eq=False)
class BlendedWords:
    """What the scores, as they stand, make of the words."""

    start: BlendStart
    scores: Array  # (W,)
    temperature: float

    @property
    def untouched(self) -> bool:
        """Whether everything is as it was at first."""
        return self.temperature == 1 and bool((self.scores == self.start.base).all())

    @cached_property
    def weights(self) -> Array:
        """The weights, `softmax(scores / temperature)`, `(W,)`."""
        return softmax(self.scores, temperature=self.temperature)

    @cached_property
    def output(self) -> Blend:
        """The words' vectors, blended by these weights."""
        return blend(self.weights, self.start.vectors)

    @cached_property
    def before(self) -> Array:
        """The blend at the start, `(D,)`."""
        return blend(self.start.weights, self.start.vectors).output

    @property
    def labels(self) -> tuple[str, ...]:
        """The words that are drawn; those without a slider are one."""
        rest = self.start.rest
        labels = tuple(self.start.view.labels[k] for k in self.start.movable)
        return (*labels, f"{rest} others") if rest else labels

    @property
    def folded(self) -> Blend:
        """The blend with its parts by the words that are drawn."""
        parts = words.fold(self.output.contributions, self.start.movable)
        return Blend(self.output.output, parts)

    @cached_property
    def colours(self) -> list[int]:
        """A number for each word that is drawn: what it is coloured by, `MOST_COLOURED` for grey.

        In colour are the words that have more than an equal share, now or at the start; of more
        than `MOST_COLOURED` those with the largest. Those of the start have the first numbers, so
        that a word keeps its colour while another one grows.
        """
        movable, equal = self.start.movable, 1.001 / len(self.weights)
        largest = np.maximum(self.weights, self.start.weights)[movable]
        leaders = [k for k in np.argsort(-largest, kind="stable") if largest[k] > equal]
        first = self.start.weights[movable] > equal
        leaders = sorted(leaders[:MOST_COLOURED], key=lambda k: (not first[k], k))
        number = {int(k): colour for colour, k in enumerate(leaders)}
        return [number.get(k, MOST_COLOURED) for k in range(len(self.labels))]

    @property
    def row_gap(self) -> float | None:
        """How far the weights are from the model's own row, where they started from one."""
        row = self.start.row
        return None if row is None else float(np.abs(self.weights - row).max())

    @property
    def leader(self) -> str:
        """Say which word weighs most, or that several or all weigh the same."""
        return _leader(self.start, self.weights, "weigh")

    def nearest_before(self, model: Model) -> tuple[str, ...]:
        """Return the vocabulary words that the blend of the start is nearest to."""
        return tuple(name for name, _ in embeddings.nearest_words(model, self.before, NEAREST))

    def nearest(self, model: Model) -> tuple[tuple[str, float], ...]:
        """Return the vocabulary words that the blend is nearest to, and their cosines."""
        return embeddings.nearest_words(model, self.output.output, NEAREST)

    def sentence(self, model: Model) -> str:
        """Say what the blend is made of and, of word vectors, what it is near."""
        start = self.start
        if start.own and start.head:
            shares = head_values.makes_up(self.output.contributions)
            return (
                f"{head_name(start.head)} adds a vector of length "
                f"{np.linalg.norm(self.output.output):.2f} to “{start.query_label}”. Along that "
                f"vector {_leader(start, shares, 'contribute')}; by weight {self.leader}."
            )
        whose = (
            f"“{start.query_label}” becomes a blend" if start.query_label else "The blend is one"
        )
        named = ", ".join(f"{name} {cosine:.2f}" for name, cosine in self.nearest(model))
        return f"{whose} in which {self.leader}. Nearest vocabulary words: {named or 'none'}."


def leaning(
    blended: BlendedWords, meanings: Mapping[str, Array], preset: Preset | None
) -> Leaning | None:
    """Return where a blend stands between the two most telling of some meanings, if any differ.

    These are the poles of the sentence's preset. Without, those that the words tell apart most: the
    difference of their cosines with the two has the widest range. The blend leans to the right one
    at the start.
    """
    vectors = np.stack([*blended.start.vectors, blended.before, blended.output.output])
    towards = {name: embeddings.cosine(vectors, meanings[name]) for name in meanings}
    poles = preset.poles if preset else None
    known = poles is not None and set(poles) <= set(meanings)
    pairs = [poles] if poles and known else list(combinations(meanings, 2))
    pairs = [(a, b) for a, b in pairs if embeddings.cosine(meanings[a], meanings[b]) < 1 - _ALIKE]
    if not pairs:
        return None
    left, right = max(pairs, key=lambda pair: np.ptp((towards[pair[1]] - towards[pair[0]])[:-2]))
    apart = 1 - embeddings.cosine(meanings[left], meanings[right])
    before, now = ((towards[right] - towards[left])[-2:] / apart).tolist()
    if not known and before < 0:
        return Leaning(right, left, -now, -before)
    return Leaning(left, right, now, before)


def _leader(start: BlendStart, shares: Array, verb: str) -> str:
    labels = (*[""] * start.first, *start.view.labels)  # positions are those of the text
    names = [spelled(labels, start.first + k) for k in range(len(shares))]
    return wording.leads(names, shares, percent(float(shares.max())), verb)


def _of_inputs(model: Model) -> str:
    return (
        f"Blended: the words' input vectors, the {model.word_embeddings.shape[1]} numbers "
        "that the model has learned for each entry of its vocabulary, before any layer."
    )
