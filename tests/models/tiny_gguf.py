"""Tiny Llama models with random weights as GGUF files."""

import numpy as np

from attention.models.gguf_files import _gguf_name
from attention.models.llama import LlamaConfig

WORDS = [*map(chr, range(33, 127)), "Ġ", "th", "the", "hat"]  # no merges make the last one
CONFIG = LlamaConfig(
    num_hidden_layers=2,
    num_attention_heads=4,
    num_key_value_heads=2,
    head_dim=4,
    hidden_size=16,
    intermediate_size=24,
    vocab_size=len(WORDS),
    max_position_embeddings=64,
    norm_eps=0.0,
    rope_theta=100.0,
)


def write(path, *, extra=None, dtype="f4", pre="smollm", merges=("t h", "th e"), fields=None):
    """Write a model; `extra` tensors and `fields` are added or take the place of the usual ones."""
    import gguf

    writer = gguf.GGUFWriter(str(path), "llama")
    writer.add_block_count(CONFIG.num_hidden_layers)
    writer.add_head_count(CONFIG.num_attention_heads)
    writer.add_head_count_kv(CONFIG.num_key_value_heads)
    writer.add_embedding_length(CONFIG.hidden_size)
    writer.add_feed_forward_length(CONFIG.intermediate_size)
    writer.add_context_length(CONFIG.max_position_embeddings)
    writer.add_layer_norm_rms_eps(CONFIG.norm_eps)
    writer.add_rope_freq_base(CONFIG.rope_theta)
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre(pre)
    writer.add_token_list(WORDS)
    writer.add_array("tokenizer.ggml.merges", list(merges))
    for name, value in (fields or {}).items():
        add = {bool: writer.add_bool, float: writer.add_float32, int: writer.add_uint32}
        add[type(value)](name, value)
    rng = np.random.default_rng(0)
    for name, shape in CONFIG.shapes().items():
        numbers = rng.normal(len(shape) == 1, 0.3, shape).astype(dtype)
        writer.add_tensor(_gguf_name(name), numbers)
    for name, numbers in (extra or {}).items():
        writer.add_tensor(name, numbers)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path
