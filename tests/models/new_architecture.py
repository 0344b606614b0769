"""An architecture as somebody would add it: one file, and one row in `registry.ARCHITECTURES`.

Like no other here: LayerNorm first, rotated, shared keys and values, biases of Q, K and V only.
"""

from dataclasses import dataclass

import numpy as np

from attention.models import settings
from attention.models.architecture import Names
from attention.models.decoder import CausalModel, DecoderConfig
from attention.models.rope import Rope


@dataclass(frozen=True, kw_only=True)
class MixedConfig(DecoderConfig):
    @classmethod
    def from_dict(cls, config):
        settings.check_settings(config, {"model_type": "mixed"})
        own = {
            name: value
            for name, value in config.items()
            if name not in ("model_type", "rope_theta")
        }
        head = config["hidden_size"] // config["num_attention_heads"]
        return cls(**own | {"rope": Rope(config["rope_theta"], head)}, head_dim=head)

    def shapes(self):
        width, inner, heads = self.hidden_size, self.intermediate_size, self.num_attention_heads
        joined = (heads + 2 * self.num_key_value_heads) * self.head_dim
        shapes = {"words.weight": (self.vocab_size, width)}
        norms = ["last", *(f"blocks.{i}.{n}" for i in range(self.num_hidden_layers) for n in "ab")]
        for norm in norms:
            shapes |= {f"{norm}.weight": (width,), f"{norm}.bias": (width,)}
        for i in range(self.num_hidden_layers):
            shapes |= {f"blocks.{i}.qkv.weight": (width, joined), f"blocks.{i}.qkv.bias": (joined,)}
            shapes |= {f"blocks.{i}.o.weight": (heads * self.head_dim, width)}
            shapes |= {f"blocks.{i}.up.weight": (width, inner)}
            shapes |= {f"blocks.{i}.down.weight": (inner, width)}
        return shapes


class Mixed(CausalModel):
    config_class = MixedConfig
    names = Names("words", "blocks", qkv="qkv", w_o="o", attention_norm="a", mlp_norm="b")
    last_norm_name = "last"
    prefixes = ()
    norm_first = True
    norm = "LayerNorm"

    def embed(self, ids, start=0):
        return self.word_embeddings[ids]

    def mlp(self, layer, x):
        inner = np.tanh(self._linear(self._part(layer, "up"), x))
        return self._linear(self._part(layer, "down"), inner)
