"""The heads page's maps of the chosen heads, and which words of a long text they show."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from attention.analysis import frames, links
from attention.analysis.sentences import role
from attention.charts.maps import head_maps
from attention.ui import inputs
from attention.ui.controls import on_phone
from attention.ui.readings import Reading
from attention.ui.show import draw
from attention.wording import Head, head_name

WIDTH = 640  # pixels for all that stands beside the grid
_WIDE = 575  # pixels for maps side by side and the words left of them
_LETTER, _LONGEST, _GAP, _SMALLEST = 7, 110, 20, 120
_ALONE = 240  # the side of a map below another one
_AT = "maps_at"


def chosen_maps(chosen: Reading, heads: Sequence[Head], query: int) -> int:
    """Draw the maps, with what moves their window over a long text; return how many in a row."""
    view, picture = chosen.view, st.container()
    if len(view.units) > links.MOST_WORDS:
        inputs.slider(
            f"Of {len(view.units)} words the maps show {links.MOST_WORDS}, around number",
            0, len(view.units) - 1, query, key=_AT, of=(chosen.source, query),
            help="The query and what it attends to most are always among them.",
        )  # fmt: skip
    per_row, most = {"3": "3", "2": "2", "1": "1"}, "1" if on_phone() else "3"
    columns = int(inputs.choice("Maps in a row", per_row, key="row", default=most))
    shown = words_shown(chosen, heads, query)
    names = [head_name(head) for head in heads]
    titles = [f"{name}\n{role(view, *head)}" for name, head in zip(names, heads, strict=True)]
    with picture:
        draw(
            head_maps,
            frames.map_frame(view, heads, shown),
            key="maps",
            alt_text=f"Maps of {', '.join(names)}",
            labels=view.labels,
            first=0,
            names=tuple(titles),
            columns=columns,
            size=_side(min(columns, len(heads)), max(len(view.labels[i]) for i in shown)),
            count=len(shown),
        )
    return columns


def words_shown(chosen: Reading, heads: Sequence[Head], query: int) -> list[int]:
    """Return the words of the maps: a window, and what the sentence names wherever it stands."""
    size = len(chosen.view.units)
    most = [int(chosen.view.weights[head][query].argmax()) for head in heads]
    around = int(st.session_state.get(_AT, query)) if size > links.MOST_WORDS else query
    return links.shown_words(size, around, [query, *most], links.MOST_WORDS)


def _side(columns: int, longest: int) -> int:
    """Return the side of a map in pixels, so that all in a row fill the width."""
    if columns == 1 or on_phone():
        return _ALONE
    words = min(_LETTER * longest + 40, _LONGEST)
    return max((_WIDE - words) // columns - _GAP, _SMALLEST)
