"""Llama models in GGUF files: sizes, weights and tokenizer, all from one file.

The `gguf` package reads and dequantises; it trusts what a file says about itself, so `check_header`
comes first. Source of the format: github.com/ggml-org/ggml, docs/gguf.md.
"""

from __future__ import annotations

import math
import mmap
import os
import struct
from collections.abc import Mapping
from contextlib import contextmanager
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, pre_tokenizers, processors

from attention.core import Array
from attention.models import files
from attention.models.llama import Llama, LlamaConfig

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gguf import GGUFReader

INSTALL = 'pip install "gguf"'

_MOST_ENTRIES = 4_000_000  # in all arrays of the metadata; a vocabulary with merges has 1 million
_MOST_FIELDS, _MOST_TENSORS, _MOST_AXES = 10_000, 100_000, 4
_SIZES = {0: 1, 1: 1, 2: 2, 3: 2, 4: 4, 5: 4, 6: 4, 7: 1, 10: 8, 11: 8, 12: 8}  # of each type
_STRING, _ARRAY = 8, 9

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
_LLAMA_3_WORDS = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}|"
    r" ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)
_COMPUTED = {  # settings of scores and rotations other than these are not computed here
    "llama.attention.causal": True,
    "llama.attention.scale": 0.0,  # 1 / sqrt(E)
    "llama.rope.scale_linear": 1.0,
    "llama.rope.scaling.factor": 1.0,
}
_CONTROL = 3  # the type of tokens that are no text


def load(name: str, path: Path) -> Llama:
    """Load a Llama model.

    Raises
    ------
    ValueError : the `gguf` package is missing, or the file is damaged, or no such model; says why.
    """
    with opened(path) as reader:
        fields = _Fields(reader)
        tied = all(tensor.name != "output.weight" for tensor in reader.tensors)
        config = replace(config_from(fields), tie_word_embeddings=tied)
        tokenizer = tokenizer_from(fields)
        if tokenizer.get_vocab_size() > config.vocab_size:
            raise ValueError(
                f"the tokenizer has {tokenizer.get_vocab_size():,} words, the model "
                f"{config.vocab_size:,}"
            )
        weights = files.finished(_read_weights(reader, config), path.name)
    return Llama(name, config, weights, tokenizer)


def check(path: Path) -> None:
    """Refuse a file that `load` could not read, without reading its numbers: seconds quicker."""
    if find_spec("gguf") is None:
        raise ValueError(f"the gguf package is not installed: {INSTALL}")
    architecture = check_header(path)
    if architecture != "llama":
        raise ValueError(f"{path.name}: architecture is {architecture!r}, expected 'llama'")


@contextmanager
def opened(path: Path) -> Iterator[GGUFReader]:
    """Open a file whose header is sound; whatever the reader stumbles over becomes a ValueError."""
    check(path)
    from gguf import GGUFReader

    try:
        yield GGUFReader(path)
    except ValueError as error:
        told = str(error)
        raise ValueError(told if path.name in told else f"{path.name}: {told}") from error
    except NotImplementedError as error:  # a type of numbers that the package does not know
        raise ValueError(f"{path.name}: {error}") from error
    except (AttributeError, IndexError, KeyError, TypeError, OverflowError) as error:
        raise ValueError(f"{path.name} is damaged: {error!r}") from error


def check_header(path: Path) -> str:
    """Walk through the metadata and the list of tensors; return the architecture.

    Every count and size is compared with what the file can hold before anything is made of it.

    Raises
    ------
    ValueError : the file is none, is cut off, or claims more than it can hold.
    """
    if not os.path.isfile(path):  # a pipe would be waited for without end
        raise ValueError(f"{path.name} is no file")
    try:
        with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
            return _Walk(data, path.name).architecture()
    except OSError as error:  # its own text has the whole path
        raise ValueError(f"{path.name} cannot be read: {error.strerror}") from None
    except ValueError as error:
        told = str(error)
        raise ValueError(told if path.name in told else f"{path.name}: {told}") from None
    except struct.error:
        raise ValueError(f"{path.name} is cut off within its header") from None


