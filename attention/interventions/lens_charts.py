"""What each layer's stream would predict: at one word as bars, at every word as a map."""

from __future__ import annotations

from collections.abc import Sequence

import altair as alt
import pandas as pd

from attention.charts.parts import AXIS_HEIGHT, LABEL_ROW, NEUTRAL, labels_param, position_axis

_MARGIN = 70  # pixels for the legend


def lens_bars(data: pd.DataFrame, *, layers: int) -> alt.TopLevelMixin:
    """Draw the most probable next token of each layer at one word; the last layer is on top.

    `data` is the rows of `writing_frames.lens_frame` of that word.
    """
    base = alt.Chart(data).encode(y=_layers(), tooltip=_tooltip())
    bars = base.mark_bar(height={"band": 0.7}).encode(
        x=alt.X("chance:Q").title("probability").scale(domain=[0, 1.25]).axis(
            format="%", values=[0, 0.25, 0.5, 0.75, 1]
        )
    )  # fmt: skip
    names = base.mark_text(align="left", dx=5, color=NEUTRAL, fontSize=13).encode(
        x="chance:Q", text="token:N"
    )
    return alt.layer(bars, names).properties(height=layers * LABEL_ROW + AXIS_HEIGHT)


def lens_map(data: pd.DataFrame, *, labels: Sequence[str], layers: int) -> alt.TopLevelMixin:
    """Draw how probable the most probable next token is, at each layer and word.

    `data` is `writing_frames.lens_frame`, `labels` the words in its order. Under the pointer: the
    token.
    """
    cells = (
        alt.Chart(data)
        .mark_rect()
        .encode(
            x=alt.X("at:O").title("after the word").axis(position_axis(labelAngle=-40)),
            y=_layers(),
            color=alt.Color("chance:Q")
            .title("probability")
            .scale(domain=[0, 1])
            .legend(orient="bottom", direction="horizontal", gradientLength=160, format="%"),
            tooltip=_tooltip(),
        )
    )
    height = layers * LABEL_ROW + AXIS_HEIGHT + _MARGIN
    return cells.add_params(labels_param(labels)).properties(height=height)


def _layers() -> alt.Y:
    axis = alt.Axis(ticks=False, domain=False, labelOverlap=True)
    return alt.Y("layer:O", title="layers that have run", sort="descending", axis=axis)


def _tooltip() -> list[alt.Tooltip]:
    return [
        alt.Tooltip("layer:O", title="layers that have run"),
        alt.Tooltip("word:N", title="after the word"),
        alt.Tooltip("token:N", title="it would predict"),
        alt.Tooltip("chance:Q", title="with", format=".1%"),
        alt.Tooltip("followed:Q", title="your answer", format=".1%"),
    ]
