"""The GPT-2 family of decoders: LayerNorm before each part, learned positions, two matrices.

Source: Radford et al. 2019, "Language models are unsupervised multitask learners", section 2.3.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self

from attention.arrays import Array
from attention.models import activations, settings
from attention.models.architecture import Names
from attention.models.backward import DifferentiableModel
from attention.models.decoder import DecoderConfig

_DEFAULTS = {
    "vocab_size": 50_257,
    "n_positions": 1_024,
    "n_embd": 768,
    "n_layer": 12,
    "n_head": 12,
    "layer_norm_epsilon": 1e-5,
    "tie_word_embeddings": True,
    "activation_function": "gelu_new",
}
_ALIASES = {
    "hidden_size": "n_embd",
    "max_position_embeddings": "n_positions",
    "num_attention_heads": "n_head",
    "num_hidden_layers": "n_layer",
}
_COMPUTED = {
    "model_type": "gpt2",
    "scale_attn_weights": True,
    "scale_attn_by_inverse_layer_idx": False,
    "is_causal": True,
    "per_layer_config": None,
}


@dataclass(frozen=True, kw_only=True)
class Gpt2Config(DecoderConfig):
    """The sizes of a GPT-2 model."""

    @classmethod
    def from_dict(cls, config: dict[str, Any]) -> Self:
        """Take the sizes from a `config.json`; refuse what this module does not compute."""
        config = settings.complete(config, _DEFAULTS, _ALIASES)
        settings.check_settings(config, _COMPUTED)
        heads, width = settings.heads_and_width(config, "n_head", "n_embd")
        return cls(
            num_hidden_layers=settings.whole_number(config, "n_layer"),
            num_attention_heads=heads,
            num_key_value_heads=heads,
            head_dim=width // heads,
            hidden_size=width,
            intermediate_size=config.get("n_inner") or 4 * width,
            vocab_size=settings.whole_number(config, "vocab_size"),
            max_position_embeddings=settings.whole_number(config, "n_positions"),
            norm_eps=settings.epsilon(config, "layer_norm_epsilon"),
            activation=activations.named(config, "activation_function"),
            tie_word_embeddings=bool(config["tie_word_embeddings"]),
        )

    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Return the name and shape of every tensor that the forward pass uses: `(in, out)`."""
        width, inner = self.hidden_size, self.intermediate_size
        shapes: dict[str, tuple[int, ...]] = {
            "wte.weight": (self.vocab_size, width),
            "wpe.weight": (self.max_position_embeddings, width),
        }
        blocks = [f"h.{layer}" for layer in range(self.num_hidden_layers)]
        for norm in ["ln_f", *(f"{block}.{part}" for block in blocks for part in ("ln_1", "ln_2"))]:
            shapes |= {f"{norm}.weight": (width,), f"{norm}.bias": (width,)}
        for block in blocks:
            for part, rows, columns in (
                ("attn.c_attn", width, 3 * width),
                ("attn.c_proj", width, width),
                ("mlp.c_fc", width, inner),
                ("mlp.c_proj", inner, width),
            ):
                shapes[f"{block}.{part}.weight"] = (rows, columns)
                shapes[f"{block}.{part}.bias"] = (columns,)
        return shapes


class Gpt2(DifferentiableModel):
    """A GPT-2 decoder with its weights and tokenizer. Safe to share between threads."""

    config_class = Gpt2Config
    names = Names(
        words="wte",
        layer="h",
        qkv="attn.c_attn",
        w_o="attn.c_proj",
        attention_norm="ln_1",
        mlp_norm="ln_2",
        mlp_in="mlp.c_fc",
        mlp_out="mlp.c_proj",
    )
    last_norm_name = "ln_f"
    prefixes = ("transformer.",)
    norm_first = True
    norm = "LayerNorm"

    def embed(self, ids: Array, start: int = 0) -> Array:
        """Return word + position, `(T, D)`."""
        return self.word_embeddings[ids] + self._weights["wpe.weight"][start : start + len(ids)]
