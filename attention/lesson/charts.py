"""The lesson's charts: one row, a minimal pair, heads that are ablated or alike."""

from __future__ import annotations

from collections.abc import Sequence

import altair as alt
import pandas as pd

from attention.charts.parts import (
    AXIS_HEIGHT,
    CHOSEN,
    NEUTRAL,
    TITLE_HEIGHT,
    labels_param,
    legend_below,
    position_axis,
    value_label,
)
from attention.interventions.pruning import ORDERS, RANDOM

_FIRST = "#6366f1"  # the theme's first colour, between its light and its dark form
_OUTCOMES = ("#16a34a", "#818cf8", "#f59e0b", "#e11d48", "#94a3b8")  # of `frames.outcomes`


def pair_bars(data: pd.DataFrame, *, labels: Sequence[str]) -> alt.TopLevelMixin:
    """Draw how much the pronoun attends to both candidates in both sentences.

    `data` is `frames.pair_frame`; `labels` name its four rows.
    """
    base = alt.Chart(data).encode(
        y=alt.Y("i:O").title(None).axis(position_axis()),
        tooltip=[
            alt.Tooltip("sentence:Q", title="sentence"),
            alt.Tooltip("word:N", title="key"),
            alt.Tooltip("weight:Q", title="in this head", format=".4f"),
            alt.Tooltip("mean:Q", title="mean of all heads", format=".4f"),
            alt.Tooltip("meant:N", title="is meant"),
        ],
    )
    colour = alt.Color("c:N").scale(domain=[0, 1], range=list(_OUTCOMES[1:3])).legend(None)
    x = alt.X("weight:Q").title("weight").scale(domain=[0, 1]).axis(tickCount=5)
    bars = base.mark_bar(height={"band": 0.7}).encode(x=x, color=colour)
    mean = base.mark_tick(thickness=3, color=NEUTRAL, height={"band": 0.9}).encode(x="mean:Q")
    value = value_label(
        base, value="weight", end="weight", mark="mean", span=1, form=".2f", aside="mean"
    )
    meant = base.transform_filter("datum.meant").mark_text(
        align="right", dx=-4, color=NEUTRAL, fontWeight=600, text="is meant"
    )
    meant = meant.encode(x=alt.value("width"))
    chart = alt.layer(bars, mean, value, meant).add_params(labels_param(labels))
    return chart.properties(height=4 * 34 + AXIS_HEIGHT + TITLE_HEIGHT)


def outcome_grid(data: pd.DataFrame, *, labels: Sequence[str], layers: int) -> alt.TopLevelMixin:
    """Draw for every head what it does with a minimal pair; a click names a head.

    `data` is `frames.outcome_frame`; `labels` say what its outcomes are, in order. The
    selection is called `head` and has the fields layer, head.
    """
    click = alt.selection_point("head", fields=["layer", "head"], on="click", empty=False)
    base = alt.Chart(data).encode(
        x=alt.X("head:O").title("head").axis(labelAngle=0, ticks=False, domain=False),
        y=alt.Y("layer:O").title("layer").axis(ticks=False, domain=False, labelOverlap=False),
        tooltip=[
            alt.Tooltip("name:N", title="head"),
            *(
                alt.Tooltip(f"w{s}{c}:Q", title=f"sentence {s}, candidate {c}", format=".3f")
                for s in (1, 2)
                for c in (1, 2)
            ),
        ],
    )
    legend = legend_below(labels, labelExpr="labels[datum.value]")
    cells = base.mark_rect(cornerRadius=3, cursor="pointer").encode(
        color=alt.Color("outcome:N")
        .scale(domain=list(range(len(labels))), range=list(_OUTCOMES[: len(labels)]))
        .legend(legend),
        opacity=alt.when("datum.outcome == 0").then(alt.value(1)).otherwise(alt.value(0.55)),
    )
    chosen = base.transform_filter("datum.chosen").mark_rect(
        filled=False, stroke=CHOSEN, strokeWidth=3, cornerRadius=3, cursor="pointer"
    )
    grid = alt.layer(cells.add_params(click), chosen).add_params(labels_param(labels))
    return grid.properties(height=max(layers, 1) * 26 + 110)


def removal_lines(data: pd.DataFrame, *, heads: int) -> alt.TopLevelMixin:
    """Draw how far the sentence vector moves as more and more heads are ablated.

    `data` is `frames.removal_frame`.
    """
    base = alt.Chart(data).encode(
        x=alt.X("removed:Q").title(f"heads ablated, of {heads}").scale(domain=[0, heads]),
        y=alt.Y("shift:Q").title("cosine distance").scale(domainMin=0).axis(format=".2f"),
        color=alt.Color("order:N").scale(domain=list(ORDERS)).legend(legend_below(ORDERS)),
        detail="run:N",
        tooltip=[
            alt.Tooltip("order:N", title="order"),
            alt.Tooltip("removed:Q", title="heads ablated"),
            alt.Tooltip("shift:Q", title="the vector moves by", format=".3f"),
        ],
    )
    faint = alt.when(f"datum.order == '{RANDOM}'").then(alt.value(0.45)).otherwise(alt.value(1))
    lines = base.mark_line(strokeWidth=2).encode(opacity=faint)
    points = base.mark_point(filled=True, size=45).encode(opacity=faint)
    return alt.layer(lines, points).properties(height=360)


def alike_map(
    data: pd.DataFrame, *, heads: int, heads_per_layer: int, highest: float
) -> alt.TopLevelMixin:
    """Draw how differently any two heads attend; dark cells are heads that do nearly the same.

    `data` is `frames.alike_frame`.
    """
    axis = alt.Axis(
        values=list(range(0, heads, heads_per_layer)),
        labelExpr=f"'L' + datum.value / {heads_per_layer}",
        labelAngle=0,
        ticks=False,
        domain=False,
    )
    every = list(range(heads))
    return (
        alt.Chart(data)
        .mark_rect()
        .encode(
            x=alt.X("b:O").title(None).scale(domain=every).axis(axis),
            y=alt.Y("a:O").title(None).scale(domain=every).axis(axis),
            color=alt.Color("bits:Q")
            .title("divergence (bits)")
            .scale(domain=[0, highest], reverse=True)
            .legend(orient="bottom", direction="horizontal", gradientLength=160),
            tooltip=[
                alt.Tooltip("one:N", title="head"),
                alt.Tooltip("other:N", title="and head"),
                alt.Tooltip("bits:Q", title="differ by, in bits", format=".3f"),
            ],
        )
        .properties(height=400)
    )
