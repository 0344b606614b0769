"""Tiny models with random weights, as folders that a registry could find."""

import json
from pkgutil import resolve_name

import numpy as np
from safetensors.numpy import save_file
from tokenizers import Tokenizer, models, pre_tokenizers

from attention.models.decoder import CausalModel
from attention.models.registry import ARCHITECTURES

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
_BASE = {name: value for name, value in CONFIGS["bert"].items() if name != "type_vocab_size"}
_GEMMA = CONFIGS["llama"] | {"head_dim": 4, "query_pre_attn_scalar": 6, "sliding_window": 5}
CONFIGS |= {
    kind: {**config, "model_type": kind}
    for kind, config in {
        "roberta": CONFIGS["bert"] | {"max_position_embeddings": 22},
        "xlm-roberta": CONFIGS["bert"] | {"max_position_embeddings": 22},
        "camembert": CONFIGS["bert"] | {"max_position_embeddings": 22},
        "distilbert": _BASE,
        "electra": CONFIGS["bert"] | {"embedding_size": 12},
        "mpnet": _BASE | {"max_position_embeddings": 22},
        "mistral": CONFIGS["llama"] | {"sliding_window": 5},
        "qwen2": CONFIGS["llama"],
        "qwen3": CONFIGS["llama"] | {"head_dim": 4},
        "gemma": CONFIGS["llama"] | {"head_dim": 4},
        "gemma2": _GEMMA | {"attn_logit_softcapping": 2.0},
        "gemma3": {"text_config": _GEMMA | {"sliding_window_pattern": 2,
                                            "model_type": "gemma3_text"}},
        "gemma3_text": _GEMMA | {"sliding_window_pattern": 2},
        "phi3": CONFIGS["llama"] | {"partial_rotary_factor": 0.5},
        "gpt_neox": {**_BASE, "layer_norm_eps": 1e-5, "rotary_pct": 0.5,
                     "num_hidden_layers": 3, "tie_word_embeddings": True},
        "opt": {"num_hidden_layers": 3, "num_attention_heads": 4, "hidden_size": 16,
                "ffn_dim": 24, "vocab_size": len(WORDS), "max_position_embeddings": 20},
    }.items()
}  # fmt: skip
# Those whose layers differ from all others in what is computed.
DIFFERENT = ("llama", "gpt2", "bert", "mpnet", "electra", "gemma2", "gemma3_text", "gpt_neox")
DECODERS = tuple(  # the settings of gemma3 are those of gemma3_text, one level down
    kind
    for kind, row in ARCHITECTURES.items()
    if issubclass(resolve_name(row), CausalModel) and kind != "gemma3"
)
PREFIXES = {
    **dict.fromkeys(DECODERS, "model."), **dict.fromkeys(("roberta", "xlm-roberta"), "roberta."),
    "gpt2": "transformer.", "bert": "bert.", "camembert": "roberta.", "distilbert": "distilbert.",
    "electra": "electra.", "mpnet": "mpnet.", "gpt_neox": "gpt_neox.", "opt": "model.decoder.",
    "gemma3": "model.language_model.",
}  # fmt: skip


def loader(kind):
    """Return the class that reads models of a kind."""
    return resolve_name(ARCHITECTURES[kind])


def weights(kind, seed=0, **changes):
    """Return random tensors of the right shapes, named as in a file; gains are about 1.

    In Gemma's files they are less by 1.
    """
    rng = np.random.default_rng(seed)
    shapes = loader(kind).config_class.from_dict(CONFIGS[kind] | changes).shapes()
    return {
        PREFIXES[kind] + name: rng.normal(
            len(shape) == 1 and name.endswith("weight") and "gemma" not in kind, 0.3, shape
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
