"""What pictures have in common: how one is drawn so that it stands alone."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import altair as alt

from attention.charts.inline import inline
from attention.charts.look import dressed
from attention.translation.aligned import Sides
from attention.translation.charts import cross_lines
from attention.translation.frames import cross_frame

if TYPE_CHECKING:
    import pandas as pd

Picture = alt.TopLevelMixin

WIDTH = 620  # pixels


def drawn(
    build: Callable[..., Picture], data: pd.DataFrame, *, width: int = WIDTH, **options: Any
) -> Picture:
    """Draw a table with any of the package's own chart functions, as one that stands alone.

    Parameters
    ----------
    build : a function of a `charts` module
    data : the table that it takes; `options` are its own
    width : in pixels, where the chart does not say so itself
    """
    chart: Any = build(inline(data), **options)
    fits = isinstance(chart, alt.Chart | alt.LayerChart) and chart.width is alt.Undefined
    return dressed(chart.properties(width=width) if fits else chart)


def cross_links(
    sides: Sides, asked: int, other: int | None = None, *, figure: str = "weight"
) -> Picture:
    """Draw two texts side by side, with lines from one word of one of them to the other text."""
    chart = cross_lines(
        inline(cross_frame(sides, asked, other)),
        rows=max(len(sides.source), len(sides.target)),
        from_source=other is not None,
        figure=figure,
    )
    return dressed(chart.properties(width=WIDTH))
