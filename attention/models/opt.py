"""OPT: LayerNorm before each part, learned positions, ReLU.

Source: Zhang et al. 2022, "OPT: open pre-trained transformer language models", section 2.1.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self

from tokenizers import Tokenizer

from attention.arrays import Array
from attention.models import activations, settings
from attention.models.architecture import Names
from attention.models.backward import DifferentiableModel
from attention.models.config import biased_layers
from attention.models.decoder import DecoderConfig

_DEFAULTS = {
    "vocab_size": 50_272,
    "hidden_size": 768,
    "num_hidden_layers": 12,
    "ffn_dim": 3_072,
    "max_position_embeddings": 2_048,
    "num_attention_heads": 12,
    "activation_function": "relu",
    "tie_word_embeddings": True,
}
_COMPUTED = {
    "model_type": "opt",
    "do_layer_norm_before": True,  # not so in opt-350m
    "_remove_final_layer_norm": False,
    "enable_bias": True,
    "layer_norm_elementwise_affine": True,
    "is_causal": True,
    "per_layer_config": None,
}
_BEFORE = 2  # rows of the table of positions that no token has
_QKV = ("self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj")


@dataclass(frozen=True, kw_only=True)
class OptConfig(DecoderConfig):
    """The sizes of an OPT model."""

    family: str = "OPT"

    @classmethod
    def from_dict(cls, config: dict[str, Any]) -> Self:
        """Take the sizes from a `config.json`; refuse what this module does not compute."""
        config = settings.complete(config, _DEFAULTS)
        heads, width = settings.heads_and_width(config, "num_attention_heads", "hidden_size")
        settings.check_settings(config, _COMPUTED | {"word_embed_proj_dim": (width, None)})
        return cls(
            num_hidden_layers=settings.whole_number(config, "num_hidden_layers"),
            num_attention_heads=heads,
            num_key_value_heads=heads,
            head_dim=width // heads,
            hidden_size=width,
            intermediate_size=settings.whole_number(config, "ffn_dim"),
            vocab_size=settings.whole_number(config, "vocab_size"),
            max_position_embeddings=settings.whole_number(config, "max_position_embeddings"),
            norm_eps=1e-5,  # of PyTorch: there is no such setting
            activation=activations.named(config, "activation_function"),
            tie_word_embeddings=bool(config["tie_word_embeddings"]),
        )

    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Return the name and shape of every tensor that the forward pass uses: `(out, in)`."""
        width, inner = self.hidden_size, self.intermediate_size
        shapes: dict[str, tuple[int, ...]] = {
            "embed_tokens.weight": (self.vocab_size, width),
            "embed_positions.weight": (self.max_position_embeddings + _BEFORE, width),
        }
        shapes |= {"final_layer_norm.weight": (width,), "final_layer_norm.bias": (width,)}
        square = [(part, width, width) for part in (*_QKV, "self_attn.out_proj")]
        return shapes | biased_layers(
            self.num_hidden_layers,
            width,
            ("self_attn_layer_norm", "final_layer_norm"),
            [*square, ("fc1", inner, width), ("fc2", width, inner)],
        )


class Opt(DifferentiableModel):
    """An OPT decoder with its weights and tokenizer. Safe to share between threads."""

    config_class = OptConfig
    names = Names(
        words="embed_tokens",
        layer="layers",
        qkv="self_attn.qkv_proj",
        w_o="self_attn.out_proj",
        attention_norm="self_attn_layer_norm",
        mlp_norm="final_layer_norm",
        mlp_in="fc1",
        mlp_out="fc2",
    )
    last_norm_name = "final_layer_norm"
    prefixes = ("model.decoder.", "decoder.")
    norm_first = True
    norm = "LayerNorm"

    def __init__(
        self, name: str, config: OptConfig, weights: dict[str, Array], tokenizer: Tokenizer
    ) -> None:
        """Keep the weights; each layer's query, key and value projections become one matrix."""
        super().__init__(name, config, weights, tokenizer)
        for layer in range(config.num_hidden_layers):
            parts = [self._part(layer, part) for part in _QKV]
            self._join(self._part(layer, self.names.qkv), parts)
            for part in (self.names.w_o, self.names.mlp_in, self.names.mlp_out):
                self._join(self._part(layer, part), [self._part(layer, part)])

    def embed(self, ids: Array, start: int = 0) -> Array:
        """Return word + position, `(T, D)`."""
        first = start + _BEFORE
        positions = self._weights["embed_positions.weight"][first : first + len(ids)]
        return self.word_embeddings[ids] + positions
