"""One word in two texts: what it attends to in each, and how its vectors come apart."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from attention.analysis import embeddings, words
from attention.analysis.embeddings import cosine
from attention.analysis.sentences import telling_word
from attention.analysis.telling import distance_rate, ordinary, row_selectivity
from attention.analysis.words import Unit, View
from attention.arrays import Array
from attention.models.model import Model
from attention.models.trace import Trace
from attention.models.transformer import Transformer
from attention.runtime.limits import check_tokens
from attention.wording import Head, head_name

_MOST_WORDS = 40  # of each text


def shared_words(one: View, other: View) -> tuple[str, ...]:
    """Return the words that both texts have, the longest first; special tokens are left out."""
    labels = [
        {unit.word.casefold(): None for unit in view.units if unit.ordinary}
        for view in (one, other)
    ]
    both = [label for label in labels[0] if label in labels[1]]
    return tuple(sorted(both, key=len, reverse=True))


def changing_head(one: View, other: View, places: tuple[int, int]) -> Head:
    """Return the head in which a word is most selective for what only its own text has.

    More than the other words give the same key, and more than they give at the same distance: a
    head that attends to the word before, whatever it is, depends on no content. In both texts: the
    smaller of the two figures decides.

    Parameters
    ----------
    places : where the word stands in each text
    """
    strongest = []
    for view, against, query in zip((one, other), (other, one), places, strict=True):
        known = {unit.word.casefold() for unit in against.units}
        own = [
            k
            for k, unit in enumerate(view.units)
            if unit.ordinary and unit.word.casefold() not in known
            if k or not view.is_causal  # a decoder's first word gets weight for lack of another
        ]
        habit = distance_rate(view.weights, query, ordinary(view))  # (L, H, W)
        beyond = view.weights[:, :, query] - np.nan_to_num(habit)
        row = np.minimum(row_selectivity(view, query), beyond)
        strongest.append(row[..., own].max(axis=-1) if own else np.zeros(row.shape[:2]))
    both = np.minimum(*strongest)
    layer, head = np.unravel_index(np.argmax(both), both.shape)
    return int(layer), int(head)


def contextual(trace: Trace, unit: Unit) -> Array:
    """Return what a word has become after each layer, the mean of its pieces: `(L + 1, D)`."""
    return trace.hidden[:, list(unit.positions)].mean(axis=1)


def unlike_cosine(one: tuple[Trace, View], other: tuple[Trace, View]) -> Array:
    """Return how alike two different words of the two texts are after each layer: `(L + 1,)`.

    The mean cosine over all pairs, special tokens left out: what is left of "alike" when the word
    is not the same. NaN where there is no such pair.
    """
    (vectors, labels), (others, names) = (_ordinary(*text) for text in (one, other))
    unlike = np.array([[a != b for b in names] for a in labels])
    pairs = _directions(vectors) @ np.swapaxes(_directions(others), 1, 2)  # (L + 1, W, W)
    return pairs[:, unlike].mean(axis=1) if unlike.any() else np.full(len(pairs), np.nan)


def _directions(vectors: Array) -> Array:
    return vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)


def _ordinary(trace: Trace, view: View) -> tuple[Array, list[str]]:
    """Return the contextual vectors (L + 1, W, D) and the spelling of a text's own words."""
    units = [unit for unit in view.units if unit.ordinary]
    vectors = np.stack([contextual(trace, unit) for unit in units], axis=1)
    return vectors, [unit.word.casefold() for unit in units]


def refusal_of_text(model: Model, text: str) -> str | None:
    """Return why a text cannot be one of the two, if it cannot."""
    try:
        tokens = model.tokenize(text)
        check_tokens(len(tokens))
        count = sum(unit.ordinary for unit in words.whole_words(tokens))
    except ValueError as refusal:
        return str(refusal)
    if not count:
        return "There is no word in it."
    if count > _MOST_WORDS:
        return f"It has {count} words; two texts are compared up to {_MOST_WORDS} each."
    return None


@dataclass(frozen=True, eq=False)
class WordInTwoTexts:
    """One word as it stands in each of two texts."""

    word: str
    traces: tuple[Trace, Trace]
    views: tuple[View, View]

    @cached_property
    def queries(self) -> tuple[int, int]:
        """Where the word stands in each text."""
        one, other = (view.find(self.word) or 0 for view in self.views)
        return one, other

    @property
    def units(self) -> tuple[Unit, Unit]:
        """The word as a unit of each text."""
        one, other = (view.units[q] for view, q in zip(self.views, self.queries, strict=True))
        return one, other

    @property
    def telling_head(self) -> Head:
        """The head in which the word is most selective for what only its own text has."""
        return changing_head(*self.views, self.queries)

    @cached_property
    def alike(self) -> Array:
        """The cosine of its two vectors, at the input and after each layer: `(L + 1,)`."""
        return cosine(*map(contextual, self.traces, self.units))

    @cached_property
    def unlike(self) -> Array:
        """The mean cosine of two different words of the texts: `(L + 1,)`."""
        return unlike_cosine(*zip(self.traces, self.views, strict=True))

    def bare(self, model: Model) -> float:
        """Return the cosine of its two vectors before anything is added to them."""
        vectors = (
            embeddings.unit_vectors(model, trace.input, [unit])
            for trace, unit in zip(self.traces, self.units, strict=True)
        )
        return float(cosine(*vectors)[0])

    def sentence(self, head: Head) -> str:
        """Say what the word attends to in each text, and how alike its vectors stay."""
        first, second = (
            telling_word(view, query, head)
            for view, query in zip(self.views, self.queries, strict=True)
        )
        return (
            f"In {head_name(head)} “{self.word}” is most selective for {first} in the first text "
            f"and for {second} in the second. Its two vectors have a cosine of {self.alike[0]:.2f} "
            f"at the input and {self.alike[-1]:.2f} after the last layer."
        )

    def origin(self, model: Transformer) -> str:
        """Say how alike the word's vectors are before any layer, and why."""
        ids = [
            trace.input.ids[list(unit.positions)].tolist()
            for trace, unit in zip(self.traces, self.units, strict=True)
        ]
        said = (
            "The bare word vector is the same in both texts"
            if ids[0] == ids[1]
            else "The word is spelled by other tokens in each text, with other bare vectors"
        )
        first, second = (unit.positions[0] for unit in self.units)
        return (
            f"{said}: cosine {self.bare(model):.2f}. The word is token {first} of the first text "
            f"and token {second} of the second: {_moved(model, first == second)}."
        )


def _moved(model: Transformer, same_place: bool) -> str:
    """Say what the place of a word does to the input of the first layer."""
    if model.rotary:
        return "this model adds nothing for a position, it turns queries and keys in every layer"
    if same_place:
        return "the same position vector is added in both"
    return "another position vector is added in each, so the inputs already differ a little"
