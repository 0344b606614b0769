"""Patching: run one text with a part of the pass over another, and see how much of it comes back.

Source: Wang et al. 2023, "Interpretability in the wild: a circuit for indirect object
identification in GPT-2 small", section 3; Zhang and Nanda 2024, "Towards best practices of
activation patching in language models", section 2.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from attention.analysis.alignment import matched
from attention.arrays import Array
from attention.edits import Edits, Patch
from attention.interventions.ablation import each_head, head_parts, streams_changed
from attention.interventions.effects import Answer, log_odds, sentence_vector
from attention.interventions.passes import edited_figures
from attention.models.model import Model, predictor
from attention.models.trace import Trace
from attention.runtime.timing import Progress
from attention.wording import Head

_NOTHING = 1e-3  # nats, or a squared length against that of the vector: too little to share out


@dataclass(frozen=True, eq=False)
class Patching:
    """A text, another one, and what is to come back: 0 as without, 1 as in the other text.

    For a model that predicts, the log-odds of an answer at the last token:
    `(patched - own) / (other - own)`. For any other model, how far the sentence vector v goes
    towards that of the other text: `(v_patched - v) . (v_other - v) / |v_other - v|^2`. Both may
    leave the range from 0 to 1.
    """

    model: Model
    trace: Trace
    other: Trace
    answer: Answer = ()

    @cached_property
    def pairs(self) -> list[tuple[int, int]]:
        """The tokens that stand side by side in the two texts."""
        ids = (trace.input.ids.tolist() for trace in (self.trace, self.other))
        return [
            (match.one, match.other)
            for match in matched(*ids)
            if match.one is not None and match.other is not None
        ]

    @cached_property
    def ends(self) -> tuple[float, float]:
        """The log-odds of the answer in the text and in the other; of no answer, 0 and 1."""
        if not self._predicts:
            return 0.0, 1.0
        own, other = (float(self._odds(t.hidden[None, -1])[0]) for t in (self.trace, self.other))
        return own, other

    @property
    def apart(self) -> bool:
        """Whether the two texts differ in what is measured: else nothing can come back."""
        if self._predicts:
            return abs(self.ends[1] - self.ends[0]) > _NOTHING
        whole, way = self._way
        return float(way @ way) > _NOTHING**2 * float(whole @ whole)

    def patch(
        self, part: str, layer: int, head: int | None = None, tokens: Sequence[int] | None = None
    ) -> Edits:
        """Return the edit that takes a part of the other text, none where nothing is side by side.

        Parameters
        ----------
        tokens : of the text, those that are patched; None is all that stand side by side
        """
        pairs = [p for p in self.pairs if tokens is None or p[0] in tokens]
        if not pairs:
            return ()
        here, there = (tuple(side) for side in zip(*pairs, strict=True))
        heads = None if head is None else (head,)
        if part == "weights":
            keys = {"keys": self._side(0), "from_keys": self._side(1)}
            return (Patch(self.other.text, "weights", (layer,), heads, here, there, **keys),)
        if part == "head":
            return (Patch(self.other.text, "head", (layer,), heads, here, there),)
        return (Patch(self.other.text, "stream", (layer,), None, here, there),)

    def come_back(self, streams: Array) -> Array:
        """Return how much comes back in passes with the last layer's streams `(B, T, D)`: `(B,)`.

        NaN where the two texts do not differ in it.
        """
        if not self.apart:
            return np.full(len(streams), np.nan)
        if self._predicts:
            own, other = self.ends
            return (self._odds(streams) - own) / (other - own)
        whole, way = self._way
        return np.asarray((streams.mean(axis=1) - whole) @ way / (way @ way))

    def heads(
        self,
        tokens: Sequence[int] | None = None,
        on_progress: Progress = lambda share: None,
    ) -> Iterator[Array]:
        """Put in the output of each head alone; yield how much comes back `(L, H)` as it fills."""
        layers, count = self.trace.weights.shape[:2]
        pairs = [p for p in self.pairs if tokens is None or p[0] in tokens]
        here, there = [a for a, _ in pairs], [b for _, b in pairs]

        def attended(layer: int, own: list[int]) -> Array:
            parts, others = (head_parts(self.model, t, layer) for t in (self.trace, self.other))
            changed = np.repeat(parts.sum(axis=0)[None], len(own), axis=0)  # (B, T, D)
            changed[:, here] += others[own][:, there] - parts[own][:, here]
            return changed

        def measure(own: list[Head]) -> Array:
            return self.come_back(streams_changed(self.model, self.trace, own, attended))

        order = [(layer, head) for layer in reversed(range(layers)) for head in range(count)]
        grid = np.full((layers, count), np.nan)
        yield from each_head(measure, grid, order, len(self.trace.tokens), on_progress)

    def weights(
        self,
        tokens: Sequence[int] | None = None,
        on_progress: Progress = lambda share: None,
    ) -> Iterator[Array]:
        """Put in the weights of each head alone; yield how much comes back `(L, H)`."""
        layers, heads = shape = self.trace.weights.shape[:2]
        changes = [
            self.patch("weights", layer, head, tokens)
            for layer in range(layers)
            for head in range(heads)
        ]
        found = edited_figures(self.model, self.trace, changes, self.come_back, on_progress)
        for figures in found:
            yield figures.reshape(shape)

    def states(
        self, groups: Sequence[Sequence[int]], on_progress: Progress = lambda share: None
    ) -> Iterator[Array]:
        """Put in the hidden state that enters each layer, at some tokens alone: yield `(L, W)`.

        Parameters
        ----------
        groups : the tokens of each of W words; one that has none beside it in the other text is 0
        """
        layers = len(self.trace.weights)
        changes = [self.patch("stream", at, tokens=own) for at in range(layers) for own in groups]
        found = edited_figures(self.model, self.trace, changes, self.come_back, on_progress)
        for figures in found:
            yield figures.reshape(layers, len(groups))

    @property
    def _predicts(self) -> bool:
        return bool(self.answer) and predictor(self.model) is not None

    @cached_property
    def _way(self) -> tuple[Array, Array]:
        """The sentence vector and the way from it to that of the other text, `(D,)` each."""
        own, other = (
            sentence_vector(t.hidden).astype(np.float64) for t in (self.trace, self.other)
        )
        return own, other - own

    def _odds(self, streams: Array) -> Array:
        decoder = predictor(self.model)
        if decoder is None:
            raise TypeError(f"{self.trace.model} predicts no next token")
        return log_odds(decoder.logits(streams[:, -1]), self.answer)

    def _side(self, side: int) -> tuple[int, ...]:
        return tuple(pair[side] for pair in self.pairs)
