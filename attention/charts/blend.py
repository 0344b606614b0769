"""The explorer's charts: the weights of one row, and what the blend of its values means."""

from __future__ import annotations

from collections.abc import Sequence

import altair as alt
import pandas as pd

from attention.charts.parts import (
    AXIS_HEIGHT,
    NEUTRAL,
    ROW_HEIGHT,
    TITLE_HEIGHT,
    labels_param,
    position_axis,
    value_label,
)


def weight_bars(data: pd.DataFrame, *, labels: Sequence[str]) -> alt.TopLevelMixin:
    """Draw the weights of one row as bars, with a mark where they stood before.

    `data` is `frames.weight_frame`; `labels` are its words.
    """
    base = alt.Chart(data).encode(
        y=alt.Y("k:O").title(None).axis(position_axis()),
        tooltip=[
            alt.Tooltip("word:N", title="word"),
            alt.Tooltip("weight:Q", title="weight", format=".4f"),
            alt.Tooltip("before:Q", title="at the start", format=".4f"),
        ],
    )
    x = alt.X("weight:Q").title(None).scale(domain=[0, 1]).axis(format="%", tickCount=5)
    bars = base.mark_bar(height={"band": 0.72}).encode(x=x, color=_word_colour(len(labels)))
    value = value_label(
        base, value="weight", end="weight", mark="before", span=1, form=".1%", aside="from"
    )
    return _finish(bars, _mark(base), value, labels=labels, below=AXIS_HEIGHT)


def blend_bars(
    data: pd.DataFrame,
    *,
    labels: Sequence[str],
    words: int,
    title: str,
    domain: tuple[float, float],
) -> alt.TopLevelMixin:
    """Draw the blended output: a bar per meaning, stacked by word, a mark where it stood before.

    `data` is `frames.blend_frame` or `frames.dimension_frame`; `labels` name the bars, `words` is
    the number of words in each stack, `domain` the range of the axis.
    """
    base = alt.Chart(data).encode(y=alt.Y("s:O").title(None).axis(position_axis()))
    bars = base.mark_bar(height={"band": 0.72}).encode(
        x=alt.X("part:Q")
        .title(title)
        .scale(domain=list(domain))
        .stack("zero")
        .axis(tickCount=6, format=".2~f"),
        color=_word_colour(words),
        order=alt.Order("k:Q"),
        tooltip=[
            alt.Tooltip("meaning:N", title="towards"),
            alt.Tooltip("word:N", title="from"),
            alt.Tooltip("part:Q", title="part", format="+.3f"),
            alt.Tooltip("total:Q", title="all words", format="+.3f"),
            alt.Tooltip("before:Q", title="at the start", format="+.3f"),
        ],
    )
    once = base.transform_filter("datum.k == 0")
    span = domain[1] - domain[0]
    value = value_label(
        once, value="total", end="end", mark="before", span=span, form="+.2f", aside="from"
    )
    return _finish(bars, _mark(once), value, labels=labels, below=AXIS_HEIGHT + TITLE_HEIGHT)


def _word_colour(words: int) -> alt.Color:
    """Give each word its own colour from the theme, the same in both charts."""
    return alt.Color("k:N").scale(domain=list(range(words))).legend(None)


def _mark(base: alt.Chart) -> alt.Chart:
    """Draw a mark at the value before the change."""
    return base.mark_tick(thickness=3, color=NEUTRAL, height={"band": 0.95}).encode(x="before:Q")


def _finish(*layers: alt.Chart, labels: Sequence[str], below: int) -> alt.TopLevelMixin:
    chart = alt.layer(*layers).add_params(labels_param(labels))
    return chart.properties(height=max(len(labels), 1) * ROW_HEIGHT + below)
