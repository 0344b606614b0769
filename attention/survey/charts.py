"""The survey page's charts: one head's roles beside chance, and the heads of models in order."""

from __future__ import annotations

from collections.abc import Sequence

import altair as alt
import pandas as pd

from attention.charts.parts import (
    AXIS_HEIGHT,
    NEUTRAL,
    TITLE_HEIGHT,
    labels_param,
    legend_below,
    position_axis,
)

_ROW, _FEWEST = 26, 3  # pixels of a role; of so many at least: one alone would be a line


def role_bars(data: pd.DataFrame, *, labels: Sequence[str]) -> alt.TopLevelMixin:
    """Draw a head's score for every role, with chance as a mark and its spread over texts.

    `data` is `frames.head_roles_frame`, `labels` the roles.
    """
    base = alt.Chart(data).encode(
        y=alt.Y("i:O").title(None).axis(position_axis()),
        tooltip=[
            alt.Tooltip("role:N", title="role"),
            alt.Tooltip("score:Q", title="mean over queries", format=".3f"),
            alt.Tooltip("chance:Q", title="by chance", format=".3f"),
            alt.Tooltip("low:Q", title="a tenth of the texts stay below", format=".3f"),
            alt.Tooltip("high:Q", title="a tenth are above", format=".3f"),
            alt.Tooltip(
                "share:Q", title="of texts with 3 queries or more it has the role on", format=".0%"
            ),
            alt.Tooltip("texts:Q", title="texts measured"),
        ],
    )
    x = (
        alt.X("score:Q")
        .title(["score; mark: by chance", "line: eight tenths of the texts"])
        .scale(domain=[0, 1])
    )
    bars = base.mark_bar(height={"band": 0.6}).encode(x=x)
    spread = base.mark_rule(color=NEUTRAL, strokeWidth=2).encode(x="low:Q", x2="high:Q")
    chance = base.mark_tick(color=NEUTRAL, thickness=3, height={"band": 0.9}).encode(x="chance:Q")
    height = max(len(labels), _FEWEST) * _ROW + AXIS_HEIGHT + 2 * TITLE_HEIGHT
    return (
        alt.layer(bars, spread, chance).add_params(labels_param(labels)).properties(height=height)
    )


def ranked_heads(
    data: pd.DataFrame, *, models: Sequence[str], title: str, highest: float
) -> alt.TopLevelMixin:
    """Draw the heads of each model from the highest to the lowest, as shares of all its heads.

    `data` is `frames.ranked_frame`.
    """
    legend = legend_below(models)
    base = alt.Chart(data).encode(
        x=alt.X("place:Q")
        .title("share of the model's heads that are as high or higher")
        .scale(domain=[0, 1])
        .axis(format="%"),
        y=alt.Y("value:Q").title(title).scale(domain=[0, highest]),
        color=alt.Color("model:N").scale(domain=list(models)).legend(legend),
        strokeDash=alt.StrokeDash("model:N").scale(domain=list(models)).legend(legend),
        tooltip=[
            alt.Tooltip("model:N", title="model"),
            alt.Tooltip("name:N", title="head"),
            alt.Tooltip("value:Q", title=title, format=".3f"),
            alt.Tooltip("place:Q", title="place", format=".1%"),
        ],
    )
    lines = base.mark_line(strokeWidth=2, interpolate="step-before")
    points = base.mark_point(filled=True, size=28, opacity=0.8)
    return alt.layer(lines, points).properties(height=300)
