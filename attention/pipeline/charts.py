"""The pipeline's chart: one matrix as a heat map."""

from __future__ import annotations

from collections.abc import Sequence

import altair as alt
import pandas as pd

from attention.charts.parts import CHOSEN, labels_param, position_axis

_ROW, _LOW_ROW, _MANY = 19, 16, 16  # pixels of a row, of one among more rows than this
_TILTED = 64  # pixels for the words over a square map
_NAMED = 12  # of its columns, at most
_LEGEND = 40
_EVERY = 8  # of the column numbers is written


def matrix_map(
    data: pd.DataFrame,
    *,
    labels: Sequence[str],
    square: bool,
    rows: int,
    named: bool,
    signed: bool,
    limit: float,
) -> alt.TopLevelMixin:
    """Draw a matrix; of a square one, queries by keys, a click names a cell.

    `data` is `frames.matrix_frame`; `labels` are the texts of its rows. Colours run from
    -limit to limit, or from 0 to 1. Matrices of the
    same `rows`, tokens, are of the same height; `named` says whether the rows are named.
    The selection is called `cell` and has the fields r, c. Otherwise the row under the pointer
    stands out.
    """
    base = alt.Chart(data).encode(y=alt.Y("r:O").title(None).axis(position_axis(labels=named)))
    cells = base.mark_rect(cursor="pointer" if square else "default").encode(
        x=_square_axis(rows) if square else _number_axis(),
        color=_signed_colour(limit) if signed else _share_colour(),
        tooltip=[
            alt.Tooltip("row:N", title="query" if square else "row"),
            alt.Tooltip("column:N", title="key" if square else "column"),
            alt.Tooltip("value:Q", title="value", format=".5~r"),
        ],
    )
    frame = base.transform_filter("datum.mark").mark_rect(
        filled=False, stroke=CHOSEN, strokeWidth=2, cornerRadius=2
    )
    if square:
        click = alt.selection_point("cell", fields=["r", "c"], on="click", empty=False)
        cells, frame = cells.add_params(click), frame.encode(x="c:O")
    else:
        row = alt.selection_point("row", fields=["r"], on="pointerover", clear="pointerout")
        faded = alt.when(row).then(alt.value(1)).otherwise(alt.value(0.35))
        cells = cells.encode(opacity=faded).add_params(row)
    height = rows * (_ROW if rows <= _MANY else _LOW_ROW) + _LEGEND + _TILTED
    return alt.layer(cells, frame).add_params(labels_param(labels)).properties(height=height)


def _square_axis(rows: int) -> alt.X:
    every = -(-rows // _NAMED)  # so that names do not run into each other
    text = f"datum.value % {every} ? '' : labels[datum.value]"
    axis = alt.Axis(
        labelExpr=text, labelAngle=-90, labelLimit=_TILTED, labelOverlap=False, labelFlush=False,
        orient="top", ticks=False, domain=False,
    )  # fmt: skip
    return alt.X("c:O").title(None).axis(axis)


def _number_axis() -> alt.X:
    text = f"datum.value % {_EVERY} ? '' : datum.label"
    return (
        alt.X("c:O")
        .title(None)
        .axis(labelExpr=text, labelAngle=0, labelOverlap=False, ticks=False, domain=False)
    )


def _signed_colour(limit: float) -> alt.Color:
    ends = [-limit, 0, limit]
    return _colour([-limit, limit], ends).scale(
        domain=[-limit, limit], domainMid=0, range="diverging"
    )


def _share_colour() -> alt.Color:
    return _colour([0, 1], [0, 0.5, 1])


def _colour(domain: list[float], ends: list[float]) -> alt.Color:
    return (
        alt.Color("value:Q")
        .title(None)
        .scale(domain=domain)
        .legend(
            orient="bottom",
            direction="horizontal",
            gradientLength=alt.ExprRef("min(150, width - 16)"),
            gradientThickness=10,
            values=ends,
            format=".3~r",
        )
    )
