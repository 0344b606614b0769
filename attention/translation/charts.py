"""The translation page's charts: lines between two texts, their map, next words, two scores."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import altair as alt
import pandas as pd

from attention.charts.parts import (
    AXIS_HEIGHT,
    CHOSEN,
    NEUTRAL,
    ROW_HEIGHT,
    TITLE_HEIGHT,
    labels_param,
    legend_below,
    position_axis,
    ramp_below,
)
from attention.translation.additive import ADDITIVE, DOT
from attention.translation.frames import SOURCE, TARGET, UNTOUCHED, WITH_CUTS

_FIGURE = 40  # pixels that a figure and the round end of a line take
_FIGURE_FROM = 0.05  # smaller weights have a line and no figure
_CROWDED, _SLANTED = 20, 10  # words of a map: beyond, some have no label below, above
_STEPS = ((12, 34), (20, 27), (36, 19), (math.inf, 15))  # up to so many words, pixels for each
_AROUND = 150  # pixels of a map for its axes and its legend
_SECONDS = "(datum.value < 1 ? format(datum.value, '~s') + 's' : format(datum.value, '~r') + ' s')"
_X: Any = alt.XValue
_X2: Any = alt.X2Value


def row_step(rows: int) -> int:
    """Return how many pixels a word takes in a picture of so many."""
    return next(step for most, step in _STEPS if rows <= most)


def cross_lines(
    data: pd.DataFrame, *, rows: int, from_source: bool, figure: str = "weight"
) -> alt.TopLevelMixin:
    """Draw the source left and its translation right, and lines between them; words take clicks.

    `data` is `frames.cross_frame`. The selection is called `word` and has the fields side, i.

    Parameters
    ----------
    rows : words of the longer text
    from_source : the asked word is one of the source; its figures stand beside the translation
    figure : what the numbers are
    """
    ends = ("0.37 * width", f"min(0.53 * width, 0.63 * width - {_FIGURE})")  # beside the figures
    if not from_source:
        ends = (f"max(0.47 * width, 0.37 * width + {_FIGURE})", "0.63 * width")
    size = 15 if row_step(rows) > 20 else 13
    click = alt.selection_point(
        "word",
        fields=["side", "i"],
        on="click[event.item && event.item.datum && event.item.datum.kind]",
        clear=False,
        toggle=False,
        empty=False,
    )
    tip = alt.Tooltip("weight:Q", title=figure, format=".4f")
    source = _side(data, SOURCE, (0.0, 0.36), size, tip)
    target = _side(data, TARGET, (0.64, 1.0), size, tip)
    source[0] = source[0].add_params(click)
    said = alt.Chart(data).transform_filter(f"datum.weight >= {_FIGURE_FROM}")
    side, at = (TARGET, 0.63) if from_source else (SOURCE, 0.37)
    figures = (
        said.transform_filter(f"datum.kind == 'word' && datum.side == {side}")
        .mark_text(
            align="right" if from_source else "left", baseline="middle", fontSize=13, color=NEUTRAL
        )
        .encode(
            x=_X(alt.ExprRef(f"{at} * width")), y=_y("y"), text=alt.Text("weight:Q", format=".2f")
        )
    )
    return alt.layer(*source, *target, *_lines(data, ends, tip), figures).properties(
        height=rows * row_step(rows)
    )


def _side(
    data: pd.DataFrame, side: int, span: tuple[float, float], size: int, tip: alt.Tooltip
) -> list[alt.Chart]:
    """Return the words of a side on grounds that can be clicked, shaded by weight."""
    words = alt.Chart(data).transform_filter(f"datum.kind == 'word' && datum.side == {side}")
    edge = f"{span[1]} * width - 5" if side == SOURCE else f"{span[0]} * width + 5"
    grounds = words.transform_calculate(
        shade="isValid(datum.weight) ? max(0.001, 0.45 * datum.weight) : 0.001"
    ).mark_rect(cursor="pointer", cornerRadius=5)
    tips = [alt.Tooltip("word:N", title="click"), tip]
    place = {
        "x": _X(alt.ExprRef(f"{span[0]} * width")),
        "x2": _X2(alt.ExprRef(f"{span[1]} * width")),
    }
    ink = alt.Color("ink:Q").scale(domain=[0, 1]).legend(None)  # the far end of the theme's ramp
    text = words.transform_calculate(ink="1").mark_text(
        align="right" if side == SOURCE else "left",
        baseline="middle",
        fontSize=size,
        limit=alt.ExprRef("0.35 * width"),
        tooltip=None,
        cursor="pointer",
    )
    frames = words.transform_filter("datum.asked").mark_rect(
        filled=False, stroke=CHOSEN, strokeWidth=2.5, cornerRadius=5, cursor="pointer", aria=False
    )
    rows = {"y": _y("top"), "y2": "bottom:Q"}
    return [
        grounds.encode(**place, **rows, opacity=alt.Opacity("shade:Q", scale=None), tooltip=tips),
        frames.encode(**place, **rows),
        text.encode(
            x=_X(alt.ExprRef(edge)),
            y=_y("y"),
            text="word:N",
            color=alt.when("datum.later").then(alt.value(NEUTRAL)).otherwise(ink),
        ),
    ]


def _lines(data: pd.DataFrame, ends: tuple[str, str], tip: alt.Tooltip) -> list[alt.Chart]:
    """Return the asked word's lines, and behind them the strong ones of the others in grey."""
    lines = alt.Chart(data).transform_filter("datum.kind == 'line'")
    width = alt.StrokeWidth("weight:Q").scale(domain=[0, 1], range=[0.5, 12]).legend(None)
    place: dict[str, Any] = {
        "x": _X(alt.ExprRef(ends[0])),
        "x2": _X2(alt.ExprRef(ends[1])),
        "y": _y("y"),
        "y2": "y2:Q",
        "tooltip": [alt.Tooltip("word:N", title="line"), tip],
    }
    grey = lines.transform_filter("!datum.asked").mark_rule(color=NEUTRAL, strokeWidth=1.5)
    own = lines.transform_filter("datum.asked").mark_rule(strokeCap="round")
    bright = alt.Opacity("weight:Q", scale=alt.Scale(domain=[0, 1], range=[0.15, 1]), legend=None)
    first = alt.Color("kind:N").scale(domain=["line"]).legend(None)
    return [
        grey.encode(**place, opacity=alt.value(0.3)),
        own.encode(**place, strokeWidth=width, opacity=bright, color=first),
    ]


