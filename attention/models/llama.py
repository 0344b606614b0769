"""The Llama family of decoders: RMSNorm, rotated queries and keys, shared keys, a gated MLP.

Source: Touvron et al. 2023, "LLaMA", section 2.2; RoPE: Su et al. 2021, "RoFormer", section 3.2;
shared keys and values: Ainslie et al. 2023, "GQA", section 2.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np
from tokenizers import Tokenizer

from attention.core import Array
from attention.models import files, settings
from attention.models.decoder import CausalModel, DecoderConfig, Projected
from attention.models.layers import rms_norm, rotate, rotation_angles, silu_in_place, split_heads

_PREFIXES = ("model.", "transformer.")  # the second of LlamaForQuestionAnswering
_DEFAULTS = {
    "vocab_size": 32_000,
    "hidden_size": 4_096,
    "intermediate_size": 11_008,
    "num_hidden_layers": 32,
    "num_attention_heads": 32,
    "max_position_embeddings": 2_048,
    "rms_norm_eps": 1e-6,
    "tie_word_embeddings": False,
}
_COMPUTED = {
    "model_type": "llama",
    "hidden_act": settings.SILU,
    "attention_bias": False,
    "mlp_bias": False,
    "is_causal": True,
    "per_layer_config": None,
}


@dataclass(frozen=True)
class LlamaConfig(DecoderConfig):
    """The sizes of a Llama model."""

    rope_theta: float = 10_000.0

    def __post_init__(self) -> None:
        """Refuse sizes that cannot be rotated."""
        super().__post_init__()
        if self.head_dim % 2:
            raise ValueError(f"head_dim must be even to be rotated, got {self.head_dim}")
        theta = self.rope_theta
        if not isinstance(theta, int | float) or not 1 < theta < 1e15:
            raise ValueError(f"rope_theta must be above 1 and below 1e15, got {theta!r}")

    @classmethod
    def from_dict(cls, config: dict[str, Any]) -> Self:
        """Take the sizes from a `config.json`; refuse what this module does not compute."""
        config = settings.complete(config, _DEFAULTS)
        settings.check_settings(config, _COMPUTED)
        heads = settings.number(config, "num_attention_heads")
        width = settings.number(config, "hidden_size")
        return cls(
            num_hidden_layers=settings.number(config, "num_hidden_layers"),
            num_attention_heads=heads,
            num_key_value_heads=config.get("num_key_value_heads") or heads,
            head_dim=config.get("head_dim") or width // heads,
            hidden_size=width,
            intermediate_size=settings.number(config, "intermediate_size"),
            vocab_size=settings.number(config, "vocab_size"),
            max_position_embeddings=settings.number(config, "max_position_embeddings"),
            norm_eps=config["rms_norm_eps"],
            rope_theta=_rope_theta(config),
            tie_word_embeddings=bool(config["tie_word_embeddings"]),
        )

    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Return the name and shape of every tensor that the forward pass uses."""
        width, inner = self.hidden_size, self.intermediate_size
        asks = self.num_attention_heads * self.head_dim
        answers = self.num_key_value_heads * self.head_dim
        shapes: dict[str, tuple[int, ...]] = {
            "embed_tokens.weight": (self.vocab_size, width),
            "norm.weight": (width,),
        }
        for layer in range(self.num_hidden_layers):
            for part, shape in {
                "input_layernorm": (width,),
                "self_attn.q_proj": (asks, width),
                "self_attn.k_proj": (answers, width),
                "self_attn.v_proj": (answers, width),
                "self_attn.o_proj": (width, asks),
                "post_attention_layernorm": (width,),
                "mlp.gate_proj": (inner, width),
                "mlp.up_proj": (inner, width),
                "mlp.down_proj": (width, inner),
            }.items():
                shapes[f"layers.{layer}.{part}.weight"] = shape
        return shapes


