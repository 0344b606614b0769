"""Charts of two texts word by word."""

from __future__ import annotations

from collections.abc import Sequence

import altair as alt
import pandas as pd

from attention.charts.parts import labels_param, position_axis, ramp_below

_FRAME, _ROW, _LABEL = 150, 18, 11.5  # pixels


def difference_map(
    data: pd.DataFrame, *, labels: Sequence[str], limit: float, figure: str = "weight"
) -> alt.TopLevelMixin:
    """Draw what a head's weights gain and lose from the first text to the second.

    `data` is `difference_frames.difference_frame`; the scale goes from `-limit` to `limit`;
    `figure` is what the numbers are.
    """
    crowded = len(labels) * _LABEL > 460
    scale = alt.Scale(domain=[-limit, limit], domainMid=0, range="diverging")
    legend = ramp_below()
    cells = (
        alt.Chart(data)
        .mark_rect()
        .encode(
            x=alt.X("k:O")
            .title("key")
            .axis(position_axis(labelAngle=-60, orient="top", thin=crowded)),
            y=alt.Y("q:O").title("query").axis(position_axis(thin=crowded)),
            color=alt.Color("change:Q").title(f"change of {figure}").scale(scale).legend(legend),
            tooltip=[
                alt.Tooltip("query:N", title="query"),
                alt.Tooltip("key:N", title="key"),
                alt.Tooltip("first:Q", title=f"{figure} in the first text", format=".4f"),
                alt.Tooltip("second:Q", title=f"{figure} in the second", format=".4f"),
                alt.Tooltip("change:Q", title="change", format="+.4f"),
            ],
        )
    )
    height = _FRAME + min(max(_ROW * len(labels), 150), 420)
    return cells.add_params(labels_param(labels)).properties(height=height)


def moved_layers(
    data: pd.DataFrame, *, labels: Sequence[str], stages: Sequence[str], highest: float, words: int
) -> alt.TopLevelMixin:
    """Draw how far each word of both texts has moved, stage by stage.

    `data` is `difference_frames.moved_layers_frame`, `words` how many there are.
    """
    cells = (
        alt.Chart(data)
        .mark_rect()
        .encode(
            x=alt.X("stage:O")
            .title(None)
            .axis(labelExpr="stages[datum.value]", labelAngle=-45, ticks=False, domain=False),
            y=alt.Y("i:O").title(None).axis(position_axis()),
            color=alt.Color("moved:Q")
            .title("cosine distance")
            .scale(domain=[0, highest])
            .legend(orient="bottom", direction="horizontal", gradientLength=160),
            tooltip=[
                alt.Tooltip("word:N", title="word"),
                alt.Tooltip("moved:Q", title="cosine distance", format=".4f"),
            ],
        )
    )
    named = alt.param(name="stages", value=list(stages))
    chart = cells.add_params(labels_param(labels), named)
    return chart.properties(height=110 + max(words, 1) * _ROW)