class _Walk:
    """Goes through a header once."""

    def __init__(self, data: mmap.mmap, name: str) -> None:
        self.data, self.name, self.at, self.entries = data, name, 0, 0

    def architecture(self) -> str:
        magic, version, tensors, fields = self.take("<4sIQQ")
        if magic != b"GGUF" or version not in (2, 3):
            raise ValueError(f"{self.name} is no GGUF file of version 2 or 3")
        self.limit("fields", fields, _MOST_FIELDS)
        self.limit("tensors", tensors, _MOST_TENSORS)
        found = ""
        for _ in range(fields):
            key = self.string()
            (kind,) = self.take("<I")
            value = self.value(kind)
            if key == b"general.architecture":
                found = value.decode("utf-8", "replace")
        for _ in range(tensors):
            self.tensor()
        return found

    def value(self, kind: int) -> bytes:
        """Pass over one value; return it if it is a string."""
        if kind == _STRING:
            return self.string()
        if kind == _ARRAY:
            self.array()
        else:
            self.skip(self.size_of(kind))
        return b""

    def array(self) -> None:
        kind, count = self.take("<IQ")
        self.entries += count
        self.limit("array entries", self.entries, _MOST_ENTRIES)
        if kind == _ARRAY:
            raise ValueError(f"{self.name} has an array of arrays")
        if kind == _STRING:
            for _ in range(count):
                self.string()
        else:
            self.skip(count * self.size_of(kind))

    def tensor(self) -> None:
        name = self.string()
        (axes,) = self.take("<I")
        self.limit("axes of a tensor", axes, _MOST_AXES)
        shape = self.take(f"<{axes}Q")
        _, offset = self.take("<IQ")
        # no format takes less than a bit and a half for a number
        if math.prod(shape) > 8 * len(self.data) or offset > len(self.data):
            shown = name.decode("utf-8", "replace")[:100]
            raise ValueError(
                f"{self.name}: tensor {shown!r} claims {shape} at {offset:,}; the file has "
                f"{len(self.data):,} bytes"
            )

    def string(self) -> bytes:
        (length,) = self.take("<Q")
        start = self.at
        self.skip(length)
        return self.data[start : self.at]

    def take(self, layout: str) -> tuple[Any, ...]:
        values = struct.unpack_from(layout, self.data, self.at)
        self.at += struct.calcsize(layout)
        return values

    def skip(self, size: int) -> None:
        if size > len(self.data) - self.at:
            raise ValueError(
                f"{self.name} claims {size:,} bytes at {self.at:,}; it has {len(self.data):,}"
            )
        self.at += size

    def size_of(self, kind: int) -> int:
        if kind not in _SIZES:
            raise ValueError(f"{self.name} has a value of unknown type {kind}")
        return _SIZES[kind]

    def limit(self, what: str, count: int, most: int) -> None:
        if count > most:
            raise ValueError(f"{self.name} claims {count:,} {what}; the limit is {most:,}")


class _Fields:
    """The metadata by name."""

    def __init__(self, reader: GGUFReader) -> None:
        self._fields: Mapping[str, Any] = reader.fields

    def get(self, name: str, default: Any = None) -> Any:
        field = self._fields.get(name)
        return default if field is None else field.contents()

    def __getitem__(self, name: str) -> Any:
        if name not in self._fields:
            raise ValueError(f"the field {name} is missing")
        return self.get(name)

    def __contains__(self, name: str) -> bool:
        return name in self._fields