def _y(field: str) -> alt.Y:
    return alt.Y(f"{field}:Q").scale(domain=[0, 1], reverse=True, nice=False).axis(None)


def alignment_map(
    data: pd.DataFrame, *, source: tuple[str, ...], target: tuple[str, ...], figure: str = "weight"
) -> alt.TopLevelMixin:
    """Draw the whole alignment; a click names a cell, and the asked word's are framed.

    `data` is `frames.align_frame`; `figure` is what a cell is. The selection is called `cell` and
    has the fields q, k.
    """
    crowded = len(target) > _CROWDED
    click = alt.selection_point("cell", fields=["q", "k"], on="click", empty=False)
    base = alt.Chart(data).encode(
        x=alt.X("k:O")
        .title("source (key)")
        .axis(
            position_axis(labelAngle=-60, orient="top", thin=len(source) > _SLANTED, names="source")
        ),
        y=alt.Y("q:O")
        .title("translation (query)")
        .axis(position_axis(thin=crowded, names="target")),
        tooltip=[
            alt.Tooltip("query:N", title="translation"),
            alt.Tooltip("key:N", title="source"),
            alt.Tooltip("weight:Q", title=figure, format=".4f"),
        ],
    )
    legend = ramp_below(120)
    cells = base.mark_rect(cursor="pointer").encode(
        color=alt.Color("weight:Q").title(figure).scale(domain=[0, 1]).legend(legend)
    )
    chosen = base.transform_filter("datum.chosen").mark_rect(
        filled=False,
        stroke=CHOSEN,
        strokeWidth=0.5 if crowded else 1.5,
        cursor="pointer",
        aria=False,
    )
    names = [
        alt.param(name="source", value=list(source)), alt.param(name="target", value=list(target))
    ]  # fmt: skip
    step = row_step(max(len(source), len(target)))
    return (
        alt.layer(cells.add_params(click), chosen)
        .add_params(*names)
        .properties(height=len(target) * min(step, 29) + _AROUND)
    )


