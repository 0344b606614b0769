"""Llama models in GGUF files: sizes, weights and tokenizer, all from one file.

The `gguf` package turns stored formats into float32; nothing a file says is believed unchecked.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from importlib.util import find_spec
from pathlib import Path

import numpy as np

from attention.arrays import Array
from attention.models import files, gguf_header, gguf_tokenizer, settings
from attention.models.gguf_header import Fields, Strings, Tensor, field
from attention.models.llama import Llama
from attention.models.llama_families import LlamaConfig
from attention.models.rope import Rope
from attention.runtime.threads import take_turns

INSTALL = 'pip install "gguf"'

_PARTS = {
    "attn_norm": "input_layernorm",
    "attn_q": "self_attn.q_proj",
    "attn_k": "self_attn.k_proj",
    "attn_v": "self_attn.v_proj",
    "attn_output": "self_attn.o_proj",
    "ffn_norm": "post_attention_layernorm",
    "ffn_gate": "mlp.gate_proj",
    "ffn_up": "mlp.up_proj",
    "ffn_down": "mlp.down_proj",
}
_COMPUTED = {  # settings of scores and rotations other than these are not computed here
    "llama.attention.causal": True,
    "llama.attention.scale": 0.0,  # 1 / sqrt(E)
    "llama.rope.scale_linear": 1.0,
    "llama.rope.scaling.factor": 1.0,
    "llama.rope.scaling.type": "none",
}
_AT_ONCE = 2**19  # numbers; more at once only takes more memory


def load_gguf(name: str, path: Path) -> Llama:
    """Load a Llama model.

    Raises
    ------
    ValueError : the `gguf` package is missing, or the file is damaged, or no such model; says why.
    """
    with _named(path):
        data = np.memmap(path, np.uint8, "r")
        fields, tensors = gguf_header.read(data.data)
        config, places = _checked(fields, tensors, data.size)
        tokenizer = gguf_tokenizer.tokenizer_of(fields)
        weights = _read_weights(data, places)
        for part, heads in (("q", config.num_attention_heads), ("k", config.num_key_value_heads)):
            for layer in range(config.num_hidden_layers):
                place = f"layers.{layer}.self_attn.{part}_proj.weight"
                weights[place] = _halves(weights[place], heads)
    return Llama(name, config, files.finished(weights, path.name), tokenizer)


def check_gguf(path: Path) -> files.Shapes:
    """Refuse a file that `load` could not read, without reading its numbers: seconds quicker.

    Returned are the shapes of its tensors.
    """
    with _named(path):
        data = np.memmap(path, np.uint8, "r")
        _, places = _checked(*gguf_header.read(data.data), data.size)
        return {name: tensor.shape for name, tensor in places.items()}


@contextmanager
def _named(path: Path) -> Iterator[None]:
    """Put the file's name before what is wrong with it."""
    if find_spec("gguf") is None:
        raise ValueError(f"the gguf package is not installed: {INSTALL}")
    if not os.path.isfile(path):  # a pipe would be waited for without end
        raise ValueError(f"{path.name} is not a file")
    try:
        yield
    except OSError as error:  # its own text has the whole path
        raise ValueError(f"{path.name} cannot be read: {error.strerror}") from None
    except ValueError as error:
        raise ValueError(f"{path.name}: {files.shortened(error)}") from error


def _checked(
    fields: Fields, tensors: Mapping[str, Tensor], size: int
) -> tuple[LlamaConfig, dict[str, Tensor]]:
    """Return the sizes of the model and its tensors, by the names that `Llama` has for them."""
    if (parts := field(fields, "split.count", int, 0)) > 1:
        raise ValueError(f"one of {parts} parts of a file; `llama-gguf-split --merge` joins them")
    config = config_from(fields, tied="output.weight" not in tensors)
    gguf_tokenizer.parts(fields)
    shapes = config.shapes() | ({} if config.tie_word_embeddings else config.head())
    wanted = {_gguf_name(name): (name, shape) for name, shape in shapes.items()}
    if missing := [name for name in wanted if name not in tensors]:
        raise ValueError(f"tensor {missing[0]} is missing")
    if extra := [name for name in tensors if name not in wanted]:
        # A bias, or the divisors of the frequencies in `rope_freqs`: all would be wrong without it.
        raise ValueError(f"tensor {extra[0][:100]} and what it does are not computed here")
    for name, (_, shape) in wanted.items():
        if tensors[name].shape != shape:
            raise ValueError(f"{name} has shape {tensors[name].shape}, expected {shape}")
    sizes = {name: _bytes_of(name, tensor) for name, tensor in tensors.items()}
    for name, tensor in tensors.items():
        if tensor.start + sizes[name] > size:
            raise ValueError(
                f"{name} claims {sizes[name]:,} bytes at {tensor.start:,}; the file has {size:,}"
            )
    if sum(sizes.values()) > size:  # one place read a thousand times would fill the memory
        raise ValueError(f"tensors claim {sum(sizes.values()):,} bytes; the file has {size:,}")
    return config, {ours: tensors[name] for name, (ours, _) in wanted.items()}


