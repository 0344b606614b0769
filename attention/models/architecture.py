"""What an architecture is: its names, what it says of itself, the parts of its layers.

What is said (`norm_first`, `norm`, ...) is what is computed: nothing is said twice.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import ClassVar, Literal, NamedTuple

import numpy as np

from attention.arrays import Array
from attention.models.activations import ACTIVATIONS, Activation
from attention.models.config import Config
from attention.models.layers import kv_head, merge_heads, split_heads
from attention.models.named_weights import NamedWeights
from attention.models.rope import Rope, rotation_angles
from attention.models.scoring import Scoring


class Names(NamedTuple):
    """What weights are called, without `.weight` and `.bias`: as in files, where no other is given.

    All but the first two are parts of a layer: what stands behind its number and a dot. A norm that
    has no name is not there.
    """

    words: str  # the learned vector of every vocabulary entry
    layer: str  # what stands before the number of each
    qkv: str  # (D, (H + 2 G) * E), queries, keys and values side by side
    w_o: str  # (H * E, D)
    attention_norm: str
    mlp_norm: str
    mlp_in: str = ""  # (D, M); where the MLP is gated (D, 2 M), the gate first
    mlp_out: str = ""  # (M, D)
    query_norm: str = ""  # of each head's queries, before any rotation
    key_norm: str = ""
    attended_norm: str = ""  # of what attention adds to the stream
    added_norm: str = ""  # of what the MLP adds


class Projected(NamedTuple):
    """What the heads of one layer work with."""

    query: Array  # (..., H, T, E)
    key: Array  # (..., G, T, E)
    value: Array  # (..., G, T, E)


class Projections(NamedTuple):
    """How one head makes queries, keys and values: `q = x @ w_q + b_q`, and so on. Read-only."""

    w_q: Array  # (D, E)
    b_q: Array  # (E,)
    w_k: Array  # (D, E)
    b_k: Array  # (E,)
    w_v: Array  # (D, E)
    b_v: Array  # (E,)


class LayerArrays(NamedTuple):
    """What one layer reads and writes for the last Q of T tokens of B texts, one after another."""

    x: Array  # (B * Q, D), read
    y: Array  # (B * Q, D), written, as all below; may be x
    query: Array  # (H, B * Q, E)
    key: Array  # (G, B * Q, E)
    value: Array  # (G, B * Q, E)
    weights: Array  # (B, H, Q, T)
    output: Array  # (H, B * Q, E)
    past: tuple[Array, Array]  # keys and values (G, T - Q, E) of the tokens before, read


class Architecture(NamedWeights, ABC):
    """The weights of a model and what each part of a layer does with them."""

    config_class: ClassVar[type[Config]]
    names: Names
    prefixes: ClassVar[tuple[str, ...]]  # one may stand before every name, where there is a head
    is_causal: ClassVar[bool]  # a token attends to itself and what came before
    norm_first: ClassVar[bool]  # each part of a layer reads a normalised copy; else sums are
    positions: ClassVar[Literal["learned vectors", "sines"]] = "learned vectors"  # unless `rotary`
    gated_mlp: ClassVar[bool] = False

    config: Config
    scoring: Scoring | None = None  # what becomes of scores before softmax, if anything does
    predicts = False  # which token comes next
    reads_pairs: ClassVar[bool] = False  # two texts at once, as for questions and answers

    def __init__(self, name: str, config: Config, weights: dict[str, Array]) -> None:
        """Keep what is given."""
        self.name, self.config = name, config
        self.word_embeddings = weights.pop(f"{self.names.words}.weight")  # (V, D), read-only
        super().__init__(weights, config.norm_eps)

    @property
    def family(self) -> str:
        """How people call models of this kind, such as "Qwen3"."""
        return self.config.family or type(self).__name__

    @property
    def activation(self) -> Activation:
        """The bend between the two matrices of the MLP."""
        return ACTIVATIONS[self.config.activation]

    @property
    def parallel_mlp(self) -> bool:
        """Whether the MLP reads what attention reads, the input of the layer."""
        return False

    @property
    def head_norms(self) -> bool:
        """Whether each query and key is normalised before it is compared."""
        return bool(self.names.query_norm)

    def rope(self, layer: int = 0) -> Rope | None:
        """Return how a layer rotates queries and keys, if it does."""
        return None

    @property
    def rotary(self) -> bool:
        """Whether positions come in by rotating queries and keys; else as `positions` says."""
        return self.rope() is not None

    @property
    def shared_kv(self) -> bool:
        """Whether several query heads use the same keys and values."""
        return self.config.num_key_value_heads < self.config.num_attention_heads

    @property
    def qkv_bias(self) -> bool:
        """Whether queries, keys and values have a bias."""
        return f"{self._part(0, self.names.qkv)}.bias" in self._weights

    @property
    def output_bias(self) -> bool:
        """Whether W_O has a bias."""
        return f"{self._part(0, self.names.w_o)}.bias" in self._weights

    @abstractmethod
    def embed(self, ids: Array, start: int = 0) -> Array:
        """Return the stream `(T, D)` below the first layer; the first token is at `start`."""

    def normalised(self, layer: int, x: Array) -> Array:
        """Return the heads' input of a layer: streams `(..., T, D)` after the first norm."""
        self.check_layer(layer)
        if not self.norm_first:
            return x
        return self._norm(self._part(layer, self.names.attention_norm), x)

    def unrotated(self, layer: int, x: Array) -> Projected:
        """Return queries, keys and values of streams `(..., T, D)`, before any rotation."""
        return self.with_head_norms(layer, self.projected(layer, x))

    def with_head_norms(self, layer: int, made: Projected) -> Projected:
        """Normalise each query and each key, where the model does: `(..., E)`."""
        if not self.head_norms:
            return made
        names = self.names.query_norm, self.names.key_norm
        query, key = (
            self._norm(self._part(layer, name), rows)
            for name, rows in zip(names, made[:2], strict=True)
        )
        return Projected(query, key, made.value)

    def projected(self, layer: int, x: Array) -> Projected:
        """Return what the matrices of a layer make of streams `(..., T, D)`, nothing after that."""
        rows = self.normalised(layer, x).reshape(-1, x.shape[-1])  # one product for all texts
        joined = self._linear(self._part(layer, self.names.qkv), rows)
        joined = joined.reshape(*x.shape[:-1], joined.shape[-1])
        queries, groups = self.config.num_attention_heads, self.config.num_key_value_heads
        heads = split_heads(joined, queries + 2 * groups)  # (..., H + 2 G, T, E)
        key, value = (
            heads[..., queries : queries + groups, :, :],
            heads[..., queries + groups :, :, :],
        )
        return Projected(heads[..., :queries, :, :], key, value)

    def project(self, layer: int, x: Array, start: int = 0) -> Projected:
        """Return what the heads work with, of tokens `(..., T, D)`, the first one at `start`."""
        return self.unrotated(layer, x)

    def angles(self, tokens: int, start: int = 0, *, layer: int = 0) -> tuple[Array, Array]:
        """Return the cosines and sines `(T, R / 2)` by which positions from `start` on turn.

        R of the E numbers of each head turn; in some models layers differ in how fast.

        Raises
        ------
        TypeError : the model rotates nothing; see `rotary`.
        """
        rope = self.rope(layer)
        if rope is None:
            raise TypeError(f"{self.name} rotates nothing")
        return rotation_angles(rope, tokens, start)

    def projections(self, layer: int, head: int) -> Projections:
        """Return the weights that turn the input of the heads into one head's Q, K and V.

        For `x = model.normalised(layer, trace.hidden[layer])`, which is that stream itself in BERT,
        `x @ w_q + b_q` is `trace.query[layer, head]` before any rotation, and before its norm where
        there are `head_norms`; likewise key and value, which are those that the query head uses.

        Raises
        ------
        ValueError : there is no such layer or head; the message has how many there are.
        """
        c = self.config
        layers, heads, groups = c.num_hidden_layers, c.num_attention_heads, c.num_key_value_heads
        if not (0 <= layer < layers and 0 <= head < heads):
            raise ValueError(
                f"no layer {layer} head {head}: {self.name} has layers 0 to {layers - 1} "
                f"and heads 0 to {heads - 1}"
            )
        matrix, bias = self._matrix_and_bias(self._part(layer, self.names.qkv))
        group = kv_head(head, heads, groups)
        starts = (c.head_dim * at for at in (head, heads + group, heads + groups + group))
        q, k, v = (slice(start, start + c.head_dim) for start in starts)
        return Projections(matrix[:, q], bias[q], matrix[:, k], bias[k], matrix[:, v], bias[v])

    def output_projection(self, layer: int) -> tuple[Array, Array]:
        """Return W_O `(H * E, D)` and its bias `(D,)`, zeros where there is none; read-only.

        Rows `head * E` to `(head + 1) * E` belong to one head, as in `layers.merge_heads`.

        Raises
        ------
        ValueError : there is no such layer; the message has how many there are.
        """
        self.check_layer(layer)
        return self._matrix_and_bias(self._part(layer, self.names.w_o))

    def add_and_norm(self, layer: int, x: Array, attended: Array) -> Array:
        """Put what attention found back into the stream, `x + attended`: `(T, D)`.

        The sum is normalised unless the norm comes first; in some models what is added is, too.
        """
        self.check_layer(layer)
        if self.names.attended_norm:
            attended = self._norm(self._part(layer, self.names.attended_norm), attended)
        y = x + attended
        if self.norm_first:
            return y
        return self._norm(self._part(layer, self.names.attention_norm), y)

    def feed_forward(self, layer: int, y: Array) -> Array:
        """Finish the layer, each token by itself: `Norm(y + MLP(y))`, or `y + MLP(Norm(y))`."""
        self.check_layer(layer)
        z = self._mlp_part(layer, y)
        z += y
        return z if self.norm_first else self._norm(self._part(layer, self.names.mlp_norm), z)

    def mlp(self, layer: int, x: Array) -> Array:
        """Return what the small network of a layer makes of rows `(T, D)`: a new array.

        `f(x W_1 + b_1) W_2 + b_2`, or, where it is gated, `(f(x W_gate) * x W_up) W_down`.
        """
        inner = self._linear(self._part(layer, self.names.mlp_in), x)
        if self.gated_mlp:
            gate, up = np.split(inner, 2, axis=-1)
            inner = self.activation.in_place(gate) * up
        else:
            inner = self.activation.in_place(inner)
        return self._linear(self._part(layer, self.names.mlp_out), inner)

    def after_attention(self, layer: int, x: Array, attended: Array) -> Array:
        """Finish a layer: what it gives `(T, D)` for the stream and what attention adds to it."""
        y = self.add_and_norm(layer, x, attended)
        if not self.parallel_mlp:
            return self.feed_forward(layer, y)
        y += self._mlp_part(layer, x)
        return y

    def _mlp_part(self, layer: int, y: Array) -> Array:
        """Return what the MLP of a layer adds to rows `(T, D)`: a new array."""
        norm = self._part(layer, self.names.mlp_norm)
        z = self.mlp(layer, self._norm(norm, y) if self.norm_first else y)
        if self.names.added_norm:
            z = self._norm(self._part(layer, self.names.added_norm), z)
        return z

    def check_layer(self, layer: int) -> None:
        """Refuse a layer that is not there; the message has how many there are."""
        if not 0 <= layer < self.config.num_hidden_layers:
            raise ValueError(
                f"no layer {layer}: {self.name} has layers 0 to {self.config.num_hidden_layers - 1}"
            )

    def _finish(self, layer: int, x: Array, head_output: Array) -> Array:
        """Concatenate the heads `(..., H, T, E)`, apply W_O, finish the layer: `(N, D)` rows."""
        merged = merge_heads(head_output)
        rows = merged.reshape(-1, merged.shape[-1])  # one product for all texts
        return self.after_attention(layer, x, self._linear(self._part(layer, self.names.w_o), rows))

    def _part(self, layer: int, name: str) -> str:
        return f"{self.names.layer}.{layer}.{name}"
