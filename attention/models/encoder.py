"""What encoders share: every token attends to every other, and threads share long texts.

Heads share no keys and values, and positions come in below the first layer.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from functools import partial

import numpy as np

from attention.edits import Edits
from attention.models.architecture import LayerArrays
from attention.models.editing import weights_in_place
from attention.models.transformer import Transformer
from attention.runtime import threads

_CACHED_SCORES = 250_000  # numbers, 1 MB: heads are taken together while theirs stay in the cache


class Encoder(Transformer):
    """An encoder with its weights and tokenizer. Safe to share between threads."""

    is_causal = False
    shared_from = 192  # tokens; below, sharing costs more than it saves

    def _run_layer(
        self, share: threads.Share, layer: int, edits: Edits, arrays: LayerArrays
    ) -> None:
        texts, heads, _, _ = arrays.weights.shape
        share(partial(self._project_rows, layer, arrays), len(arrays.x))
        share(partial(self._attend, layer, edits, arrays), texts * heads)
        share(partial(self._finish_rows, layer, arrays), len(arrays.x))

    def _project_rows(self, layer: int, a: LayerArrays, rows: slice) -> None:
        a.query[:, rows], a.key[:, rows], a.value[:, rows] = self.project(layer, a.x[rows])

    def _attend(self, layer: int, edits: Edits, a: LayerArrays, some: slice) -> None:
        """Let some of all texts times all heads attend."""
        _, heads, tokens, _ = a.weights.shape
        scale = np.float32(1 / math.sqrt(self.config.head_dim))
        for text, part in _heads_at_once(some, heads, tokens):
            own = slice(text * tokens, (text + 1) * tokens)
            scores = a.weights[text, part]  # (part of H, Q, K)
            np.matmul(a.query[part, own] * scale, a.key[part, own].mT, out=scores)
            weights_in_place(scores, edits, layer, part.start)
            np.matmul(scores, a.value[part, own], out=a.output[part, own])

    def _finish_rows(self, layer: int, a: LayerArrays, rows: slice) -> None:
        a.y[rows] = self._finish(layer, a.x[rows], a.output[:, rows])


def _heads_at_once(some: slice, heads: int, tokens: int) -> Iterator[tuple[int, slice]]:
    """Yield the text and the heads to take together, for `some` of all texts times all heads."""
    together = max(1, _CACHED_SCORES // max(tokens, 1) ** 2)
    first = some.start
    while first < some.stop:
        text, head = divmod(first, heads)
        last = min(head + together, heads, head + some.stop - first)
        yield text, slice(head, last)
        first += last - head
