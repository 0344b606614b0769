"""Attention, seen, changed and measured on real pretrained transformers, in NumPy."""

from attention.analysis.telling import base_rate, selectivity
from attention.core import (
    Blend,
    attention_scores,
    attention_weights,
    blend,
    causal_mask,
    padding_mask,
    scores_for,
    softmax,
    window_mask,
)
from attention.core.stages import KVCache, Stages, attention_stages, extend_cache
from attention.core.tiled import scaled_dot_product_attention, tiled_attention
from attention.models import available_models, load_model, unavailable_models

__all__ = [
    "Blend",
    "KVCache",
    "Stages",
    "attention_scores",
    "attention_stages",
    "attention_weights",
    "available_models",
    "base_rate",
    "blend",
    "causal_mask",
    "extend_cache",
    "load_model",
    "padding_mask",
    "scaled_dot_product_attention",
    "scores_for",
    "selectivity",
    "softmax",
    "tiled_attention",
    "unavailable_models",
    "window_mask",
]
