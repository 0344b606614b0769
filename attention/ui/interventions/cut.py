"""Cut: connections and heads switched off by clicking, and the model with and without them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import streamlit as st

from attention.analysis import frames, links
from attention.arrays import Array
from attention.charts.maps import head_grid
from attention.edits import Cut, Edits
from attention.interventions import cuts
from attention.interventions import frames as intervention_frames
from attention.interventions.charts import cut_map
from attention.interventions.sentences import edit_count, moved_text
from attention.interventions.steering import Interests
from attention.interventions.wording import edit_text
from attention.models.trace import Trace
from attention.ui import inputs
from attention.ui.cells import cell_note, cell_picker, cells_of
from attention.ui.controls import layer_and_head
from attention.ui.cutting import (
    edited,
    edits_button,
    edits_field,
    fresh_key,
    less_buttons,
    set_edits,
)
from attention.ui.interventions.answer import answer, said_of
from attention.ui.interventions.edited import (
    NEXT_SHOWN,
    SIDES,
    changed,
    decoder,
    draw_moved,
    draw_next,
    edited_code,
    merged,
    movement_of,
    row_height,
    two_pictures,
)
from attention.ui.readings import Focus, Reading
from attention.ui.show import draw, escape_markdown, notice, signs_note
from attention.ui.view_code import ViewCode, offer
from attention.wording import Head, head_name

KEY = "edits"
_MOST_WORDS = 16  # of a map
WHAT = {"cell": "One connection", "column": "A whole column"}
REACH = {"head": "This head", "layer": "Its layer", "all": "Every head"}
_REMARK = "A cut takes the weight away, and with it what is written."
_LOW_ROW = 8  # pixels that a layer takes in the grid, where there are many

_CutAt = Callable[[Mapping[str, int]], Cut]  # the cut that a click in this cell of the map makes


def cut(chosen: Reading, focus: Focus) -> None:
    """Draw what a click cuts, beside it the map and the grid to click in, and what the cuts do."""
    left, right = st.columns(SIDES, gap="medium")
    with left:
        controls = st.container()
        model = decoder(chosen)
        followed = answer(chosen, model) if model else None
        what = cell_picker()
    with right:
        told, place = st.container(), st.container(horizontal=True, vertical_alignment="bottom")
        with place:
            head = layer_and_head(chosen.view, focus)
        cell_note(what, _REMARK)
        pictures = st.container()
        code = edits_field(KEY, chosen.source)
    after = edited(code, partial(changed, chosen), "The model runs without any")
    with controls:
        _grid(chosen, after.edits)
        cut_at = _controls(chosen, head, after.edits)
        _more_or_less(chosen, focus, after.edits)
    with told:
        _tell(chosen, after, followed)
    with place:
        shown = _window(chosen, focus, after.edits)
    with pictures:
        one, other = two_pictures()
        with one:
            _map(chosen, after, head, shown, cut_at, what)
        with other:
            _results(chosen, after, followed)
        pinned = followed.all_ids if followed else None
        lines = partial(edited_code, chosen, after.edits, pinned, NEXT_SHOWN)
        offer(ViewCode(lines, "cut_next" if followed else "cut_moved", after, chosen.text))
        _list(chosen, after.edits)
    if after.edits:
        _untouched(chosen, head, shown, what)


def _controls(chosen: Reading, head: Head, edits: Edits) -> _CutAt:
    units = chosen.view.units
    with st.container(horizontal=True):
        what = inputs.select("A click cuts", list(WHAT), "cell", key="cuts", text=WHAT.__getitem__)
        where = inputs.select("In", list(REACH), "head", key="cut_where", text=REACH.__getitem__)
    with st.container(horizontal=True, vertical_alignment="center"):
        renormalise = inputs.switch(
            "Renormalise", True, key="renormalise",
            help="The rest of the row is scaled to sum to 1 again, as if the key were masked. Off: "
            "what is cut is missing from the sum.",
        )  # fmt: skip
        ablated = head in cuts.ablated_heads(edits)
        edits_button(
            KEY,
            f"{'Restore' if ablated else 'Ablate'} {head_name(head)}",
            "add" if ablated else "remove",
            cuts.toggle_head(edits, head),
        )

    def cut_at(cell: Mapping[str, int]) -> Cut:
        queries = units[cell["q"]].positions if what == "cell" else None
        layers, heads = cuts.heads_meant(head, where)
        return Cut(queries, units[cell["k"]].positions, layers, heads, renormalise)

    return cut_at


def _more_or_less(chosen: Reading, focus: Focus, edits: Edits) -> None:
    """Draw buttons that take edits back or, where there are none, one that makes the first.

    That one cuts the link that the page opens on, in every head.
    """
    if edits:
        with st.container(horizontal=True):
            less_buttons(KEY, edits)
        return
    units, labels = chosen.view.units, chosen.view.labels
    first = Cut(units[focus.query].positions, units[focus.key].positions)
    query, key = (f"“{escape_markdown(labels[i])}”" for i in (focus.query, focus.key))
    edits_button(KEY, f"Cut {query} from {key} in every head", "content_cut", (first,))


def _window(chosen: Reading, focus: Focus, edits: Edits) -> list[int]:
    """Return the words of the map; of a long text a window that can be moved over all of it.

    What is cut or could be is among them, wherever it stands.
    """
    size = len(chosen.view.units)
    if size <= _MOST_WORDS:
        return list(range(size))
    around = inputs.slider(
        f"{_MOST_WORDS} of {size} words, around", 0, size - 1, focus.query,
        key="cut_at", of=(chosen.source, size), width=220,
    )  # fmt: skip
    named = cuts.named_units(edits, chosen.view.units, _MOST_WORDS // 2)
    named = named if edits else [focus.query, focus.key]
    return links.shown_words(size, around, named, _MOST_WORDS)


def _results(chosen: Reading, after: Trace, followed: Interests | None) -> None:
    if followed:
        st.markdown("**The next token**")
        signs_note(draw_next(chosen, after, followed.all_ids, key="cut_next"))
    else:
        st.markdown("**How far vectors move**")
        draw_moved(chosen, movement_of(chosen, after), key="cut_moved")


def _map(
    chosen: Reading, after: Trace, head: Head, shown: Sequence[int], cut_at: _CutAt, what: str
) -> None:
    edits = after.edits
    chart = fresh_key("cut_map", edits)

    def click() -> None:
        for cell in st.session_state[chart]["selection"]["cell"]:
            set_edits(KEY, cuts.toggle_edit(edits, cut_at(cell)))

    st.markdown(f"**{head_name(head)}**: click a cell to cut it")
    _draw_map(
        chosen, head[0], merged(chosen, after, head, what), shown,
        cuts.cut_pairs(edits, head, chosen.view.units, is_causal=after.is_causal),
        key=chart,
        alt_text=f"Weights of {head_name(head)} with the cuts",
        figure=what,
        on_select=click,
    )  # fmt: skip


def _untouched(chosen: Reading, head: Head, shown: Sequence[int], what: str) -> None:
    """Draw the same map without any edit, for comparison."""
    st.markdown(f"**{head_name(head)} untouched**")
    _draw_map(
        chosen, head[0], cells_of(chosen, what).weights[head], shown, set(),
        key="untouched",
        alt_text=f"Weights of {head_name(head)} in the untouched model",
        figure=what,
        clickable=False,
    )  # fmt: skip


def _draw_map(
    chosen: Reading, layer: int, weights: Array, shown: Sequence[int], pairs: set[tuple[int, int]],
    **options: Any,
) -> None:  # fmt: skip
    frame = intervention_frames.cut_frame(chosen.view, layer, weights, shown, pairs)
    draw(cut_map, frame, labels=chosen.view.labels, count=len(shown), **options)


def _grid(chosen: Reading, edits: Edits) -> None:
    ablated = cuts.ablated_heads(edits)
    chart = fresh_key("cut_grid", edits)

    def click() -> None:
        for cell in st.session_state[chart]["selection"]["head"]:
            set_edits(KEY, cuts.toggle_head(edits, (int(cell["layer"]), int(cell["head"]))))

    st.markdown("**Heads** by entropy, in bits: click to ablate")
    figure = chosen.figures["Entropy"]
    draw(
        head_grid,
        frames.head_frame(figure, sorted(ablated)),
        key=chart,
        alt_text=f"All {figure.size} heads, {len(ablated)} of them ablated",
        on_select=click,
        title="entropy (bits)",
        domain=(0.0, float(int(figure.max()) + 1)),
        layers=len(figure),
        row=row_height(len(figure), low=_LOW_ROW),
    )


def _tell(chosen: Reading, after: Trace, followed: Interests | None) -> None:
    change = edit_count(after.edits) if after.edits else ""
    if followed:
        notice(said_of(followed, chosen.trace, after, change))
    elif change:
        notice(f"With {change}, {moved_text(movement_of(chosen, after))}.")
    else:
        notice("Nothing is cut yet.")


def _list(chosen: Reading, edits: Edits) -> None:
    """Say which edits there are."""
    if edits:
        lines = [edit_text(edit, chosen.view.units, chosen.trace.input) for edit in edits]
        st.text("\n".join(f"{i}. {text}" for i, text in enumerate(lines, start=1)))
