"""Two texts word by word: which heads attend otherwise in the other, and how far words move."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from attention.analysis.alignment import Match, matched
from attention.analysis.embeddings import cosine
from attention.analysis.metrics import jensen_shannon
from attention.analysis.words import View
from attention.arrays import Array
from attention.context.two_texts import contextual
from attention.models.trace import Trace
from attention.wording import Head, head_name

_EQUAL = 1e-4  # bits or cosine distance: rounding of float32 stays below


@dataclass(frozen=True, eq=False)
class Differences:
    """Two texts in one model, their words side by side."""

    traces: tuple[Trace, Trace]
    views: tuple[View, View]

    @cached_property
    def matches(self) -> list[Match]:
        """The words of both texts, `U` of them, those that are kept or replaced side by side."""
        one, other = ([word.casefold() for word in view.words] for view in self.views)
        return matched(one, other)

    @cached_property
    def labels(self) -> tuple[str, ...]:
        """How each of them is spelled: `old → new`, `+ inserted`, `− left out`."""
        return tuple(self._label(match) for match in self.matches)

    @cached_property
    def beside(self) -> list[int]:
        """Which of them are words, or special tokens, of both texts: they have a row in each."""
        return [i for i, match in enumerate(self.matches) if match.both]

    @cached_property
    def kept(self) -> list[int]:
        """Which of them are the same word of both texts; special tokens and spaces left out."""
        units = self.views[0].units
        return [
            i
            for i, match in enumerate(self.matches)
            if match.same and match.one is not None and units[match.one].ordinary
        ]

    def rows(self, side: int, queries: list[int]) -> Array:
        """Return what some of the words give to all, in one text: `(L, H, queries, U)`.

        A word that the text does not have gets 0: rows still sum to 1.
        """
        view, own = self.views[side], [match[side] for match in self.matches]
        there = [i for i, position in enumerate(own) if position is not None]
        columns = [position for position in own if position is not None]
        asked = view.weights[:, :, [position for i in queries if (position := own[i]) is not None]]
        rows = np.zeros((*asked.shape[:3], len(own)), np.float64)
        rows[..., there] = asked[..., columns]
        return rows

    @cached_property
    def apart(self) -> Array:
        """How far apart each head's rows in the two texts are, in bits: `(L, H)`.

        The Jensen-Shannon divergence of the two rows of a word, the mean over the words that both
        texts have; over their words side by side, so that what an inserted word takes counts.
        """
        one, other = (self.rows(side, self.kept) for side in (0, 1))
        return np.asarray(jensen_shannon(one, other).mean(axis=-1))

    @cached_property
    def ranked(self) -> list[Head]:
        """All heads, the one whose rows are furthest apart first."""
        order = np.argsort(-self.apart, axis=None, kind="stable").tolist()
        return [divmod(at, self.apart.shape[1]) for at in order]

    def difference(self, head: Head) -> Array:
        """Return the weights in the second text less those in the first: `(beside, U)`."""
        layer, own = head
        one, other = (self.rows(side, self.beside)[layer, own] for side in (0, 1))
        return other - one

    def seen(self, layer: int) -> Array:
        """Return the cells of `difference` that no mask hides in both texts: bool."""
        masks = [np.broadcast_to(v.seen_in(layer), (len(v.units),) * 2) for v in self.views]
        found = np.zeros((len(self.beside), len(self.matches)), bool)
        for side, mask in enumerate(masks):
            own = [match[side] for match in self.matches]
            for row, i in enumerate(self.beside):
                found[row] |= [k is not None and bool(mask[own[i], k]) for k in own]
        return found

    @cached_property
    def moved(self) -> Array:
        """How far each kept word's vector is from that in the other text: `(L + 1, kept)`.

        `1 - cos`, at the input of the first layer and after each.
        """
        distances = []
        for i in self.kept:
            vectors = [
                contextual(trace, view.units[place]).astype(np.float64)
                for trace, view, place in zip(
                    self.traces, self.views, self.matches[i][:2], strict=True
                )
                if place is not None
            ]
            distances.append(np.maximum(0.0, 1 - cosine(*vectors)))
        return np.stack(distances, axis=1)

    def sentence(self, head: Head) -> str:
        """Say how far apart the rows of a head are, and which word moves most."""
        place = self.ranked.index(head) + 1
        middle = float(np.median(self.apart))
        leads = "most of all" if place == 1 else f"rank {place} of"
        return (
            f"The rows of {head_name(head)} in the two texts are {self.apart[head]:.2f} bits apart "
            f"on average over the {len(self.kept)} words that both have ({leads} {self.apart.size} "
            f"heads; their median is {middle:.2f}). {self._moved_sentence()}"
        )

    def _moved_sentence(self) -> str:
        last = self.moved[-1]
        if last.max() < _EQUAL:
            return "After the last layer none of these words has another vector than before."
        word = self.labels[self.kept[int(last.argmax())]]
        return (
            f"After the last layer “{word}” has moved furthest of them: cosine distance "
            f"{last.max():.2f}, with a median of {np.median(last):.2f}."
        )

    def _label(self, match: Match) -> str:
        one, other = (
            "" if place is None else view.labels[place]
            for view, place in zip(self.views, match[:2], strict=True)
        )
        if match.one is None:
            return f"+ {other}"
        if match.other is None:
            return f"− {one}"
        return one if match.same else f"{one} → {other}"
