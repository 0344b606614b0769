"""Llama's relatives: what each assumes where its `config.json` says nothing, and what it does else.

A family is one row of a table; `LlamaConfig` is what a row and a file say together.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple, Self

from attention.models import activations, settings
from attention.models.architecture import Names
from attention.models.decoder import DecoderConfig
from attention.models.rope import longest_text, rope_of, rope_parameters

_SIZES = {
    "vocab_size": 32_000,
    "hidden_size": 4_096,
    "intermediate_size": 11_008,
    "num_hidden_layers": 32,
    "num_attention_heads": 32,
    "max_position_embeddings": 2_048,
    "rms_norm_eps": 1e-6,
    "hidden_act": "silu",
    "rope_theta": 10_000.0,
    "tie_word_embeddings": False,
}
_GEMMA = {
    "head_dim": 256,
    "hidden_act": "gelu_pytorch_tanh",
    "hidden_activation": "gelu_pytorch_tanh",
    "tie_word_embeddings": True,
    "query_pre_attn_scalar": 256,
}
_GEMMA_2 = _GEMMA | {
    "vocab_size": 256_000,
    "hidden_size": 2_304,
    "intermediate_size": 9_216,
    "num_hidden_layers": 26,
    "num_attention_heads": 8,
    "num_key_value_heads": 4,
    "max_position_embeddings": 8_192,
    "sliding_window": 4_096,
    "sliding_window_pattern": 2,
    "final_logit_softcapping": 30.0,
    "attn_logit_softcapping": 50.0,
}
_GEMMA_3 = _GEMMA_2 | {
    "vocab_size": 262_208,
    "max_position_embeddings": 131_072,
    "rope_theta": 1_000_000.0,
    "rope_local_base_freq": 10_000.0,
    "sliding_window_pattern": 6,
    "final_logit_softcapping": None,
    "attn_logit_softcapping": None,
}
_QWEN = {
    "vocab_size": 151_936,
    "intermediate_size": 22_016,
    "num_key_value_heads": 32,
    "max_position_embeddings": 32_768,
    "use_sliding_window": False,
    "sliding_window": 4_096,
    "max_window_layers": 28,
}


class LlamaFamily(NamedTuple):
    """What is the same in all models of one `model_type`."""

    name: str  # as people say it
    defaults: Mapping[str, Any] = {}  # of the configuration class of transformers
    query_key_value_bias: bool = False  # without being asked for by `attention_bias`
    output_bias: bool = True  # where `attention_bias` asks for biases
    head_norms: bool = False
    added_norms: bool = False  # what attention and the MLP add is normalised
    fused: bool = False  # files have one matrix for queries, keys and values, and one for the MLP
    gemma: bool = False  # gains are stored less 1, and embeddings are scaled
    windows: bool = True
    activation: str = "hidden_act"  # the setting that names it


LLAMA_FAMILIES = {  # the `model_type` of a config.json
    "llama": LlamaFamily("Llama", windows=False),
    "mistral": LlamaFamily(
        "Mistral",
        {"intermediate_size": 14_336, "num_key_value_heads": 8, "sliding_window": 4_096,
         "max_position_embeddings": 131_072},
    ),
    "qwen2": LlamaFamily("Qwen2", _QWEN, query_key_value_bias=True, output_bias=False),
    "qwen3": LlamaFamily("Qwen3", _QWEN | {"head_dim": 128}, head_norms=True),
    "gemma": LlamaFamily(
        "Gemma",
        _GEMMA | {"vocab_size": 256_000, "hidden_size": 3_072, "intermediate_size": 24_576,
                  "num_hidden_layers": 28, "num_attention_heads": 16, "num_key_value_heads": 16,
                  "max_position_embeddings": 8_192, "query_pre_attn_scalar": None},
        gemma=True, windows=False,
    ),
    "gemma2": LlamaFamily(
        "Gemma 2", _GEMMA_2, added_norms=True, gemma=True, activation="hidden_activation"
    ),
    "gemma3_text": LlamaFamily(
        "Gemma 3", _GEMMA_3, head_norms=True, added_norms=True, gemma=True,
        activation="hidden_activation",
    ),
    "phi3": LlamaFamily(
        "Phi-3",
        {"vocab_size": 32_064, "hidden_size": 3_072, "intermediate_size": 8_192,
         "max_position_embeddings": 4_096, "rms_norm_eps": 1e-5},
        fused=True,
    ),
}  # fmt: skip
_WITH_PICTURES = {"gemma3": "gemma3_text"}  # the part that reads text has its own settings
_COMPUTED = {
    "mlp_bias": (False, True),
    "is_causal": True,
    "use_bidirectional_attention": (False, None),
    "per_layer_config": None,
}


@dataclass(frozen=True, kw_only=True)
class LlamaConfig(DecoderConfig):
    """The sizes of a model like Llama, and what it does otherwise."""

    activation: str = "silu"
    family: str = "Llama"
    query_key_value_bias: bool = False
    output_bias: bool = False
    mlp_bias: bool = False
    with_head_norms: bool = False
    added_norms: bool = False
    fused: bool = False
    gains_from_one: bool = False
    embedding_scale: float | None = None
    query_scale: float | None = None  # scores are divided by its root; None is the head width

    @classmethod
    def from_dict(cls, config: dict[str, Any]) -> Self:
        """Take the sizes from a `config.json`; refuse what this module does not compute."""
        config = _of_the_text(config)
        kind = config.get("model_type", "llama")
        family = LLAMA_FAMILIES.get(kind) if isinstance(kind, str) else None
        if family is None:
            raise ValueError(f"model_type is {kind!r}; computed are {', '.join(LLAMA_FAMILIES)}")
        config = settings.complete(config, _SIZES | dict(family.defaults))
        settings.check_settings(config, _COMPUTED)
        settings.check_settings(config, {"attention_bias": (False, True)})
        return cls(**_sizes(config), **_else(config, family))

    @property
    def names(self) -> Names:
        """What the parts of a layer are called."""
        added = self.added_norms
        return Names(
            words="embed_tokens",
            layer="layers",
            qkv="self_attn.qkv_proj",
            w_o="self_attn.o_proj",
            attention_norm="input_layernorm",
            mlp_norm="pre_feedforward_layernorm" if added else "post_attention_layernorm",
            mlp_in="mlp.gate_up_proj",
            mlp_out="mlp.down_proj",
            query_norm="self_attn.q_norm" if self.with_head_norms else "",
            key_norm="self_attn.k_norm" if self.with_head_norms else "",
            attended_norm="post_attention_layernorm" if added else "",
            added_norm="post_feedforward_layernorm" if added else "",
        )

    @property
    def qkv_parts(self) -> tuple[str, ...]:
        """The matrices of queries, keys and values in a file."""
        parts = ("self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj")
        return (self.names.qkv,) if self.fused else parts

    @property
    def mlp_parts(self) -> tuple[str, ...]:
        """The matrices that the MLP begins with in a file."""
        return (self.names.mlp_in,) if self.fused else ("mlp.gate_proj", "mlp.up_proj")

    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Return the name and shape of every tensor that the forward pass uses: `(out, in)`."""
        shapes: dict[str, tuple[int, ...]] = {
            "embed_tokens.weight": (self.vocab_size, self.hidden_size),
            "norm.weight": (self.hidden_size,),
        }
        for layer in range(self.num_hidden_layers):
            for part, (shape, bias) in self._layer_shapes().items():
                shapes[f"layers.{layer}.{part}.weight"] = shape
                if bias:
                    shapes[f"layers.{layer}.{part}.bias"] = shape[:1]
        return shapes

    def _layer_shapes(self) -> dict[str, tuple[tuple[int, ...], bool]]:
        """Return the shape of each part of a layer, and whether it has a bias."""
        width, inner, names = self.hidden_size, self.intermediate_size, self.names
        asked, kept = (
            count * self.head_dim for count in (self.num_attention_heads, self.num_key_value_heads)
        )
        rows = (asked + 2 * kept,) if self.fused else (asked, kept, kept)
        own = zip(self.qkv_parts, rows, strict=True)
        parts: dict[str, tuple[tuple[int, ...], bool]] = {
            part: ((count, width), self.query_key_value_bias) for part, count in own
        }
        parts[names.w_o] = (width, asked), self.output_bias
        joined = 2 * inner if self.fused else inner
        parts |= dict.fromkeys(self.mlp_parts, ((joined, width), self.mlp_bias))
        parts[names.mlp_out] = (width, inner), self.mlp_bias
        for norm in (names.attention_norm, names.attended_norm, names.mlp_norm, names.added_norm):
            parts |= {norm: ((width,), False)} if norm else {}
        for norm in (names.query_norm, names.key_norm):
            parts |= {norm: ((self.head_dim,), False)} if norm else {}
        return parts


