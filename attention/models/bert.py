"""The BERT encoder: post-norm blocks, learned positions, no mask.

Source: Devlin et al. 2019, "BERT", section 3.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self

from tokenizers import Tokenizer

from attention.arrays import Array
from attention.models import settings
from attention.models.architecture import Config, Names
from attention.models.encoder import Encoder
from attention.models.layers import gelu_in_place

_DEFAULTS = {
    "num_hidden_layers": 12,
    "num_attention_heads": 12,
    "hidden_size": 768,
    "intermediate_size": 3_072,
    "vocab_size": 30_522,
    "max_position_embeddings": 512,
    "type_vocab_size": 2,
    "layer_norm_eps": 1e-12,
}
_COMPUTED = {
    "model_type": "bert",
    "hidden_act": settings.GELU,
    "position_embedding_type": "absolute",
    "is_decoder": False,
    "per_layer_config": None,
}


@dataclass(frozen=True, kw_only=True)
class BertConfig(Config):
    """The sizes of a BERT model."""

    type_vocab_size: int

    @classmethod
    def from_dict(cls, config: dict[str, Any]) -> Self:
        """Take the sizes from a `config.json`; refuse what this module does not compute."""
        config = settings.complete(config, _DEFAULTS)
        settings.check_settings(config, _COMPUTED)
        heads, width = settings.heads_and_width(config, "num_attention_heads", "hidden_size")
        return cls(
            num_hidden_layers=settings.whole_number(config, "num_hidden_layers"),
            num_attention_heads=heads,
            num_key_value_heads=heads,
            head_dim=width // heads,
            hidden_size=width,
            intermediate_size=settings.whole_number(config, "intermediate_size"),
            vocab_size=settings.whole_number(config, "vocab_size"),
            max_position_embeddings=settings.whole_number(config, "max_position_embeddings"),
            type_vocab_size=settings.whole_number(config, "type_vocab_size", 1_000),
            norm_eps=settings.epsilon(config, "layer_norm_eps"),
        )

    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Return the name and shape of every tensor that the forward pass uses."""
        width, inner = self.hidden_size, self.intermediate_size
        shapes: dict[str, tuple[int, ...]] = {
            "embeddings.word_embeddings.weight": (self.vocab_size, width),
            "embeddings.position_embeddings.weight": (self.max_position_embeddings, width),
            "embeddings.token_type_embeddings.weight": (self.type_vocab_size, width),
            "embeddings.LayerNorm.weight": (width,),
            "embeddings.LayerNorm.bias": (width,),
        }
        for layer in range(self.num_hidden_layers):
            for part, rows, columns in (
                ("attention.self.query", width, width),
                ("attention.self.key", width, width),
                ("attention.self.value", width, width),
                ("attention.output.dense", width, width),
                ("intermediate.dense", inner, width),
                ("output.dense", width, inner),
            ):
                shapes[f"encoder.layer.{layer}.{part}.weight"] = (rows, columns)
                shapes[f"encoder.layer.{layer}.{part}.bias"] = (rows,)
            for part in ("attention.output.LayerNorm", "output.LayerNorm"):
                shapes[f"encoder.layer.{layer}.{part}.weight"] = (width,)
                shapes[f"encoder.layer.{layer}.{part}.bias"] = (width,)
        return shapes


class Bert(Encoder):
    """A BERT encoder with its weights and tokenizer. Safe to share between threads."""

    config_class = BertConfig
    names = Names(
        words="embeddings.word_embeddings",
        layer="encoder.layer",
        qkv="attention.self",
        w_o="attention.output.dense",
        attention_norm="attention.output.LayerNorm",
        mlp_norm="output.LayerNorm",
    )
    prefixes = ("bert.",)
    norm_first = False
    norm = "LayerNorm"

    def __init__(
        self, name: str, config: BertConfig, weights: dict[str, Array], tokenizer: Tokenizer
    ) -> None:
        """Keep the weights; each layer's query, key and value projections become one matrix."""
        super().__init__(name, config, weights, tokenizer)
        for layer in range(config.num_hidden_layers):
            qkv = self._part(layer, self.names.qkv)
            self._join(qkv, [f"{qkv}.{part}" for part in ("query", "key", "value")])
            for part in (self.names.w_o, "intermediate.dense", "output.dense"):
                self._join(self._part(layer, part), [self._part(layer, part)])

    def embed(self, ids: Array, start: int = 0) -> Array:
        """Return word + position + segment 0, normalised: `(T, D)`."""
        x = self.word_embeddings[ids]
        x += self._weights["embeddings.position_embeddings.weight"][start : start + len(ids)]
        x += self._weights["embeddings.token_type_embeddings.weight"][0]
        return self._norm("embeddings.LayerNorm", x)

    def mlp(self, layer: int, x: Array) -> Array:
        """Return `GELU(x W_1 + b_1) W_2 + b_2`."""
        inner = gelu_in_place(self._linear(self._part(layer, "intermediate.dense"), x))
        return self._linear(self._part(layer, "output.dense"), inner)
