"""Tiny models with random weights, as folders that a registry could find."""

import json

import numpy as np
from safetensors.numpy import save_file
from tokenizers import Tokenizer, models, pre_tokenizers

from attention.models.bert_families import BertConfig
from attention.models.gpt2 import Gpt2Config
from attention.models.llama_families import LlamaConfig

WORDS = ("the", "cat", "sat", "on", "mat", "dog", "ran", "away", "it", "was", "[UNK]")
CONFIGS = {
    "llama": {
        "model_type": "llama",
        "num_hidden_layers": 3,
        "num_attention_heads": 4,
        "num_key_value_heads": 2,
        "hidden_size": 16,
        "intermediate_size": 24,
        "vocab_size": len(WORDS),
        "max_position_embeddings": 20,
        "rms_norm_eps": 1e-5,
        "rope_theta": 100.0,
        "tie_word_embeddings": True,
    },
    "gpt2": {
        "model_type": "gpt2",
        "n_layer": 3,
        "n_head": 4,
        "n_embd": 16,
        "n_positions": 20,
        "vocab_size": len(WORDS),
    },
    "bert": {
        "model_type": "bert",
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
        "hidden_size": 16,
        "intermediate_size": 24,
        "vocab_size": len(WORDS),
        "max_position_embeddings": 20,
        "type_vocab_size": 2,
        "layer_norm_eps": 1e-12,
    },
}
_KINDS = {"llama": LlamaConfig, "gpt2": Gpt2Config, "bert": BertConfig}
PREFIXES = {"llama": "model.", "gpt2": "transformer.", "bert": "bert."}


def weights(kind, seed=0, **changes):
    """Return random tensors of the right shapes, named as in a file; gains are about 1."""
    rng = np.random.default_rng(seed)
    shapes = _KINDS[kind].from_dict(CONFIGS[kind] | changes).shapes()
    return {
        PREFIXES[kind] + name: rng.normal(
            len(shape) == 1 and name.endswith("weight"), 0.3, shape
        ).astype("f4")
        for name, shape in shapes.items()
    }


def write(folder, kind, tensors=None, **changes):
    """Write config.json, tokenizer.json and model.safetensors; return the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.json").write_text(json.dumps(CONFIGS[kind] | changes))
    save_file(weights(kind, **changes) if tensors is None else tensors,
              folder / "model.safetensors")  # fmt: skip
    write_tokenizer(folder)
    return folder


def write_tokenizer(folder):
    """Write a tokenizer.json that knows each of the words and nothing else."""
    tokenizer = Tokenizer(models.WordLevel({w: i for i, w in enumerate(WORDS)}, "[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.save(str(folder / "tokenizer.json"))
