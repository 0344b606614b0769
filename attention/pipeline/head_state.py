"""One token in one head of one trace, and every array that its layer makes on the way."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from attention.analysis import words
from attention.analysis.grouped_heads import sharing
from attention.arrays import Array
from attention.core import causal_mask, softmax
from attention.models.layers import kv_head, merge_heads
from attention.models.trace import Trace
from attention.models.transformer import Transformer


@dataclass(frozen=True, eq=False)
class HeadState:
    """A query token and a key token in one head. Each array is made when first asked for."""

    model: Transformer
    trace: Trace
    layer: int
    head: int
    query: int
    key: int

    @cached_property
    def sizes(self) -> dict[str, int]:
        """The number behind each letter of a shape."""
        layers, heads, tokens, width = self.trace.query.shape
        sizes = {"L": layers, "H": heads, "T": tokens, "E": width, "H·E": heads * width}
        return {**sizes, "D": self.trace.hidden.shape[-1], "G": self.trace.key.shape[1]}

    @property
    def group(self) -> int:
        """The head of keys and values that this query head uses."""
        return kv_head(self.head, self.sizes["H"], self.sizes["G"])

    @property
    def sharers(self) -> list[int]:
        """All query heads that use the same keys and values, this one among them."""
        return sharing(self.trace).siblings(self.head)

    @property
    def seen(self) -> slice:
        """The keys that the query token may attend to."""
        window = self.window or self.sizes["T"]
        if not self.trace.is_causal:
            return slice(0, None)
        return slice(max(0, self.query + 1 - window), self.query + 1)

    @property
    def window(self) -> int | None:
        """How many keys a query sees, itself among them, if fewer than there are before it."""
        scoring = self.trace.scoring
        return None if scoring is None else scoring.window(self.layer)

    @cached_property
    def labels(self) -> tuple[str, ...]:
        """Every token as text."""
        return tuple(unit.label for unit in words.pieces(self.trace.input))

    @property
    def query_label(self) -> str:
        """The query token as text."""
        return self.labels[self.query]

    @property
    def key_label(self) -> str:
        """The key token as text."""
        return self.labels[self.key]

    @property
    def x(self) -> Array:
        """The representations that enter the layer, `(T, D)`."""
        return self.trace.hidden[self.layer]

    @property
    def q(self) -> Array:
        """The head's queries, `(T, E)`."""
        return self.trace.query[self.layer, self.head]

    @property
    def k(self) -> Array:
        """The head's keys, `(T, E)`."""
        return self.trace.key[self.layer, self.group]

    @property
    def v(self) -> Array:
        """The head's values, `(T, E)`."""
        return self.trace.value[self.layer, self.group]

    @cached_property
    def dots(self) -> Array:
        """The scores before they are scaled, `Q K^T`, `(Q, K)`."""
        return self.q @ self.k.T

    @cached_property
    def scaled(self) -> Array:
        """The scaled scores before any mask, `Q K^T / sqrt(E)`, `(Q, K)`."""
        return self.dots / np.float32(math.sqrt(self.sizes["E"]))

    @cached_property
    def adjusted(self) -> Array:
        """The scaled scores with the model's cap or bias, before any mask, `(Q, K)`."""
        scoring = self.trace.scoring
        if scoring is None:
            return self.scaled
        return replace(scoring, windows=()).in_place(self.scaled[None].copy(), 0, self.head)[0]

    @cached_property
    def scores(self) -> Array:
        """The scores that softmax gets, `(Q, K)`: -inf where the mask hides a key."""
        return self.finished(self.scaled)

    def finished(self, scores: Array) -> Array:
        """Return what softmax would get for scores `(Q, K)`: with the cap, the bias, the mask."""
        scoring = self.trace.scoring
        if scoring is not None:
            scores = scoring.in_place(scores[None].copy(), self.layer, self.head)[0]
        if not self.trace.is_causal:
            return scores
        return np.where(causal_mask(len(scores)), scores, -np.inf)

    @cached_property
    def weights(self) -> Array:
        """The weights, `softmax(scores)`, `(Q, K)`."""
        return softmax(self.scores)

    @cached_property
    def parts(self) -> Array:
        """What each key puts into the query's output, `w_k v_k`, `(K, E)`."""
        return self.weights[self.query][:, None] * self.v

    @cached_property
    def output(self) -> Array:
        """The head's output `z`, `weights @ V`, `(T, E)`."""
        return self.weights @ self.v

    @cached_property
    def joined(self) -> Array:
        """The outputs of all heads side by side, `(T, H * E)`."""
        return merge_heads(self.trace.head_output[self.layer])

    @cached_property
    def written(self) -> Array:
        """What each head adds to the query's token through its rows of W_O, `(H, D)`."""
        w_o, _ = self.model.output_projection(self.layer)
        rows = w_o.reshape(self.sizes["H"], self.sizes["E"], -1)  # (H, E, D)
        z = self.trace.head_output[self.layer, :, self.query]  # (H, E)
        return (z[:, None] @ rows)[:, 0]

    @cached_property
    def attended(self) -> Array:
        """What the layer's attention adds to the stream, `joined @ W_O + b_O`, `(T, D)`."""
        w_o, b_o = self.model.output_projection(self.layer)
        return self.joined @ w_o + b_o

    @cached_property
    def mixed(self) -> Array:
        """The stream after attention, `(T, D)`: normalised where the norm comes after."""
        return self.model.add_and_norm(self.layer, self.x, self.attended)

    @cached_property
    def leaves(self) -> Array:
        """The representations that leave the layer, `(T, D)`."""
        return self.model.after_attention(self.layer, self.x, self.attended)

    @cached_property
    def normalised(self) -> Array:
        """The heads' input, `(T, D)`: the stream, normalised where the norm comes first."""
        return self.model.normalised(self.layer, self.x)

    @property
    def turns(self) -> tuple[float, float]:
        """By how many radians the first and the last pair turn from one position to the next."""
        rope = self.model.rope(self.layer)
        if rope is None:
            raise TypeError(f"{self.model.name} rotates nothing")
        return float(rope.frequencies[0]), float(rope.frequencies[-1])

    @cached_property
    def projected(self) -> tuple[Array, Array]:
        """The head's queries and keys as its matrices make them, `(T, E)` each."""
        made = self.model.projected(self.layer, self.x)
        return made.query[self.head], made.key[self.group]

    @cached_property
    def unrotated(self) -> tuple[Array, Array]:
        """The head's queries and keys before any rotation, `(T, E)` each."""
        made = self.model.unrotated(self.layer, self.x)
        return made.query[self.head], made.key[self.group]
