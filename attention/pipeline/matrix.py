"""A matrix that is to be drawn: what its axes are, and which part of it can be read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from attention.arrays import Array
from attention.pictures import (
    DARK_DIVERGING,
    DARK_RAMP,
    DIVERGING,
    RAMP,
    data_url,
    map_png,
)
from attention.wording import figures

TOKENS, HEADS, NUMBERS = "tokens", "heads", "numbers"  # what rows or columns of a matrix stand for
COLUMNS_SHOWN = 32  # of a matrix whose columns are plain numbers


@dataclass(frozen=True, eq=False)
class Matrix:
    """A matrix to be drawn: its values, what its axes are, and which row is to be marked."""

    name: str
    meaning: str
    letters: tuple[str, str]
    values: Array  # (rows, columns); NaN where there is no cell
    marked: int  # a row
    marked_column: int | None = None  # then one cell is marked
    rows: str = TOKENS
    columns: str = NUMBERS
    first: int = 0  # the first column that is shown
    signed: bool = True  # else from 0 to 1

    @property
    def square(self) -> bool:
        """Whether both axes are tokens: rows are queries, columns are keys."""
        return self.columns == TOKENS

    def shown_columns(self, tokens: Sequence[int]) -> list[int]:
        """Return the columns that are drawn when these tokens are."""
        if self.square:
            return list(tokens)
        return list(range(self.first, min(self.first + COLUMNS_SHOWN, self.values.shape[1])))

    def shown_rows(self, tokens: Sequence[int]) -> list[int]:
        """Return the rows that are drawn when these tokens are."""
        return list(tokens) if self.rows == TOKENS else list(range(len(self.values)))

    def shown(self, tokens: Sequence[int]) -> Array:
        """Return the part that is drawn when these tokens are."""
        return self.values[np.ix_(self.shown_rows(tokens), self.shown_columns(tokens))]


def limit(matrices: Sequence[Matrix], tokens: Sequence[int]) -> float:
    """Return the largest size of any number that is drawn, the end of a signed colour scale."""
    return max(float(np.nanmax(np.abs(matrix.shown(tokens)))) for matrix in matrices)


def part_text(matrix: Matrix, tokens: Sequence[int]) -> str:
    """Return which part of a matrix is drawn and the range of its numbers; none if it is whole."""
    shown, (rows, columns) = matrix.shown(tokens), matrix.values.shape
    left, across = matrix.shown_columns(tokens), shown.shape[1]
    parts = []
    if len(shown) < rows:
        parts.append(f"{len(shown)} of {rows} rows")
    if across < columns:
        which = "" if matrix.square else f" ({left[0]} to {left[-1]})"
        parts.append(f"{across} of {columns} columns{which}")
    if not parts:
        return ""
    part = f"Drawn: {', '.join(parts)}; the rest is left out."
    low, high = (float(pick(shown)) for pick in (np.nanmin, np.nanmax))
    return f"{part} From {figures(low, 3)} to {figures(high, 3)}.".replace("-", "−")


def thumbnail(matrix: Matrix, tokens: Sequence[int], dark: bool) -> str:
    """Return the address of a small picture of what is drawn, a pixel a cell.

    Where there is no cell, the colour is that of 0.
    """
    shown = np.nan_to_num(matrix.shown(tokens))
    if not matrix.signed:
        return data_url(map_png(shown, spread=1.0, ramp=DARK_RAMP if dark else RAMP))
    ends = float(np.abs(shown).max()) or 1.0
    ramp = DARK_DIVERGING if dark else DIVERGING
    return data_url(map_png((shown / ends + 1) / 2, spread=1.0, ramp=ramp))