def _of_the_text(config: dict[str, Any]) -> dict[str, Any]:
    """Return the settings of the part of a model that reads text."""
    inner, kind = config.get("text_config"), config.get("model_type")
    if not isinstance(inner, dict) or not isinstance(kind, str) or kind not in _WITH_PICTURES:
        return config
    return {"model_type": _WITH_PICTURES[kind], **inner}


def _sizes(config: Mapping[str, Any]) -> dict[str, Any]:
    heads = settings.whole_number(config, "num_attention_heads")
    width = settings.whole_number(config, "hidden_size")
    head = config.get("head_dim") or width // heads
    if not isinstance(head, int):
        raise ValueError(f"head_dim must be a whole number, got {head!r}")
    context = settings.whole_number(config, "max_position_embeddings")
    told, local = rope_parameters(config)
    return {
        "num_hidden_layers": settings.whole_number(config, "num_hidden_layers", 1_000),
        "num_attention_heads": heads,
        "num_key_value_heads": config.get("num_key_value_heads") or heads,
        "head_dim": head,
        "hidden_size": width,
        "intermediate_size": settings.whole_number(config, "intermediate_size"),
        "vocab_size": settings.whole_number(config, "vocab_size"),
        "max_position_embeddings": longest_text(told, context),
        "norm_eps": settings.epsilon(config, "rms_norm_eps"),
        "rope": rope_of(told, head, context),
        "local_rope": None if local is None else rope_of(local, head, context),
        "tie_word_embeddings": bool(config["tie_word_embeddings"]),
    }


