"""Llama models in GGUF files: sizes, weights and tokenizer, all from one file.

The `gguf` package turns stored formats into float32; nothing a file says is believed unchecked.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, pre_tokenizers, processors

from attention.core import Array
from attention.models import files, gguf_header, settings
from attention.models.gguf_header import Tensor
from attention.models.llama import Llama, LlamaConfig
from attention.threads import take_turns

T = TypeVar("T")
Fields = Mapping[str, Any]

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
_LLAMA_3_WORDS = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}|"
    r" ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)
_CONTROL = 3  # the type of tokens that are no text
_AT_ONCE = 2**19  # numbers; more at once only takes more memory


def load(name: str, path: Path) -> Llama:
    """Load a Llama model.

    Raises
    ------
    ValueError : the `gguf` package is missing, or the file is damaged, or no such model; says why.
    """
    with _named(path):
        data = np.memmap(path, np.uint8, "r")
        fields, tensors = gguf_header.read(data.data)
        config, places = _checked(fields, tensors, data.size)
        tokenizer = tokenizer_from(fields)
        weights = _read_weights(data, places)
        for part, heads in (("q", config.num_attention_heads), ("k", config.num_key_value_heads)):
            for layer in range(config.num_hidden_layers):
                place = f"layers.{layer}.self_attn.{part}_proj.weight"
                weights[place] = _halves(weights[place], heads)
    return Llama(name, config, files.finished(weights, path.name), tokenizer)


def check(path: Path) -> None:
    """Refuse a file that `load` could not read, without reading its numbers: seconds quicker."""
    with _named(path):
        data = np.memmap(path, np.uint8, "r")
        _checked(*gguf_header.read(data.data), data.size)


@contextmanager
def _named(path: Path) -> Iterator[None]:
    """Put the file's name before what is wrong with it."""
    if find_spec("gguf") is None:
        raise ValueError(f"the gguf package is not installed: {INSTALL}")
    if not os.path.isfile(path):  # a pipe would be waited for without end
        raise ValueError(f"{path.name} is no file")
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
    config = config_from(fields, tied="output.weight" not in tensors)
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
    architecture = _field(fields, "general.architecture", str)
    if architecture != "llama":
        raise ValueError(f"architecture is {architecture!r}, expected 'llama'")
    settings.check_settings(fields, _COMPUTED)
    heads = _field(fields, "llama.attention.head_count", int)
    width = _field(fields, "llama.embedding_length", int)
    each = _field(fields, "llama.attention.key_length", int, width // max(heads, 1))
    config = LlamaConfig(
        num_hidden_layers=_field(fields, "llama.block_count", int),
        num_attention_heads=heads,
        num_key_value_heads=_field(fields, "llama.attention.head_count_kv", int, heads),
        head_dim=each,
        hidden_size=width,
        intermediate_size=_field(fields, "llama.feed_forward_length", int),
        vocab_size=len(_field(fields, "tokenizer.ggml.tokens", list)),
        max_position_embeddings=_field(fields, "llama.context_length", int),
        norm_eps=_field(fields, "llama.attention.layer_norm_rms_epsilon", float),
        rope_theta=_field(fields, "llama.rope.freq_base", float, 10_000.0),
        tie_word_embeddings=tied,
    )
    if _field(fields, "llama.rope.dimension_count", int, each) != each:
        raise ValueError("only a part of each head is rotated, which is not computed here")
    if _field(fields, "llama.attention.value_length", int, each) != each:
        raise ValueError("values are not as wide as keys, which is not computed here")
    return config


def _field(fields: Fields, name: str, kind: type[T], default: T | None = None) -> T:
    value = fields.get(name, default)
    if value is None:
        raise ValueError(f"the field {name} is missing")
    if type(value) is not kind:
        raise ValueError(f"the field {name} is of type {type(value).__name__}, not {kind.__name__}")
    return value


def _bytes_of(name: str, tensor: Tensor) -> int:
    block, size = _block(tensor.kind)
    if tensor.shape[-1] % block:
        raise ValueError(f"{name} has rows of {tensor.shape[-1]}, stored in blocks of {block}")
    return gguf_header.numbers_in(tensor) // block * size


def _block(kind: int) -> tuple[int, int]:
    """Return how many numbers a type stores together, and in how many bytes."""
    from gguf import GGML_QUANT_SIZES, GGMLQuantizationType

    return GGML_QUANT_SIZES[GGMLQuantizationType(kind)]


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

    kind = GGMLQuantizationType(tensor.kind)
    block, size = _block(tensor.kind)
    numbers = np.empty(gguf_header.numbers_in(tensor), np.float32)
    for at in range(0, numbers.size, _AT_ONCE):
        part = numbers[at : at + _AT_ONCE]
        start = tensor.start + at // block * size
        stored = np.asarray(data[start : start + part.size // block * size])
        try:
            part[:] = dequantize(stored[None], kind)[0]
        except NotImplementedError:
            raise ValueError(f"numbers stored as {kind.name} are not read here") from None
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


def tokenizer_from(fields: Fields) -> Tokenizer:
    """Return the byte-level BPE tokenizer that the metadata describes.

    Raises
    ------
    ValueError : it is of another kind, or its parts do not fit together.
    """
    kind = _field(fields, "tokenizer.ggml.model", str)
    before = _field(fields, "tokenizer.ggml.pre", str)
    splitters: dict[str, list[pre_tokenizers.PreTokenizer]] = {
        "gpt-2": [],
        "smollm": [pre_tokenizers.Digits(individual_digits=True)],
        "llama-bpe": [pre_tokenizers.Split(Regex(_LLAMA_3_WORDS), behavior="isolated")],
    }
    if kind != "gpt2" or before not in splitters:
        raise ValueError(f"the tokenizer is {kind!r} with {before!r}, which is not known here")
    llama_3 = before == "llama-bpe"
    words = _field(fields, "tokenizer.ggml.tokens", list)
    merges = [tuple(pair.split(" ", 1)) for pair in _field(fields, "tokenizer.ggml.merges", list)]
    try:
        vocabulary = {word: i for i, word in enumerate(words)}
        tokenizer = Tokenizer(models.BPE(vocabulary, merges, ignore_merges=llama_3))
        _add_special(tokenizer, fields, words, start=llama_3)
    except Exception as error:  # the library raises nothing more exact
        raise ValueError(f"the parts of the tokenizer do not fit together: {error}") from error
    # `use_regex` is GPT-2's own rule for words
    bytes_in = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=not llama_3)
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([*splitters[before], bytes_in])
    tokenizer.decoder = decoders.ByteLevel()
    return tokenizer


def _add_special(tokenizer: Tokenizer, fields: Fields, words: list[str], *, start: bool) -> None:
    """Name the tokens that are no text; whether texts begin with one, the file says or `start`."""
    kinds = _field(fields, "tokenizer.ggml.token_type", np.ndarray, np.zeros(0))
    special = [word for word, kind in zip(words, kinds, strict=False) if kind == _CONTROL]
    tokenizer.add_special_tokens([AddedToken(word, special=True) for word in special])
    if _field(fields, "tokenizer.ggml.add_bos_token", bool, start):
        first = _field(fields, "tokenizer.ggml.bos_token_id", int)
        tokenizer.post_processor = processors.TemplateProcessing(
            single=f"{words[first]} $A", special_tokens=[(words[first], first)]
        )
