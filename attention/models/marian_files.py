"""Marian's binary files: sizes and weights from one file, the vocabulary from those beside it.

Nothing a file says is believed unchecked.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from tokenizers import Tokenizer

from attention.arrays import Array
from attention.models import files, marian_header, places, spm_tokenizer
from attention.models.marian_config import MarianConfig, read_settings
from attention.models.marian_header import FLOAT32, INT8, TEXT, Item

_SETTINGS = "special:model.yml"
_KINDS = {FLOAT32: "float32", INT8: "intgemm8"}
_FILLED_UP = 256  # to a multiple of so many bytes


def load_marian(path: Path) -> tuple[MarianConfig, dict[str, Array]]:
    """Return the sizes of a model and its tensors, matrices `(out, in)`, as float32.

    Raises
    ------
    ValueError : the file is damaged, or of a model that is not computed here; says why.
    """
    with _named(path):
        data = np.memmap(path, np.uint8, "r")
        config, items = _checked(data)
        shapes = config.shapes()
        weights = {name: _numbers(data, name, items[name], shapes[name]) for name in shapes}
    return config, files.finished(weights, path.name)


def check_marian(path: Path) -> files.Shapes:
    """Refuse a file that `load_marian` could not read, without reading its numbers.

    Returned are the shapes of its tensors.
    """
    with _named(path):
        return _checked(np.memmap(path, np.uint8, "r"))[0].shapes()


def model_file(folder: Path) -> Path:
    """Return the Marian file in a folder; `ValueError` where there is not just one."""
    found = places.marian_files(folder)
    if len(found) != 1:
        raise ValueError(f"there are {len(found)} Marian files; a folder holds one pair")
    return found[0]


def load_vocabularies(folder: Path, config: MarianConfig) -> tuple[Tokenizer, Tokenizer]:
    """Return the tokenizers of the source and of the target, one and the same where it is shared.

    Raises
    ------
    ValueError : there is none, or it has more words than the model.
    """
    source, target = vocabulary_files(folder)
    first = _tokenizer(source)
    both = first, first if target == source else _tokenizer(target)
    sizes = config.vocab_size, config.target_vocab_size
    for path, tokenizer, words in zip((source, target), both, sizes, strict=True):
        if tokenizer.get_vocab_size() > words:
            raise ValueError(
                f"{path.name} has {tokenizer.get_vocab_size():,} words; the model has {words:,}"
            )
    return both


def vocabulary_files(folder: Path) -> tuple[Path, Path]:
    """Return the files with the vocabularies of the source and of the target.

    They are `tokenizer.json`, or else the only `.spm` file, or `srcvocab*.spm` and `trgvocab*.spm`.
    """
    if os.path.isfile(folder / "tokenizer.json"):
        return (folder / "tokenizer.json",) * 2
    found = sorted(folder.glob("*.spm"))
    if len(found) == 1:
        return found[0], found[0]
    starts = [[path for path in found if path.name.startswith(side)] for side in ("src", "trg")]
    if [len(some) for some in starts] != [1, 1]:
        raise ValueError(
            "there is neither tokenizer.json nor one vocabulary *.spm, "
            "nor srcvocab*.spm and trgvocab*.spm"
        )
    return starts[0][0], starts[1][0]


def _tokenizer(path: Path) -> Tokenizer:
    if path.suffix == ".spm":
        return spm_tokenizer.load_spm(path)
    return spm_tokenizer.ending(files.load_tokenizer(path))


@contextmanager
def _named(path: Path) -> Iterator[None]:
    """Put the file's name before what is wrong with it."""
    try:
        yield
    except OSError as error:  # its own text has the whole path
        raise ValueError(f"{path.name} cannot be read: {error.strerror}") from None
    except ValueError as error:
        raise ValueError(f"{path.name}: {files.shortened(error)}") from error


def _checked(data: Array) -> tuple[MarianConfig, dict[str, Item]]:
    """Return the sizes of the model and where its tensors lie, by the names of its config."""
    items = marian_header.read_items(data.data)
    config = MarianConfig.from_dict(read_settings(_text(data, items)))
    wanted = {config.file_name(name): (name, shape) for name, shape in config.shapes().items()}
    if missing := [name for name in wanted if name not in items]:
        raise ValueError(f"tensor {missing[0]} is missing")
    if extra := [name for name in items if name not in wanted and not _idle(name)]:
        raise ValueError(f"tensor {extra[0][:100]} and what it does are not computed here")
    for name, (ours, shape) in wanted.items():
        _check(name, items[name], _stored(ours, shape))
    return config, {ours: items[name] for name, (ours, _) in wanted.items()}


def _idle(name: str) -> bool:
    """Return whether something is no weight: settings, or how activations would be rounded."""
    return name.startswith("special:") or "QuantMult" in name


def _text(data: Array, items: Mapping[str, Item]) -> str:
    if _SETTINGS not in items:
        raise ValueError(f"its configuration {_SETTINGS} is missing")
    item = items[_SETTINGS]
    if item.kind != TEXT:
        raise ValueError(f"its configuration is of type {item.kind:#x}, expected {TEXT:#x}")
    return bytes(data[item.start : item.start + item.size]).rstrip(b"\0").decode()


def _stored(name: str, shape: tuple[int, ...]) -> tuple[int, int]:
    """Return the shape that a file gives for a tensor: a vector is one row."""
    if len(shape) == 1:
        return 1, shape[0]
    rows, columns = shape
    return (rows, columns) if _is_table(name) else (columns, rows)


def _is_table(name: str) -> bool:
    """Return whether the numbers of a word lie side by side, and not as a matrix does."""
    return name.endswith("words.weight")


def _check(name: str, item: Item, shape: tuple[int, int]) -> None:
    if item.kind not in _KINDS:
        raise ValueError(
            f"{name} is stored as type {item.kind:#x}; read are {', '.join(_KINDS.values())}"
        )
    if item.shape != shape:
        raise ValueError(f"{name} has shape {item.shape}, expected {shape}")
    needed = 4 * item.numbers if item.kind == FLOAT32 else item.numbers + 4
    if not needed <= item.size <= needed + _FILLED_UP:
        raise ValueError(f"{name} has {item.size:,} bytes, expected {needed:,}")


def _numbers(data: Array, name: str, item: Item, shape: tuple[int, ...]) -> Array:
    """Return a tensor as float32; as float32, but not as int8, matrices are stored `(in, out)`."""
    if item.kind == INT8:
        return _scaled(data, name, item).reshape(shape)
    stored = data[item.start : item.start + 4 * item.numbers].view("<f4")
    if len(shape) == 2 and not _is_table(name):
        stored = stored.reshape(shape[::-1]).T
    return np.array(stored, np.float32, order="C").reshape(shape)


def _scaled(data: Array, name: str, item: Item) -> Array:
    end = item.start + item.numbers
    scale = data[end : end + 4].view("<f4")[0]
    if not 0 < scale < np.inf:
        raise ValueError(f"{name} has the scale {scale}, which is no positive number")
    return np.divide(data[item.start : end].view(np.int8), scale, dtype=np.float32)
