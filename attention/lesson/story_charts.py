"""The pictures of the lesson's story: small, without axes."""

from __future__ import annotations

import altair as alt
import pandas as pd

from attention.charts.parts import NEUTRAL

_HEIGHT = 76
_FIRST = "#6366f1"  # the theme's first colour, between its light and its dark form


def handed_on(data: pd.DataFrame) -> alt.TopLevelMixin:
    """Draw a message that is handed on and fades. `data` is `story_frames.handed_frame`."""
    x = alt.X("i:Q").axis(None).scale(nice=False, padding=12)
    base = alt.Chart(data).encode(x=x, y=alt.value(_HEIGHT / 2))
    line = base.mark_line(color=NEUTRAL, strokeWidth=1.5)
    rings = base.mark_circle(size=150, color="transparent", stroke=NEUTRAL, strokeWidth=1.5)
    filled = base.mark_circle(size=150, color=_FIRST).encode(
        opacity=alt.Opacity("left:Q", scale=alt.Scale(domain=[0, 1], range=[0, 1])).legend(None),
        tooltip=[
            alt.Tooltip("word:N", title="at the word"),
            alt.Tooltip("left:Q", title="is left", format=".3~p"),
        ],
    )
    return _small(line, rings, filled)


def fan(data: pd.DataFrame) -> alt.TopLevelMixin:
    """Draw lines from one word to all others. `data` is `story_frames.fan_frame`."""
    scale = alt.Scale(domain=[0, 1], nice=False, padding=10)
    base = alt.Chart(data)
    lines = base.mark_rule(color=_FIRST, strokeCap="round").encode(
        x=alt.X("at:Q").axis(None).scale(scale),
        x2="to:Q",
        y=alt.value(10),
        y2=alt.value(_HEIGHT - 10),
        strokeWidth=alt.StrokeWidth("weight:Q").legend(None).scale(domain=[0, 1], range=[0.8, 9]),
        opacity=alt.Opacity("weight:Q").legend(None).scale(domain=[0, 1], range=[0.35, 1]),
        tooltip=_key_tips(),
    )
    keys = base.mark_circle(size=36, color=NEUTRAL, opacity=1).encode(
        x=alt.X("to:Q").axis(None).scale(scale), y=alt.value(_HEIGHT - 10), tooltip=_key_tips()
    )
    query = base.mark_circle(size=110, color=_FIRST, opacity=1).encode(
        x=alt.X("at:Q").axis(None).scale(scale), y=alt.value(10)
    )
    return _small(lines, keys, query)


def products(data: pd.DataFrame) -> alt.TopLevelMixin:
    """Draw a query, a key and their products. `data` is `story_frames.products_frame`."""
    cells = (
        alt.Chart(data)
        .mark_rect()
        .encode(
            x=alt.X("e:O").axis(None),
            y=alt.Y("r:O")
            .title(None)
            .scale(paddingInner=0.2)
            .axis(
                labelExpr="['q', 'k', 'q × k'][datum.value]",
                ticks=False,
                domain=False,
                labelFontSize=13,
            ),
            color=alt.Color("share:Q")
            .scale(domain=[-1, 1], domainMid=0, range="diverging")
            .legend(None),
            tooltip=[
                alt.Tooltip("e:O", title="column"),
                alt.Tooltip("value:Q", title="value", format=".4~r"),
            ],
        )
    )
    return cells.properties(height=_HEIGHT)


def average(data: pd.DataFrame) -> alt.TopLevelMixin:
    """Draw weights side by side. `data` is `story_frames.average_frame`."""
    x = alt.X("low:Q").axis(None).scale(domain=[0, 1], nice=False)
    base = alt.Chart(data).encode(tooltip=_key_tips())
    parts = base.mark_rect(color=_FIRST).encode(
        x=x,
        x2="high:Q",
        y=alt.value(10),
        y2=alt.value(42),
        opacity=alt.Opacity("weight:Q").legend(None).scale(domain=[0, 0.5], range=[0.25, 1]),
    )
    words = base.transform_calculate(middle="(datum.low + datum.high) / 2").mark_text(
        color=NEUTRAL, fontSize=13, baseline="top"
    )
    named = words.encode(x=alt.X("middle:Q").axis(None), y=alt.value(50), text=alt.Text("said:N"))
    return _small(parts, named)


def learned_maps(data: pd.DataFrame, *, columns: int) -> alt.TopLevelMixin:
    """Draw what is attended to before and after learning.

    Parameters
    ----------
    data : as `story_frames.before_after_frame` returns it
    columns : of both maps and the gap between them
    """
    cells = (
        alt.Chart(data)
        .mark_rect()
        .encode(
            x=alt.X("c:O").axis(None).scale(domain=list(range(columns)), paddingInner=0.12),
            y=alt.Y("r:O").axis(None).scale(paddingInner=0.12),
            color=alt.Color("weight:Q").scale(domain=[0, 1]).legend(None),
            tooltip=[
                alt.Tooltip("when:N", title="learning"),
                alt.Tooltip("weight:Q", title="weight", format=".4f"),
            ],
        )
    )
    return cells.properties(height=_HEIGHT)


def all_pairs(data: pd.DataFrame) -> alt.TopLevelMixin:
    """Draw all weights of a head, queries by keys. `data` is `story_frames.price_frame_of`."""
    cells = (
        alt.Chart(data)
        .mark_rect()
        .encode(
            x=alt.X("c:O").axis(None).scale(paddingInner=0.12),
            y=alt.Y("r:O").axis(None).scale(paddingInner=0.12),
            color=alt.Color("weight:Q").scale(domain=[0, 1], type="sqrt").legend(None),
            tooltip=[alt.Tooltip("weight:Q", title="weight", format=".4f")],
        )
    )
    return cells.properties(height=_HEIGHT)


def _small(*layers: alt.Chart) -> alt.TopLevelMixin:
    return alt.layer(*layers).properties(height=_HEIGHT)


def _key_tips() -> list[alt.Tooltip]:
    return [
        alt.Tooltip("key:N", title="key"),
        alt.Tooltip("weight:Q", title="weight", format=".4f"),
    ]
