"""Tiny models of Llama and its relatives with random weights as GGUF files."""

import numpy as np

from attention.models.gguf_families import gguf_name
from attention.models.llama_families import LlamaConfig
from attention.models.rope import Rope
from tests.models import tiny

WORDS = ["<s>", *map(chr, range(33, 127)), "Ġ", "th", "the", "hat"]  # no merges make the last one
CONFIG = LlamaConfig(
    num_hidden_layers=2,
    num_attention_heads=4,
    num_key_value_heads=2,
    head_dim=8,
    hidden_size=32,
    intermediate_size=64,
    vocab_size=len(WORDS),
    max_position_embeddings=40,
    norm_eps=0.0,
    rope=Rope(500.0, 8),
)
FIELDS = {
    "llama.block_count": CONFIG.num_hidden_layers,
    "llama.attention.head_count": CONFIG.num_attention_heads,
    "llama.attention.head_count_kv": CONFIG.num_key_value_heads,
    "llama.embedding_length": CONFIG.hidden_size,
    "llama.feed_forward_length": CONFIG.intermediate_size,
    "llama.context_length": CONFIG.max_position_embeddings,
    "llama.rope.dimension_count": CONFIG.head_dim,
    "llama.attention.layer_norm_rms_epsilon": CONFIG.norm_eps,
    "llama.rope.freq_base": CONFIG.rope.theta,
    "tokenizer.ggml.model": "gpt2",
    "tokenizer.ggml.pre": "smollm",
    "tokenizer.ggml.tokens": WORDS,
    "tokenizer.ggml.merges": ["t h", "th e"],
    "tokenizer.ggml.token_type": [3, *[1] * (len(WORDS) - 1)],
}


def tensors():
    """Return random tensors by the names that `Llama` has for them; gains are about 1."""
    rng = np.random.default_rng(0)
    return {
        name: rng.normal(len(shape) == 1, 0.3, shape).astype("f4")
        for name, shape in CONFIG.shapes().items()
    }


def write(
    path, weights=None, *, fields=(), leave_out=(), extra=(), architecture="llama", kind=None
):
    """Write a model as llama.cpp's converter does; q and k with pairs side by side.

    `fields` and `extra` tensors are added or take the place of the usual ones; matrices are stored
    as `kind`, one of the format's types.
    """
    import gguf

    file = gguf.GGUFWriter(path, architecture)
    add = {
        str: file.add_string,
        bool: file.add_bool,
        int: file.add_uint32,
        float: file.add_float32,
        list: file.add_array,
    }
    for name, value in (FIELDS | dict(fields)).items():
        if name not in leave_out:
            add[type(value)](name, value)
    for name, tensor in (tensors() if weights is None else weights).items():
        if name in leave_out:
            continue
        if name.endswith(("q_proj.weight", "k_proj.weight")):
            heads = len(tensor) // CONFIG.head_dim
            pairs = tensor.reshape(heads, 2, -1, tensor.shape[1]).swapaxes(1, 2)
            tensor = np.ascontiguousarray(pairs).reshape(tensor.shape)
        if kind is not None and tensor.ndim == 2:
            tensor = gguf.quants.quantize(tensor, kind)
            file.add_tensor(gguf_name(CONFIG, name), tensor, raw_dtype=kind)
        else:
            file.add_tensor(gguf_name(CONFIG, name), tensor)
    for name, tensor in dict(extra).items():
        file.add_tensor(name, tensor)
    file.write_header_to_file()
    file.write_kv_data_to_file()
    file.write_tensors_to_file()
    file.close()
    return path


KINDS = {  # the `model_type` of a config.json, and what a GGUF file calls it
    "llama": "llama", "mistral": "llama", "qwen2": "qwen2", "qwen3": "qwen3", "gemma": "gemma",
    "gemma2": "gemma2", "gemma3_text": "gemma3", "phi3": "phi3",
}  # fmt: skip
_OWN_FIELDS = {
    "num_hidden_layers": "block_count",
    "num_attention_heads": "attention.head_count",
    "num_key_value_heads": "attention.head_count_kv",
    "hidden_size": "embedding_length",
    "intermediate_size": "feed_forward_length",
    "max_position_embeddings": "context_length",
    "norm_eps": "attention.layer_norm_rms_epsilon",
    "head_dim": "attention.key_length",
}


def write_family(path, kind, *, fields=(), extra=(), **changes):
    """Write a model as llama.cpp's converter does; return its config and weights as in a folder."""
    changes = {"vocab_size": len(WORDS), "tie_word_embeddings": True} | changes
    config = tiny.loader(kind).config_class.from_dict(tiny.CONFIGS[kind] | changes)
    found = {name.removeprefix("model."): w for name, w in tiny.weights(kind, **changes).items()}
    told = {f"{KINDS[kind]}.{name}": getattr(config, own) for own, name in _OWN_FIELDS.items()} | {
        f"{KINDS[kind]}.rope.freq_base": config.rope.theta
    }
    told[f"{KINDS[kind]}.rope.dimension_count"] = config.rope.width
    if any(config.windows):
        told[f"{KINDS[kind]}.attention.sliding_window"] = next(filter(None, config.windows))
    if config.score_cap:
        told[f"{KINDS[kind]}.attn_logit_softcapping"] = config.score_cap
        told[f"{KINDS[kind]}.final_logit_softcapping"] = config.logit_cap
    own_words = "tokenizer.ggml.model" in dict(fields)
    kept = {n: v for n, v in FIELDS.items() if n.startswith("tokenizer") and not own_words}
    _write(path, KINDS[kind], kept | told | dict(fields), [
        *((gguf_name(config, name), _stored(config, kind, name, w)) for name, w in found.items()),
        *dict(extra).items(),
    ])  # fmt: skip
    return config, found


def _stored(config, kind, name, tensor):
    if "gemma" in kind and tensor.ndim == 1:
        return tensor + np.float32(1)
    if KINDS[kind] != "llama" or not name.endswith(("q_proj.weight", "k_proj.weight")):
        return tensor
    heads = len(tensor) // config.head_dim
    pairs = tensor.reshape(heads, 2, -1, tensor.shape[1]).swapaxes(1, 2)
    return np.ascontiguousarray(pairs).reshape(tensor.shape)


def _write(path, architecture, fields, tensors):
    import gguf

    file = gguf.GGUFWriter(path, architecture)
    add = {
        str: file.add_string, bool: file.add_bool, int: file.add_uint32, float: file.add_float32,
        list: file.add_array,
    }  # fmt: skip
    for name, value in fields.items():
        add[type(value)](name, value)
    for name, tensor in tensors:
        file.add_tensor(name, tensor)
    file.write_header_to_file()
    file.write_kv_data_to_file()
    file.write_tensors_to_file()
    file.close()
