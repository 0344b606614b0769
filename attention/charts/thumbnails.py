"""All heads as small pictures, and the one that is clicked at full size, with its numbers."""

from __future__ import annotations

from collections.abc import Sequence

import altair as alt
import pandas as pd

from attention.charts.parts import CHOSEN, labels_param, position_axis

STEPS = 1000  # a weight is sent as a whole number of thousandths, in one letter
_SIDE = 420  # pixels of the large map
_LABEL = 11.5
_GRID = 480  # pixels that the pictures take at most, from side to side
_LARGEST = 44
# A letter for every weight: none that JSON or HTML has to escape or that joins its neighbour, first
# those of one byte, for small weights, of which there are most.
LETTERS = "".join(
    chr(code)
    for code in (*range(0x23, 0x7F), *range(0xA1, 0x300), *range(0x370, 0x530))
    if chr(code) not in "&'<>\\`" and chr(code) != "\u00ad"
)[: STEPS + 1]
NO_CELL = " "  # in place of a letter: the mask hides the cell


def thumbnails(
    data: pd.DataFrame,
    *,
    maps: Sequence[str],
    names: Sequence[str],
    heads: int,
    labels: Sequence[str],
    keys: Sequence[str],
    start: int,
) -> alt.TopLevelMixin:
    """Draw the map of every head as a small picture, and the one that is clicked at full size.

    `data` is `thumbnail_frames.thumbnail_frame`. The selection is called `head` and has the field
    i, the head's number over all layers.

    Parameters
    ----------
    maps : the weights of each head, row by row, a letter of `LETTERS` each, or `NO_CELL`
    names : of all heads, in order
    heads : of a layer
    labels, keys : of the rows and of the columns
    start : the head that is large at first
    """
    picked = f"(isDefined(head.i) ? head.i[0] : {start})"
    params = [
        alt.param(name="maps", value=list(maps)),
        alt.param(name="letters", value=LETTERS),
        labels_param(labels),
        alt.param(name="keys", value=list(keys)),
        alt.param(name="names", value=list(names)),
    ]
    grid, large = _grid(data, heads, start), _large(picked, len(labels), len(keys))
    return alt.hconcat(grid, large, spacing=30).add_params(*params)


def _grid(data: pd.DataFrame, heads: int, start: int) -> alt.LayerChart | alt.FacetChart:
    step = max(min(_LARGEST, _GRID // heads), 14)
    click = alt.selection_point(
        "head", fields=["i"], on="click", clear=False, toggle=False, value=[{"i": start}]
    )
    base = alt.Chart(data).encode(
        x=alt.X("head:O").title("head").axis(labelAngle=0, ticks=False, domain=False),
        y=alt.Y("layer:O").title("layer").axis(ticks=False, domain=False, labelOverlap=True),
        tooltip=[
            alt.Tooltip("name:N", title="head"),
            alt.Tooltip("does:N", title="here"),
            alt.Tooltip("entropy:Q", title="entropy (bits)", format=".2f"),
            alt.Tooltip("largest:Q", title="largest weight", format=".3f"),
        ],
    )
    side = step - 3
    pictures = base.mark_image(width=side, height=side, smooth=False, cursor="pointer")
    framed = base.mark_rect(filled=False, stroke=CHOSEN, strokeWidth=2.5).transform_filter(click)
    return alt.layer(pictures.encode(url="url:N").add_params(click), framed).properties(
        width=alt.Step(step), height=alt.Step(step), title="All heads: click one"
    )


def _large(picked: str, rows: int, columns: int) -> alt.Chart:
    crowded = max(rows, columns) * _LABEL > _SIDE
    letter = f"slice(maps[{picked}], datum.c, datum.c + 1)"
    cells = (
        alt.Chart(alt.sequence(0, rows * columns, as_="c"))
        .transform_calculate(q=f"floor(datum.c / {columns})", k=f"datum.c % {columns}")
        .transform_calculate(
            weight=f"indexof(letters, {letter}) / {STEPS}",
            query="labels[datum.q]",
            key="keys[datum.k]",
        )
        .transform_filter("datum.weight >= 0")  # none of the letters: hidden
    )
    chart = cells.mark_rect().encode(
        x=alt.X("k:O").title("key").axis(position_axis(thin=crowded, labelAngle=-60, names="keys")),
        y=alt.Y("q:O").title("query").axis(position_axis(thin=crowded)),
        color=alt.Color("weight:Q").title("weight").scale(domain=[0, 1]).legend(gradientLength=160),
        tooltip=[
            alt.Tooltip("query:N", title="query"),
            alt.Tooltip("key:N", title="key"),
            alt.Tooltip("weight:Q", title="weight", format=".3f"),
        ],
    )
    title = alt.Title(text=alt.ExprRef(f"names[{picked}]"))
    return chart.properties(width=_SIDE, height=_SIDE, title=title)
