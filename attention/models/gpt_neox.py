"""GPT-NeoX and Pythia: LayerNorm, a part of each head rotated, attention and MLP side by side.

Sources: Black et al. 2022, "GPT-NeoX-20B", section 2.1; Biderman et al. 2023, "Pythia", section
2.2.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from tokenizers import Tokenizer

from attention.arrays import Array
from attention.models import activations, settings
from attention.models.architecture import Names
from attention.models.backward import DifferentiableModel
from attention.models.config import biased_layers
from attention.models.decoder import DecoderConfig
from attention.models.rope import rope_of

_DEFAULTS = {
    "vocab_size": 50_432,
    "hidden_size": 6_144,
    "num_hidden_layers": 44,
    "num_attention_heads": 64,
    "intermediate_size": 24_576,
    "hidden_act": "gelu",
    "max_position_embeddings": 2_048,
    "layer_norm_eps": 1e-5,
    "tie_word_embeddings": False,
    "use_parallel_residual": True,
    "rotary_pct": 0.25,
    "rotary_emb_base": 10_000.0,
}
_COMPUTED = {
    "model_type": "gpt_neox",
    "attention_bias": True,
    "is_decoder": (False, True),
    "is_causal": True,
    "per_layer_config": None,
}


@dataclass(frozen=True, kw_only=True)
class GptNeoXConfig(DecoderConfig):
    """The sizes of a GPT-NeoX model."""

    family: str = "GPT-NeoX"
    parallel_mlp: bool = True
    head_name = "embed_out.weight"

    @classmethod
    def from_dict(cls, config: dict[str, Any]) -> Self:
        """Take the sizes from a `config.json`; refuse what this module does not compute."""
        config = settings.complete(config, _DEFAULTS)
        settings.check_settings(config, _COMPUTED)
        heads, width = settings.heads_and_width(config, "num_attention_heads", "hidden_size")
        context = settings.whole_number(config, "max_position_embeddings")
        told = settings.an_object(config, "rope_scaling")
        told = told or settings.an_object(config, "rope_parameters")
        outside = {"rope_theta": "rotary_emb_base", "partial_rotary_factor": "rotary_pct"}
        told = {name: config[at] for name, at in outside.items()} | told
        return cls(
            num_hidden_layers=settings.whole_number(config, "num_hidden_layers"),
            num_attention_heads=heads,
            num_key_value_heads=heads,
            head_dim=width // heads,
            hidden_size=width,
            intermediate_size=settings.whole_number(config, "intermediate_size"),
            vocab_size=settings.whole_number(config, "vocab_size"),
            max_position_embeddings=context,
            norm_eps=settings.epsilon(config, "layer_norm_eps"),
            activation=activations.named(config, "hidden_act"),
            rope=rope_of(told, width // heads, context),
            parallel_mlp=bool(config["use_parallel_residual"]),
            tie_word_embeddings=bool(config["tie_word_embeddings"]),
        )

    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Return the name and shape of every tensor that the forward pass uses: `(out, in)`."""
        width, inner = self.hidden_size, self.intermediate_size
        shapes: dict[str, tuple[int, ...]] = {"embed_in.weight": (self.vocab_size, width)}
        shapes |= {"final_layer_norm.weight": (width,), "final_layer_norm.bias": (width,)}
        return shapes | biased_layers(
            self.num_hidden_layers,
            width,
            ("input_layernorm", "post_attention_layernorm"),
            [
                ("attention.query_key_value", 3 * width, width),
                ("attention.dense", width, width),
                ("mlp.dense_h_to_4h", inner, width),
                ("mlp.dense_4h_to_h", width, inner),
            ],
        )


class GptNeoX(DifferentiableModel):
    """A GPT-NeoX decoder with its weights and tokenizer. Safe to share between threads."""

    config: GptNeoXConfig
    config_class = GptNeoXConfig
    names = Names(
        words="embed_in",
        layer="layers",
        qkv="attention.query_key_value",
        w_o="attention.dense",
        attention_norm="input_layernorm",
        mlp_norm="post_attention_layernorm",
        mlp_in="mlp.dense_h_to_4h",
        mlp_out="mlp.dense_4h_to_h",
    )
    last_norm_name = "final_layer_norm"
    prefixes = ("gpt_neox.",)
    norm_first = True
    norm = "LayerNorm"

    def __init__(
        self, name: str, config: GptNeoXConfig, weights: dict[str, Array], tokenizer: Tokenizer
    ) -> None:
        """Keep the weights; the queries of all heads stand before the keys and the values."""
        super().__init__(name, config, weights, tokenizer)
        for layer in range(config.num_hidden_layers):
            qkv = self._part(layer, self.names.qkv)
            for kind in ("weight", "bias"):
                self._weights[f"{qkv}.{kind}"] = _apart(
                    self._weights[f"{qkv}.{kind}"], config.num_attention_heads
                )
            for part in (self.names.qkv, self.names.w_o, self.names.mlp_in, self.names.mlp_out):
                self._join(self._part(layer, part), [self._part(layer, part)])

    @property
    def parallel_mlp(self) -> bool:
        """Whether the MLP reads what attention reads, the input of the layer."""
        return self.config.parallel_mlp

    def embed(self, ids: Array, start: int = 0) -> Array:
        """Return the learned vector of each token, `(T, D)`; positions come in with rotation."""
        return self.word_embeddings[ids]


def _apart(rows: Array, heads: int) -> Array:
    """Return rows of all queries, all keys, all values: the file has the three of each head."""
    each = rows.reshape(heads, 3, -1, *rows.shape[1:])
    return np.ascontiguousarray(each.swapaxes(0, 1)).reshape(rows.shape)