def likeliest_bars(data: pd.DataFrame, *, labels: Sequence[str]) -> alt.TopLevelMixin:
    """Draw the likeliest next tokens. `data` is `frames.likeliest_frame`."""
    base = alt.Chart(data).encode(
        y=alt.Y("i:O").title(None).axis(position_axis(names="tokens")),
        tooltip=[
            alt.Tooltip("token:N", title="next token"),
            alt.Tooltip("probability:Q", format=".2%"),
        ],
    )
    bars = base.mark_bar(height={"band": 0.7}).encode(
        x=alt.X("probability:Q").title(None).scale(domain=[0, 1.8]).axis(None)  # figures need room
    )
    text = base.mark_text(align="left", dx=6, color=NEUTRAL, fontSize=13).encode(
        x="probability:Q", text=alt.Text("probability:Q", format=".1%")
    )
    return (
        alt.layer(bars, text)
        .add_params(alt.param(name="tokens", value=list(labels)))
        .properties(height=max(len(labels), 1) * ROW_HEIGHT + 10)
    )


def phrase_bars(data: pd.DataFrame, *, labels: tuple[str, ...]) -> alt.TopLevelMixin:
    """Draw how probable each phrase is without and with cuts. `data` is `frames.phrase_frame`."""
    base = alt.Chart(data).encode(
        y=alt.Y("i:O").title(None).axis(position_axis(names="phrases")),
        yOffset=alt.YOffset("when:N").scale(domain=[UNTOUCHED, WITH_CUTS]),
        tooltip=[
            alt.Tooltip("phrase:N"),
            alt.Tooltip("when:N"),
            alt.Tooltip("probability:Q", format=".3%"),
        ],
    )
    x = alt.X("probability:Q").title(None).scale(domain=[0, 1.15]).axis(None)
    colour = alt.Color("when:N").scale(domain=[UNTOUCHED, WITH_CUTS], range=[NEUTRAL, CHOSEN])
    legend = alt.Legend(title=None, orient="top")
    bars = base.mark_bar().encode(x=x, color=colour.legend(legend))
    text = base.mark_text(align="left", dx=6, color=NEUTRAL, fontSize=13).encode(
        x="probability:Q", text=alt.Text("probability:Q", format=".1%")
    )
    return (
        alt.layer(bars, text)
        .add_params(alt.param(name="phrases", value=list(labels)))
        .properties(height=max(len(labels), 1) * 2 * ROW_HEIGHT + 40)
    )


def two_rows(data: pd.DataFrame, *, labels: Sequence[str]) -> alt.TopLevelMixin:
    """Draw one row of weights from both kinds of scores. `data` is `frames.row_frame`."""
    bars = (
        alt.Chart(data)
        .mark_bar()
        .encode(
            x=alt.X("weight:Q").title("weight").scale(domain=[0, 1]).axis(tickCount=5),
            y=alt.Y("k:O").title(None).axis(position_axis()),
            yOffset=alt.YOffset("series:N").scale(domain=[DOT, ADDITIVE]),
            color=_kind("series:N"),
            tooltip=[
                alt.Tooltip("series:N", title="score"),
                alt.Tooltip("word:N", title="key"),
                alt.Tooltip("weight:Q", title="weight", format=".4f"),
            ],
        )
    )
    return bars.add_params(labels_param(labels)).properties(
        height=max(len(labels), 1) * ROW_HEIGHT + AXIS_HEIGHT + 2 * TITLE_HEIGHT
    )


def cost_lines(data: pd.DataFrame) -> alt.TopLevelMixin:
    """Draw the measured time of all scores against length. `data` is `frames.cost_frame`."""
    ticks = sorted({2**power for power in range(4, 14)})
    base = alt.Chart(data).encode(
        x=alt.X("n:Q")
        .title("tokens n")
        .scale(type="log", base=2, nice=False, padding=12)
        .axis(values=ticks, grid=False),
        y=alt.Y("seconds:Q")
        .title("time of all scores")
        .scale(type="log")
        .axis(labelExpr=_SECONDS, values=[10.0**power for power in range(-7, 2)]),
        color=_kind("kind:N"),
        tooltip=[
            alt.Tooltip("kind:N", title="score"),
            alt.Tooltip("n:Q", title="tokens n", format=","),
            alt.Tooltip("time:N", title="median time"),
        ],
    )
    lines, points = base.mark_line(strokeWidth=2), base.mark_point(filled=True, size=60, opacity=1)
    return alt.layer(lines, points).properties(height=330)


def _kind(field: str) -> alt.Color:
    kinds = [DOT, ADDITIVE]
    return alt.Color(field).scale(domain=kinds).legend(legend_below(kinds))
