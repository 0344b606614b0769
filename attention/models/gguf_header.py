"""The header of a GGUF file: what is said about the model, and where each tensor lies.

Every count and size is compared with what the file can hold before anything is made of it. Source
of the format: github.com/ggml-org/ggml, docs/gguf.md.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeVar

import numpy as np

from attention.models.cursor import Cursor, check_count

_T = TypeVar("_T")
Fields = Mapping[str, Any]

_MOST_ENTRIES = 4_000_000  # in all arrays of the metadata; a vocabulary with merges has 1 million
_MOST_FIELDS, _MOST_TENSORS, _MOST_AXES = 10_000, 100_000, 4
_NUMBERS = dict(zip((*range(8), 10, 11, 12), "BbHhIif?Qqd", strict=True))  # type -> struct's letter
_STRING, _ARRAY = 8, 9


class Tensor(NamedTuple):
    """Where the numbers of a tensor lie and how they are stored."""

    shape: tuple[int, ...]  # the last axis lies side by side
    kind: int  # of the format's numbering of types
    start: int  # byte in the file


@dataclass(frozen=True, eq=False)
class Strings:
    """Many strings, read when they are asked for: a look at a header needs their number only."""

    data: memoryview
    starts: list[int]  # byte in the file; each begins with its length

    def __len__(self) -> int:
        """Return how many there are."""
        return len(self.starts)

    def read(self) -> list[str]:
        """Return them all; `ValueError` where one is no UTF-8."""
        return [_Cursor(self.data, start).string() for start in self.starts]


class Header(NamedTuple):
    """What a file says about itself."""

    fields: dict[str, Any]  # numbers, strings, `Strings`, arrays of numbers
    tensors: dict[str, Tensor]


def read(data: memoryview) -> Header:
    """Return the header of a file's bytes.

    Raises
    ------
    ValueError : the file is none, is cut off, or claims more than it can hold.
    """
    at = _Cursor(data)
    magic, version, tensor_count, field_count = at.take("4sIQQ")
    if magic != b"GGUF" or version not in (2, 3):
        raise ValueError("no GGUF file of version 2 or 3")
    check_count("fields", field_count, _MOST_FIELDS)
    check_count("tensors", tensor_count, _MOST_TENSORS)
    fields = _each_once("field", [(at.string(), at.value()) for _ in range(field_count)])
    tensors = _each_once("tensor", [(at.string(), at.tensor()) for _ in range(tensor_count)])
    step = fields.get("general.alignment", 32)
    if not isinstance(step, int) or step not in {2**n for n in range(20)}:
        raise ValueError(f"general.alignment must be a power of two, got {step!r}")
    origin = -(-at.place // step) * step
    placed = {name: t._replace(start=origin + t.start) for name, t in tensors.items()}
    return Header(fields, placed)


class _Cursor(Cursor):
    """Reads what a header holds."""

    entries = 0  # in all arrays so far

    def string(self) -> str:
        (size,) = self.take("Q")
        start = self.skip(size)
        return str(self.data[start : self.place], "utf-8")

    def value(self) -> Any:
        (kind,) = self.take("I")
        if kind == _STRING:
            return self.string()
        if kind == _ARRAY:
            return self.array(*self.take("IQ"))
        (number,) = self.take(_letter(kind))
        return number

    def array(self, kind: int, count: int) -> Any:
        self.entries += count
        check_count("array entries", self.entries, _MOST_ENTRIES)
        if kind == _STRING:
            return self.strings(count)
        layout = np.dtype(f"<{_letter(kind)}")
        start = self.skip(count * layout.itemsize)
        return np.frombuffer(self.data, layout, count, start)

    def strings(self, count: int) -> Strings:
        """Pass over strings; there may be half a million of them."""
        starts, length = [], struct.Struct("<Q").unpack_from
        place, last = self.place, len(self.data) - 8
        for _ in range(count):
            if place > last:
                self.skip(place + 8 - self.place)  # more than there is: refused
            starts.append(place)
            place += 8 + length(self.data, place)[0]
        self.skip(place - self.place)
        return Strings(self.data, starts)

    def tensor(self) -> Tensor:
        (axes,) = self.take("I")
        check_count("axes of a tensor", axes, _MOST_AXES)
        shape = self.take(f"{axes}Q")[::-1]  # the file begins with the axis that lies side by side
        return Tensor(shape, *self.take("IQ"))


def _letter(kind: int) -> str:
    if kind not in _NUMBERS:
        raise ValueError(f"has a value of unknown type {kind}, or an array of arrays")
    return _NUMBERS[kind]


def _each_once(what: str, pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError(f"names a {what} twice")
    return found


def numbers_in(tensor: Tensor) -> int:
    """Return how many numbers a tensor has.

    >>> numbers_in(Tensor((2, 3), kind=0, start=0))
    6
    """
    return math.prod(tensor.shape)


def field(fields: Fields, name: str, kind: type[_T], default: _T | None = None) -> _T:
    """Return a field; `ValueError` where it is missing and has no default, or of another type.

    >>> field({"llama.block_count": 2}, "llama.block_count", int)
    2
    """
    value = fields.get(name, default)
    if value is None:
        raise ValueError(f"the field {name} is missing")
    if type(value) is not kind:
        raise ValueError(f"the field {name} is of type {type(value).__name__}, not {kind.__name__}")
    return value
