"""What all transformers share: from a text to its trace, and on from any layer.

Between this and an architecture (`bert`, `llama`, `gpt2`) stands how the heads of one layer read:
`encoder` and `decoder`.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from functools import partial
from typing import NamedTuple

import numpy as np

from attention.arrays import Array
from attention.edits import Edits, Patch, check_edits, first_layer, first_query
from attention.edits.patches import check_patch
from attention.models import memory
from attention.models.architecture import LayerArrays
from attention.models.attending import attend, parts_at_once
from attention.models.patching import Acting, streams_in_place, with_sources
from attention.models.saved import Saved
from attention.models.trace import Tokens, Trace
from attention.runtime import threads

_SHARED_FROM = 192  # tokens; below, sharing costs more than it saves


class _TraceArrays(NamedTuple):
    """What a trace holds; see there."""

    query: Array
    key: Array
    value: Array
    weights: Array
    head_output: Array
    hidden: Array


class Transformer(Saved):
    """A transformer with its weights and tokenizer. Safe to share between threads."""

    def trace(self, text: str, edits: Edits = (), *, pair: str | None = None) -> Trace:
        """Run the whole forward pass on `text`, changed as `edits` ask for, and keep everything.

        Parameters
        ----------
        pair : a second text, as for `tokenize`

        Raises
        ------
        ValueError : the text has more tokens than a trace may have, or an edit names a layer, head
            or position that is not there.
        """
        return self.trace_tokens(self.tokenize(text, pair), edits)

    def trace_tokens(self, tokens: Tokens, edits: Edits = ()) -> Trace:
        """Run the whole forward pass on tokens, as `trace` does on those of a text.

        Raises
        ------
        ValueError : as `trace`.
        """
        self._check_edits(edits, len(tokens))
        arrays = self._trace_arrays(len(tokens))
        arrays.hidden[0] = self.embedded(tokens)
        return self._run(tokens, edits, arrays, layer=0, row=0)

    def edited(self, trace: Trace, edits: Edits) -> Trace:
        """Return a pass over the text of `trace` with these edits, too; see `trace`.

        What they leave as it is is taken over: the layers below the first that is edited and,
        in a decoder, the tokens before the first query that is.

        Raises
        ------
        ValueError : as `trace`.
        """
        self._check_edits(edits, len(trace.tokens))
        layer, row = self._first_change(edits, len(trace.tokens))
        arrays = self._trace_arrays(len(trace.tokens))
        for mine, before in zip(arrays, _arrays_of(trace), strict=True):
            below = layer + (mine is arrays.hidden)
            mine[:below] = before[:below]
            mine[below:, ..., :row, :] = before[below:, ..., :row, :]
        return self._run(trace.input, trace.edits + edits, arrays, layer, row)

    def embedded(self, tokens: Tokens) -> Array:
        """Return the stream `(T, D)` below the first layer."""
        return self.embed(tokens.ids)

    def hidden(self, text: str, edits: Edits = ()) -> Array:
        """Return the stream `(L + 1, T, D)` of a forward pass; as `trace(text, edits).hidden`."""
        return self.trace(text, edits).hidden

    def resume(self, x: Array, layer: int, edits: Edits = (), *, stop: int | None = None) -> Array:
        """Run layer `layer` and those above it on a known stream; return the last one's output.

        `resume(trace.hidden[l], l)` is `trace.hidden[-1]` for any l: whoever changes something
        from layer l on need not run the layers below again.

        Parameters
        ----------
        x : (..., T, D), the input of the layer; several texts of one length run side by side
        layer : 0 to L; with L nothing is left to do
        edits : those for the layers below change nothing
        stop : the first layer that is not run; None runs all

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
        streams = np.array(x, np.float32).reshape(-1, tokens, c.hidden_size)  # a copy
        end = c.num_hidden_layers if stop is None else stop
        none = np.empty((2, c.num_hidden_layers, c.num_key_value_heads, 0, c.head_dim), np.float32)
        self._resume(streams, range(layer, end), [edits] * len(streams), none)
        return streams.reshape(x.shape)

    def last_streams(self, trace: Trace, changes: Sequence[Edits]) -> Array:
        """Return the last layer's streams of passes over one text, each with edits of its own.

        The passes run side by side; what all of them leave as it is is not run again, as in
        `edited`.

        Parameters
        ----------
        trace : of the text; its own edits stay in force
        changes : the edits of each pass besides

        Returns
        -------
        (B, T, D), a new array

        Raises
        ------
        ValueError : as `trace`.
        """
        tokens, layers = len(trace.tokens), self.config.num_hidden_layers
        every = tuple(edit for edits in changes for edit in edits)
        self._check_edits(every, tokens)
        layer, row = self._first_change(every, tokens)
        streams = np.repeat(trace.hidden[-1, None], len(changes), axis=0)  # (B, T, D)
        edited = [i for i, edits in enumerate(changes) if edits]
        own = np.repeat(trace.hidden[layer, None, row:], len(edited), axis=0)
        past = np.stack([trace.key, trace.value])[..., :row, :]
        self._resume(own, range(layer, layers), [trace.edits + changes[i] for i in edited], past)
        streams[edited, row:] = own
        return streams

    def _trace_arrays(self, tokens: int) -> _TraceArrays:
        """Return uninitialised arrays for all that a trace holds."""
        c, t = self.config, tokens
        layers, heads, groups = c.num_hidden_layers, c.num_attention_heads, c.num_key_value_heads
        return _TraceArrays(
            *memory.arrays(
                (layers, heads, t, c.head_dim),
                (layers, groups, t, c.head_dim),
                (layers, groups, t, c.head_dim),
                (layers, heads, t, t),
                (layers, heads, t, c.head_dim),
                (layers + 1, t, c.hidden_size),
            )
        )

    def _run(
        self, tokens: Tokens, edits: Edits, arrays: _TraceArrays, layer: int, row: int
    ) -> Trace:
        """Fill in the tokens from `row` on of the layers from `layer` on; return all as a trace."""
        query, key, value, weights, head_output, hidden = arrays
        acting = with_sources([edits], self.trace)
        with self._team(len(tokens) - row) as share:
            for at in range(layer, self.config.num_hidden_layers):
                own = (
                    query[at, :, row:], key[at, :, row:], value[at, :, row:],
                    weights[at, None, :, row:], head_output[at, :, row:],
                )  # fmt: skip
                past = key[at, :, :row], value[at, :, :row]
                made = LayerArrays(hidden[at, row:], hidden[at + 1, row:], *own, past=past)
                self._run_layer(share, at, acting, made)
        return Trace(
            self.name, tokens, *arrays, edits,
            is_causal=self.is_causal, next_logits=self._next_logits(hidden[-1]),
            spelling=self.spell, scoring=self.scoring,
        )  # fmt: skip

    def _resume(self, streams: Array, layers: range, edits: Sequence[Edits], past: Array) -> None:
        """Overwrite the last Q tokens of streams `(B, Q, D)` with what these layers give.

        Parameters
        ----------
        edits : of each stream
        past : (2, L, G, T - Q, E), the keys and values of the tokens before, the same for all
        """
        c, (texts, queries, _) = self.config, streams.shape
        acting = with_sources(edits, self.trace)
        x = streams.reshape(-1, c.hidden_size)
        heads, groups, rows = c.num_attention_heads, c.num_key_value_heads, len(x)
        query, key, value, weights, output = memory.arrays(
            (heads, rows, c.head_dim),
            (groups, rows, c.head_dim),
            (groups, rows, c.head_dim),
            (texts, heads, queries, past.shape[-2] + queries),
            (heads, rows, c.head_dim),
        )
        with self._team(rows) as share:
            for at in layers:
                before = past[0, at], past[1, at]
                own = LayerArrays(x, x, query, key, value, weights, output, before)
                self._run_layer(share, at, acting, own)

    def _run_layer(
        self, share: threads.Share, layer: int, edits: Sequence[Acting], a: LayerArrays
    ) -> None:
        """Run one layer, with the edits of each text: write all that it makes into the arrays."""
        texts, heads, queries, keys = a.weights.shape
        if any(edits):
            streams = a.x.reshape(texts, queries, a.x.shape[-1])  # there may be no rows
            streams_in_place(streams, edits, layer, keys - queries)
        share(partial(self._project_rows, layer, a), len(a.x))
        share(partial(self._attend, layer, edits, a), texts * heads)
        share(partial(self._finish_rows, layer, a), len(a.x))

    def _project_rows(self, layer: int, a: LayerArrays, rows: slice) -> None:
        """Write the queries, keys and values of some rows of all texts."""
        a.query[:, rows], a.key[:, rows], a.value[:, rows] = self.unrotated(layer, a.x[rows])

    def _attend(self, layer: int, edits: Sequence[Acting], a: LayerArrays, some: slice) -> None:
        """Let some of all texts times all heads attend."""
        texts, heads, queries, keys = a.weights.shape
        shared, width = heads // len(a.key), self.config.head_dim
        query, key, value, output = (
            each.reshape(len(each), texts, queries, width).swapaxes(0, 1)  # (B, H or G, Q, E)
            for each in (a.query, a.key, a.value, a.output)
        )
        for own, part in parts_at_once(some, heads, shared, queries * keys):
            groups = slice(part.start // shared, (part.stop - 1) // shared + 1)
            attend(
                query[own, part],
                _after(a.past[0][groups], key[own, groups]),
                _after(a.past[1][groups], value[own, groups]),
                a.weights[own, part], output[own, part], edits[own], layer, part.start,
                is_causal=self.is_causal, scoring=self.scoring,
            )  # fmt: skip

    def _finish_rows(self, layer: int, a: LayerArrays, rows: slice) -> None:
        a.y[rows] = self._finish(layer, a.x[rows], a.output[:, rows])

    def _first_change(self, edits: Edits, tokens: int) -> tuple[int, int]:
        """Return the lowest layer that edits change, and the first token of those that follow."""
        layer = first_layer(edits, self.config.num_hidden_layers)
        return layer, first_query(edits, tokens) if self.is_causal else 0

    def _next_logits(self, stream: Array) -> Array | None:
        """Return the scores `(V,)` of the next token after a stream `(T, D)`, if there are any."""
        return None

    def _team(self, rows: int) -> AbstractContextManager[threads.Share]:
        return threads.team(threads.processors() if rows >= _SHARED_FROM else 1)

    def _check_edits(self, edits: Edits, tokens: int) -> None:
        sizes = self.config.num_hidden_layers, self.config.num_attention_heads, tokens
        windows = () if self.scoring is None else self.scoring.windows
        check_edits(edits, self.name, *sizes, is_causal=self.is_causal, windows=windows)
        patches = [edit for edit in edits if isinstance(edit, Patch)]
        there = {source: len(self.tokenize(source)) for source in {p.source for p in patches}}
        for patch in patches:
            check_patch(patch, tokens, there[patch.source])


def _after(past: Array, new: Array) -> Array:
    """Put the past `(G, P, E)` of all texts before what is new in each, `(B, G, Q, E)`."""
    if past.size == 0:
        return new
    return np.concatenate([np.broadcast_to(past, (len(new), *past.shape)), new], axis=2)


def _arrays_of(trace: Trace) -> _TraceArrays:
    return _TraceArrays(
        trace.query, trace.key, trace.value, trace.weights, trace.head_output, trace.hidden
    )
