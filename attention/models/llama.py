"""The Llama family of decoders: RMSNorm, rotated queries and keys, shared keys, a gated MLP.

Source: Touvron et al. 2023, "LLaMA", section 2.2; RoPE: Su et al. 2021, "RoFormer", section 3.2;
shared keys and values: Ainslie et al. 2023, "GQA", section 2.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from tokenizers import Tokenizer

from attention.arrays import Array
from attention.models import settings
from attention.models.architecture import Names
from attention.models.backward import DifferentiableModel
from attention.models.decoder import DecoderConfig
from attention.models.gradients import silu_slope
from attention.models.layers import silu_in_place

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


@dataclass(frozen=True, kw_only=True)
class LlamaConfig(DecoderConfig):
    """The sizes of a Llama model."""

    rope_theta: float = 10_000.0

    @classmethod
    def from_dict(cls, config: dict[str, Any]) -> Self:
        """Take the sizes from a `config.json`; refuse what this module does not compute."""
        config = settings.complete(config, _DEFAULTS)
        settings.check_settings(config, _COMPUTED)
        heads = settings.whole_number(config, "num_attention_heads")
        width = settings.whole_number(config, "hidden_size")
        return cls(
            num_hidden_layers=settings.whole_number(config, "num_hidden_layers"),
            num_attention_heads=heads,
            num_key_value_heads=config.get("num_key_value_heads") or heads,
            head_dim=config.get("head_dim") or width // heads,
            hidden_size=width,
            intermediate_size=settings.whole_number(config, "intermediate_size"),
            vocab_size=settings.whole_number(config, "vocab_size"),
            max_position_embeddings=settings.whole_number(config, "max_position_embeddings"),
            norm_eps=settings.epsilon(config, "rms_norm_eps"),
            rope_theta=_rope_theta(config),
            tie_word_embeddings=bool(config["tie_word_embeddings"]),
        )

    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Return the name and shape of every tensor that the forward pass uses."""
        width, inner = self.hidden_size, self.intermediate_size
        query_width = self.num_attention_heads * self.head_dim
        answers = self.num_key_value_heads * self.head_dim
        shapes: dict[str, tuple[int, ...]] = {
            "embed_tokens.weight": (self.vocab_size, width),
            "norm.weight": (width,),
        }
        for layer in range(self.num_hidden_layers):
            for part, shape in {
                "input_layernorm": (width,),
                "self_attn.q_proj": (query_width, width),
                "self_attn.k_proj": (answers, width),
                "self_attn.v_proj": (answers, width),
                "self_attn.o_proj": (width, query_width),
                "post_attention_layernorm": (width,),
                "mlp.gate_proj": (inner, width),
                "mlp.up_proj": (inner, width),
                "mlp.down_proj": (width, inner),
            }.items():
                shapes[f"layers.{layer}.{part}.weight"] = shape
        return shapes


class Llama(DifferentiableModel):
    """A Llama decoder with its weights and tokenizer. Safe to share between threads."""

    config_class = LlamaConfig
    names = Names(
        words="embed_tokens",
        layer="layers",
        qkv="self_attn.qkv",
        w_o="self_attn.o_proj",
        attention_norm="input_layernorm",
        mlp_norm="post_attention_layernorm",
    )
    last_norm_name = "norm"
    prefixes = ("model.", "transformer.")  # the second of LlamaForQuestionAnswering
    norm_first = True
    norm = "RMSNorm"
    gated_mlp = True

    def __init__(
        self, name: str, config: LlamaConfig, weights: dict[str, Array], tokenizer: Tokenizer
    ) -> None:
        """Keep the weights; matrices that read the same rows lie side by side."""
        super().__init__(name, config, weights, tokenizer)
        for layer in range(config.num_hidden_layers):
            for joined, parts in {
                self.names.qkv: ("self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj"),
                self.names.w_o: (self.names.w_o,),
                "mlp.gate_up": ("mlp.gate_proj", "mlp.up_proj"),
                "mlp.down_proj": ("mlp.down_proj",),
            }.items():
                self._join(self._part(layer, joined), [self._part(layer, part) for part in parts])

    def embed(self, ids: Array, start: int = 0) -> Array:
        """Return the learned vector of each token, `(T, D)`; positions come in with rotation."""
        return self.word_embeddings[ids]

    def mlp(self, layer: int, x: Array) -> Array:
        """Return `(silu(x W_gate) * x W_up) W_down`."""
        inner = self._linear(self._part(layer, "mlp.gate_up"), x)
        gate, up = np.split(inner, 2, axis=-1)
        return self._linear(self._part(layer, "mlp.down_proj"), silu_in_place(gate) * up)

    def mlp_gradient(self, layer: int, x: Array, upstream: Array) -> Array:
        """Return the gradient of `mlp` at rows `(T, D)`."""
        down, matrix = (
            self._weights[f"{self._part(layer, part)}.weight"]
            for part in ("mlp.down_proj", "mlp.gate_up")
        )
        gate, up = np.split(x @ matrix, 2, axis=-1)
        inner = upstream @ down.T
        each = inner * up * silu_slope(gate), inner * silu_in_place(gate)
        return np.concatenate(each, axis=-1) @ matrix.T


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
