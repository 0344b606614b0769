"""All heads, each in the colour of the role that it has on a text."""

from __future__ import annotations

from collections.abc import Sequence

import altair as alt
import pandas as pd

from attention.charts.parts import NEUTRAL

_CELL, _LOW = 40, 22  # pixels of a head, and of a layer among many
_FEW = 12  # layers


def grid_of_roles(
    data: pd.DataFrame, *, roles: Sequence[str], layers: int, heads: int
) -> alt.TopLevelMixin:
    """Draw a cell per head in the colour of its role, and how its name begins; grey without one.

    `data` is `role_frames.role_grid_frame`; `roles` are the labels of all roles, in order, so that
    a role has the same colour on every text.
    """
    none = alt.value(NEUTRAL)
    colour = alt.Color("role:N").scale(domain=list(roles)).legend(title=None, symbolType="square")
    base = alt.Chart(data).encode(
        x=alt.X("head:O").title("head").axis(labelAngle=0, ticks=False, domain=False),
        y=alt.Y("layer:O").title("layer").axis(ticks=False, domain=False, labelOverlap=True),
        tooltip=[
            alt.Tooltip("name:N", title="head"),
            alt.Tooltip("says:N", title="role here"),
            alt.Tooltip("meaning:N", title="score"),
            alt.Tooltip("score:Q", title="of this head", format=".3f"),
            alt.Tooltip("chance:Q", title="by chance, mean", format=".3f"),
            alt.Tooltip("spread:Q", title="by chance, spread", format=".3f"),
        ],
    )
    cells = base.mark_rect(cornerRadius=3).encode(
        color=alt.when("isValid(datum.role)").then(colour).otherwise(none),
        opacity=alt.when("isValid(datum.role)").then(alt.value(1)).otherwise(alt.value(0.18)),
    )
    high = layers <= _FEW
    letters = base.mark_text(fontSize=13).encode(
        text="short:N",
        color=alt.when("datum.bright").then(alt.value("#14131f")).otherwise(alt.value("white")),
    )
    return alt.layer(cells, letters).properties(
        width=heads * _CELL, height=layers * (_CELL if high else _LOW)
    )
