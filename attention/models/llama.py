"""Llama and its relatives: RMSNorm, rotated queries and keys, shared keys, a gated MLP.

What they differ by is in `llama_families`. Sources: Touvron et al. 2023, "LLaMA", section 2.2;
RoPE: Su et al. 2021, "RoFormer", section 3.2; shared keys and values: Ainslie et al. 2023, "GQA",
section 2.
"""

from __future__ import annotations

import math

import numpy as np
from tokenizers import Tokenizer

from attention.arrays import Array
from attention.models.backward import DifferentiableModel
from attention.models.llama_families import LlamaConfig


class Llama(DifferentiableModel):
    """A decoder like Llama with its weights and tokenizer. Safe to share between threads."""

    config: LlamaConfig
    config_class = LlamaConfig
    last_norm_name = "norm"
    # the second of LlamaForQuestionAnswering, the others of models that see pictures, too
    prefixes = ("model.", "transformer.", "language_model.model.", "model.language_model.")
    norm_first = True
    norm = "RMSNorm"
    gated_mlp = True

    def __init__(
        self, name: str, config: LlamaConfig, weights: dict[str, Array], tokenizer: Tokenizer
    ) -> None:
        """Keep the weights; matrices that read the same rows lie side by side."""
        self.names = config.names
        super().__init__(name, config, weights, tokenizer)
        if config.gains_from_one:
            self._add_one_to_gains()
        for layer in range(config.num_hidden_layers):
            for joined, parts in {
                self.names.qkv: config.qkv_parts,
                self.names.w_o: (self.names.w_o,),
                self.names.mlp_in: config.mlp_parts,
                self.names.mlp_out: (self.names.mlp_out,),
            }.items():
                self._join(self._part(layer, joined), [self._part(layer, part) for part in parts])
            self._scale_queries(layer)

    def embed(self, ids: Array, start: int = 0) -> Array:
        """Return the learned vector of each token, `(T, D)`; positions come in with rotation.

        In Gemma times the root of the width.
        """
        x = self.word_embeddings[ids]
        return x * np.float32(self.config.embedding_scale) if self.config.embedding_scale else x

    def _add_one_to_gains(self) -> None:
        """Make gains of what a file has: how far they are from 1."""
        for name, weight in self._weights.items():
            if weight.ndim == 1 and name.endswith("norm.weight"):
                self._weights[name] = weight + np.float32(1)
                self._weights[name].flags.writeable = False

    def _scale_queries(self, layer: int) -> None:
        """Let queries be so long that scores are `q k / sqrt(E)`, as in all other models."""
        c = self.config
        if c.query_scale is None or c.query_scale == c.head_dim:
            return
        factor = np.float32(math.sqrt(c.head_dim / c.query_scale))
        if self.head_norms:
            name, columns = f"{self._part(layer, self.names.query_norm)}.weight", slice(None)
        else:
            name = f"{self._part(layer, self.names.qkv)}.weight"
            columns = slice(c.num_attention_heads * c.head_dim)
        scaled = self._weights[name].copy()
        scaled[..., columns] *= factor
        scaled.flags.writeable = False
        self._weights[name] = scaled
