"""The look of charts outside the dashboard, which brings its own: its light one, on white."""

from __future__ import annotations

from typing import Any, cast

import altair as alt

from attention.pictures import RAMP

FONT = "Source Sans, Source Sans Pro, Segoe UI, Helvetica, Arial, sans-serif"
# Those of the dashboard's light theme, in order.
CATEGORIES = (
    "#4338ca", "#f59e0b", "#0d9488", "#e11d48", "#0284c7", "#84cc16",
    "#9333ea", "#fb7185", "#166534", "#22d3ee", "#9a3412", "#64748b",
)  # fmt: skip
_INK = "#14131f"


def dressed(chart: Any, title: str = "") -> alt.TopLevelMixin:
    """Return a chart that looks the same wherever it is shown; it is no part of another one."""
    own = alt.Config(
        background="white",
        font=FONT,
        padding=8,
        axis=alt.AxisConfig(
            grid=False, labelFontSize=13, titleFontSize=13, labelColor=_INK, titleColor=_INK,
            titleFontWeight="normal",
        ),
        legend=alt.LegendConfig(labelFontSize=13, titleFontSize=13, titleFontWeight="normal"),
        header=alt.HeaderConfig(labelFontSize=13, labelColor=_INK),
        title=alt.TitleConfig(fontSize=15, anchor="start", color=_INK, fontWeight=600),
        mark=alt.MarkConfig(color=CATEGORIES[0]),
        range=alt.RangeConfig(category=list(CATEGORIES), ramp=list(RAMP), heatmap=list(RAMP)),
        view=alt.ViewConfig(stroke=None),
    )  # fmt: skip
    found: Any = chart.copy(deep=False)
    found.config = own
    if title:
        found.title = title
    return cast(alt.TopLevelMixin, found)
