"""Llama and its relatives in GGUF files: how such a file says what a `config.json` says.

Source of the names: github.com/ggml-org/ggml, docs/gguf.md, and the package `gguf`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, NamedTuple, TypeVar

from attention.arrays import Array
from attention.models import settings
from attention.models.architecture import Names
from attention.models.gguf_header import Fields, Strings, Tensor, field
from attention.models.llama_families import LlamaConfig

_T = TypeVar("_T")

_KINDS = {  # `general.architecture`, and the `model_type` of a config.json
    "llama": "llama",
    "qwen2": "qwen2",
    "qwen3": "qwen3",
    "gemma": "gemma",
    "gemma2": "gemma2",
    "gemma3": "gemma3_text",
    "phi3": "phi3",
}
_LARGEST = {"gemma2": 46, "gemma3": 62}  # layers of those that divide scores by another number
_OUTSIDE = {
    "embed_tokens.weight": "token_embd.weight",
    "norm.weight": "output_norm.weight",
    "lm_head.weight": "output.weight",
}
DIVISORS = "rope_freqs.weight"  # of the frequencies; Llama 3.1 and later
_SHORT, _LONG = "rope_factors_short.weight", "rope_factors_long.weight"


class _Said(NamedTuple):
    """What the metadata says under the name of an architecture."""

    fields: Fields
    kind: str

    def __call__(self, name: str, kind: type[_T], default: _T | None = None) -> _T:
        """Return a field; see `gguf_header.field`."""
        return field(self.fields, f"{self.kind}.{name}", kind, default)


def config_from(fields: Fields, tensors: Mapping[str, Tensor]) -> LlamaConfig:
    """Return the sizes that the metadata of a model names, and what its layers do otherwise.

    Raises
    ------
    ValueError : a field is missing, or asks for what is not computed here.
    """
    kind = field(fields, "general.architecture", str)
    if kind not in _KINDS:
        raise ValueError(f"architecture is {kind!r}; computed are {', '.join(_KINDS)}")
    said = _Said(fields, kind)
    wanted = {"attention.causal": True, "attention.scale": 0.0, "rope.scaling.attn_factor": 1.0}
    if kind == "phi3":
        del wanted["rope.scaling.attn_factor"]
    settings.check_settings(fields, {f"{kind}.{name}": value for name, value in wanted.items()})
    config = LlamaConfig.from_dict(_as_json(said, tensors))
    if said("attention.value_length", int, config.head_dim) != config.head_dim:
        raise ValueError("values are not as wide as keys, which is not computed here")
    if kind == "llama" and config.rope is not None and config.rope.width != config.head_dim:
        raise ValueError("only a part of each head is rotated, which is not computed here")
    return replace(config, gains_from_one=False)  # such a file has the gains themselves


def _as_json(said: _Said, tensors: Mapping[str, Tensor]) -> dict[str, Any]:
    kind = said.kind
    heads = said("attention.head_count", int)
    width = said("embedding_length", int)
    each = said("attention.key_length", int, width // max(heads, 1))
    window = said("attention.sliding_window", int, 0) or None
    told = {
        # Mistral's files say that they are Llama's; those of old say nothing of a window.
        "model_type": "mistral" if kind == "llama" and window else _KINDS[kind],
        "num_hidden_layers": said("block_count", int),
        "num_attention_heads": heads,
        "num_key_value_heads": said("attention.head_count_kv", int, heads),
        "head_dim": each,
        "hidden_size": width,
        "intermediate_size": said("feed_forward_length", int),
        "vocab_size": len(field(said.fields, "tokenizer.ggml.tokens", Strings)),
        "max_position_embeddings": said("context_length", int),
        "rms_norm_eps": said("attention.layer_norm_rms_epsilon", float),
        "tie_word_embeddings": "output.weight" not in tensors,
        "sliding_window": window,
        "rope_parameters": _rotation(said, each, tensors),
    }
    if kind in _LARGEST:
        largest = told["num_hidden_layers"] == _LARGEST[kind]
        told["query_pre_attn_scalar"] = width / max(heads, 1) if largest else each
    if kind == "gemma2":
        told["attn_logit_softcapping"] = said("attn_logit_softcapping", float, 50.0)
        told["final_logit_softcapping"] = said("final_logit_softcapping", float, 30.0)
    return told


def _rotation(said: _Said, head: int, tensors: Mapping[str, Tensor]) -> dict[str, Any]:
    """Return what the metadata says of rotations, as a `rope_parameters` object."""
    scaling = said("rope.scaling.type", str, "none")
    factor = said("rope.scaling.factor", float, said("rope.scale_linear", float, 1.0))
    theta = said("rope.freq_base", float, 1_000_000.0 if said.kind == "gemma3" else 10_000.0)
    turned = said("rope.dimension_count", int, head)
    told: dict[str, Any] = {"rope_theta": theta, "partial_rotary_factor": turned / max(head, 1)}
    length = said("rope.scaling.original_context_length", int, 0)
    if _SHORT in tensors:
        return told | {"rope_type": "longrope", "short_factor": [1.0] * (turned // 2),
                       "attention_factor": said("rope.scaling.attn_factor", float, 1.0),
                       "original_max_position_embeddings": length or 4_096}  # fmt: skip
    if scaling == "none" and factor != 1:
        scaling = "linear"
    if scaling == "yarn":
        told |= {"original_max_position_embeddings": length} if length else {}
        told |= {
            name: said(f"rope.scaling.yarn_{name}", float)
            for name in ("beta_fast", "beta_slow")
            if f"{said.kind}.rope.scaling.yarn_{name}" in said.fields
        }
    if scaling != "none":
        told |= {"rope_type": scaling, "factor": factor}
    if said.kind == "gemma3":  # layers with a window turn as they were first trained to
        local = {"rope_theta": said("rope.freq_base_swa", float, 10_000.0)}
        return {"full_attention": told, "sliding_attention": local}
    return told


def extra_tensors(config: LlamaConfig, tensors: Mapping[str, Tensor]) -> dict[str, tuple[int, ...]]:
    """Return the name and shape of what a file has besides weights: divisors of frequencies."""
    if config.rope is None:
        return {}
    pairs = (config.rope.width // 2,)
    return {name: pairs for name in (DIVISORS, _SHORT, _LONG) if name in tensors}


def with_divisors(config: LlamaConfig, extra: Mapping[str, Array]) -> LlamaConfig:
    """Return the sizes with rotations that are divided as a file's own tensor says.

    Raises
    ------
    ValueError : a divisor is no positive number.
    """
    found = extra.get(DIVISORS, extra.get(_SHORT))
    if found is None or config.rope is None:
        return config
    if not (found > 0).all():
        raise ValueError("a divisor of frequencies must be above 0")
    return replace(config, rope=config.rope._replace(divisors=tuple(found.tolist())))


def gguf_name(config: LlamaConfig, name: str) -> str:
    """Return what a tensor is called in the file."""
    if name in _OUTSIDE:
        return _OUTSIDE[name]
    _, layer, rest = name.split(".", 2)
    part, _, kind = rest.rpartition(".")
    return f"blk.{layer}.{_parts(config.names, config)[part]}.{kind}"


def _parts(names: Names, config: LlamaConfig) -> dict[str, str]:
    inner = {names.mlp_in: "ffn_up"} if config.fused else {
        "mlp.gate_proj": "ffn_gate", "mlp.up_proj": "ffn_up"
    }  # fmt: skip
    qkv = ("attn_qkv",) if config.fused else ("attn_q", "attn_k", "attn_v")
    return {
        **dict(zip(config.qkv_parts, qkv, strict=True)),
        **inner,
        names.w_o: "attn_output",
        names.mlp_out: "ffn_down",
        names.query_norm: "attn_q_norm",
        names.key_norm: "attn_k_norm",
        names.attended_norm: "post_attention_norm",
        names.added_norm: "post_ffw_norm",
        names.attention_norm: "attn_norm",
        names.mlp_norm: "ffn_norm",
    }
