"""What decoders share: the causal pass, the cache of keys and values, the next token.

See `llama` and `gpt2` for what the architectures are.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import ClassVar, NamedTuple

import numpy as np
from tokenizers import Tokenizer

from attention.arrays import Array
from attention.core import softmax
from attention.edits import Edits
from attention.models.architecture import LayerArrays, Projected
from attention.models.attending import attend
from attention.models.config import Config
from attention.models.encoding import extended
from attention.models.layers import rotate
from attention.models.rope import Rope
from attention.models.scoring import Scoring, capped_in_place
from attention.models.trace import NO_HEAD, Trace
from attention.models.transformer import Transformer


@dataclass(frozen=True, kw_only=True)
class DecoderConfig(Config):
    """The sizes that every decoder has."""

    rope: Rope | None = None  # how queries and keys are rotated, if they are
    local_rope: Rope | None = None  # in layers with a window, where that is different
    windows: tuple[int | None, ...] = ()  # of each layer, how many keys a query sees; none: all
    score_cap: float | None = None  # see `Scoring`
    logit_cap: float | None = None  # the same for the scores of next words
    tie_word_embeddings: bool = True  # next words are scored by the word embeddings
    head_name: ClassVar[str] = "lm_head.weight"

    def head(self) -> dict[str, tuple[int, ...]]:
        """Return the name and shape of what scores next words, which not every file has."""
        return {self.head_name: (self.vocab_size, self.hidden_size)}


class Generated(NamedTuple):
    """One token that a decoder has added to a text."""

    id: int
    text: str
    probability: float
    weights: Array | None = None  # (L, H, K) of the token before it, to all K that were there


class CausalModel(Transformer):
    """A decoder with its weights and tokenizer. Safe to share between threads."""

    config: DecoderConfig
    is_causal = True
    last_norm_name: ClassVar[str]

    def __init__(
        self, name: str, config: DecoderConfig, weights: dict[str, Array], tokenizer: Tokenizer
    ) -> None:
        """Keep what is given, and what scores next words once where it is a copy."""
        super().__init__(name, config, weights, tokenizer)
        own = weights.pop(config.head_name, None)
        if own is None:
            tied = config.tie_word_embeddings
        else:
            tied = np.array_equal(own, self.word_embeddings)
        self._head = self.word_embeddings if tied else own
        self.predicts = self._head is not None  # attention needs nothing of it
        if config.score_cap is not None or any(config.windows):
            self.scoring = Scoring(cap=config.score_cap, windows=config.windows)

    def rope(self, layer: int = 0) -> Rope | None:
        """Return how a layer rotates queries and keys, if it does."""
        c = self.config
        local = c.local_rope is not None and c.windows and c.windows[layer]
        return c.local_rope if local else c.rope

    def project(self, layer: int, x: Array, start: int = 0) -> Projected:
        """Return what the heads work with, of tokens `(..., T, D)`, the first one at `start`."""
        made = self.unrotated(layer, x)
        if not self.rotary:
            return made
        return _rotated(made, *self.angles(x.shape[-2], start, layer=layer))

    def last_norm(self, x: Array) -> Array:
        """Return what next words are scored by: rows `(..., D)` of `hidden[-1]`, normalised."""
        return self._norm(self.last_norm_name, x)

    def logits(self, x: Array) -> Array:
        """Return how each word scores as the next one, `(..., V)`: `Norm(x) E^T`.

        Where there is a `logit_cap` c, these lie between -c and c: `c tanh(s / c)`.

        Raises
        ------
        ValueError : the file has no matrix E for that.
        """
        if self._head is None:
            raise ValueError(f"{self.name} predicts no next token: {NO_HEAD}")
        scores: Array = self.last_norm(x) @ self._head.T
        return capped_in_place(scores, self.config.logit_cap)

    @property
    def sums_parts(self) -> bool:
        """Whether what heads write is added to the stream as it is, and logits have no cap."""
        return self.norm_first and not self.names.attended_norm and self.config.logit_cap is None

    def readout(self, x: Array, slope: Array) -> tuple[Array, float]:
        """Return the direction `(D,)` in which parts of a stream raise a weighted sum of logits.

        `u = Norm'(E^T slope)`: a part p of the row x adds `p . u`, with the scale of the last norm
        held at that of the whole row. So the parts' shares and what the norm's bias adds, which is
        returned, too, sum to `logits(x) . slope`, where there is no cap.

        Source: Elhage et al. 2021, "A mathematical framework for transformer circuits", section on
        direct logit attribution; the held scale: Ba et al. 2016, section 3.

        Parameters
        ----------
        x : (D,) a row of `hidden[-1]`
        slope : (V,) what each logit counts for

        Raises
        ------
        ValueError : the file has no matrix E for that.
        """
        if self._head is None:
            raise ValueError(f"{self.name} predicts no next token: {NO_HEAD}")
        wanted = np.flatnonzero(slope)
        wished = slope[wanted] @ self._head[wanted].astype(np.float64)
        direction, row = wished * self._weights[f"{self.last_norm_name}.weight"], x.astype("f8")
        bias = 0.0
        if self.norm == "LayerNorm":  # it takes the mean away from whatever it reads
            direction, row = direction - direction.mean(), row - row.mean()
            bias = float(wished @ self._weights[f"{self.last_norm_name}.bias"])
        return direction / np.sqrt(row @ row / len(row) + self._norm_eps), bias

    def _next_logits(self, stream: Array) -> Array | None:
        return self.logits(stream[-1]) if len(stream) and self.predicts else None

    def _project_rows(self, layer: int, a: LayerArrays, rows: slice) -> None:
        texts, _, queries, keys = a.weights.shape
        made = self.unrotated(layer, a.x[rows])
        if self.rotary:
            angles = self.angles(queries, keys - queries, layer=layer)
            made = _rotated(made, *(np.tile(each, (texts, 1))[rows] for each in angles))
        a.query[:, rows], a.key[:, rows], a.value[:, rows] = made

    def generate(
        self,
        text: str,
        *,
        temperature: float = 1.0,
        top_k: int | None = None,
        seed: int = 0,
        trace: bool = False,
    ) -> Iterator[Generated]:
        """Write on, one token after the other, until the model's context is full.

        Keys and values of what has been read are kept, so that a step costs one token.
        `trace_written` has the whole pass over what has come of it.

        Parameters
        ----------
        temperature : the logits are divided by it; 0 always takes the most probable token
        top_k : choose among the k most probable only
        seed : of the random choice
        trace : keep with each token what its prediction attended to

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
        choose = partial(
            _choose, temperature=temperature, top_k=top_k, rng=np.random.default_rng(seed)
        )
        return self._write_on(ids, choose, trace=trace)

    def trace_written(
        self, text: str, written: Sequence[Generated | int], edits: Edits = ()
    ) -> Trace:
        """Run the whole pass on a text and the tokens that were written on it; see `trace`.

        The tokens stay what they are: the same text read anew may be cut otherwise.

        Parameters
        ----------
        written : what `generate` has yielded, or numbers of tokens

        Raises
        ------
        ValueError : as `trace`; or a token is none of the vocabulary's.
        """
        ids = [token if isinstance(token, int) else token.id for token in written]
        if bad := [i for i in ids if not 0 <= i < self.config.vocab_size]:
            raise ValueError(f"there is no token {bad[0]:,}: {self.config.vocab_size:,} are known")
        return self.trace_tokens(
            extended(self.tokenizer, self.tokenize(text), ids, self.longest_trace), edits
        )

    def _write_on(
        self, ids: Array, choose: Callable[[Array], tuple[int, float]], *, trace: bool
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
            last = np.empty((c.num_hidden_layers, c.num_attention_heads, stop), np.float32)
            for layer in range(c.num_hidden_layers):
                query, *cache[layer, :, :, start:stop] = self.project(layer, stream, start)
                weights = np.empty((c.num_attention_heads, len(ids), stop), np.float32)
                key, value = cache[layer, :, :, :stop]
                output = np.empty_like(query)
                attend(
                    query[None], key[None], value[None], weights[None], output[None],
                    layer=layer, is_causal=True, scoring=self.scoring,
                )  # fmt: skip
                last[layer] = weights[:, -1]
                stream = self._finish(layer, stream, output)
            token, probability = choose(self.logits(stream[-1]))
            last.flags.writeable = False
            yield Generated(token, self.spell(token), probability, last if trace else None)
            start, ids = stop, np.array([token])


def _rotated(made: Projected, cos: Array, sin: Array) -> Projected:
    """Turn the queries and keys of tokens at positions with these angles, `(T, E / 2)` each."""
    return Projected(rotate(made.query, cos, sin), rotate(made.key, cos, sin), made.value)


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