class Llama(CausalModel):
    """A Llama decoder with its weights and tokenizer. Safe to share between threads."""

    config: LlamaConfig

    def __init__(
        self, name: str, config: LlamaConfig, weights: dict[str, Array], tokenizer: Tokenizer
    ) -> None:
        """Keep the weights; matrices that read the same rows lie side by side."""
        super().__init__(name, config, tokenizer, weights, "embed_tokens.weight")
        self._norm = weights["norm.weight"]
        self._layers = [_Layer.taken_from(weights, at) for at in range(config.num_hidden_layers)]
        self._no_bias = np.zeros(config.hidden_size, np.float32)
        self._no_bias.flags.writeable = False

    @classmethod
    def from_folder(cls, name: str, folder: Path) -> Self:
        """Load `config.json`, `tokenizer.json` and safetensors from `folder`."""
        config = LlamaConfig.from_dict(files.read_config(folder))
        weights = files.read_weights(
            folder, config.shapes(), prefixes=_PREFIXES, optional=config.head()
        )
        return cls(name, config, weights, files.load_tokenizer(folder / "tokenizer.json"))

    @classmethod
    def check_folder(cls, folder: Path) -> files.Shapes:
        """Refuse what `from_folder` could not read; return the shapes of what it would."""
        config = LlamaConfig.from_dict(files.read_config(folder))
        return files.check_weights(
            folder, config.shapes(), prefixes=_PREFIXES, optional=config.head()
        )

    def embed(self, ids: Array, start: int = 0) -> Array:
        """Return the learned vector of each token, `(T, D)`; positions come in with rotation."""
        return self.word_embeddings[ids]

    def normalised(self, layer: int, x: Array) -> Array:
        """Return `RMSNorm(x)`, which queries, keys and values are made of."""
        self.check_layer(layer)
        return rms_norm(x, self._layers[layer].attention_norm, self.config.norm_eps)

    def project(self, layer: int, x: Array, start: int = 0) -> Projected:
        """Return rotated queries and keys, and values, of `RMSNorm(x)`."""
        query, key, value = self.unrotated(layer, x)
        angles = self.angles(x.shape[-2], start)
        return Projected(rotate(query, *angles), rotate(key, *angles), value)

    def unrotated(self, layer: int, x: Array) -> Projected:
        """Return queries and keys before their rotation, and values, as in `Projected`."""
        rows = self.normalised(layer, x).reshape(-1, x.shape[-1])  # one product for all texts
        joined = rows @ self._layers[layer].w_qkv
        joined = joined.reshape(*x.shape[:-1], joined.shape[-1])
        groups = self.config.num_key_value_heads
        heads = split_heads(joined, self.config.num_attention_heads + 2 * groups)
        query, key, value = np.split(heads, [-2 * groups, -groups], axis=-3)
        return Projected(query, key, value)

    def angles(self, tokens: int, start: int = 0) -> tuple[Array, Array]:
        """Return the cosines and sines `(T, E / 2)` by which positions from `start` on turn."""
        return rotation_angles(tokens, self.config.head_dim, self.config.rope_theta, start)

    def output_projection(self, layer: int) -> tuple[Array, Array]:
        """Return W_O `(H * E, D)`, the rows of each head together, and zeros `(D,)`."""
        self.check_layer(layer)
        return self._layers[layer].w_o, self._no_bias

    def after_attention(self, layer: int, x: Array, attended: Array) -> Array:
        """Return `y + MLP(RMSNorm(y))` for `y = x + attended`; the MLP is `silu(g) * u W_down`."""
        self.check_layer(layer)
        at = self._layers[layer]
        y = x + attended
        inner = rms_norm(y, at.mlp_norm, self.config.norm_eps) @ at.w_gate_up
        gate, up = np.split(inner, 2, axis=-1)
        y += (silu_in_place(gate) * up) @ at.w_down
        return y

    def last_norm(self, x: Array) -> Array:
        """Return `RMSNorm(x)`."""
        return rms_norm(x, self._norm, self.config.norm_eps)


@dataclass(frozen=True, eq=False)
class _Layer:
    attention_norm: Array  # (D,)
    w_qkv: Array  # (D, (H + 2 G) * E)
    w_o: Array  # (H * E, D)
    mlp_norm: Array  # (D,)
    w_gate_up: Array  # (D, 2 * inner)
    w_down: Array  # (inner, D)

    @classmethod
    def taken_from(cls, weights: dict[str, Array], layer: int) -> Self:
        def take(*parts: str) -> Array:
            names = [f"layers.{layer}.{part}.weight" for part in parts]
            return files.side_by_side([weights.pop(name) for name in names])

        def norm(part: str) -> Array:
            return weights.pop(f"layers.{layer}.{part}.weight")

        return cls(
            norm("input_layernorm"),
            take("self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj"),
            take("self_attn.o_proj"),
            norm("post_attention_layernorm"),
            take("mlp.gate_proj", "mlp.up_proj"),
            take("mlp.down_proj"),
        )


def _rope_theta(config: dict[str, Any]) -> Any:
    """Return the base of the rotations: the old settings stand back, as in transformers."""
    place = "rope_scaling" if config.get("rope_scaling") else "rope_parameters"
    rope = config.get(place) or {}
    if not isinstance(rope, dict):
        raise ValueError(f"{place} must be an object, got {rope!r}")
    kind = rope.get("rope_type", rope.get("type", "default"))
    if kind != "default":
        raise ValueError(f"rope_type is {kind!r}, expected 'default'")
    given = rope.get("rope_theta"), config.get("rope_theta")
    return next((theta for theta in given if theta is not None), 10_000.0)
