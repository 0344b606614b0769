"""The interventions page's charts: what a change to attention does."""

from __future__ import annotations

from collections.abc import Sequence

import altair as alt
import pandas as pd

from attention.charts.parts import (
    AXIS_HEIGHT,
    CHOSEN,
    LABEL_ROW,
    NEUTRAL,
    ROW_HEIGHT,
    TITLE_HEIGHT,
    labels_param,
    legend_below,
    position_axis,
    ramp_below,
    value_label,
)

_CURVE_HEIGHT = 190
_MAP_FRAME, _MAP_ROW, _LEAST_MAP, _MOST_MAP = 145, 16, 100, 260  # pixels


def next_bars(
    data: pd.DataFrame, *, labels: Sequence[str], highest: float, title: str
) -> alt.TopLevelMixin:
    """Draw the probability of next tokens after a change, with a mark where it was before.

    `data` is `frames.next_frame`, `labels` its tokens.
    """
    base = alt.Chart(data).encode(
        y=alt.Y("i:O").title(None).axis(position_axis()),
        tooltip=[
            alt.Tooltip("token:N", title="next token"),
            alt.Tooltip("before:Q", title="before", format=".2%"),
            alt.Tooltip("after:Q", title="after", format=".2%"),
        ],
    )
    x = alt.X("after:Q").title(title).scale(domain=[0, highest]).axis(format="%")
    colour = alt.Color("pinned:N").scale(domain=[False, True]).legend(None)
    bars = base.mark_bar(height={"band": 0.7}).encode(x=x, color=colour)
    mark = base.mark_tick(thickness=3, color=NEUTRAL, height={"band": 0.95}).encode(x="before:Q")
    value = value_label(
        base, value="after", end="after", mark="before", span=highest, form=".1%", aside="from"
    )
    height = max(len(labels), 1) * ROW_HEIGHT + AXIS_HEIGHT + TITLE_HEIGHT
    chart = alt.layer(bars, mark, value).add_params(labels_param(labels))
    return chart.properties(height=height)


def moved_bars(
    data: pd.DataFrame, *, labels: Sequence[str], highest: float, count: int
) -> alt.TopLevelMixin:
    """Draw how far the vector of each word moves.

    `data` is `frames.moved_frame`, `labels` all words by position, `count` how many are drawn:
    those that move most.
    """
    title = ["cosine distance"]
    if count < len(labels):
        title.append(f"of the {count} of {len(labels)} that move most")
    base = alt.Chart(data).encode(
        y=alt.Y("k:O").title(None).axis(position_axis()),
        x=alt.X("moved:Q").title(title).scale(domain=[0, highest]),
        tooltip=[
            alt.Tooltip("word:N", title="word"),
            alt.Tooltip("moved:Q", title="its vector moves by", format=".4f"),
        ],
    )
    bars = base.mark_bar(height={"band": 0.7})
    value = base.mark_text(align="left", dx=5, color=NEUTRAL).encode(
        text=alt.Text("moved:Q", format=".3~r")
    )
    height = max(count, 1) * ROW_HEIGHT + AXIS_HEIGHT + len(title) * TITLE_HEIGHT
    return alt.layer(bars, value).add_params(labels_param(labels)).properties(height=height)


def strength_curve(
    data: pd.DataFrame,
    *,
    series: Sequence[str],
    title: str,
    percent: bool,
    chosen: float,
    ratios: bool = False,
) -> alt.TopLevelMixin:
    """Draw figures against the strength of a push, with a line at the chosen strength.

    `data` is `frames.curve_frame`. Where they are `ratios`, all above 0, their axis is logarithmic:
    twice as much is as far everywhere. A line says where odds are even.
    """
    scale = alt.Scale(type="log", nice=False, padding=8) if ratios else alt.Scale(domainMin=0)
    form = ".1%" if percent else ".3f"
    base = alt.Chart(data).encode(x=alt.X("strength:Q").title("strength of the push"))
    legend = legend_below(series) if len(series) > 1 else None
    lines = base.mark_line(point=alt.OverlayMarkDef(size=45), strokeWidth=2).encode(
        y=alt.Y("value:Q")
        .title(title)
        .scale(scale)
        .axis(format="~%" if percent else "~g", tickCount=5),
        color=alt.Color("series:N").scale(domain=list(series)).legend(legend),
        tooltip=[
            alt.Tooltip("series:N", title="what"),
            alt.Tooltip("strength:Q", title="strength"),
            alt.Tooltip("value:Q", title=title, format=form),
        ],
    )
    rule = base.transform_filter(alt.datum.strength == chosen).mark_rule(
        color=CHOSEN, strokeWidth=2, strokeDash=[5, 3]
    )
    even = (
        alt.Chart().mark_rule(color=NEUTRAL, strokeDash=[2, 3], aria=False).encode(y=alt.datum(1.0))
    )
    layers = [even, rule, lines] if ratios and not percent else [rule, lines]
    return alt.layer(*layers, data=data).properties(height=_CURVE_HEIGHT)


