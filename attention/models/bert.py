"""The BERT encoder, from text to every attention weight.

Source: Devlin et al. 2019, "BERT", section 3. Post-norm blocks, learned positions, no mask: every
token reads every other.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple, Self

import numpy as np
from tokenizers import Tokenizer

from attention import threads
from attention.core import Array
from attention.edits import Edits, check_edits
from attention.models import files, memory, settings
from attention.models.editing import weights_in_place
from attention.models.layers import (
    gelu_in_place,
    layer_norm,
    merge_heads,
    split_heads,
)
from attention.models.trace import Tokens, Trace, longest

_CACHED_SCORES = 250_000  # numbers, 1 MB: heads are taken together while theirs stay in the cache
_MOST = {  # no BERT is larger, but a file may claim anything
    "num_hidden_layers": 1_000,
    "num_attention_heads": 1_000,
    "hidden_size": 100_000,
    "intermediate_size": 1_000_000,
    "vocab_size": 4_000_000,
    "max_position_embeddings": 1_000_000,
    "type_vocab_size": 1_000,
}
_PREFIXES = ("bert.",)
_DEFAULTS = {
    "num_hidden_layers": 12,
    "num_attention_heads": 12,
    "hidden_size": 768,
    "intermediate_size": 3_072,
    "vocab_size": 30_522,
    "max_position_embeddings": 512,
    "type_vocab_size": 2,
    "layer_norm_eps": 1e-12,
}
_COMPUTED = {
    "model_type": "bert",
    "hidden_act": settings.GELU,
    "position_embedding_type": "absolute",
    "is_decoder": False,
    "per_layer_config": None,
}
_SHARED_FROM = 192  # tokens; below, sharing the work between threads costs more than it saves


@dataclass(frozen=True)
class BertConfig:
    """The sizes of a BERT model, under the names of its `config.json`."""

    num_hidden_layers: int
    num_attention_heads: int
    hidden_size: int
    intermediate_size: int
    vocab_size: int
    max_position_embeddings: int
    type_vocab_size: int
    layer_norm_eps: float

    @classmethod
    def from_dict(cls, config: dict[str, Any]) -> Self:
        """Take the sizes from a `config.json`; refuse what this module does not compute."""
        config = settings.complete(config, _DEFAULTS)
        settings.check_settings(config, _COMPUTED)
        eps = config["layer_norm_eps"]
        if not isinstance(eps, float) or not 0 <= eps < 1:
            raise ValueError(f"layer_norm_eps must be a number from 0 to 1, got {eps!r}")
        sizes = {name: settings.number(config, name, most) for name, most in _MOST.items()}
        if sizes["hidden_size"] % sizes["num_attention_heads"]:
            raise ValueError(
                f"{sizes['num_attention_heads']} heads cannot divide a width of "
                f"{sizes['hidden_size']}"
            )
        return cls(**sizes, layer_norm_eps=eps)

    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Return the name and shape of every tensor that the forward pass uses."""
        width, inner = self.hidden_size, self.intermediate_size
        shapes: dict[str, tuple[int, ...]] = {
            "embeddings.word_embeddings.weight": (self.vocab_size, width),
            "embeddings.position_embeddings.weight": (self.max_position_embeddings, width),
            "embeddings.token_type_embeddings.weight": (self.type_vocab_size, width),
            "embeddings.LayerNorm.weight": (width,),
            "embeddings.LayerNorm.bias": (width,),
        }
        for layer in range(self.num_hidden_layers):
            for part, rows, columns in (
                ("attention.self.query", width, width),
                ("attention.self.key", width, width),
                ("attention.self.value", width, width),
                ("attention.output.dense", width, width),
                ("intermediate.dense", inner, width),
                ("output.dense", width, inner),
            ):
                shapes[f"encoder.layer.{layer}.{part}.weight"] = (rows, columns)
                shapes[f"encoder.layer.{layer}.{part}.bias"] = (rows,)
            for part in ("attention.output.LayerNorm", "output.LayerNorm"):
                shapes[f"encoder.layer.{layer}.{part}.weight"] = (width,)
                shapes[f"encoder.layer.{layer}.{part}.bias"] = (width,)
        return shapes


