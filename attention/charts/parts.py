"""What several charts share."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import altair as alt

ROW_HEIGHT = 24  # pixels per word in a bar chart
AXIS_HEIGHT = 30  # pixels for the axis under it
TITLE_HEIGHT = 22  # and for its title
NEUTRAL = "#83839a"  # marks that must be seen on light and dark ground alike
CHOSEN = "#f59e0b"  # frames around what the reader has chosen


def labels_param(labels: Sequence[str]) -> alt.Parameter:
    """Return a parameter that holds the text of each position.

    Axes are keyed by position, because a sentence repeats words; the text is looked up. It is data
    in the spec, never part of an expression, so what a reader types cannot act.
    """
    return alt.param(name="labels", value=list(labels))


def position_axis(*, offset: int = 0, **options: Any) -> alt.Axis:
    """Return an axis whose ticks, positions from `offset` on, show `labels_param`'s text."""
    expression = f"labels[datum.value - {offset}]" if offset else "labels[datum.value]"
    return alt.Axis(
        labelExpr=expression,
        labelLimit=110,
        labelOverlap=False,
        labelFlush=False,
        ticks=False,
        domain=False,
        **options,
    )
