"""Attention itself: scores, masks, weights and outputs, as pure functions on arrays."""

from attention.core.masks import causal_mask, padding_mask, window_mask
from attention.core.plain import (
    Blend,
    attention_scores,
    attention_weights,
    blend,
    scores_for,
    softmax,
)
from attention.core.tiled import scaled_dot_product_attention, tiled_attention
from attention.lazily import submodules

__all__ = [
    "Blend",
    "attention_scores",
    "attention_weights",
    "blend",
    "causal_mask",
    "padding_mask",
    "scaled_dot_product_attention",
    "scores_for",
    "softmax",
    "tiled_attention",
    "window_mask",
]

__getattr__, __dir__ = submodules(__name__, __path__)
