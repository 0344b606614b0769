"""What an architecture is: its sizes and names, what it says of itself, the parts of its layers.

What is said (`norm_first`, `norm`, ...) is what is computed: nothing is said twice.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, NamedTuple, Self

from attention.arrays import Array
from attention.models import settings
from attention.models.layers import kv_head, merge_heads, rotation_angles, split_heads
from attention.models.named_weights import NamedWeights

_MOST = {  # no model is larger, but a file may claim anything
    "num_hidden_layers": 1_000,
    "num_attention_heads": 1_000,
    "num_key_value_heads": 1_000,
    "head_dim": 4_096,
    "hidden_size": 100_000,
    "intermediate_size": 1_000_000,
    "vocab_size": 4_000_000,
    "max_position_embeddings": 100_000_000,
}


@dataclass(frozen=True, kw_only=True)
class Config(ABC):
    """The sizes that every transformer has, under the names of a `config.json`."""

    num_hidden_layers: int  # L
    num_attention_heads: int  # H
    num_key_value_heads: int  # G
    head_dim: int  # E
    hidden_size: int  # D
    intermediate_size: int
    vocab_size: int  # V
    max_position_embeddings: int
    norm_eps: float

    def __post_init__(self) -> None:
        """Refuse sizes that no such model has."""
        for name, most in _MOST.items():
            settings.whole_number(vars(self), name, most)
        settings.epsilon(vars(self), "norm_eps")
        if self.num_attention_heads % self.num_key_value_heads:
            raise ValueError(
                f"{self.num_attention_heads} query heads cannot share "
                f"{self.num_key_value_heads} heads of keys and values evenly"
            )

    @classmethod
    @abstractmethod
    def from_dict(cls, config: dict[str, Any]) -> Self:
        """Take the sizes from a `config.json`; refuse what is not computed here."""

    @abstractmethod
    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Return the name and shape of every tensor that the forward pass uses."""

    def head(self) -> dict[str, tuple[int, ...]]:
        """Return the name and shape of what else is read, where a file has it."""
        return {}


class Names(NamedTuple):
    """What weights are called, without `.weight` and `.bias`: as in files, where no other is given.

    The last four are parts of a layer: what stands behind its number and a dot.
    """

    words: str  # the learned vector of every vocabulary entry
    layer: str  # what stands before the number of each
    qkv: str  # (D, (H + 2 G) * E), queries, keys and values side by side
    w_o: str  # (H * E, D)
    attention_norm: str
    mlp_norm: str


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
    names: ClassVar[Names]
    prefixes: ClassVar[tuple[str, ...]]  # one may stand before every name, where there is a head
    is_causal: ClassVar[bool]  # a token attends to itself and what came before
    norm_first: ClassVar[bool]  # each part of a layer reads a normalised copy; else sums are
    positions: ClassVar[Literal["learned vectors", "sines"]] = "learned vectors"  # unless `rotary`
    gated_mlp: ClassVar[bool] = False

    config: Config
    predicts = False  # which token comes next

    def __init__(self, name: str, config: Config, weights: dict[str, Array]) -> None:
        """Keep what is given."""
        self.name, self.config = name, config
        self.word_embeddings = weights.pop(f"{self.names.words}.weight")  # (V, D), read-only
        super().__init__(weights, config.norm_eps)

    @property
    def rope_theta(self) -> float | None:
        """The base of the angles by which queries and keys are rotated, if they are."""
        return None

    @property
    def rotary(self) -> bool:
        """Whether positions come in by rotating queries and keys; else as `positions` says."""
        return self.rope_theta is not None

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

    def angles(self, tokens: int, start: int = 0) -> tuple[Array, Array]:
        """Return the cosines and sines `(T, E / 2)` by which positions from `start` on turn.

        Raises
        ------
        TypeError : the model rotates nothing; see `rotary`.
        """
        if self.rope_theta is None:
            raise TypeError(f"{self.name} rotates nothing")
        return rotation_angles(tokens, self.config.head_dim, self.rope_theta, start)

    def projections(self, layer: int, head: int) -> Projections:
        """Return the weights that turn the input of the heads into one head's Q, K and V.

        For `x = model.normalised(layer, trace.hidden[layer])`, which is that stream itself in BERT,
        `x @ w_q + b_q` is `trace.query[layer, head]` before any rotation; likewise key and value,
        which are those that the query head uses.

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

        The sum is normalised unless the norm comes first.
        """
        self.check_layer(layer)
        y = x + attended
        if self.norm_first:
            return y
        return self._norm(self._part(layer, self.names.attention_norm), y)

    def feed_forward(self, layer: int, y: Array) -> Array:
        """Finish the layer, each token by itself: `Norm(y + MLP(y))`, or `y + MLP(Norm(y))`."""
        self.check_layer(layer)
        norm = self._part(layer, self.names.mlp_norm)
        z = self.mlp(layer, self._norm(norm, y) if self.norm_first else y)
        z += y
        return z if self.norm_first else self._norm(norm, z)

    @abstractmethod
    def mlp(self, layer: int, x: Array) -> Array:
        """Return what the small network of a layer makes of rows `(T, D)`: a new array."""

    def after_attention(self, layer: int, x: Array, attended: Array) -> Array:
        """Finish a layer: what it gives `(T, D)` for the stream and what attention adds to it."""
        return self.feed_forward(layer, self.add_and_norm(layer, x, attended))

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
