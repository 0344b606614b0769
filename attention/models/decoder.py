"""What decoders share: the causal pass, the cache of keys and values, the next token.

An architecture says how a layer makes queries, keys and values, what it does after attention, and
how the last stream becomes logits; see `llama` and `gpt2`.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from tokenizers import Tokenizer

from attention.characters import shown, spelled
from attention.core import Array, softmax
from attention.edits import Edits, check_edits
from attention.models import files, memory
from attention.models.editing import weights_in_place
from attention.models.layers import merge_heads
from attention.models.spelling import spelling
from attention.models.trace import NO_HEAD, Tokens, Trace, longest

_HEAD = "lm_head.weight"


@dataclass(frozen=True)
class DecoderConfig:
    """The sizes that every decoder has, under the names of a `config.json`."""

    num_hidden_layers: int  # L
    num_attention_heads: int  # H
    num_key_value_heads: int  # G
    head_dim: int  # E
    hidden_size: int  # D
    intermediate_size: int
    vocab_size: int  # V
    max_position_embeddings: int
    norm_eps: float
    tie_word_embeddings: bool = True  # next words are scored by the word embeddings

    def __post_init__(self) -> None:
        """Refuse sizes that no such model has: a file may claim anything."""
        for name, most in {
            "num_hidden_layers": 1_000,
            "num_attention_heads": 1_000,
            "num_key_value_heads": 1_000,
            "head_dim": 4_096,
            "hidden_size": 100_000,
            "intermediate_size": 1_000_000,
            "vocab_size": 4_000_000,
            "max_position_embeddings": 100_000_000,
        }.items():
            value = getattr(self, name)
            if not isinstance(value, int) or isinstance(value, bool) or not 1 <= value <= most:
                raise ValueError(f"{name} must be a whole number from 1 to {most:,}, got {value!r}")
        if self.num_attention_heads % self.num_key_value_heads:
            raise ValueError(
                f"{self.num_attention_heads} query heads cannot share "
                f"{self.num_key_value_heads} heads of keys and values evenly"
            )
        if not isinstance(self.norm_eps, float) or not 0 <= self.norm_eps < 1:
            raise ValueError(f"the norm's epsilon must be from 0 to 1, got {self.norm_eps!r}")

    def head(self) -> dict[str, tuple[int, ...]]:
        """Return the name and shape of what scores next words, which not every file has."""
        return {_HEAD: (self.vocab_size, self.hidden_size)}


class Projected(NamedTuple):
    """What the heads of one layer work with."""

    query: Array  # (..., H, T, E)
    key: Array  # (..., G, T, E)
    value: Array  # (..., G, T, E)


class Generated(NamedTuple):
    """One token that a decoder has added to a text."""

    id: int
    text: str
    probability: float


class CausalModel(ABC):
    """A decoder with its weights and tokenizer. Safe to share between threads."""

    config: DecoderConfig
    word_embeddings: Array  # (V, D), read-only

    def __init__(
        self,
        name: str,
        config: DecoderConfig,
        tokenizer: Tokenizer,
        weights: dict[str, Array],
        words: str,
    ) -> None:
        """Keep what is given and, out of `weights`, the two matrices about words.

        Parameters
        ----------
        words : the name of the word embeddings
        """
        self.name, self.config, self.tokenizer = name, config, tokenizer
        self.word_embeddings = weights.pop(words)
        own = weights.pop(_HEAD, None)
        if own is None:
            tied = config.tie_word_embeddings
        else:  # where it is a copy, one is enough
            tied = np.array_equal(own, self.word_embeddings)
        self._head = self.word_embeddings if tied else own

    @abstractmethod
    def embed(self, ids: Array, start: int = 0) -> Array:
        """Return the stream `(T, D)` below the first layer; the first token is at `start`."""

    @abstractmethod
    def normalised(self, layer: int, x: Array) -> Array:
        """Return what the heads of a layer read: streams `(..., T, D)` after the first norm."""

    @abstractmethod
    def project(self, layer: int, x: Array, start: int = 0) -> Projected:
        """Return queries, keys and values of tokens `(..., T, D)`, the first one at `start`."""

    @abstractmethod
    def output_projection(self, layer: int) -> tuple[Array, Array]:
        """Return W_O `(H * E, D)`, the rows of each head together, and its bias `(D,)`."""

    @abstractmethod
    def after_attention(self, layer: int, x: Array, attended: Array) -> Array:
        """Finish a layer: what it gives `(T, D)` for the stream and what attention adds to it."""

    @abstractmethod
    def last_norm(self, x: Array) -> Array:
        """Return what next words are scored by: rows `(..., D)` of `hidden[-1]`, normalised."""

    @property
    def predicts(self) -> bool:
        """Whether the file has what scores next words; attention needs nothing of it."""
        return self._head is not None

    def logits(self, x: Array) -> Array:
        """Return how each word scores as the next one, `(..., V)`: `Norm(x) E^T`.

        Raises
        ------
        ValueError : the file has no matrix E for that.
        """
        if self._head is None:
            raise ValueError(f"{self.name} predicts no next token: {NO_HEAD}")
        scores: Array = self.last_norm(x) @ self._head.T
        return scores

    @property
    def longest_trace(self) -> int:
        """How many tokens a trace may have."""
        c = self.config
        return longest(c.num_hidden_layers * c.num_attention_heads, c.max_position_embeddings)

    def tokenize(self, text: str) -> Tokens:
        """Return the text as tokens; `ValueError` where it is too long for a trace."""
        return files.encode(self.tokenizer, text, self.longest_trace, self.config.vocab_size)

    def spell(self, token: int) -> str:
        """Return the text of one token, with the space before it; see `spell_all`."""
        return self.spell_all([token])

    def spell_all(self, tokens: Sequence[int]) -> str:
        """Return what tokens say together; bytes that make no whole character as `<F0>`.

        A token of the vocabulary that the tokenizer does not know is shown as its number.
        """
        return spelled(spelling(self.tokenizer).text(tokens))

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
        query, key_value, weights, head_output, hidden = memory.arrays(
            (layers, heads, t, c.head_dim),
            (2, layers, groups, t, c.head_dim),
            (layers, heads, t, t),
            (layers, heads, t, c.head_dim),
            (layers + 1, t, c.hidden_size),
        )
        hidden[0] = self.embed(tokens.ids)
        for layer in range(layers):
            made = self.project(layer, hidden[layer])
            query[layer], key_value[:, layer] = made.query, made[1:]
            head_output[layer] = attend(*made, weights[layer], edits, layer)
            hidden[layer + 1] = self._finish(layer, hidden[layer], head_output[layer])
        key, value = key_value
        return Trace(
            self.name, tokens, query, key, value, weights, head_output, hidden, edits,
            is_causal=True,
            next_logits=self.logits(hidden[-1, -1]) if t and self.predicts else None,
            spelling=self.spell,
        )  # fmt: skip

    def hidden(self, text: str, edits: Edits = ()) -> Array:
        """Return the stream `(L + 1, T, D)` of a forward pass; as `trace(text, edits).hidden`."""
        return self.trace(text, edits).hidden

    def resume(self, x: Array, layer: int, edits: Edits = ()) -> Array:
        """Run `layer` and those above it on streams `(..., T, D)`; return what the last gives.

        `resume(trace.hidden[l], l)` is `trace.hidden[-1]` for any l.

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
        streams = np.array(x, np.float32).reshape(-1, tokens, c.hidden_size)  # (B, T, D), a copy
        weights = np.empty((len(streams), c.num_attention_heads, tokens, tokens), np.float32)
        for at in range(layer, c.num_hidden_layers):
            streams = self._finish(
                at, streams, attend(*self.project(at, streams), weights, edits, at)
            )
        return streams.reshape(x.shape)

    def generate(
        self,
        text: str,
        *,
        temperature: float = 1.0,
        top_k: int | None = None,
        seed: int = 0,
    ) -> Iterator[Generated]:
        """Write on, one token after the other, until the model's context is full.

        Keys and values of what has been read are kept, so that a step costs one token.

        Parameters
        ----------
        temperature : the logits are divided by it; 0 always takes the most probable token
        top_k : choose among the k most probable only
        seed : of the random choice

        Raises
        ------
        ValueError : the text is too long or has no tokens, a number is out of range, or the model
            predicts nothing. At once.
        """
        if not 0 <= temperature < math.inf or (top_k is not None and top_k < 1):
            raise ValueError(
                f"temperature must be finite, from 0, and top_k at least 1, got {temperature} and "
                f"{top_k}"
            )
        if not self.predicts:
            raise ValueError(f"{self.name} predicts no next token: {NO_HEAD}")
        ids = self.tokenize(text).ids
        if len(ids) == 0:
            raise ValueError("the text has no tokens, so there is nothing to go on from")
        return self._write_on(ids, temperature, top_k, np.random.default_rng(seed))

    def _write_on(
        self, ids: Array, temperature: float, top_k: int | None, rng: np.random.Generator
    ) -> Iterator[Generated]:
        c, room = self.config, 0
        cache = np.empty((c.num_hidden_layers, 2, c.num_key_value_heads, room, c.head_dim), "f4")
        start = 0
        while start + len(ids) <= c.max_position_embeddings:
            stop = start + len(ids)
            if stop > room:
                room = min(max(2 * room, stop + 64), c.max_position_embeddings)
                cache = _with_room(cache, room)
            stream = self.embed(ids, start)
            for layer in range(c.num_hidden_layers):
                query, *cache[layer, :, :, start:stop] = self.project(layer, stream, start)
                weights = np.empty((c.num_attention_heads, len(ids), stop), np.float32)
                key, value = cache[layer, :, :, :stop]
                stream = self._finish(layer, stream, attend(query, key, value, weights))
            token, probability = _choose(self.logits(stream[-1]), temperature, top_k, rng)
            yield Generated(token, self.spell(token), probability)
            start, ids = stop, np.array([token])

    def _finish(self, layer: int, x: Array, head_output: Array) -> Array:
        w_o, bias = self.output_projection(layer)
        merged, rows = merge_heads(head_output), (-1, x.shape[-1])
        attended = merged.reshape(-1, merged.shape[-1]) @ w_o + bias  # one product for all texts
        return self.after_attention(layer, x.reshape(rows), attended).reshape(x.shape)

    def _check_edits(self, edits: Edits, tokens: int) -> None:
        c = self.config
        sizes = c.num_hidden_layers, c.num_attention_heads, tokens
        check_edits(edits, self.name, *sizes, is_causal=True)

    def check_layer(self, layer: int) -> None:
        """Refuse a layer that is not there; the message has how many there are."""
        if not 0 <= layer < self.config.num_hidden_layers:
            raise ValueError(
                f"no layer {layer}: {self.name} has layers 0 to {self.config.num_hidden_layers - 1}"
            )