def config_from(fields: Fields, *, tied: bool) -> LlamaConfig:
    """Return the sizes that the metadata of a Llama model names."""
    architecture = field(fields, "general.architecture", str)
    if architecture != "llama":
        raise ValueError(f"architecture is {architecture!r}, expected 'llama'")
    settings.check_settings(fields, _COMPUTED)
    heads = field(fields, "llama.attention.head_count", int)
    width = field(fields, "llama.embedding_length", int)
    each = field(fields, "llama.attention.key_length", int, width // max(heads, 1))
    config = LlamaConfig(
        num_hidden_layers=field(fields, "llama.block_count", int),
        num_attention_heads=heads,
        num_key_value_heads=field(fields, "llama.attention.head_count_kv", int, heads),
        head_dim=each,
        hidden_size=width,
        intermediate_size=field(fields, "llama.feed_forward_length", int),
        vocab_size=len(field(fields, "tokenizer.ggml.tokens", Strings)),
        max_position_embeddings=field(fields, "llama.context_length", int),
        norm_eps=field(fields, "llama.attention.layer_norm_rms_epsilon", float),
        rope=Rope(field(fields, "llama.rope.freq_base", float, 10_000.0), each),
        tie_word_embeddings=tied,
    )
    if field(fields, "llama.rope.dimension_count", int, each) != each:
        raise ValueError("only a part of each head is rotated, which is not computed here")
    if field(fields, "llama.attention.value_length", int, each) != each:
        raise ValueError("values are not as wide as keys, which is not computed here")
    return config


def _bytes_of(name: str, tensor: Tensor) -> int:
    block, size = _block(tensor.kind)
    if tensor.shape[-1] % block:
        raise ValueError(f"{name} has rows of {tensor.shape[-1]}, stored in blocks of {block}")
    return gguf_header.numbers_in(tensor) // block * size


@cache
def _block(kind: int) -> tuple[int, int]:
    """Return how many numbers a type stores together, and in how many bytes.

    Raises
    ------
    ValueError : there is no such type, or its numbers are not read here.
    """
    from gguf import GGML_QUANT_SIZES, GGMLQuantizationType
    from gguf.quants import dequantize

    known = GGMLQuantizationType(kind)
    block, size = GGML_QUANT_SIZES[known]
    try:
        dequantize(np.zeros((1, size), np.uint8), known)
    except NotImplementedError:
        raise ValueError(f"numbers stored as {known.name} are not read here") from None
    return block, size


def _read_weights(data: Array, places: Mapping[str, Tensor]) -> dict[str, Array]:
    weights: dict[str, Array] = {}

    def read(turns: Iterator[tuple[str, Tensor]]) -> None:
        for name, tensor in turns:
            weights[name] = _dequantised(data, tensor)

    take_turns(read, places.items())
    return weights


def _dequantised(data: Array, tensor: Tensor) -> Array:
    """Return a tensor as float32; made part by part, so that little lies beside it."""
    from gguf import GGMLQuantizationType
    from gguf.quants import dequantize

    block, size = _block(tensor.kind)
    numbers = np.empty(gguf_header.numbers_in(tensor), np.float32)
    for at in range(0, numbers.size, _AT_ONCE):
        part = numbers[at : at + _AT_ONCE]
        start = tensor.start + at // block * size
        stored = np.asarray(data[start : start + part.size // block * size])
        part[:] = dequantize(stored[None], GGMLQuantizationType(tensor.kind))[0]
    return numbers.reshape(tensor.shape)


def _gguf_name(name: str) -> str:
    """Return what a tensor is called in the file.

    >>> _gguf_name("layers.3.mlp.up_proj.weight"), _gguf_name("norm.weight")
    ('blk.3.ffn_up.weight', 'output_norm.weight')
    """
    outside = {
        "embed_tokens.weight": "token_embd.weight",
        "norm.weight": "output_norm.weight",
        "lm_head.weight": "output.weight",
    }
    if name in outside:
        return outside[name]
    _, layer, part = name.removesuffix(".weight").split(".", 2)
    ours = {theirs: here for here, theirs in _PARTS.items()}
    return f"blk.{layer}.{ours[part]}.weight"


def _halves(matrix: Array, heads: int) -> Array:
    """Return rows in the order of `layers.rotate`: the first of all pairs, then the second.

    The file has the two numbers of each pair of a head next to each other.
    """
    rows, columns = matrix.shape
    pairs = matrix.reshape(heads, rows // heads // 2, 2, columns)
    return np.ascontiguousarray(pairs.swapaxes(1, 2)).reshape(rows, columns)