def _else(config: Mapping[str, Any], family: LlamaFamily) -> dict[str, Any]:
    """Return what a model does otherwise than Llama."""
    biased = bool(config.get("attention_bias"))
    gemma = family.gemma
    return {
        "family": family.name,
        "activation": _activation(config, family),
        "query_key_value_bias": family.query_key_value_bias or biased,
        "output_bias": family.output_bias and biased,
        "mlp_bias": bool(config.get("mlp_bias")),
        "with_head_norms": family.head_norms,
        "added_norms": family.added_norms,
        "fused": family.fused,
        "gains_from_one": gemma,
        "embedding_scale": math.sqrt(config["hidden_size"]) if gemma else None,
        "query_scale": settings.number(config, "query_pre_attn_scalar") if gemma else None,
        "windows": _windows(config) if family.windows else (),
        "score_cap": settings.number(config, "attn_logit_softcapping") if gemma else None,
        "logit_cap": settings.number(config, "final_logit_softcapping") if gemma else None,
    }


def _activation(config: Mapping[str, Any], family: LlamaFamily) -> str:
    name = activations.named(config, family.activation)
    # The files of the first Gemma name another than the models were trained with.
    return "gelu_pytorch_tanh" if family.name == "Gemma" and name == "gelu" else name


def _windows(config: Mapping[str, Any]) -> tuple[int | None, ...]:
    """Return how many keys a query of each layer sees; nothing where all layers see all."""
    layers, types = config["num_hidden_layers"], config.get("layer_types")
    if config.get("sliding_window") is None or config.get("use_sliding_window") is False:
        return ()
    window = settings.whole_number(config, "sliding_window")
    if types is not None:
        known = "sliding_attention", "full_attention"
        if not isinstance(types, list) or len(types) != layers or set(map(str, types)) - {*known}:
            raise ValueError(f"layer_types must be {layers} of {' and '.join(known)}")
        return tuple(window if kind == known[0] else None for kind in types)
    if config.get("sliding_window_pattern") is not None:
        pattern = settings.whole_number(config, "sliding_window_pattern")
        return tuple(window if (i + 1) % pattern else None for i in range(layers))
    first = config.get("max_window_layers", 0)
    if not isinstance(first, int):
        raise ValueError(f"max_window_layers must be a whole number, got {first!r}")
    return tuple(window if i >= first else None for i in range(layers))
