"""What all transformers share: from a text to its trace, and on from any layer.

Between this and an architecture (`bert`, `llama`, `gpt2`) stands how the heads of one layer read:
`encoder` and `decoder`.
"""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import ClassVar, Self

import numpy as np
from tokenizers import Tokenizer

from attention.arrays import Array
from attention.characters import shown
from attention.edits import Edits, check_edits
from attention.models import files, memory
from attention.models.architecture import Architecture, Config, LayerArrays
from attention.models.spelling import spelling, text_of
from attention.models.trace import Tokens, Trace, longest
from attention.runtime import threads


class Transformer(Architecture):
    """A transformer with its weights and tokenizer. Safe to share between threads."""

    shared_from: ClassVar[float] = math.inf  # tokens from which on threads share the work

    def __init__(
        self, name: str, config: Config, weights: dict[str, Array], tokenizer: Tokenizer
    ) -> None:
        """Keep what is given."""
        super().__init__(name, config, weights)
        self.tokenizer = tokenizer

    def __repr__(self) -> str:
        """Return the name, the kind and the sizes on one line."""
        c = self.config
        return (
            f"{type(self).__name__} {self.name}: {c.num_hidden_layers} x {c.num_attention_heads} "
            f"heads, {c.hidden_size:,} wide, {c.vocab_size:,} words"
        )

    @classmethod
    def from_folder(cls, name: str, folder: Path) -> Self:
        """Load `config.json`, `tokenizer.json` and safetensors from `folder`."""
        config = cls.config_class.from_dict(files.read_config(folder))
        weights = files.read_weights(
            folder, config.shapes(), prefixes=cls.prefixes, optional=config.head()
        )
        return cls(name, config, weights, files.load_tokenizer(folder / "tokenizer.json"))

    @classmethod
    def check_folder(cls, folder: Path) -> files.Shapes:
        """Refuse what `from_folder` could not read; return the shapes of what it would."""
        config = cls.config_class.from_dict(files.read_config(folder))
        return files.check_weights(
            folder, config.shapes(), prefixes=cls.prefixes, optional=config.head()
        )

    @property
    def longest_trace(self) -> int:
        """How many tokens a text may have."""
        c = self.config
        return longest(c.num_hidden_layers * c.num_attention_heads, c.max_position_embeddings)

    def tokenize(self, text: str) -> Tokens:
        """Return the text as tokens; `ValueError` with both numbers where it is too long."""
        return files.encoded(self.tokenizer, text, self.longest_trace, self.config.vocab_size)

    def spell(self, token: int) -> str:
        """Return the text of one token, with the space before it; see `spell_all`."""
        return self.spell_all([token])

    def spell_all(self, tokens: Sequence[int]) -> str:
        """Return what tokens say together; bytes that make no whole character as `<F0>`.

        A token of the vocabulary that the tokenizer does not know is shown as its number.
        """
        return text_of(self.tokenizer, tokens)

    def label(self, token: int) -> str:
        """Return one token as views show it: what cannot be seen is made visible."""
        return shown(spelling(self.tokenizer).text([token]))

    def trace(self, text: str, edits: Edits = ()) -> Trace:
        """Run the whole forward pass on `text`, changed as `edits` ask for, and keep everything.

        Raises
        ------
        ValueError : the text has more tokens than a trace may have, or an edit names a layer, head
            or position that is not there.
        """
        tokens = self.tokenize(text)
        c, t = self.config, len(tokens)
        self._check_edits(edits, t)
        layers, heads, groups = c.num_hidden_layers, c.num_attention_heads, c.num_key_value_heads
        query, key, value, weights, head_output, hidden = memory.arrays(
            (layers, heads, t, c.head_dim),
            (layers, groups, t, c.head_dim),
            (layers, groups, t, c.head_dim),
            (layers, heads, t, t),
            (layers, heads, t, c.head_dim),
            (layers + 1, t, c.hidden_size),
        )
        hidden[0] = self.embed(tokens.ids)
        with self._team(t) as share:
            for at in range(layers):
                made = query[at], key[at], value[at], weights[at, None], head_output[at]
                self._run_layer(share, at, edits, LayerArrays(hidden[at], hidden[at + 1], *made))
        return Trace(
            self.name, tokens, query, key, value, weights, head_output, hidden, edits,
            is_causal=self.is_causal, next_logits=self._next_logits(hidden[-1]),
            spelling=self.spell,
        )  # fmt: skip

    def hidden(self, text: str, edits: Edits = ()) -> Array:
        """Return the stream `(L + 1, T, D)` of a forward pass; as `trace(text, edits).hidden`."""
        return self.trace(text, edits).hidden

    def resume(self, x: Array, layer: int, edits: Edits = ()) -> Array:
        """Run layer `layer` and those above it on a known stream; return the last layer's output.

        `resume(trace.hidden[l], l)` is `trace.hidden[-1]` for any l: whoever changes something
        from layer l on need not run the layers below again.

        Parameters
        ----------
        x : (..., T, D), the input of the layer; several texts of one length run side by side
        layer : 0 to L; with L nothing is left to do
        edits : those for the layers below change nothing

        Returns
        -------
        (..., T, D), a new array

        Raises
        ------
        ValueError : a layer, head or position that is not there, or a stream of another width.
        """
        c, tokens = self.config, x.shape[-2] if x.ndim > 1 else 0
        if tokens == 0 or x.shape[-1] != c.hidden_size or not 0 <= layer <= c.num_hidden_layers:
            raise ValueError(
                f"no stream of shape {x.shape} into layer {layer}: {self.name} is "
                f"{c.hidden_size} wide and has layers 0 to {c.num_hidden_layers - 1}"
            )
        self._check_edits(edits, tokens)
        stream = np.array(x, np.float32).reshape(-1, c.hidden_size)  # (B * T, D), a copy
        heads, groups, rows = c.num_attention_heads, c.num_key_value_heads, len(stream)
        made = memory.arrays(
            (heads, rows, c.head_dim),
            (groups, rows, c.head_dim),
            (groups, rows, c.head_dim),
            (rows // tokens, heads, tokens, tokens),
            (heads, rows, c.head_dim),
        )
        with self._team(rows) as share:
            for at in range(layer, c.num_hidden_layers):
                self._run_layer(share, at, edits, LayerArrays(stream, stream, *made))
        return stream.reshape(x.shape)

    @abstractmethod
    def _run_layer(
        self, share: threads.Share, layer: int, edits: Edits, arrays: LayerArrays
    ) -> None:
        """Run one layer: write all that it makes into `arrays`."""

    def _next_logits(self, stream: Array) -> Array | None:
        """Return the scores `(V,)` of the next token after a stream `(T, D)`, if there are any."""
        return None

    def _team(self, rows: int) -> AbstractContextManager[threads.Share]:
        return threads.team(threads.processors() if rows >= self.shared_from else 1)

    def _check_edits(self, edits: Edits, tokens: int) -> None:
        sizes = self.config.num_hidden_layers, self.config.num_attention_heads, tokens
        check_edits(edits, self.name, *sizes, is_causal=self.is_causal)
