"""The heads page's charts: all heads at a glance, chosen maps, and one row across heads."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import altair as alt
import pandas as pd

from attention.charts.parts import CHOSEN, LABEL_ROW, NEUTRAL, labels_param, position_axis

_LABEL = 11.5  # pixels that a label takes on an axis, at least
_RAMP = alt.Legend(orient="bottom", direction="horizontal", gradientLength=160)
_UPRIGHT = 100  # pixels of the colours beside a grid: few layers are as high
_RULE: dict[str, Any] = {"color": NEUTRAL, "strokeWidth": 2, "tooltip": None}


def head_grid(
    data: pd.DataFrame,
    *,
    title: str,
    domain: tuple[float, float],
    layers: int,
    sharing: int = 1,
    row: int = 26,
    roles: bool = False,
    pictures: int = 0,
) -> alt.TopLevelMixin:
    """Draw one figure for every layer and head; a click names a head, chosen ones are framed.

    `data` is `frames.head_frame`. The selection is called `head` and has the fields layer, head.
    Where `sharing` heads have keys and values in common, lines part them from the next. A layer
    takes `row` pixels; where that is less than a label does, some layers have none.

    Parameters
    ----------
    roles : the table has `role`, which is told under the pointer, and `on`: others are pale
    pictures : pixels of a side of the picture of each head, whose `url` is in the table; 0 for none
    """
    crowded = row < LABEL_ROW
    click = alt.selection_point("head", fields=["layer", "head"], on="click", empty=False)
    table = alt.Chart(data).transform_calculate(shared=f"floor(datum.head / {sharing})")
    base = table.encode(
        x=alt.X("head:O").title("head").axis(labelAngle=0, ticks=False, domain=False),
        y=alt.Y("layer:O")
        .title("layer")
        .axis(ticks=False, domain=False, labelOverlap=crowded, labelFlush=False),
        tooltip=[
            alt.Tooltip("name:N", title="head"),
            alt.Tooltip("value:Q", title=title, format=".3f"),
            *([alt.Tooltip("role:N", title="role here")] if roles else []),
            *([alt.Tooltip("shared:N", title="K/V head")] if sharing > 1 else []),
        ],
    )
    if pictures:
        cells = base.mark_image(
            width=pictures, height=pictures, aspect=False, smooth=False, cursor="pointer"
        ).encode(url="url:N")
    else:
        cells = base.mark_rect(cornerRadius=3, cursor="pointer").encode(
            color=alt.Color("value:Q")
            .title(None)
            .scale(domain=list(domain))
            .legend(gradientLength=_UPRIGHT)
        )
    if roles:
        shown = alt.when("datum.on").then(alt.value(1)).otherwise(alt.value(0.12))
        cells = cells.encode(opacity=shown)
    chosen = base.transform_filter("datum.chosen").mark_rect(
        filled=False, stroke=CHOSEN, strokeWidth=3, cornerRadius=3, cursor="pointer", aria=False
    )
    parted = [_column_rules(table, "head", "layer", sharing)] if sharing > 1 else []
    if pictures:  # where white meets white, a line parts them
        edge = base.mark_rect(filled=False, stroke=NEUTRAL, strokeWidth=1, strokeOpacity=0.35)
        parted.append(edge.encode(tooltip=alt.value(None)))
    grid = alt.layer(cells.add_params(click), *parted, chosen)
    return grid.properties(height=max(layers * row, _UPRIGHT) + 50)


def head_maps(
    data: pd.DataFrame,
    *,
    labels: Sequence[str],
    first: int,
    names: Sequence[str],
    size: int,
    columns: int,
    count: int = 0,
    keys: Sequence[str] = (),
    figure: str = "weight",
) -> alt.TopLevelMixin:
    """Draw the chosen heads side by side on one scale; hovering a row marks it in all of them.

    `data` is `frames.map_frame`; `labels` are the words shown, `first` the position of the first of
    them, `size` the side of a map in pixels, `count` how many words are drawn: where their labels
    have no room, some have none. A name in two lines is a title and what stands below it. `keys`
    are the words of the columns, where these are of another text; `figure` is what a cell is.
    """
    named = "keys" if keys else "labels"
    crowded = count * _LABEL > size
    row = alt.selection_point("row", fields=["q"], on="pointerover", clear="pointerout")
    cells = (
        alt.Chart()
        .mark_rect()
        .encode(
            x=alt.X("k:O")
            .title("key")
            .axis(position_axis(offset=first, thin=crowded, labelAngle=-60, names=named)),
            y=alt.Y("q:O").title("query").axis(position_axis(offset=first, thin=crowded)),
            color=alt.Color("weight:Q").title(figure).scale(domain=[0, 1]).legend(_RAMP),
            opacity=alt.when(row).then(alt.value(1)).otherwise(alt.value(0.3)),
            tooltip=[
                alt.Tooltip("name:N", title="head"),
                alt.Tooltip("query:N", title="query"),
                alt.Tooltip("key:N", title="key"),
                alt.Tooltip("weight:Q", title=figure, format=".4f"),
            ],
        )
        .add_params(row)
        .properties(width=size, height=size)
    )
    chart = _by_head(cells, data, labels, names, columns)
    return chart.add_params(alt.param(name="keys", value=list(keys))) if keys else chart


def whole_maps(
    data: pd.DataFrame,
    *,
    names: Sequence[str],
    size: int,
    columns: int,
    words: int,
    window: tuple[int, int],
) -> alt.TopLevelMixin:
    """Draw maps of a text of so many words in bins, with a frame round a window of it.

    `data` is `frames.binned_frame`; `window` is its first position and the one after its last.
    """
    ends = [0, words]
    cells = alt.Chart().mark_rect().encode(
        x=alt.X("k:Q").title("key").scale(domain=ends, nice=False).axis(grid=False, tickCount=5),
        y=alt.Y("q:Q").title("query").scale(domain=ends, nice=False, reverse=True)
        .axis(grid=False, tickCount=5),
        x2="to_k:Q",
        y2="to_q:Q",
        color=alt.Color("weight:Q").scale(domain=[0, 1]).legend(None),
        tooltip=[
            alt.Tooltip("name:N", title="head"),
            alt.Tooltip("queries:N", title="queries"),
            alt.Tooltip("keys:N", title="keys"),
            alt.Tooltip("weight:Q", title="largest weight", format=".4f"),
        ],
    )  # fmt: skip
    first, after = (alt.datum(end) for end in window)
    frame = (
        alt.Chart()
        .transform_filter("datum.q === 0 && datum.k === 0")  # one a map
        .mark_rect(filled=False, stroke=CHOSEN, strokeWidth=2, tooltip=None)
        .encode(x=first, x2=after, y=first, y2=after)
    )
    layers = (cells + frame).properties(width=size, height=size)
    return _by_head(layers, data, (), names, columns)


def row_bars(
    data: pd.DataFrame,
    *,
    labels: Sequence[str],
    first: int,
    names: Sequence[str],
    size: int,
    columns: int,
) -> alt.TopLevelMixin:
    """Draw what one word attends to, head beside head, on one scale.

    `data` is the rows of `frames.map_frame` with one `q`.
    """
    bars = (
        alt.Chart()
        .mark_bar(height={"band": 0.7})
        .encode(
            x=alt.X("weight:Q").title(None).scale(domain=[0, 1]).axis(format="%", tickCount=3),
            y=alt.Y("k:O").title(None).axis(position_axis(offset=first)),
            color=alt.Color("map:N").scale(domain=list(range(len(names)))).legend(None),
            tooltip=[
                alt.Tooltip("name:N", title="head"),
                alt.Tooltip("key:N", title="key"),
                alt.Tooltip("weight:Q", title="weight", format=".4f"),
            ],
        )
        .properties(width=size, height=alt.Step(17))
    )
    return _by_head(bars, data, labels, names, columns)


def shared_map(
    data: pd.DataFrame, *, heads: int, sharing: int, highest: float
) -> alt.TopLevelMixin:
    """Draw how far apart any two heads of a layer are; lines part those that share keys.

    `data` is `alignment_frames.apart_frame`; dark cells are heads whose rows are nearly the same.
    """
    table = alt.Chart(data)
    axis = alt.Axis(labelExpr="'H' + datum.value", labelAngle=0, ticks=False, domain=False)
    every = list(range(heads))
    cells = table.mark_rect().encode(
        x=alt.X("other:O").title(None).scale(domain=every).axis(axis),
        y=alt.Y("head:O").title(None).scale(domain=every).axis(axis),
        color=alt.Color("bits:Q")
        .title("bits apart")
        .scale(domain=[0, highest], reverse=True)
        .legend(_RAMP),
        tooltip=[
            alt.Tooltip("one:N", title="head"),
            alt.Tooltip("two:N", title="and head"),
            alt.Tooltip("shares:N", title="keys and values"),
            alt.Tooltip("bits:Q", title="bits apart", format=".3f"),
        ],
    )
    return alt.layer(
        cells,
        _column_rules(table, "other", "head", sharing),
        _row_rules(table, "head", "other", sharing),
    ).properties(height=380)


def _column_rules(table: alt.Chart, column: str, row: str, sharing: int) -> alt.Chart:
    """Return lines between the groups of columns, from top to bottom."""
    rules = table.transform_filter(_starts_group(column, row, sharing)).mark_rule(**_RULE)
    return rules.encode(x=alt.X(f"{column}:O", bandPosition=0))


def _row_rules(table: alt.Chart, row: str, column: str, sharing: int) -> alt.Chart:
    """Return lines between the groups of rows, from side to side."""
    rules = table.transform_filter(_starts_group(row, column, sharing)).mark_rule(**_RULE)
    return rules.encode(y=alt.Y(f"{row}:O", bandPosition=0))


def _starts_group(field: str, across: str, sharing: int) -> str:
    """Return a test for one cell of every line: in the first row or column, group 0 apart."""
    return f"datum.{field} % {sharing} == 0 && datum.{field} > 0 && datum.{across} == 0"


def _by_head(
    chart: alt.Chart | alt.LayerChart,
    data: pd.DataFrame,
    labels: Sequence[str],
    names: Sequence[str],
    columns: int,
) -> alt.FacetChart:  # fmt: skip
    header = alt.Header(title=None, labelExpr="split(names[datum.value], '\\n')", labelFontSize=13)
    facets = chart.facet(alt.Facet("map:O", header=header), data=data, columns=columns)
    return facets.add_params(labels_param(labels), alt.param(name="names", value=list(names)))
