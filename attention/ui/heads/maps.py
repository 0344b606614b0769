"""The heads page's maps of the chosen heads, and which words of a long text they show."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import NamedTuple

import streamlit as st

from attention.analysis import frames, links
from attention.analysis.role_sentences import role_title
from attention.analysis.words import View
from attention.charts.maps import head_maps, row_bars, whole_maps
from attention.ui import inputs
from attention.ui.cells import cell_note, cell_picker, cells_of
from attention.ui.code_lines import of_cells, of_view, only
from attention.ui.controls import on_phone
from attention.ui.readings import Reading
from attention.ui.show import draw
from attention.ui.view_code import ViewCode, drawn_last, offer
from attention.wording import Head, head_name

_WIDTH = 960  # pixels for the grid and all that stands beside it
_MARGIN = 65  # of those beside it, what maps side by side and the words left of them do not take
_LETTER, _LONGEST, _GAP, _SMALLEST = 7, 110, 20, 120
_ALONE = 240  # the side of a map below another one
_AT, _MAPS, _ROWS = "maps_at", "maps", "rows"  # the keys of a slider and of charts
_BINS = 32  # a side of a map of the whole text


def width_beside(grid: int) -> int:
    """Return the pixels for all that stands beside a grid of this width."""
    return _WIDTH - grid


class MapsDrawn(NamedTuple):
    """How the maps are drawn, for the rows below them."""

    columns: int  # maps in a row
    what: str  # a cell is: `cells.AS_WEIGHT` or `cells.AS_WRITTEN`
    view: View  # of that


def chosen_maps(chosen: Reading, heads: Sequence[Head], query: int, width: int) -> MapsDrawn:
    """Draw the maps, of a long text all of it and a window."""
    view, whole, picture = chosen.view, st.container(), st.container()
    if len(view.units) > links.MOST_WORDS:
        with whole:
            _move_window(chosen, query)
    per_row, most = {"3": "3", "2": "2", "1": "1"}, "1" if on_phone() else "3"
    with st.container(horizontal=True, vertical_alignment="bottom"):
        columns = int(inputs.choice("Maps in a row", per_row, key="row", default=most))
        what = cell_picker()
    cells = cells_of(chosen, what)
    cell_note(what, "Titles are of the weights.")
    shown = words_shown(chosen, heads, query)
    titles = tuple(role_title(chosen.roles, view, head) for head in heads)
    if len(shown) < len(view.units):
        with whole:
            _whole(cells, heads, titles, columns, width)
    with picture:
        draw(
            head_maps,
            frames.map_frame(cells, heads, shown),
            key=_MAPS,
            alt_text=f"Maps of {', '.join(map(head_name, heads))}",
            labels=view.labels,
            first=0,
            names=titles,
            columns=columns,
            size=_side(width, min(columns, len(heads)), max(len(view.labels[i]) for i in shown)),
            count=len(shown),
            figure=what,
        )
    code = partial(_maps_code, chosen, heads, query, shown, what)
    offer(ViewCode(code, _MAPS, chosen.trace, chosen.text))
    return MapsDrawn(columns, what, cells)


def _maps_code(
    chosen: Reading, heads: Sequence[Head], query: int, shown: Sequence[int], what: str
) -> str:
    imports, lines, cells, figure = of_cells(chosen, what)
    imports.append("from attention.analysis.sentences import attends_to")
    drawn = only(shown, chosen.view)
    return of_view(chosen, imports, [
        *lines,
        f"chart = plot.head_map({cells}, heads={list(heads)}, query={query}{drawn}{figure})",
        f"for head in {list(heads)}:",
        f"    print(attends_to(view, head, {query}))",
    ])  # fmt: skip


def chosen_rows(chosen: Reading, heads: Sequence[Head], query: int, drawn_as: MapsDrawn) -> None:
    """Draw the row of a word in each head, as the maps above are drawn."""
    shown, labels = words_shown(chosen, heads, query), chosen.view.labels
    data = frames.map_frame(drawn_as.view, heads, shown)
    draw(
        row_bars,
        data[data["q"] == query],
        key=_ROWS,
        alt_text=f"Row of {labels[query]}",
        labels=labels,
        first=0,
        names=tuple(map(head_name, heads)),
        columns=drawn_as.columns,
        size=180,
    )
    code = partial(_rows_code, chosen, heads, query, shown, drawn_as.what)
    offer(ViewCode(code, _ROWS, chosen.trace, chosen.text))


def _rows_code(
    chosen: Reading, heads: Sequence[Head], query: int, shown: Sequence[int], what: str
) -> str:
    imports, lines, cells, _ = of_cells(chosen, what)
    imported, drawing = drawn_last(_ROWS).code(labels="view.labels")
    imports += [
        "from attention.analysis.frames import map_frame",
        "from attention.analysis.sentences import attends_to",
        imported,
    ]
    return of_view(chosen, imports, [
        *lines,
        f"data = map_frame({cells}, {list(heads)}, {list(shown)})",
        f"data = data[data['q'] == {query}]",
        *drawing,
        f"for head in {list(heads)}:",
        f"    print(attends_to(view, head, {query}))",
    ])  # fmt: skip


def _move_window(chosen: Reading, query: int) -> None:
    size = len(chosen.view.units)
    inputs.slider(
        f"All {size} words in bins; framed, and below word by word, those around number",
        0, size - 1, query, key=_AT, of=(chosen.source, query),
        help="A cell of a bin is the largest weight in it. Below, the query and what it attends "
        "to most are always among the words.",
    )  # fmt: skip


def _whole(
    view: View, heads: Sequence[Head], titles: tuple[str, ...], columns: int, width: int
) -> None:
    """Draw maps of the whole text, in bins, with a frame round the window."""
    size = len(view.units)
    window = links.shown_window(size, _around())
    draw(
        whole_maps,
        frames.binned_frame(view, heads, _BINS),
        key="whole",
        alt_text=f"All {size} words in bins: what the chosen heads attend to",
        names=titles,
        size=_side(width, min(columns, len(heads)), 0),
        columns=columns,
        words=size,
        window=(window.start, window.stop),
    )


def words_shown(chosen: Reading, heads: Sequence[Head], query: int) -> list[int]:
    """Return the words of the maps: a window, and what the sentence names wherever it stands."""
    size = len(chosen.view.units)
    most = [int(chosen.view.weights[head][query].argmax()) for head in heads]
    around = _around() if size > links.MOST_WORDS else query
    return links.shown_words(size, around, [query, *most], links.MOST_WORDS)


def _around() -> int:
    return int(st.session_state[_AT])


def _side(width: int, columns: int, longest: int) -> int:
    """Return the side of a map in pixels, so that all in a row fill the width."""
    if columns == 1 or on_phone():
        return _ALONE
    words = min(_LETTER * longest + 40, _LONGEST)
    return max((width - _MARGIN - words) // columns - _GAP, _SMALLEST)
