"""All heads in a plane, alike ones near each other, and the ordered table of how alike they are."""

from __future__ import annotations

from typing import Any

import altair as alt
import pandas as pd

from attention.charts.parts import CHOSEN, NEUTRAL, ramp_below

_SIDE = 400  # pixels
_PICTURE = 340


def head_plane(data: pd.DataFrame, *, layers: int) -> alt.TopLevelMixin:
    """Draw a mark per head; a click names one, the chosen ones are framed and named.

    `data` is `head_map_frames.place_frame`. The selection is called `head` and has the fields layer
    and head. Lower layers are paler.
    """
    click = alt.selection_point("head", fields=["layer", "head"], on="click", empty=False)
    axis: dict[str, Any] = {"labels": False, "ticks": False, "domain": False, "grid": False}
    base = alt.Chart(data).encode(
        x=alt.X("x:Q").title(None).axis(**axis).scale(padding=24, zero=False),
        y=alt.Y("y:Q").title(None).axis(**axis).scale(padding=24, zero=False),
        tooltip=[
            alt.Tooltip("name:N", title="head"),
            alt.Tooltip("role:N", title="role here"),
        ],
    )
    marks = base.mark_circle(size=130, opacity=1, stroke=NEUTRAL, strokeWidth=0.7, cursor="pointer")
    coloured = marks.encode(
        color=alt.Color("layer:Q")
        .title("layer")
        .scale(domain=[0, max(layers - 1, 1)])
        .legend(ramp_below(format="d"))
    )
    chosen = base.transform_filter("datum.chosen")
    framed = chosen.mark_point(size=220, stroke=CHOSEN, strokeWidth=3, opacity=1, cursor="pointer")
    named = chosen.mark_text(dy=-16, fontSize=13, color=NEUTRAL, fontWeight=600).encode(
        text="name:N"
    )
    return alt.layer(coloured.add_params(click), framed, named).properties(height=_SIDE)


def ordered_table(data: pd.DataFrame) -> alt.TopLevelMixin:
    """Draw the table of all pairs of heads, ordered by clustering: blocks are heads that do alike.

    `data` is `head_map_frames.ordered_picture`: one picture, however many heads there are.
    """
    picture = alt.Chart(data).mark_image(
        x=0, y=0, align="left", baseline="top", width=_PICTURE, height=_PICTURE, smooth=False
    )
    return picture.encode(url="url:N", tooltip=alt.value(None)).properties(
        width=_PICTURE, height=_PICTURE
    )
