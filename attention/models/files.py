"""Model files: read what is expected, and say exactly what differs. Never pickle.

`os.path.isfile` is asked, not `Path.is_file`: a name that is too long or a folder that may not be
entered is neither a file nor an error.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError, safe_open
from tokenizers import Tokenizer

from attention.arrays import Array

SMALL_FILE = 50_000_000  # bytes; a config, an index or a tokenizer is no larger

_STORED = {"F16": "<f2", "F32": "<f4", "BF16": "<u2"}
_INDEX = "model.safetensors.index.json"

Shapes = Mapping[str, tuple[int, ...]]


def read_config(folder: Path) -> dict[str, Any]:
    """Return the object in `config.json`.

    Raises
    ------
    ValueError : it is missing, too large, or no JSON object.
    """
    return _read_json(folder / "config.json")


def check_weights(
    folder: Path, shapes: Shapes, *, prefixes: Sequence[str] = (), optional: Shapes | None = None
) -> Shapes:
    """Compare the headers of a folder's files with what is expected, without reading any numbers.

    Parameters and errors are those of `read_weights`; returned are the shapes of what it would.
    """
    found: dict[str, tuple[int, ...]] = {}
    shapes, parts = _parts(folder, shapes, prefixes, optional or {})
    for part, own in parts.items():
        expected = {full: shapes[name] for full, name in own.items()}
        with _opened(part) as file:
            _check(file, part.name, expected)
        found |= {own[full]: shape for full, shape in expected.items()}
    return found


def read_weights(
    folder: Path, shapes: Shapes, *, prefixes: Sequence[str] = (), optional: Shapes | None = None
) -> dict[str, Array]:
    """Read tensors from `model.safetensors` or from the parts that its index names.

    Parameters
    ----------
    shapes : as for `read_safetensors`; a `LayerNorm` may have its old names, `gamma` and `beta`
    prefixes : one of them may stand before every name, where the file has a head besides the model
    optional : tensors of such a head, without prefix, that are read where they are there

    Raises
    ------
    ValueError : as for `read_safetensors`; or a part is missing or outside the folder.
    """
    tensors: dict[str, Array] = {}
    shapes, parts = _parts(folder, shapes, prefixes, optional or {})
    for part, own in parts.items():
        found = read_safetensors(part, {full: shapes[name] for full, name in own.items()})
        tensors |= {own[full]: tensor for full, tensor in found.items()}
    return tensors


def read_safetensors(path: Path, shapes: Shapes) -> dict[str, Array]:
    """Read the tensors named in `shapes` as float32; the header is checked before any data.

    Parameters
    ----------
    path : a `.safetensors` file with float16, bfloat16 or float32 tensors; others in it are left
        alone
    shapes : the expected shape of each tensor

    Raises
    ------
    ValueError : the file is no safetensors file, or a name, shape or type differs, or a number is
        not finite; says which.
    """
    with _opened(path) as file:
        _check(file, path.name, shapes)
    data = np.memmap(path, np.uint8, "r")
    size = int.from_bytes(bytes(data[:8]), "little")
    told = json.loads(bytes(data[8 : 8 + size]))
    return finished({name: _numbers(data[8 + size :], told[name]) for name in shapes}, path.name)


def _numbers(data: Array, told: Mapping[str, Any]) -> Array:
    """Return a tensor as float32, with nothing beside it in memory on the way."""
    stored = data[slice(*told["data_offsets"])].view(_STORED[told["dtype"]])
    if told["dtype"] != "BF16":
        return np.array(stored, np.float32).reshape(told["shape"])
    numbers = np.zeros(len(stored), "<f4")
    numbers.view("<u2")[1::2] = stored  # NumPy does not know the type: the upper half of a float32
    return numbers.reshape(told["shape"])


def shortened(error: Exception) -> str:
    """Return what an error tells, in at most 500 characters: it may quote a file at any length."""
    told = str(error)
    return told if len(told) <= 500 else f"{told[:499]}…"


def finished(tensors: dict[str, Array], file: str) -> dict[str, Array]:
    """Return read tensors read-only, for one model serves every reader; refuse NaN and infinity."""
    for name, tensor in tensors.items():
        if not np.isfinite([tensor.min(), tensor.max()]).all():  # takes no memory
            bad = int(tensor.size - np.isfinite(tensor).sum())
            raise ValueError(f"{file}: {name} has {bad:,} numbers that are not finite")
        tensor.flags.writeable = False
    return tensors


def side_by_side(matrices: Sequence[Array]) -> Array:
    """Return matrices `(out, in)`, as files hold them, as one `(in, all out)`, read-only.

    Laid out this way round, a product with few rows is a tenth faster.
    """
    joined = np.empty((matrices[0].shape[1], sum(map(len, matrices))), np.float32)
    np.concatenate([matrix.T for matrix in matrices], axis=1, out=joined)
    joined.flags.writeable = False
    return joined


@contextmanager
def _opened(path: Path) -> Iterator[Any]:
    try:
        with safe_open(path, framework="numpy") as file:
            yield file
    except (SafetensorError, OSError) as error:
        raise ValueError(f"{path.name} is not a readable safetensors file: {error}") from error


def _check(file: Any, name: str, shapes: Shapes) -> None:
    names = set(file.keys())
    differences = (_difference(file, tensor, shape, names) for tensor, shape in shapes.items())
    if problems := [problem for problem in differences if problem]:
        raise ValueError(f"{name}: {_listed(problems)}")


def _parts(
    folder: Path, shapes: Shapes, prefixes: Sequence[str], optional: Shapes
) -> tuple[Shapes, dict[Path, dict[str, str]]]:
    """Return what is to be read, and by file the names in it with those in `shapes`."""
    places = _places(folder)
    spelled = {_spelled(name, places, _prefix(shapes, places, prefixes)): name for name in shapes}
    if missing := [f"{full} is missing" for full in spelled if full not in places]:
        raise ValueError(_listed(missing))
    there = {name: shape for name, shape in optional.items() if name in places}
    parts: dict[Path, dict[str, str]] = {}
    for full, name in [*spelled.items(), *zip(there, there, strict=True)]:
        parts.setdefault(places[full], {})[full] = name
    return {**shapes, **there}, parts


def _prefix(shapes: Shapes, places: Mapping[str, Path], prefixes: Sequence[str]) -> str:
    first = next(iter(shapes), "")
    return next((prefix for prefix in prefixes if prefix + first in places), "")


def _spelled(name: str, places: Mapping[str, Path], prefix: str) -> str:
    """Return the name that a tensor has in the file: the files of 2018 have others for LayerNorm.

    >>> _spelled("a.LayerNorm.bias", {"bert.a.LayerNorm.beta": Path()}, "bert.")
    'bert.a.LayerNorm.beta'
    """
    old = name.replace("LayerNorm.weight", "LayerNorm.gamma")
    old = old.replace("LayerNorm.bias", "LayerNorm.beta")
    return prefix + (old if prefix + old in places else name)


def _places(folder: Path) -> dict[str, Path]:
    """Return the file of each tensor: the only one, or as the index says."""
    whole = folder / "model.safetensors"
    if os.path.isfile(whole):
        with _opened(whole) as file:
            return dict.fromkeys(file.keys(), whole)
    if not os.path.isfile(folder / _INDEX):
        raise ValueError(f"there is neither model.safetensors nor {_INDEX}")
    places = _read_json(folder / _INDEX).get("weight_map")
    if not isinstance(places, dict):
        raise ValueError(f"{_INDEX} has no weight_map")
    for part in set(map(str, places.values())):
        if Path(part).name != part or not os.path.isfile(folder / part):
            raise ValueError(f"{_INDEX} names {part[:100]!r}, which is not a file beside it")
    return {name: folder / str(part) for name, part in places.items()}


def _read_json(path: Path) -> dict[str, Any]:
    try:
        if not os.path.isfile(path):  # a pipe would be waited for without end
            raise ValueError(f"{path.name} is missing")
        if path.stat().st_size > SMALL_FILE:
            raise ValueError(
                f"{path.name} has {path.stat().st_size:,} bytes; at most {SMALL_FILE:,}"
            )
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, RecursionError, UnicodeDecodeError, json.JSONDecodeError) as error:
        told = error.strerror if isinstance(error, OSError) else error  # its text has the path
        raise ValueError(f"{path.name} is not readable: {told}") from None
    if not isinstance(found, dict):
        raise ValueError(f"{path.name} is no JSON object")
    return found


def _listed(problems: Sequence[str]) -> str:
    more = f" and {len(problems) - 5} more" if len(problems) > 5 else ""
    return "; ".join(problems[:5]) + more


def _difference(file: Any, name: str, shape: tuple[int, ...], names: set[str]) -> str | None:
    if name not in names:
        return f"{name} is missing"
    found = file.get_slice(name)
    if tuple(found.get_shape()) != shape:
        return f"{name} has shape {tuple(found.get_shape())}, expected {shape}"
    if found.get_dtype() not in _STORED:
        return f"{name} has type {found.get_dtype()}, expected F16, BF16 or F32"
    return None


def load_tokenizer(path: Path) -> Tokenizer:
    """Load a `tokenizer.json` with its own truncation and padding switched off.

    Raises
    ------
    ValueError : it is missing, too large, or no tokenizer.
    """
    if not os.path.isfile(path):
        raise ValueError(f"{path.name} is missing")
    if path.stat().st_size > SMALL_FILE:
        raise ValueError(f"{path.name} has {path.stat().st_size:,} bytes; at most {SMALL_FILE:,}")
    try:
        tokenizer = Tokenizer.from_file(str(path))
    except Exception as error:  # the library raises nothing more exact
        raise ValueError(f"{path.name} is no tokenizer: {error}") from error
    tokenizer.no_truncation()
    tokenizer.no_padding()
    return tokenizer