def cut_map(
    data: pd.DataFrame, *, labels: Sequence[str], count: int, clickable: bool = True,
    figure: str = "weight",
) -> alt.TopLevelMixin:  # fmt: skip
    """Draw one head's weights; a click names a cell, cut ones are framed.

    `data` is `frames.cut_frame`; `labels` are all words by position, `count` how many are drawn;
    `figure` is what a cell is. The selection is called `cell` and has the fields q, k.
    """
    click = alt.selection_point("cell", fields=["q", "k"], on="click", empty=False)
    base = alt.Chart(data).encode(
        x=alt.X("k:O").title("key").axis(position_axis(labelAngle=-90, orient="top")),
        y=alt.Y("q:O").title("query").axis(position_axis()),
        tooltip=[
            alt.Tooltip("query:N", title="query"),
            alt.Tooltip("key:N", title="key"),
            alt.Tooltip("weight:Q", title=figure, format=".4f"),
            alt.Tooltip("cut:N", title="cut"),
        ],
    )
    colour = alt.Color("weight:Q").title(figure).scale(domain=[0, 1])
    beside = "left" if figure == "weight" else "top"  # a longer name has no room beside it
    legend = ramp_below(110, gradientThickness=10, titleOrient=beside, offset=4)
    cells = base.mark_rect(cursor="pointer" if clickable else "default").encode(
        color=colour.legend(legend)
    )
    cut = base.transform_filter("datum.cut").mark_rect(
        filled=False, stroke=CHOSEN, strokeWidth=2.5, cursor="pointer", aria=False
    )
    cells = cells.add_params(click) if clickable else cells
    return (
        alt.layer(cells, cut).add_params(labels_param(labels)).properties(height=_map_height(count))
    )


def _map_height(words: int) -> int:
    """Return the pixels for a map of so many words, with what stands above and below it."""
    return _MAP_FRAME + min(max(_MAP_ROW * words, _LEAST_MAP), _MOST_MAP)


def effect_grid(
    data: pd.DataFrame,
    *,
    title: str,
    domain: tuple[float, float],
    layers: int,
    heads: int,
    signed: bool,
    row: int,
    plain: bool = False,
) -> alt.TopLevelMixin:
    """Draw one effect for every layer and head; the marked are framed.

    `data` is `frames.effect_frame`: what is measured is a square, what is estimated a circle.
    Signed effects have two colours, and 0 is between them. A layer takes `row` pixels; where that
    is less than a label does, some layers have none. Where it is `plain`, nothing is told of how
    the effect was found.
    """
    base = alt.Chart(data).encode(
        x=alt.X("head:O")
        .title("head")
        .scale(domain=list(range(heads)))
        .axis(labelAngle=0, ticks=False, domain=False),
        y=alt.Y("layer:O")
        .title("layer")
        .scale(domain=list(range(layers)))
        .axis(ticks=False, domain=False, labelOverlap=row < LABEL_ROW, labelFlush=False),
        tooltip=[
            alt.Tooltip("name:N", title="head"),
            alt.Tooltip("value:Q", title=title, format=".4f"),
            *([] if plain else [alt.Tooltip("how:N", title="how")]),
        ],
    )
    limit = max(abs(end) for end in domain)
    scale = alt.Scale(domain=list(domain))
    if signed:
        scale = alt.Scale(domain=[-limit, limit], domainMid=0, range="diverging")
    colour = alt.Color("value:Q").title(None).scale(scale).legend(gradientLength=100)
    known = base.transform_filter("isValid(datum.value)")
    cells = known.transform_filter("datum.how == 'ablated'").mark_rect(cornerRadius=3)
    guesses = known.transform_filter("datum.how == 'estimated'").mark_circle(size=110, opacity=1)
    chosen = base.transform_filter("datum.chosen").mark_rect(
        filled=False, stroke=CHOSEN, strokeWidth=3, cornerRadius=3
    )
    drawn = (marks.encode(color=colour) for marks in (cells, guesses))
    return alt.layer(*drawn, chosen).properties(height=max(layers, 1) * row + 50)


def pruning_curve(
    data: pd.DataFrame, *, orders: Sequence[str], heads: int, title: str, limit: float
) -> alt.TopLevelMixin:
    """Draw the effect of more and more ablated heads, with a band for random orders and a limit.

    `data` is `frames.band_frame`.
    """
    legend = legend_below(orders)
    base = alt.Chart(data).encode(
        x=alt.X("removed:Q").title(f"ablated heads, of {heads}").scale(domain=[0, heads]),
        color=alt.Color("order:N").scale(domain=list(orders)).legend(legend),
        tooltip=[
            alt.Tooltip("order:N", title="order"),
            alt.Tooltip("removed:Q", title="ablated heads"),
            alt.Tooltip("effect:Q", title=title, format=".3f"),
        ],
    )
    y = alt.Y("effect:Q").title(title)
    band = base.mark_area(opacity=0.18).encode(y=alt.Y("low:Q"), y2="high:Q")
    lines = base.mark_line(strokeWidth=2, point=alt.OverlayMarkDef(size=40)).encode(y=y)
    rule = (
        alt.Chart()
        .mark_rule(color=NEUTRAL, strokeDash=[5, 4], aria=False)
        .encode(y=alt.datum(limit, type="quantitative"))
    )
    return alt.layer(band, lines, rule, data=data).properties(height=380)
