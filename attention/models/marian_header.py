"""The header of a Marian file: which tensors there are, their shapes, and where each lies.

Little-endian: `u64` version and count; for each tensor four `u64`, the lengths of its name and its
shape, its type, and how many bytes it has; then all names, all shapes, `u64` bytes to pass over,
and the numbers. Every count and size is compared with what the file can hold.

Source of the format: github.com/marian-nmt/marian-dev, src/common/binary.cpp.
"""

from __future__ import annotations

import math
from typing import NamedTuple

from attention.models.cursor import Cursor, check_count

VERSION = 1
TEXT, FLOAT32, INT8 = 0x0101, 0x0404, 0x4101  # INT8 has one scale for a whole tensor behind it
_MOST_TENSORS, _MOST_AXES, _LONGEST_NAME = 10_000, 4, 1_000
_MOST_NUMBERS = 2**40  # of one tensor: their product stays a number that can be compared


class Item(NamedTuple):
    """Where something lies in a file, and how it is stored."""

    shape: tuple[int, ...]
    kind: int  # of the format's numbering of types
    start: int  # byte in the file
    size: int  # bytes, with what fills them up

    @property
    def numbers(self) -> int:
        """How many numbers there are."""
        return math.prod(self.shape)


def read_items(data: memoryview) -> dict[str, Item]:
    """Return what a file holds, by name.

    Raises
    ------
    ValueError : the file is none, is cut off, or claims more than it can hold.
    """
    at = Cursor(data)
    version, count = at.take("QQ")
    if version != VERSION:
        raise ValueError(f"no Marian file of version {VERSION}")
    check_count("tensors", count, _MOST_TENSORS)
    records = [at.take("4Q") for _ in range(count)]
    names = [_name(at, length) for length, *_ in records]
    shapes = [_shape(at, axes) for _, _, axes, _ in records]
    at.skip(*at.take("Q"))
    items = [
        Item(shape, kind, at.skip(size), size)
        for shape, (_, kind, _, size) in zip(shapes, records, strict=True)
    ]
    if len(set(names)) < count:
        raise ValueError("names a tensor twice")
    return dict(zip(names, items, strict=True))


def _name(at: Cursor, length: int) -> str:
    check_count("bytes of a name", length, _LONGEST_NAME)
    start = at.skip(length)
    return str(at.data[start : at.place], "utf-8").removesuffix("\0")


def _shape(at: Cursor, axes: int) -> tuple[int, ...]:
    check_count("axes of a tensor", axes, _MOST_AXES)
    shape = at.take(f"{axes}i")
    if min(shape, default=1) < 1 or math.prod(shape) > _MOST_NUMBERS:
        raise ValueError(f"has a tensor of shape {shape}")
    return shape
