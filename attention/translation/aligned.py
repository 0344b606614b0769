"""A sentence and its translation, word by word: who looked at what."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Protocol

import numpy as np

from attention.analysis.words import Unit, View, whole_words
from attention.arrays import Array
from attention.models.translation import Translation

_CLEAR = 0.5  # a word that gives another so much looks at that one
_LEAST_RUN = 3  # words that are read backwards one after the other


class Sides(Protocol):
    """Two texts, `T` words that attend to `S` words of the other, and how much."""

    @property
    def source(self) -> tuple[Unit, ...]:
        """The words that are attended to."""

    @property
    def target(self) -> tuple[Unit, ...]:
        """The words that attend."""

    @property
    def weights(self) -> Array:
        """What each word of the target attends to, `(T, S)`."""


@dataclass(frozen=True, eq=False)
class CrossView:
    """Both texts of a view of cross-attention, in the mean of some heads of a layer."""

    view: View
    layer: int
    heads: Sequence[int]

    @property
    def source(self) -> tuple[Unit, ...]:
        """The words of the keys."""
        return self.view.keys

    @property
    def target(self) -> tuple[Unit, ...]:
        """The words of the queries."""
        return self.view.units

    @cached_property
    def weights(self) -> Array:
        """What each query attends to, `(T, S)`."""
        return self.view.weights[self.layer, list(self.heads)].mean(axis=0)


@dataclass(frozen=True, eq=False)
class Aligned:
    """The cross-attention of some heads between words, `T` of the translation, `S` of its source.

    What the pieces of a word give is averaged, and what they get is summed: rows sum to 1.
    """

    done: Translation
    layer: int
    head: int | None  # None: the mean of the layer's heads

    @cached_property
    def source(self) -> tuple[Unit, ...]:
        """The words of the sentence."""
        return whole_words(self.done.source)

    @cached_property
    def target(self) -> tuple[Unit, ...]:
        """The words of the translation; a piece that is only a space belongs to the next one."""
        return joined_blanks(whole_words(self.done.target))

    @cached_property
    def weights(self) -> Array:
        """What each word of the translation attends to, `(T, S)`."""
        layer = self.done.cross_weights[self.layer]
        tokens = layer.mean(axis=0) if self.head is None else layer[self.head]
        rows = np.stack([tokens[list(unit.positions)].mean(axis=0) for unit in self.target])
        return np.stack([rows[:, list(unit.positions)].sum(axis=1) for unit in self.source], axis=1)

    @property
    def where(self) -> str:
        """The heads, in words."""
        if self.head is not None:
            return f"In L{self.layer} H{self.head} of the decoder"
        return f"On average over the heads of decoder layer {self.layer}"

    def looked_sentence(self, t: int) -> str:
        """Say what a word of the translation attends to most, and what the others give the same."""
        row, others = self.weights[t], np.delete(self.weights, t, axis=0)
        best = int(row.argmax())
        base = f"; the other words give it {others[:, best].mean():.2f} on average"
        return (
            f"{self.where}, “{self.target[t].label}” attends to “{self.source[best].label}” most "
            f"({row[best]:.2f}{base if len(others) else ''})."
        )

    def looked_at_sentence(self, s: int) -> str:
        """Say which word of the translation attends to a source word most, and the mean of all."""
        column = self.weights[:, s]
        best = int(column.argmax())
        return (
            f"{self.where}, “{self.source[s].label}” is looked at most by "
            f"“{self.target[best].label}”, which gives it {column[best]:.2f}; the mean over the "
            f"{len(column)} words of the translation is {column.mean():.2f}."
        )

    def backwards_sentence(self) -> str:
        """Say which words of the translation read the source backwards, if some do."""
        run = self._backwards()
        if len(run) < _LEAST_RUN:
            return ""
        said = " ".join(self.target[t].label for t in run)
        read = ", ".join(
            f"“{self.source[int(self.weights[t].argmax())].label}” {self.weights[t].max():.2f}"
            for t in run
        )
        return f"“{said}” reads its source backwards: {read}."

    def _backwards(self) -> list[int]:
        """Return the longest run of words that each look at a word left of the last one's."""
        best, clear = self.weights.argmax(axis=1), self.weights.max(axis=1) >= _CLEAR
        longest: list[int] = []
        run: list[int] = []
        for t in range(len(best)):
            goes_on = bool(run) and clear[t] and best[t] < best[run[-1]]
            run = [*run, t] if goes_on else [t] * bool(clear[t])
            longest = max(longest, run, key=len)
        return longest


def sides_of(of: Translation | View, layer: int, head: int | None) -> Sides:
    """Return both texts of a translation, or of a view of cross-attention, in a head or a layer.

    Parameters
    ----------
    layer : counted from the last one where it is negative
    head : None: the mean of the layer's heads

    Raises
    ------
    ValueError : there is no such layer or head, or one text only.
    """
    weights = of.cross_weights if isinstance(of, Translation) else of.weights
    layers, heads = weights.shape[:2]
    at = layer + layers if layer < 0 else layer
    if not (0 <= at < layers and (head is None or 0 <= head < heads)):
        raise ValueError(f"no layer {layer} head {head}: there are {layers} layers of {heads}")
    if isinstance(of, Translation):
        return Aligned(of, at, head)
    if of.other is None:
        raise ValueError(
            "an alignment has two texts, and this trace has one: plot.links and plot.head_map "
            "draw it"
        )
    return CrossView(of, at, range(heads) if head is None else [head])


def joined_blanks(units: tuple[Unit, ...]) -> tuple[Unit, ...]:
    """Return the units, each that is only white space joined with the one after it.

    >>> blank, word = Unit("", (0,), False, "␣", blank=True), Unit("a", (1, 2), False)
    >>> joined_blanks((blank, word))
    (Unit(word='a', positions=(0, 1, 2), special=False, mark='', unknown='', blank=False),)
    """
    found: list[Unit] = []
    before: tuple[int, ...] = ()
    for unit in units[:-1]:
        if unit.blank:
            before += unit.positions
            continue
        found.append(_after(unit, before))
        before = ()
    return (*found, _after(units[-1], before))


def _after(unit: Unit, before: tuple[int, ...]) -> Unit:
    return replace(unit, positions=before + unit.positions)
