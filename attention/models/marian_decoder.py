"""Marian's recurrent decoder: each layer a cell that remembers, a look at the source, an MLP.

Source: Bahdanau et al. 2015, "Neural machine translation by jointly learning to align and
translate", for a recurrent decoder that looks back; Kim et al. 2019, "From research to production
and back", section 3.1, for its cell (SSRU); Vaswani et al. 2017, section 3.2, for how it looks.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from attention.arrays import Array
from attention.edits import Edits
from attention.models.editing import at_query, weights_in_place
from attention.models.layers import merge_heads, sigmoid_in_place, sine_positions, split_heads
from attention.models.marian_config import MarianConfig
from attention.models.named_weights import NamedWeights

_KV = ("key", "value")
_SINGLE = (
    "recurrent.candidate", "recurrent.forget", "attention.query", "attention.output",
    "mlp.inner", "mlp.outer",
)  # fmt: skip


class KeysAndValues(NamedTuple):
    """What cross-attention works with: made once of a sentence."""

    key: Array  # (L, H, S, E)
    value: Array  # (L, H, S, E)


class Written(NamedTuple):
    """What a decoder has written, of T steps, the last one `</s>` if it came to an end."""

    ids: Array  # (T,) int
    states: Array  # (T, D) what each token was scored by
    weights: Array  # (L, H, T, S) cross-attention: what each step looked at


class MarianDecoder(NamedWeights):
    """The decoder's weights and its pass, one step after the other."""

    norm = "LayerNorm"

    def __init__(
        self,
        config: MarianConfig,
        weights: dict[str, Array],
        words: Array,
        end: int,
        unknown: int | None,
    ) -> None:
        """Keep the weights.

        Parameters
        ----------
        words : (V, D), the source's vectors, which may be the target's, too
        end, unknown : the tokens `</s>` and `<unk>` of the target; the second is never written
        """
        super().__init__(weights, config.norm_eps)
        self.config, self.end, self.unknown = config, end, unknown
        self.word_embeddings = weights.pop("decoder.words.weight", words)  # (V, D)
        self._head = weights.pop("decoder.output.weight", self.word_embeddings)  # (V, D)
        for layer in range(config.decoder_layers):
            here = f"decoder.{layer}"
            self._join(f"{here}.attention.kv", [f"{here}.attention.{part}" for part in _KV])
            for part in _SINGLE:
                self._join(f"{here}.{part}", [f"{here}.{part}"])

    def write(
        self, encoded: Array, longest: int, edits: Edits = (), start: Sequence[int] = ()
    ) -> Written:
        """Write the most probable token again and again, until `</s>` or `longest` tokens.

        Parameters
        ----------
        encoded : (S, D), what the encoder gives
        edits : checked; of cross-attention, a query is a step
        start : the first tokens, whatever is probable; none of them `</s>`
        """
        c, source = self.config, self.source(encoded)
        weights = np.empty((c.decoder_layers, c.num_attention_heads, longest, len(encoded)), "f4")
        states, ids = np.empty((longest, c.hidden_size), "f4"), np.empty(longest, np.int64)
        cells, steps = np.zeros((c.decoder_layers, c.hidden_size), "f4"), 0
        while steps < longest and (steps == 0 or ids[steps - 1] != self.end):
            word = self.embed(ids[steps - 1] if steps else None, steps)
            looked = weights[:, :, steps, None]  # (L, H, 1, S)
            states[steps] = self._step(word, source, cells, looked, at_query(edits, steps))
            given = steps < len(start)
            ids[steps] = start[steps] if given else self.logits(states[steps]).argmax()
            steps += 1
        return Written(ids[:steps].copy(), states[:steps].copy(), weights[:, :, :steps].copy())

    def source(self, encoded: Array) -> KeysAndValues:
        """Return the keys and values that every step looks at."""
        heads = self.config.num_attention_heads
        made = [
            split_heads(self._linear(f"decoder.{layer}.attention.kv", encoded), 2 * heads)
            for layer in range(self.config.decoder_layers)
        ]
        both = np.stack(made)  # (L, 2 H, S, E)
        return KeysAndValues(both[:, :heads], both[:, heads:])

    def output_projection(self, layer: int) -> Array:
        """Return W_O of cross-attention, `(H * E, D)`, the rows of each head together."""
        return self._weights[f"decoder.{layer}.attention.output.weight"]

    def embed(self, token: int | None, step: int) -> Array:
        """Return what a step begins with, `(1, D)`: the last token written, nothing at first."""
        width = self.config.hidden_size
        x = sine_positions(1, width, step)
        if token is not None:
            x += self.word_embeddings[token] * np.float32(math.sqrt(width))
        return x

    def logits(self, states: Array) -> Array:
        """Return how each token scores, `(..., V)`, for states `(..., D)`; `<unk>` has -inf."""
        scores: Array = states @ self._head.T
        scores += self._weights["decoder.output.bias"]
        if self.unknown is not None:
            scores[..., self.unknown] = -np.inf
        return scores

    def _step(
        self, y: Array, source: KeysAndValues, cells: Array, weights: Array, edits: Edits
    ) -> Array:
        """Return the state `(1, D)` that the next token is scored by.

        Parameters
        ----------
        y : (1, D)
        cells : (L, D), what each layer remembers, overwritten
        weights : (L, H, 1, S), overwritten
        """
        for layer in range(self.config.decoder_layers):
            y = self._remember(layer, y, cells[layer])
            y = self._look(layer, y, source, weights[layer], edits)
            y = self._feed_forward(layer, y)
        return y

    def _remember(self, layer: int, y: Array, cell: Array) -> Array:
        """Return `Norm(y + max(0, c))`, `c = f c + (1 - f) y W`, `f = sigmoid(y W_f + b)`."""
        here = f"decoder.{layer}.recurrent"
        forget = sigmoid_in_place(self._linear(f"{here}.forget", y))[0]
        cell *= forget
        cell += (1 - forget) * self._linear(f"{here}.candidate", y)[0]
        return self._norm(f"{here}.norm", y + np.maximum(cell, 0))

    def _look(
        self, layer: int, y: Array, source: KeysAndValues, weights: Array, edits: Edits
    ) -> Array:
        """Return `Norm(y + W_O heads)`, and write what the heads attend to into `weights`."""
        here = f"decoder.{layer}.attention"
        query = split_heads(self._linear(f"{here}.query", y), self.config.num_attention_heads)
        query *= np.float32(1 / math.sqrt(self.config.head_dim))
        np.matmul(query, source.key[layer].mT, out=weights)  # (H, 1, S)
        weights_in_place(weights, edits, layer)
        found = merge_heads(weights @ source.value[layer])
        return self._norm(f"{here}.norm", y + self._linear(f"{here}.output", found))

    def _feed_forward(self, layer: int, y: Array) -> Array:
        here = f"decoder.{layer}.mlp"
        return self._norm(f"{here}.norm", y + self._relu_mlp(here, y))
