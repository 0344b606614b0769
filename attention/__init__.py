"""Attention, seen, changed and measured on real pretrained transformers, in NumPy."""

from attention.core import (
    Blend,
    attention_scores,
    attention_weights,
    blend,
    causal_mask,
    padding_mask,
    scaled_dot_product_attention,
    scores_for,
    softmax,
    window_mask,
)
from attention.models import available_models, load_model

__all__ = [
    "Blend",
    "attention_scores",
    "attention_weights",
    "available_models",
    "blend",
    "causal_mask",
    "load_model",
    "padding_mask",
    "scaled_dot_product_attention",
    "scores_for",
    "softmax",
    "window_mask",
]
