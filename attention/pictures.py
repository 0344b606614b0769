"""Maps as small PNG pictures, written here: nothing but zlib is needed, and no library of images.

Source: W3C, "Portable Network Graphics (PNG) Specification", third edition, sections 5 and 11.
"""

from __future__ import annotations

import base64
import struct
import zlib
from collections.abc import Sequence

import numpy as np

from attention.arrays import Array

# White to indigo: what the dashboard's maps have on light ground.
RAMP = (
    "#f4f4fb", "#e2e1f8", "#cbc8f4", "#aeaaee", "#8f89e6",
    "#7068db", "#564bcf", "#4338ca", "#322a9c", "#211c69",
)  # fmt: skip
DARK_RAMP = (
    "#20202f", "#2a2a4a", "#353366", "#423e85", "#514ba6",
    "#645dc6", "#7d78de", "#9b98ee", "#bcbaf7", "#e0dffd",
)  # fmt: skip
# Red below 0, indigo above.
DIVERGING = (
    "#9f1239", "#e11d48", "#fb7185", "#fecdd3", "#fff1f2",
    "#eef2ff", "#c7d2fe", "#818cf8", "#4f46e5", "#312e81",
)  # fmt: skip
DARK_DIVERGING = (
    "#fda4af", "#fb7185", "#e11d48", "#881337", "#2a1a22",
    "#1c1c33", "#312e81", "#4f46e5", "#818cf8", "#c7d2fe",
)  # fmt: skip
_SHADES = 16  # half a byte for each cell


def map_png(
    weights: Array, seen: Array | None = None, *, spread: float = 0.5, ramp: Sequence[str] = RAMP
) -> bytes:
    """Return one map `(Q, K)` of weights 0 to 1 as a PNG of 16 shades, a pixel a cell.

    `shade = round(15 weight^spread)`: with a root, weights of a few hundredths can be seen.

    Parameters
    ----------
    seen : (Q, K) bool, the cells that no mask hides; the others are transparent. Where there are
        such, 15 shades are left
    ramp : ten colours, from weight 0 to 1

    >>> map_png(np.eye(2))[1:4]
    b'PNG'
    """
    hidden = None if seen is None or seen.all() else ~seen
    count = _SHADES - (hidden is not None)
    shades = np.rint((count - 1) * np.clip(weights, 0, 1) ** spread).astype(np.uint8)
    if hidden is not None:
        shades = np.where(hidden, 0, shades + 1).astype(np.uint8)
    rows, columns = shades.shape
    even = np.pad(shades, ((0, 0), (0, columns % 2)))
    packed = (even[:, ::2] << 4) | even[:, 1::2]  # two cells a byte
    lines = b"".join(b"\0" + row.tobytes() for row in packed)  # each with the filter "none"
    header = struct.pack(">IIBBBBB", columns, rows, 4, 3, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        _chunk(name, data)
        for name, data in (
            (b"IHDR", header),
            (b"PLTE", bytes([0, 0, 0] * (_SHADES - count) + _shades(ramp, count))),
            *([] if hidden is None else [(b"tRNS", b"\0")]),  # the first one is transparent
            (b"IDAT", zlib.compress(lines, 9)),
            (b"IEND", b""),
        )
    )


def data_url(png: bytes) -> str:
    """Return a picture as an address that holds it."""
    return "data:image/png;base64," + base64.b64encode(png).decode("ascii")


def binned(weights: Array, most: int) -> Array:
    """Return maps `(..., Q, K)` with at most so many rows and columns; the largest of a bin.

    >>> binned(np.array([[0.1, 0.9, 0.0], [0.2, 0.3, 0.5], [0.0, 0.0, 1.0]]), 2)
    array([[0.9, 0.5],
           [0. , 1. ]])
    """
    rows, columns = (bin_starts(size, most) for size in weights.shape[-2:])
    return np.maximum.reduceat(np.maximum.reduceat(weights, rows, axis=-2), columns, axis=-1)


def bin_starts(size: int, most: int) -> Array:
    """Return where each bin of so many positions starts; each position is one if there is room.

    >>> bin_starts(5, 2), bin_starts(3, 9)
    (array([0, 2]), array([0, 1, 2]))
    """
    return np.unique(np.linspace(0, size, min(most, size) + 1).round().astype(int))[:-1]


def sheet(weights: Array, gap: int = 2) -> Array:
    """Return all maps `(L, H, Q, K)` on one sheet, layers below one another, heads side by side."""
    framed = np.pad(weights, ((0, 0), (0, 0), (0, gap), (0, gap)))
    layers, heads, rows, columns = framed.shape
    return framed.transpose(0, 2, 1, 3).reshape(layers * rows, heads * columns)[:-gap, :-gap]


def _shades(ramp: Sequence[str], count: int) -> list[int]:
    """Return red, green and blue of each shade, between the colours of the ramp."""
    stops = np.array([[int(c[i : i + 2], 16) for i in (1, 3, 5)] for c in ramp])  # (10, 3)
    at = np.linspace(0, len(stops) - 1, count)
    mixed = [np.interp(at, np.arange(len(stops)), channel) for channel in stops.T]
    shades: list[int] = np.stack(mixed, axis=1).round().astype(int).ravel().tolist()
    return shades


def _chunk(name: bytes, data: bytes) -> bytes:
    checked = name + data
    return struct.pack(">I", len(data)) + checked + struct.pack(">I", zlib.crc32(checked))
