"""Reading a file's bytes one thing after another: no size is believed unchecked."""

from __future__ import annotations

import struct
from typing import Any


class Cursor:
    """Reads one thing after another, little-endian."""

    def __init__(self, data: memoryview, place: int = 0) -> None:
        """Begin at a place in the bytes."""
        self.data, self.place = data, place

    def skip(self, size: int) -> int:
        """Pass over so many bytes; return where they start.

        Raises
        ------
        ValueError : there are not so many left; the message has both numbers.
        """
        start = self.place
        if size > len(self.data) - start:
            raise ValueError(f"claims {size:,} bytes at {start:,}; it has {len(self.data):,}")
        self.place += size
        return start

    def take(self, layout: str) -> tuple[Any, ...]:
        """Return numbers, in the letters of `struct`.

        >>> Cursor(memoryview(bytes([1, 2, 0]))).take("BH")
        (1, 2)
        """
        layout = f"<{layout}"
        return struct.unpack_from(layout, self.data, self.skip(struct.calcsize(layout)))


def check_count(what: str, count: int, most: int) -> None:
    """Refuse a count that no such file has; the message has both numbers."""
    if count > most:
        raise ValueError(f"claims {count:,} {what}; the limit is {most:,}")
