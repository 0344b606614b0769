"""Memory for the arrays of a forward pass, used again once nobody holds them any more.

Fresh memory is slow: the system hands it out page by page, each page wiped at its first use. For
402 tokens of MiniLM that was a quarter of the time of a trace.
"""

from __future__ import annotations

import math
import weakref
from collections import deque

import numpy as np

from attention.core import Array

_MOST_KEPT = 40_000_000  # numbers, 160 MB: blocks larger than this go back to the system

# Smaller arrays on the way come from malloc. The one of Linux gives memory back at once unless it
# has seen blocks of that size come and go; below 32 MB it learns from a single one.
np.empty(31_000_000, np.uint8)

_free: deque[Array] = deque(maxlen=2)  # a deque may be used by several threads without a lock


class _Loan:
    """Stands between the arrays and their block, to tell when the last of them has gone."""

    def __init__(self, block: Array) -> None:
        self.__array_interface__ = block.__array_interface__


def arrays(*shapes: tuple[int, ...]) -> list[Array]:
    """Return one uninitialised float32 array per shape; they lie side by side in one block.

    The block is taken again by a later call when none of them, nor any view of them, is left.

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
    return np.empty(count, np.float32)


def _give_back(block: Array) -> None:
    if block.size <= _MOST_KEPT:
        _free.append(block)