def attend(
    query: Array, key: Array, value: Array, weights: Array, edits: Edits = (), layer: int = 0
) -> Array:
    """Write the weights of causal heads, and return what they read, `(..., H, Q, E)`.

    The last query is the last key: with fewer queries than keys the others came before.

    Parameters
    ----------
    query : (..., H, Q, E)
    key, value : (..., G, K, E); heads h * G // H are shared
    weights : (..., H, Q, K), overwritten
    """
    *texts, heads, queries, width = query.shape
    groups, keys = key.shape[-3:-1]
    shared = *texts, groups, heads // groups * queries  # one group's queries, one after another
    np.matmul(
        query.reshape(*shared, width),
        key.swapaxes(-2, -1),
        out=weights.reshape(*shared, keys),
    )
    weights *= np.float32(width**-0.5)
    if queries > 1:
        weights[..., ~np.tri(queries, keys, keys - queries, dtype=bool)] = -np.inf
    for own in weights.reshape(-1, heads, queries, keys) if edits else (weights,):
        weights_in_place(own, edits, layer)
    return np.matmul(weights.reshape(*shared, keys), value).reshape(query.shape)


def _with_room(cache: Array, room: int) -> Array:
    """Return a cache `(L, 2, G, room, E)` that starts with what is in this one."""
    larger = np.empty((*cache.shape[:3], room, cache.shape[-1]), np.float32)
    larger[:, :, :, : cache.shape[3]] = cache
    return larger


