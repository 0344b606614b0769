"""Model files: read what is expected, and say exactly what differs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError, safe_open
from tokenizers import Tokenizer

from attention.core import Array
from attention.models.trace import Tokens

MAX_CHARACTERS = 20_000  # refused before tokenizing, so that a huge paste costs nothing

_FLOATS = {"F16", "F32"}


def read_safetensors(path: Path, shapes: dict[str, tuple[int, ...]]) -> dict[str, Array]:
    """Read the tensors named in `shapes` as float32; the header is checked before any data.

    Parameters
    ----------
    path : a `.safetensors` file with float16 or float32 tensors; others in it are left alone
    shapes : the expected shape of each tensor

    Raises
    ------
    ValueError : the file is no safetensors file, or a name, shape or type differs; says which.
    """
    try:
        with safe_open(path, framework="numpy") as file:
            names = set(file.keys())
            problems = [
                problem
                for name, shape in shapes.items()
                if (problem := _difference(file, name, shape, names))
            ]
            if problems:
                more = f" and {len(problems) - 5} more" if len(problems) > 5 else ""
                raise ValueError(f"{path.name}: " + "; ".join(problems[:5]) + more)
            tensors = {
                name: file.get_tensor(name).astype(np.float32, copy=False) for name in shapes
            }
    except SafetensorError as error:
        raise ValueError(f"{path.name} is not a readable safetensors file: {error}") from error
    for tensor in tensors.values():
        tensor.flags.writeable = False  # one model serves every reader
    return tensors


def _difference(file: Any, name: str, shape: tuple[int, ...], names: set[str]) -> str | None:
    if name not in names:
        return f"{name} is missing"
    found = file.get_slice(name)
    if tuple(found.get_shape()) != shape:
        return f"{name} has shape {tuple(found.get_shape())}, expected {shape}"
    if found.get_dtype() not in _FLOATS:
        return f"{name} has type {found.get_dtype()}, expected F16 or F32"
    return None


def load_tokenizer(path: Path) -> Tokenizer:
    """Load a `tokenizer.json` with its own truncation and padding switched off."""
    tokenizer = Tokenizer.from_file(str(path))
    tokenizer.no_truncation()
    tokenizer.no_padding()
    return tokenizer


def encode(tokenizer: Tokenizer, text: str, limit: int) -> Tokens:
    """Return `text` as at most `limit` tokens.

    Raises
    ------
    ValueError : the text is too long; the message has its length and the limit.
    """
    if len(text) > MAX_CHARACTERS:
        raise ValueError(f"The text has {len(text):,} characters; the limit is {MAX_CHARACTERS:,}.")
    # A lone surrogate is no character and has no UTF-8 form: show it as the replacement sign.
    text = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    encoding = tokenizer.encode(text)
    if len(encoding) > limit:
        raise ValueError(
            f"The text has {len(encoding)} tokens; the model reads at most {limit} at once."
        )
    return Tokens(
        text=text,
        ids=np.asarray(encoding.ids, dtype=np.int64),
        pieces=tuple(encoding.tokens),
        spans=tuple(encoding.offsets),
        special=tuple(map(bool, encoding.special_tokens_mask)),
    )