class Projections(NamedTuple):
    """How one head makes queries, keys and values: `q = x @ w_q + b_q`, and so on. Read-only."""

    w_q: Array  # (D, E)
    b_q: Array  # (E,)
    w_k: Array  # (D, E)
    b_k: Array  # (E,)
    w_v: Array  # (D, E)
    b_v: Array  # (E,)


class Bert:
    """A BERT encoder with its weights and tokenizer. Safe to share between threads."""

    def __init__(
        self, name: str, config: BertConfig, weights: dict[str, Array], tokenizer: Tokenizer
    ) -> None:
        """Keep the weights; each layer's query, key and value projections become one matrix."""
        self.name = name
        self.config = config
        self.tokenizer = tokenizer
        self._weights = weights
        self._linear_maps = {
            f"encoder.layer.{layer}.{new}": _linear_map(weights, f"encoder.layer.{layer}", parts)
            for layer in range(config.num_hidden_layers)
            for new, parts in (
                ("qkv", [f"attention.self.{part}" for part in ("query", "key", "value")]),
                ("attention.output.dense", ["attention.output.dense"]),
                ("intermediate.dense", ["intermediate.dense"]),
                ("output.dense", ["output.dense"]),
            )
        }

    @classmethod
    def from_folder(cls, name: str, folder: Path) -> Self:
        """Load `config.json`, `tokenizer.json` and `model.safetensors` from `folder`."""
        config = BertConfig.from_dict(files.read_config(folder))
        weights = files.read_weights(folder, config.shapes(), prefixes=_PREFIXES)
        return cls(name, config, weights, files.load_tokenizer(folder / "tokenizer.json"))

    @classmethod
    def check_folder(cls, folder: Path) -> files.Shapes:
        """Refuse what `from_folder` could not read; return the shapes of what it would."""
        config = BertConfig.from_dict(files.read_config(folder))
        return files.check_weights(folder, config.shapes(), prefixes=_PREFIXES)

    def tokenize(self, text: str) -> Tokens:
        """Return the text as tokens; `ValueError` with both numbers where it is too long."""
        return files.encode(self.tokenizer, text, self.longest_trace, self.config.vocab_size)

    @property
    def longest_trace(self) -> int:
        """How many tokens a text may have."""
        c = self.config
        return longest(c.num_hidden_layers * c.num_attention_heads, c.max_position_embeddings)

    @property
    def word_embeddings(self) -> Array:
        """The learned vector of every vocabulary entry, `(V, D)`, read-only."""
        return self._weights["embeddings.word_embeddings.weight"]

    def projections(self, layer: int, head: int) -> Projections:
        """Return the weights that turn `x = trace.hidden[layer]` into one head's Q, K and V.

        `x @ w_q + b_q` is `trace.query[layer, head]`, and likewise for key and value.

        Raises
        ------
        ValueError : there is no such layer or head; the message has how many there are.
        """
        self._check_place(layer, head)
        matrix, bias = self._linear_maps[f"encoder.layer.{layer}.qkv"]
        by_head = 3, self.config.num_attention_heads, -1
        matrices = matrix.reshape(len(matrix), *by_head)[:, :, head]  # (D, 3, E)
        biases = bias.reshape(by_head)[:, head]  # (3, E)
        q, k, v = ((matrices[:, i], biases[i]) for i in range(3))
        return Projections(*q, *k, *v)

    def output_projection(self, layer: int) -> tuple[Array, Array]:
        """Return W_O `(H * E, D)` and its bias `(D,)`, read-only.

        Rows `head * E` to `(head + 1) * E` belong to one head, as in `layers.merge_heads`.

        Raises
        ------
        ValueError : there is no such layer; the message has how many there are.
        """
        self._check_place(layer)
        return self._linear_maps[f"encoder.layer.{layer}.attention.output.dense"]

    def add_and_norm(self, layer: int, x: Array, attended: Array) -> Array:
        """Put what attention found back into the stream: `LayerNorm(x + attended)`, `(T, D)`."""
        self._check_place(layer)
        return self._norm(f"encoder.layer.{layer}.attention.output.LayerNorm", x + attended)

    def feed_forward(self, layer: int, x: Array) -> Array:
        """Finish the layer, each token by itself: `LayerNorm(x + MLP(x))`, `(T, D)`."""
        self._check_place(layer)
        block = f"encoder.layer.{layer}"
        inner = gelu_in_place(self._linear(f"{block}.intermediate.dense", x))
        x = x + self._linear(f"{block}.output.dense", inner)
        return self._norm(f"{block}.output.LayerNorm", x)

    def after_attention(self, layer: int, x: Array, attended: Array) -> Array:
        """Finish the layer from the stream and what attention found: both steps above."""
        return self.feed_forward(layer, self.add_and_norm(layer, x, attended))

    def trace(self, text: str, edits: Edits = ()) -> Trace:
        """Run the whole forward pass on `text`, changed as `edits` ask for, and keep everything.

        Raises
        ------
        ValueError : the text has more tokens than the model reads at once, or an edit names a
            layer, head or position that is not there.
        """
        tokens = self.tokenize(text)
        self._check_edits(edits, len(tokens))
        return self._forward(tokens, edits)

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
        c, *lead = self.config, *x.shape[:-1]
        tokens = lead[-1] if lead else 0
        if tokens == 0 or x.shape[-1] != c.hidden_size or not 0 <= layer <= c.num_hidden_layers:
            raise ValueError(
                f"no stream of shape {x.shape} into layer {layer}: {self.name} is "
                f"{c.hidden_size} wide and has layers 0 to {c.num_hidden_layers - 1}"
            )
        self._check_edits(edits, tokens)
        stream = np.array(x, np.float32).reshape(-1, c.hidden_size)  # (B * T, D), a copy
        heads, rows = c.num_attention_heads, len(stream)
        qkv, weights, head_output = memory.arrays(
            (3, heads, rows, c.hidden_size // heads),
            (rows // tokens, heads, tokens, tokens),
            (heads, rows, c.hidden_size // heads),
        )
        with threads.team(threads.processors() if rows >= _SHARED_FROM else 1) as share:
            for at in range(layer, c.num_hidden_layers):
                self._run_layer(share, at, edits, stream, qkv, weights, head_output, stream)
        return stream.reshape(x.shape)

    def _forward(self, tokens: Tokens, edits: Edits) -> Trace:
        c, t = self.config, len(tokens)
        layers, heads = c.num_hidden_layers, c.num_attention_heads
        width = c.hidden_size // heads
        qkv, weights, head_output, hidden = memory.arrays(
            (3, layers, heads, t, width),  # (3, L, H, T, E)
            (layers, 1, heads, t, t),  # (L, one text, H, Q, K)
            (layers, heads, t, width),  # (L, H, T, E)
            (layers + 1, t, c.hidden_size),  # (L + 1, T, D)
        )
        hidden[0] = self._embed(tokens.ids)
        with threads.team(threads.processors() if t >= _SHARED_FROM else 1) as share:
            for layer in range(layers):
                arrays = qkv[:, layer], weights[layer], head_output[layer]
                self._run_layer(share, layer, edits, hidden[layer], *arrays, hidden[layer + 1])
        query, key, value = qkv  # each (L, H, T, E)
        return Trace(
            self.name, tokens, query, key, value, weights[:, 0], head_output, hidden, edits
        )

    def _run_layer(
        self,
        share: threads.Share,
        layer: int,
        edits: Edits,
        x: Array,  # (B * T, D): B texts of one length, one after another
        qkv: Array,  # (3, H, B * T, E); this and all below are written
        weights: Array,  # (B, H, Q, K)
        head_output: Array,  # (H, B * T, E)
        y: Array,  # (B * T, D), may be x
    ) -> None:
        _, heads, rows, width = qkv.shape
        texts, tokens = len(weights), weights.shape[-1]

        def project(rows: slice) -> None:
            joined = self._linear(f"encoder.layer.{layer}.qkv", x[rows])
            qkv[:, :, rows] = split_heads(joined, 3 * heads).reshape(3, heads, -1, width)

        def attend(some: slice) -> None:
            for text, part in _heads_at_once(some, heads, tokens):
                own = slice(text * tokens, (text + 1) * tokens)
                query, key, value = qkv[:, part, own]  # each (part of H, T, E)
                scores = weights[text, part]
                np.matmul(query * np.float32(1 / math.sqrt(width)), key.mT, out=scores)
                weights_in_place(scores, edits, layer, part.start)
                np.matmul(scores, value, out=head_output[part, own])

        def finish(rows: slice) -> None:
            y[rows] = self._after_heads(layer, x[rows], head_output[:, rows])

        share(project, rows)
        share(attend, texts * heads)
        share(finish, rows)

    def _embed(self, ids: Array) -> Array:
        """Return word + position + segment 0, normalised: `(T, D)`."""
        w = self._weights
        x = w["embeddings.word_embeddings.weight"][ids]
        x += w["embeddings.position_embeddings.weight"][: len(ids)]
        x += w["embeddings.token_type_embeddings.weight"][0]
        return self._norm("embeddings.LayerNorm", x)

    def _after_heads(self, layer: int, x: Array, head_output: Array) -> Array:
        """Concatenate the heads, apply W_O, add to the stream, then the MLP: `(T, D)`."""
        attended = self._linear(
            f"encoder.layer.{layer}.attention.output.dense", merge_heads(head_output)
        )
        return self.after_attention(layer, x, attended)

    def _check_edits(self, edits: Edits, tokens: int) -> None:
        c = self.config
        sizes = c.num_hidden_layers, c.num_attention_heads, tokens
        check_edits(edits, self.name, *sizes)

    def _check_place(self, layer: int, head: int = 0) -> None:
        layers, heads = self.config.num_hidden_layers, self.config.num_attention_heads
        if not (0 <= layer < layers and 0 <= head < heads):
            raise ValueError(
                f"no layer {layer} head {head}: {self.name} has layers 0 to {layers - 1} "
                f"and heads 0 to {heads - 1}"
            )

    def _linear(self, name: str, x: Array) -> Array:
        matrix, bias = self._linear_maps[name]
        y = x @ matrix
        y += bias
        return y

    def _norm(self, name: str, x: Array) -> Array:
        weight, bias = self._weights[f"{name}.weight"], self._weights[f"{name}.bias"]
        return layer_norm(x, weight, bias, self.config.layer_norm_eps)


def _heads_at_once(some: slice, heads: int, tokens: int) -> Iterator[tuple[int, slice]]:
    """Yield the text and the heads to take together, for `some` of all texts times all heads."""
    together = max(1, _CACHED_SCORES // max(tokens, 1) ** 2)
    first = some.start
    while first < some.stop:
        text, head = divmod(first, heads)
        last = min(head + together, heads, head + some.stop - first)
        yield text, slice(head, last)
        first += last - head


def _linear_map(weights: dict[str, Array], block: str, parts: list[str]) -> tuple[Array, Array]:
    """Take the parts out of `weights`; return them side by side as `(in, out)` and `(out,)`."""
    matrix = files.side_by_side([weights.pop(f"{block}.{part}.weight") for part in parts])
    bias = np.concatenate([weights.pop(f"{block}.{part}.bias") for part in parts])
    bias.flags.writeable = False  # one model serves every reader
    return matrix, bias
