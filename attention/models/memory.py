"""Memory: what a model takes, and the arrays of a forward pass, used again once nobody holds them.

Fresh memory is slow: the system hands it out page by page, each page wiped at its first use. For
402 tokens of MiniLM that was a quarter of the time of a trace.
"""

from __future__ import annotations

import math
import weakref
from collections import deque
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import numpy as np

from attention.arrays import Array
from attention.runtime import machine

_MOST_KEPT = 40_000_000  # numbers, 160 MB: blocks larger than this go back to the system

# Smaller arrays on the way come from malloc. The one of Linux gives memory back at once unless it
# has seen blocks of that size come and go; below 32 MB it learns from a single one.
np.empty(31_000_000, np.uint8)

_free: deque[Array] = deque(maxlen=2)  # a deque may be used by several threads without a lock


class _Loan:
    """Stands between the arrays and their block, to tell when the last of them has gone."""

    def __init__(self, block: Array) -> None:
        self.__array_interface__ = block.__array_interface__


def needed(shapes: Mapping[str, tuple[int, ...]]) -> int:
    """Return how many bytes it takes to load tensors of these shapes, as float32.

    All of them, and for a moment those of one layer a second time, in the order of their use.

    >>> needed({"words": (100, 4), "layer.0.w": (4, 4), "layer.1.w": (4, 4)})
    1792
    """
    sizes = {name: math.prod(shape) for name, shape in shapes.items()}
    return 4 * sum(size * (2 if ".0." in name else 1) for name, size in sizes.items())


@contextmanager
def enough_for(what: str, size: int) -> Iterator[None]:
    """Refuse what needs more bytes than are free, before it takes any, or when it was refused them.

    Raises
    ------
    ValueError : with both figures.
    """
    if size > machine.available_bytes():
        raise _refusal(what, size)
    try:
        yield
    except MemoryError:
        raise _refusal(what, size) from None


def _refusal(what: str, size: int) -> ValueError:
    free = machine.available_bytes()
    return ValueError(f"{what} needs {in_gb(size)} of memory; {in_gb(free)} is free")


def in_gb(size: int) -> str:
    """Return a number of bytes as text.

    >>> in_gb(91_000_000), in_gb(27_530_000_000)
    ('0.09 GB', '27.5 GB')
    """
    return f"{size / 1e9:.{2 if size < 1e10 else 1}f} GB"


def arrays(*shapes: tuple[int, ...]) -> list[Array]:
    """Return one uninitialised float32 array per shape; they lie side by side in one block.

    The block is taken again by a later call when none of them, nor any view of them, is left.
    `ValueError` where there is not enough memory.

    >>> [array.shape for array in arrays((2, 3), (4,))]
    [(2, 3), (4,)]
    """
    sizes = [math.prod(shape) for shape in shapes]
    block = _block(sum(sizes))
    loan = _Loan(block)
    weakref.finalize(loan, _give_back, block).atexit = False
    memory = np.asarray(loan)  # holds `loan`, as every view of it does
    starts = np.cumsum([0, *sizes])
    return [
        memory[start : start + size].reshape(shape)
        for start, size, shape in zip(starts, sizes, shapes, strict=False)
    ]


def _block(count: int) -> Array:
    for _ in range(len(_free)):
        try:
            block = _free.popleft()
        except IndexError:  # another thread was quicker
            break
        if count <= block.size <= max(2 * count, 1_000_000):
            return block
        _free.append(block)
    try:
        return np.empty(count, np.float32)
    except MemoryError:
        raise _refusal("the pass", 4 * count) from None


def _give_back(block: Array) -> None:
    if block.size <= _MOST_KEPT:
        _free.append(block)
