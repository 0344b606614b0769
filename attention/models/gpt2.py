"""The GPT-2 family of decoders: LayerNorm before each part, learned positions, tanh GELU.

Source: Radford et al. 2019, "Language models are unsupervised multitask learners", section 2.3.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np
from tokenizers import Tokenizer

from attention.core import Array
from attention.models import files, settings
from attention.models.decoder import CausalModel, DecoderConfig, Projected
from attention.models.layers import layer_norm, split_heads

_PREFIXES = ("transformer.",)
_DEFAULTS = {
    "vocab_size": 50_257,
    "n_positions": 1_024,
    "n_embd": 768,
    "n_layer": 12,
    "n_head": 12,
    "layer_norm_epsilon": 1e-5,
    "tie_word_embeddings": True,
}
_ALIASES = {
    "hidden_size": "n_embd",
    "max_position_embeddings": "n_positions",
    "num_attention_heads": "n_head",
    "num_hidden_layers": "n_layer",
}
_COMPUTED = {
    "model_type": "gpt2",
    "activation_function": settings.GELU_TANH,
    "scale_attn_weights": True,
    "scale_attn_by_inverse_layer_idx": False,
    "is_causal": True,
    "per_layer_config": None,
}


@dataclass(frozen=True)
class Gpt2Config(DecoderConfig):
    """The sizes of a GPT-2 model."""

    @classmethod
    def from_dict(cls, config: dict[str, Any]) -> Self:
        """Take the sizes from a `config.json`; refuse what this module does not compute."""
        config = settings.complete(config, _DEFAULTS, _ALIASES)
        settings.check_settings(config, _COMPUTED)
        heads, width = settings.number(config, "n_head"), settings.number(config, "n_embd")
        if width % heads:
            raise ValueError(f"{heads} heads cannot divide a width of {width}")
        return cls(
            num_hidden_layers=settings.number(config, "n_layer"),
            num_attention_heads=heads,
            num_key_value_heads=heads,
            head_dim=width // heads,
            hidden_size=width,
            intermediate_size=config.get("n_inner") or 4 * width,
            vocab_size=settings.number(config, "vocab_size"),
            max_position_embeddings=settings.number(config, "n_positions"),
            norm_eps=config["layer_norm_epsilon"],
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


class Gpt2(CausalModel):
    """A GPT-2 decoder with its weights and tokenizer. Safe to share between threads."""

    config: Gpt2Config

    def __init__(
        self, name: str, config: Gpt2Config, weights: dict[str, Array], tokenizer: Tokenizer
    ) -> None:
        """Keep the weights."""
        super().__init__(name, config, tokenizer, weights, "wte.weight")
        self._weights = weights

    @classmethod
    def from_folder(cls, name: str, folder: Path) -> Self:
        """Load `config.json`, `tokenizer.json` and safetensors from `folder`."""
        config = Gpt2Config.from_dict(files.read_config(folder))
        weights = files.read_weights(
            folder, config.shapes(), prefixes=_PREFIXES, optional=config.head()
        )
        return cls(name, config, weights, files.load_tokenizer(folder / "tokenizer.json"))

    @classmethod
    def check_folder(cls, folder: Path) -> files.Shapes:
        """Refuse what `from_folder` could not read; return the shapes of what it would."""
        config = Gpt2Config.from_dict(files.read_config(folder))
        return files.check_weights(
            folder, config.shapes(), prefixes=_PREFIXES, optional=config.head()
        )

    def embed(self, ids: Array, start: int = 0) -> Array:
        """Return word + position, `(T, D)`."""
        return self.word_embeddings[ids] + self._weights["wpe.weight"][start : start + len(ids)]

    def normalised(self, layer: int, x: Array) -> Array:
        """Return `LayerNorm(x)`, which queries, keys and values are made of."""
        self.check_layer(layer)
        return self._norm(f"h.{layer}.ln_1", x)

    def project(self, layer: int, x: Array, start: int = 0) -> Projected:
        """Return queries, keys and values of `LayerNorm(x)`, `(H, T, E)` each."""
        rows = self.normalised(layer, x).reshape(-1, x.shape[-1])  # one product for all texts
        joined = self._linear(f"h.{layer}.attn.c_attn", rows)
        joined = joined.reshape(*x.shape[:-1], joined.shape[-1])
        heads = split_heads(joined, 3 * self.config.num_attention_heads)
        return Projected(*np.split(heads, 3, axis=-3))

    def output_projection(self, layer: int) -> tuple[Array, Array]:
        """Return W_O `(H * E, D)`, the rows of each head together, and its bias `(D,)`."""
        self.check_layer(layer)
        name = f"h.{layer}.attn.c_proj"
        return self._weights[f"{name}.weight"], self._weights[f"{name}.bias"]

    def after_attention(self, layer: int, x: Array, attended: Array) -> Array:
        """Return `y + MLP(LayerNorm(y))` for `y = x + attended`."""
        self.check_layer(layer)
        y = x + attended
        inner = self._linear(f"h.{layer}.mlp.c_fc", self._norm(f"h.{layer}.ln_2", y))
        y += self._linear(f"h.{layer}.mlp.c_proj", _gelu_tanh(inner))
        return y

    def last_norm(self, x: Array) -> Array:
        """Return `LayerNorm(x)`."""
        return self._norm("ln_f", x)

    def _linear(self, name: str, x: Array) -> Array:
        y: Array = x @ self._weights[f"{name}.weight"]
        y += self._weights[f"{name}.bias"]
        return y

    def _norm(self, name: str, x: Array) -> Array:
        gain, bias = self._weights[f"{name}.weight"], self._weights[f"{name}.bias"]
        return layer_norm(x, gain, bias, self.config.norm_eps)


def _gelu_tanh(x: Array) -> Array:
    """Return `x / 2 (1 + tanh(sqrt(2 / pi) (x + 0.044715 x^3)))`, which GPT-2 was trained with."""
    inner = x * x
    inner *= 0.044715
    inner += 1
    inner *= x
    inner *= math.sqrt(2 / math.pi)
    np.tanh(inner, out=inner)
    inner += 1
    inner *= x
    inner *= 0.5
    return inner
