"""Marian's translation models: an encoder in sight like any other, and a decoder that reads it.

Source: Vaswani et al. 2017, "Attention is all you need", section 3; the decoder: `marian_decoder`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Self

import numpy as np
from tokenizers import Tokenizer

from attention.arrays import Array
from attention.edits import Edits, check_edits
from attention.models import files, marian_files, spm_tokenizer
from attention.models.architecture import Names
from attention.models.encoder import Encoder
from attention.models.layers import sine_positions
from attention.models.marian_config import MarianConfig
from attention.models.marian_decoder import MarianDecoder
from attention.models.spelling import spelling, text_of
from attention.models.target_text import target_tokens
from attention.models.translation import Translation, chances_of
from attention.runtime.threads import one_blas_thread

LONGEST_FACTOR = 2.5  # a translation has at most so many times the tokens of its source


class Marian(Encoder):
    """A translator with its weights and tokenizers. Safe to share between threads."""

    config: MarianConfig
    config_class = MarianConfig
    names = Names(
        words="words",
        layer="encoder",
        qkv="attention.qkv",
        w_o="attention.output",
        attention_norm="attention.norm",
        mlp_norm="mlp.norm",
    )
    prefixes = ()
    norm_first = False
    norm = "LayerNorm"
    positions = "sines"

    def __init__(
        self,
        name: str,
        config: MarianConfig,
        weights: dict[str, Array],
        tokenizer: Tokenizer,
        target_tokenizer: Tokenizer | None = None,
    ) -> None:
        """Keep the weights; each layer's query, key and value projections become one matrix."""
        theirs = {part: weights.pop(part) for part in list(weights) if part.startswith("decoder.")}
        super().__init__(name, config, weights, tokenizer)
        for layer in range(config.num_hidden_layers):
            heads = [self._part(layer, f"attention.{part}") for part in ("query", "key", "value")]
            self._join(self._part(layer, self.names.qkv), heads)
            for part in (self.names.w_o, "mlp.inner", "mlp.outer"):
                self._join(self._part(layer, part), [self._part(layer, part)])
        self.target_tokenizer = target_tokenizer or tokenizer
        end = spm_tokenizer.end_of(self.target_tokenizer)
        unknown = spelling(self.target_tokenizer).unknown
        self.decoder = MarianDecoder(
            config, theirs, self.word_embeddings, end, unknown and unknown[0]
        )

    @classmethod
    def from_folder(cls, name: str, folder: Path) -> Self:
        """Load a Marian file and the vocabularies beside it."""
        config, weights = marian_files.load_marian(marian_files.model_file(folder))
        return cls(name, config, weights, *marian_files.load_vocabularies(folder, config))

    @classmethod
    def check_folder(cls, folder: Path) -> files.Shapes:
        """Refuse what `from_folder` could not read; return the shapes of what it would."""
        marian_files.vocabulary_files(folder)
        return marian_files.check_marian(marian_files.model_file(folder))

    def embed(self, ids: Array, start: int = 0) -> Array:
        """Return `sqrt(D) * word + sines of the position`: `(T, D)`."""
        width = self.config.hidden_size
        x = self.word_embeddings[ids] * np.float32(math.sqrt(width))
        x += sine_positions(len(ids), width, start)
        return x

    def mlp(self, layer: int, x: Array) -> Array:
        """Return `max(0, x W_1 + b_1) W_2 + b_2`."""
        return self._relu_mlp(self._part(layer, "mlp"), x)

    def translate(self, text: str, edits: Edits = (), cross_edits: Edits = ()) -> Translation:
        """Translate a sentence; each step writes the most probable token, until `</s>`.

        Parameters
        ----------
        edits : changes to the encoder's attention, as for `trace`
        cross_edits : changes to cross-attention; a query is a step of the translation, a key a
            token of the source, a layer one of the decoder's

        Raises
        ------
        ValueError : as for `trace`, and for what is not there of the decoder or the translation,
            which has at most 2.5 times as many tokens as its source.
        """
        source = self.tokenize(text)
        longest = 0 if all(source.special) else int(LONGEST_FACTOR * len(source))
        self._check_cross_edits(cross_edits, longest, len(source))
        with one_blas_thread():  # products of few rows gain next to nothing from more
            trace = self.trace(text, edits)
            written = self.decoder.write(trace.hidden[-1], longest, cross_edits)
        return Translation(
            encoder=trace,
            target=target_tokens(written.ids, self.target_tokenizer, self.decoder.end),
            cross_weights=written.weights,
            states=written.states,
            cross_edits=cross_edits,
            scored_by=self.decoder.logits,
            spelling=self.spell_target,
        )

    def chances_after(
        self, text: str, start: Sequence[int] = (), edits: Edits = (), cross_edits: Edits = ()
    ) -> Array:
        """Return how probable each token is after a beginning of the translation, `(V,)` float64.

        For `done = translate(text)`, `chances_after(text, done.target.ids[:t])` is
        `done.chances(t)`; much quicker than a translation, and of any beginning.

        Parameters
        ----------
        start : the tokens that the translation begins with, whatever is probable
        edits, cross_edits : as for `translate`

        Raises
        ------
        ValueError : as for `translate`; or a token is none of the target's words, or ends it.
        """
        states = self._states_after(text, start, len(start) + 1, edits, cross_edits)
        return chances_of(self.decoder.logits(states[-1]))

    def chances_on_the_way(
        self, text: str, start: Sequence[int], edits: Edits = (), cross_edits: Edits = ()
    ) -> Array:
        """Return how probable each token of a beginning is after those before it, `(T,)` float64.

        Their product is how probable the whole beginning is. One pass, whatever its length.

        Parameters
        ----------
        start, edits, cross_edits : as for `chances_after`, which has the same errors
        """
        states = self._states_after(text, start, len(start), edits, cross_edits)
        chances = [
            chances_of(self.decoder.logits(state))[token]
            for state, token in zip(states, start, strict=True)
        ]
        return np.array(chances, np.float64)

    def _states_after(
        self, text: str, start: Sequence[int], steps: int, edits: Edits, cross_edits: Edits
    ) -> Array:
        """Return what each step is scored by, `(T, D)`; the first tokens are given."""
        words, end = self.config.target_vocab_size, self.decoder.end
        if bad := [token for token in start if not 0 <= token < words or token == end]:
            raise ValueError(f"a translation cannot begin with token {bad[0]} of {words:,}")
        self._check_cross_edits(cross_edits, steps, len(self.tokenize(text)))
        with one_blas_thread():
            encoded = self.hidden(text, edits)[-1]
            return self.decoder.write(encoded, steps, cross_edits, start).states

    def spell_target(self, token: int) -> str:
        """Return the text of one token of a translation, with the space before it."""
        return text_of(self.target_tokenizer, [token])

    def _check_cross_edits(self, edits: Edits, steps: int, tokens: int) -> None:
        layers, heads = self.config.decoder_layers, self.config.num_attention_heads
        check_edits(edits, f"the decoder of {self.name}", layers, heads, tokens, queries=steps)
