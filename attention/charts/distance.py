"""Scores against distance."""

from __future__ import annotations

from collections.abc import Sequence

import altair as alt
import pandas as pd

from attention.charts.parts import legend_below


def distance_lines(data: pd.DataFrame, *, series: Sequence[str]) -> alt.TopLevelMixin:
    """Draw scores against how far apart two tokens stand, a line for each series.

    `data` is `alignment_frames.distance_frame`.
    """
    legend = legend_below(series)
    return (
        alt.Chart(data)
        .mark_line(strokeWidth=2, point=alt.OverlayMarkDef(size=30))
        .encode(
            x=alt.X("distance:Q").title("tokens apart"),
            y=alt.Y("score:Q").title("score q · k / √E"),
            color=alt.Color("series:N").scale(domain=list(series)).legend(legend),
            tooltip=[
                alt.Tooltip("series:N", title="what"),
                alt.Tooltip("distance:Q", title="tokens apart"),
                alt.Tooltip("score:Q", title="score", format=".3f"),
            ],
        )
        .properties(height=340)
    )
