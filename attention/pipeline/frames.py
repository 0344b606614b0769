"""The matrices of the pipeline and the lines of a receipt as tidy tables."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from attention.arrays import Array
from attention.pipeline.matrix import HEADS, TOKENS, Matrix
from attention.pipeline.receipt import Receipt


def matrix_frame(matrix: Matrix, tokens: Sequence[str], shown: Sequence[int]) -> pd.DataFrame:
    """Return the cells to draw: `r, c, row, column, value, mark`; cells without a value are absent.

    `r` and, of a square matrix, `c` count the shown tokens. `mark` is true once for each frame to
    be drawn: for the marked cell or, where a whole row is marked, for the first of its cells.

    Parameters
    ----------
    shown : the positions of the tokens that are drawn
    """
    rows, columns = matrix.shown_rows(shown), matrix.shown_columns(shown)
    values = matrix.shown(shown)
    column_keys = range(len(columns)) if matrix.square else columns
    marked = columns[0] if matrix.marked_column is None else matrix.marked_column
    frame = pd.DataFrame(
        {
            "r": np.repeat(range(len(rows)), len(columns)),
            "c": np.tile(column_keys, len(rows)),
            "row": np.repeat(_names(rows, matrix.rows, tokens), len(columns)),
            "column": np.tile(_names(columns, matrix.columns, tokens), len(rows)),
            "value": values.ravel().astype(np.float64),
            "mark": np.outer(np.equal(rows, matrix.marked), np.equal(columns, marked)).ravel(),
        }
    )
    return frame.dropna(subset="value")


def row_labels(matrix: Matrix, tokens: Sequence[str], shown: Sequence[int]) -> tuple[str, ...]:
    """Return the text of each row that is drawn."""
    if matrix.rows == HEADS:
        return tuple(f"H{row}" for row in range(len(matrix.values)))
    return tuple(tokens[position] for position in shown)


def product_frame(receipt: Receipt) -> pd.DataFrame:
    """Return the products of query and key, a row for each column e."""
    return pd.DataFrame(
        {
            "e": range(len(receipt.query)),
            "query q": receipt.query,
            "key k": receipt.key,
            "q × k": receipt.products,
        }
    )


def softmax_frame(receipt: Receipt, tokens: Sequence[str]) -> pd.DataFrame:
    """Return the way from dot product to weight, a row for each key."""
    return pd.DataFrame(
        {
            "position": range(len(receipt.dots)),
            "key": tokens[: len(receipt.dots)],
            "q · k": receipt.dots,
            "÷ √E": receipt.scaled,
            **({} if receipt.scores is receipt.scaled else {"score s": receipt.scores}),
            "exp(s − m)": receipt.terms,
            "weight": receipt.weights,
        }
    )


def output_frame(receipt: Receipt, tokens: Sequence[str]) -> pd.DataFrame:
    """Return the products of weight and value in the chosen column, a row for each key."""
    return pd.DataFrame(
        {
            "position": range(len(receipt.weights)),
            "key": tokens[: len(receipt.weights)],
            "weight": receipt.weights,
            "value v": receipt.values,
            "weight × v": receipt.parts,
        }
    )


def _names(positions: Sequence[int], kind: str, tokens: Sequence[str]) -> Array:
    if kind == TOKENS:
        names = [f"{position} {tokens[position]}" for position in positions]
    else:
        names = [f"{'head' if kind == HEADS else 'column'} {i}" for i in positions]
    return np.array(names, dtype=object)
