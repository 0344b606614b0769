"""Llama and its relatives in GGUF files: sizes, weights and tokenizer, all from one file.

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
from attention.models import files, gguf_families, gguf_header, gguf_tokenizer
from attention.models.gguf_header import Fields, Tensor, field
from attention.models.llama import Llama
from attention.models.llama_families import LlamaConfig
from attention.runtime.threads import take_turns

INSTALL = 'pip install "gguf"'

_AT_ONCE = 2**19  # numbers; more at once only takes more memory


def load_gguf(name: str, path: Path) -> Llama:
    """Load a model of Llama or one of its relatives.

    Raises
    ------
    ValueError : the `gguf` package is missing, or the file is damaged, or no such model; says why.
    """
    with _named(path):
        data = np.memmap(path, np.uint8, "r")
        fields, tensors = gguf_header.read(data.data)
        config, places = _checked(fields, tensors, data.size)
        tokenizer = gguf_tokenizer.tokenizer_of(fields)
        weights = files.finished(_read_weights(data, places), path.name)
        extra = {at: weights.pop(at) for at in gguf_families.extra_tensors(config, tensors)}
        config = gguf_families.with_divisors(config, extra)
        if field(fields, "general.architecture", str) == "llama":
            _put_pairs_apart(config, weights)
    return Llama(name, config, weights, tokenizer)


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
    config = gguf_families.config_from(fields, tensors)
    gguf_tokenizer.check_tokenizer(fields)
    shapes = config.shapes() | ({} if config.tie_word_embeddings else config.head())
    wanted = {
        gguf_families.gguf_name(config, name): (name, shape) for name, shape in shapes.items()
    }
    extras = gguf_families.extra_tensors(config, tensors)
    wanted |= {name: (name, shape) for name, shape in extras.items()}
    if missing := [name for name in wanted if name not in tensors]:
        raise ValueError(f"tensor {missing[0]} is missing")
    if extra := [name for name in tensors if name not in wanted]:
        # Whatever it is, all would be wrong without it.
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


def _put_pairs_apart(config: LlamaConfig, weights: dict[str, Array]) -> None:
    """Undo the order of queries and keys that only files of Llama itself have."""
    for part, heads in (("q", config.num_attention_heads), ("k", config.num_key_value_heads)):
        for layer in range(config.num_hidden_layers):
            for kind in ("weight", "bias"):
                place = f"layers.{layer}.self_attn.{part}_proj.{kind}"
                if place in weights:
                    weights[place] = _halves(weights[place], heads)


def _halves(matrix: Array, heads: int) -> Array:
    """Return rows in the order of `layers.rotate`: the first of all pairs, then the second.

    The file has the two numbers of each pair of a head next to each other.
    """
    pairs = matrix.reshape(heads, len(matrix) // heads // 2, 2, *matrix.shape[1:])
    return np.ascontiguousarray(pairs.swapaxes(1, 2)).reshape(matrix.shape)