def _choose(
    logits: Array, temperature: float, top_k: int | None, rng: np.random.Generator
) -> tuple[int, float]:
    """Return a token and how probable it was among those that could be chosen."""
    chance = chances(logits, temperature, top_k or len(logits))
    token = int(rng.choice(len(chance), p=chance))
    return token, float(chance[token])


def chances(logits: Array, temperature: float, top_k: int) -> Array:
    """Return the probability of each next token among the k best, `(V,)`; 0 for all others.

    A temperature of 0 leaves the best one alone.

    >>> chances(np.log([0.5, 0.3, 0.2]), 1.0, 2).round(3)
    array([0.625, 0.375, 0.   ])
    """
    best = _best(logits, 1 if temperature == 0 else top_k)
    result = np.zeros(len(logits))
    result[best] = softmax(logits[best].astype(np.float64), temperature=temperature or 1.0)
    return result


def _best(logits: Array, count: int) -> Array:
    """Return the positions of the largest numbers, in any order; of equal ones the first.

    Sorting a vocabulary would take longer than a layer.

    >>> sorted(_best(np.array([1.0, 3.0, 1.0, 2.0]), 3).tolist())
    [0, 1, 3]
    """
    if count >= len(logits):
        return np.arange(len(logits))
    if count == 1:
        return np.array([logits.argmax()])
    least = np.partition(logits, -count)[-count]
    above = np.flatnonzero(logits > least)
    return np.concatenate([above, np.flatnonzero(logits == least)[: count - len(above)]])
