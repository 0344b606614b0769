"""Cut: connections and heads switched off by clicking, and the model with and without them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import streamlit as st

from attention.analysis import frames, links
from attention.arrays import Array
from attention.charts.maps import head_grid
from attention.edits import Cut, Edits
from attention.edits.codes import decode, encode
from attention.interventions import cuts, effects
from attention.interventions import frames as intervention_frames
from attention.interventions.charts import cut_map
from attention.interventions.sentences import cut_sentence, moved_text, next_text
from attention.interventions.wording import edit_text
from attention.models.trace import Trace
from attention.ui import inputs
from attention.ui.controls import layer_and_head
from attention.ui.inputs import choice
from attention.ui.interventions.edited import (
    changed,
    decoder,
    draw_moved,
    draw_next,
    logits_of,
    merged,
    movement_of,
)
from attention.ui.readings import Focus, Reading
from attention.ui.show import draw, escape_markdown, notice
from attention.wording import Head, head_name

KEY = "edits"
_MOST_WORDS = 32  # of a map
WHAT = {"cell": "One connection", "column": "A whole column"}
_WHERE = {"head": "In this head", "layer": "In its layer", "all": "In every head"}
MAP_SIZE = 430  # pixels

_CutAt = Callable[[Mapping[str, int]], Cut]  # the cut that a click in this cell of the map makes


def cut(chosen: Reading, focus: Focus) -> None:
    """Draw the map and the grid to click in, what is cut, and what it does."""
    head = layer_and_head(chosen.view, focus)
    body = st.container()
    code = inputs.text(
        "These edits as text", "", key=KEY, of=(chosen.source,), max_chars=2_000,
        help="The same as in the address of this page and in attention.edits.codes.decode.",
    )  # fmt: skip
    with body:
        _body(chosen, focus, head, _edited(chosen, code))


def _edited(chosen: Reading, code: str) -> Trace:
    """Return the pass with the edits of a code; those that cannot be made are said, and left."""
    try:
        return changed(chosen, decode(code))
    except ValueError as refusal:
        st.warning(
            f"These edits cannot be made here: {escape_markdown(str(refusal))}. "
            "The model runs without any."
        )
        return chosen.trace


def _body(chosen: Reading, focus: Focus, head: Head, after: Trace) -> None:
    cut_at = _controls(chosen, head, after.edits)
    shown = _window(chosen, focus)
    note = st.container()
    left, right = st.columns(2, gap="large")
    with left:
        _map(chosen, after, head, shown, cut_at)
        _results(chosen, after)
    with right:
        _grid(chosen, after.edits)
        if after.edits:
            _untouched(chosen, head, shown)
    with note:
        _tell(chosen, after)


def _controls(chosen: Reading, head: Head, edits: Edits) -> _CutAt:
    units = chosen.view.units
    with st.container(horizontal=True, vertical_alignment="bottom"):
        what = choice("A click in the map cuts", WHAT, key="cuts")
        where = choice("Where", _WHERE, key="cut_where")
        renormalise = inputs.switch(
            "Renormalise", True, key="renormalise",
            help="The rest of the row is scaled to sum to 1 again, as if the key were masked. Off: "
            "what is cut is missing from the sum.",
        )  # fmt: skip
        _setter("Undo", "undo", edits, edits[:-1])
        _setter("Clear", "delete", edits, ())

    def cut_at(cell: Mapping[str, int]) -> Cut:
        queries = units[cell["q"]].positions if what == "cell" else None
        layers, heads = cuts.heads_meant(head, where)
        return Cut(queries, units[cell["k"]].positions, layers, heads, renormalise)

    return cut_at


def _setter(label: str, icon: str, edits: Edits, then: Edits) -> None:
    """Draw a button that takes edits away, out of use where there are none."""
    st.button(label, icon=f":material/{icon}:", disabled=not edits, on_click=_set, args=(then,))


def _set(edits: Edits) -> None:
    st.session_state[KEY] = encode(edits)


def _window(chosen: Reading, focus: Focus) -> range:
    """Return the words of the map; of a long text a window that can be moved over all of it."""
    size = len(chosen.view.units)
    if size <= _MOST_WORDS:
        return range(size)
    first = links.shown_window(size, focus.query, _MOST_WORDS).start
    start = inputs.slider(
        f"The text has {size} words, the map shows {_MOST_WORDS} of them, from number",
        0, size - _MOST_WORDS, first, key="cut_from", of=(chosen.source, size),
    )  # fmt: skip
    return range(start, start + _MOST_WORDS)


def _results(chosen: Reading, after: Trace) -> None:
    model = decoder(chosen)
    if model is None:
        st.markdown("**How far the vectors move**")
        moved = movement_of(chosen, after)
        draw_moved(chosen, moved, key="cut_moved")
        text = moved_text(moved)
        st.caption(f"Cosine distance in the last layer. {text[0].upper()}{text[1:]}.")
    else:
        st.markdown("**The next token**")
        draw_next(model, chosen.trace, after, (), key="cut_next")
        st.caption("Bars: with the cuts. Marks: the untouched model.")


def _map(chosen: Reading, after: Trace, head: Head, shown: range, cut_at: _CutAt) -> None:
    chart = _fresh("cut_map", after.edits)

    def click() -> None:
        for cell in st.session_state[chart]["selection"]["cell"]:
            _set(cuts.toggle_edit(after.edits, cut_at(cell)))

    st.markdown(
        f"**{head_name(head)}** with the cuts. Rows are queries, columns keys; click a cell."
    )
    _draw_map(
        chosen, merged(chosen, after, head), shown,
        cuts.cut_pairs(after.edits, head, chosen.view.units, is_causal=after.is_causal),
        key=chart,
        alt_text=f"Weights of {head_name(head)} with the cuts",
        on_select=click,
    )  # fmt: skip


def _untouched(chosen: Reading, head: Head, shown: range) -> None:
    """Draw the same map without any edit, for comparison."""
    st.markdown(f"**{head_name(head)} untouched**")
    _draw_map(
        chosen, chosen.view.weights[head], shown, set(),
        key="untouched",
        alt_text=f"Weights of {head_name(head)} in the untouched model",
        clickable=False,
    )  # fmt: skip


def _draw_map(
    chosen: Reading, weights: Array, shown: range, pairs: set[tuple[int, int]], **options: Any
) -> None:
    frame = intervention_frames.cut_frame(chosen.view, weights, shown, pairs)
    draw(cut_map, frame, labels=chosen.view.labels, size=MAP_SIZE, **options)


def _grid(chosen: Reading, edits: Edits) -> None:
    ablated = cuts.ablated_heads(edits)
    chart = _fresh("cut_grid", edits)

    def click() -> None:
        for cell in st.session_state[chart]["selection"]["head"]:
            _set(cuts.toggle_head(edits, (int(cell["layer"]), int(cell["head"]))))

    st.markdown("**Heads.** Click one to ablate or restore it; framed ones are ablated.")
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
    )
    st.caption("The colour is the head's entropy on this text, in bits.")


def _fresh(name: str, edits: Edits) -> str:
    """Return a chart's key that is new after every click, so that any cell can be clicked again."""
    return f"{name} {len(edits)} {encode(edits)[-40:]}"


def _tell(chosen: Reading, after: Trace) -> None:
    if not after.edits:
        st.info(
            "Nothing is cut yet. Click a cell of the map, or a head in the grid: the whole model "
            "then runs without it."
        )
        return
    notice(cut_sentence(after.edits, _effect(chosen, after)))
    units, tokens = chosen.view.units, chosen.trace.input
    lines = [edit_text(edit, units, tokens) for edit in after.edits]
    st.text("\n".join(f"{i}. {text}" for i, text in enumerate(lines, start=1)))


def _effect(chosen: Reading, after: Trace) -> str:
    model = decoder(chosen)
    if model is None:
        return moved_text(movement_of(chosen, after))
    first = effects.next_token_changes(logits_of(chosen.trace), logits_of(after), 1)[0]
    return next_text(first, model.label(first.id))
