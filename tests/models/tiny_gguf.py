"""Tiny Llama models with random weights as GGUF files."""

import numpy as np

from attention.models.gguf_files import _gguf_name
from attention.models.llama_families import LlamaConfig
from attention.models.rope import Rope

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
            file.add_tensor(_gguf_name(name), tensor, raw_dtype=kind)
        else:
            file.add_tensor(_gguf_name(name), tensor)
    for name, tensor in dict(extra).items():
        file.add_tensor(name, tensor)
    file.write_header_to_file()
    file.write_kv_data_to_file()
    file.write_tensors_to_file()
    file.close()
    return path