def config_from(fields: _Fields) -> LlamaConfig:
    """Return the sizes that the metadata of a Llama model names."""
    if fields.get("llama.rope.scaling.type", "none") not in ("none", ""):
        raise ValueError("rope scaling is not computed here")
    files.check_settings(
        {name: fields.get(name, usual) for name, usual in _COMPUTED.items()}, _COMPUTED
    )
    heads, width = fields["llama.attention.head_count"], fields["llama.embedding_length"]
    each = fields.get("llama.attention.key_length", width // max(heads, 1))
    config = LlamaConfig(
        num_hidden_layers=fields["llama.block_count"],
        num_attention_heads=heads,
        num_key_value_heads=fields.get("llama.attention.head_count_kv", heads),
        head_dim=each,
        hidden_size=width,
        intermediate_size=fields["llama.feed_forward_length"],
        vocab_size=len(fields["tokenizer.ggml.tokens"]),
        max_position_embeddings=fields["llama.context_length"],
        norm_eps=fields["llama.attention.layer_norm_rms_epsilon"],
        rope_theta=fields.get("llama.rope.freq_base", 10_000.0),
    )
    if fields.get("llama.rope.dimension_count", each) != each:
        raise ValueError("only a part of each head is rotated, which is not computed here")
    if fields.get("llama.attention.value_length", each) != each:
        raise ValueError("values are not as wide as keys, which is not computed here")
    return config


def _read_weights(reader: GGUFReader, config: LlamaConfig) -> dict[str, Array]:
    from gguf.quants import dequantize

    found = {tensor.name: tensor for tensor in reader.tensors}
    shapes = config.shapes()
    # A bias, or the divisors of the frequencies in `rope_freqs`: without them all would be wrong.
    if unknown := sorted(set(found) - set(map(_gguf_name, shapes))):
        raise ValueError(f"tensor {unknown[0]} and what it does are not computed here")
    weights = {}
    for name, shape in shapes.items():
        tensor = found.get(_gguf_name(name))
        if tensor is None:
            raise ValueError(f"tensor {_gguf_name(name)} is missing")
        if tuple(tensor.shape[::-1].tolist()) != shape:
            raise ValueError(
                f"{tensor.name} has shape {tuple(tensor.shape[::-1].tolist())}, expected {shape}"
            )
        numbers = dequantize(tensor.data, tensor.tensor_type)
        weights[name] = np.array(numbers, np.float32).reshape(shape)
    for name, heads in (("q", config.num_attention_heads), ("k", config.num_key_value_heads)):
        for layer in range(config.num_hidden_layers):
            place = f"model.layers.{layer}.self_attn.{name}_proj.weight"
            weights[place] = _halves(weights[place], heads)
    return weights


def _gguf_name(name: str) -> str:
    """Return what a tensor is called in the file.

    >>> _gguf_name("model.layers.3.mlp.up_proj.weight"), _gguf_name("model.norm.weight")
    ('blk.3.ffn_up.weight', 'output_norm.weight')
    """
    outside = {
        "model.embed_tokens.weight": "token_embd.weight",
        "model.norm.weight": "output_norm.weight",
        "lm_head.weight": "output.weight",
    }
    if name in outside:
        return outside[name]
    _, _, layer, part = name.removesuffix(".weight").split(".", 3)
    ours = {theirs: here for here, theirs in _PARTS.items()}
    return f"blk.{layer}.{ours[part]}.weight"


def _halves(matrix: Array, heads: int) -> Array:
    """Return rows in the order of `layers.rotate`: the first of all pairs, then the second.

    The file has the two numbers of each pair of a head next to each other.
    """
    rows, columns = matrix.shape
    pairs = matrix.reshape(heads, rows // heads // 2, 2, columns)
    return np.ascontiguousarray(pairs.swapaxes(1, 2)).reshape(rows, columns)


def tokenizer_from(fields: _Fields) -> Tokenizer:
    """Return the byte-level BPE tokenizer that the metadata describes.

    Raises
    ------
    ValueError : it is of another kind.
    """
    kind, before = fields["tokenizer.ggml.model"], fields.get("tokenizer.ggml.pre", "gpt-2")
    splitters: dict[str, list[pre_tokenizers.PreTokenizer]] = {
        "gpt-2": [],
        "default": [],
        "smollm": [pre_tokenizers.Digits(individual_digits=True)],
        "llama-bpe": [pre_tokenizers.Split(Regex(_LLAMA_3_WORDS), behavior="isolated")],
    }
    if kind != "gpt2" or before not in splitters:
        raise ValueError(f"the tokenizer is {kind!r} with {before!r}, which is not known here")
    words = fields["tokenizer.ggml.tokens"]
    merges = [tuple(merge.split(" ", 1)) for merge in fields["tokenizer.ggml.merges"]]
    vocabulary = {word: i for i, word in enumerate(words)}
    llama_3 = before == "llama-bpe"
    try:
        tokenizer = Tokenizer(models.BPE(vocabulary, merges, ignore_merges=llama_3))
    except Exception as error:  # the library raises nothing more exact
        raise ValueError(f"the tokenizer's merges do not fit its words: {error}") from error
    # `use_regex` is GPT-2's own rule for words
    bytes_in = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=not llama_3)
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([*splitters[before], bytes_in])
    tokenizer.decoder = decoders.ByteLevel()
    kinds = fields.get("tokenizer.ggml.token_type", [])
    special = [word for word, kind in zip(words, kinds, strict=False) if kind == _CONTROL]
    tokenizer.add_special_tokens([AddedToken(word, special=True) for word in special])
    if fields.get("tokenizer.ggml.add_bos_token", llama_3):
        _add_start(tokenizer, fields, words)
    return tokenizer


def _add_start(tokenizer: Tokenizer, fields: _Fields, words: list[str]) -> None:
    """Let every text begin with the start token if there is one."""
    start = fields.get("tokenizer.ggml.bos_token_id", -1)
    if not 0 <= start < len(words):
        return
    word = words[start]
    tokenizer.post_processor = processors.TemplateProcessing(
        single=f"{word} $A", special_tokens=[(word, start)]
    )
