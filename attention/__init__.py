"""Attention, seen, changed and measured on real pretrained transformers, in NumPy."""

from attention.analysis.roles import HeadRoles, head_roles
from attention.analysis.telling import base_rate, selectivity
from attention.analysis.words import View, view
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
    tiled_attention,
    window_mask,
)
from attention.core.stages import KVCache, Stages, attention_stages, extend_cache
from attention.edits import Add, Cut, CutHeads, Patch, SetRow
from attention.lazily import submodules
from attention.models import (
    available_models,
    available_translators,
    load_model,
    load_translator,
    unavailable_models,
)
from attention.models.trace import Tokens, Trace
from attention.models.translation import Translation

__version__ = "0.2.0"

__all__ = [
    "Add",
    "Blend",
    "Cut",
    "CutHeads",
    "HeadRoles",
    "KVCache",
    "Patch",
    "SetRow",
    "Stages",
    "Tokens",
    "Trace",
    "Translation",
    "View",
    "__version__",
    "attention_scores",
    "attention_stages",
    "attention_weights",
    "available_models",
    "available_translators",
    "base_rate",
    "blend",
    "causal_mask",
    "extend_cache",
    "head_roles",
    "load_model",
    "load_translator",
    "padding_mask",
    "scaled_dot_product_attention",
    "scores_for",
    "selectivity",
    "softmax",
    "tiled_attention",
    "unavailable_models",
    "view",
    "window_mask",
]

__getattr__, __dir__ = submodules(__name__, __path__)
