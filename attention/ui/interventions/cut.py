"""Cut: connections and heads switched off by clicking, and the model with and without them."""

from __future__ import annotations

from functools import partial

import streamlit as st

from attention import wording
from attention.analysis import frames, links
from attention.charts.maps import head_grid
from attention.edits import Cut, CutHeads, Edits, check_edits
from attention.edits.codes import decode, encode
from attention.interventions import effects
from attention.interventions import frames as intervention_frames
from attention.interventions.charts import cut_map
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
)
from attention.ui.readings import Focus, Reading
from attention.ui.show import draw, escape_markdown, notice, percent
from attention.wording import Head, head_name

KEY = "edits"
_MOST_WORDS = 32  # of a map
WHAT = {"cell": "One connection", "column": "A whole column"}
_WHERE = {"head": "In this head", "layer": "In its layer", "all": "In every head"}
MAP_SIZE = 430  # pixels


def cut(chosen: Reading, focus: Focus) -> None:
    """Draw the map and the grid to click in, what is cut, and what it does."""
    head = layer_and_head(chosen.view, focus)
    body = st.container()
    code = inputs.text(
        "These edits as text", "", key=KEY, of=(chosen.source,), max_chars=2_000,
        help="The same as in the address of this page and in attention.edit_codes.decode.",
    )  # fmt: skip
    with body:
        _cut(chosen, focus, head, _edits(chosen, code))


def _cut(chosen: Reading, focus: Focus, head: Head, edits: Edits) -> None:
    with st.container(horizontal=True, vertical_alignment="bottom"):
        what = choice("A click in the map cuts", WHAT, key="cuts")
        where = choice("Where", _WHERE, key="cut_where")
        renormalise = inputs.switch(
            "Renormalise", True, key="renormalise",
            help="The rest of the row is scaled to sum to 1 again, as if the key were masked. Off: "
            "what is cut is missing from the sum.",
        )  # fmt: skip
        undo, clear = edits[:-1], ()
        st.button("Undo", icon=":material/undo:", disabled=not edits, on_click=_set, args=(undo,))
        st.button(
            "Clear", icon=":material/delete:", disabled=not edits, on_click=_set, args=(clear,)
        )
    shown = _window(chosen, focus)
    after = changed(chosen, edits)
    note = st.container()
    left, right = st.columns(2, gap="large")
    with left:
        _map(chosen, edits, head, shown, partial(_place, head, where), what, renormalise)
        _results(chosen, after)
    with right:
        _grid(chosen, edits)
        if edits:
            _untouched(chosen, head, shown)
    with note:
        _tell(chosen, edits)


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
        moved = draw_moved(chosen, after, key="cut_moved")
        st.caption(f"Cosine distance in the last layer. The sentence vector moves by {moved:.4f}.")
    else:
        st.markdown("**The next token**")
        draw_next(model, chosen.trace, after, (), key="cut_next")
        st.caption("Bars: with the cuts. Marks: the untouched model.")


def _edits(chosen: Reading, code: str) -> Edits:
    """Return the edits that are asked for; those that cannot be are told and left out."""
    layers, heads, *_ = chosen.trace.weights.shape
    try:
        edits = decode(code)
        check_edits(
            edits, chosen.model_name, layers, heads, len(chosen.trace.tokens),
            is_causal=chosen.trace.is_causal,
        )  # fmt: skip
    except ValueError as refusal:
        st.warning(f"These edits cannot be made here: {escape_markdown(str(refusal))}. None is.")
        return ()
    return edits


def _set(edits: Edits) -> None:
    st.session_state[KEY] = encode(edits)


def _place(head: Head, where: str) -> tuple[tuple[int, ...] | None, tuple[int, ...] | None]:
    """Return the layers and heads in which a click cuts; None is all."""
    layer, own = head
    return (None if where == "all" else (layer,)), ((own,) if where == "head" else None)


def _map(
    chosen: Reading,
    edits: Edits,
    head: Head,
    shown: range,
    place: partial[tuple[tuple[int, ...] | None, tuple[int, ...] | None]],
    what: str,
    renormalise: bool,
) -> None:
    units, layers_heads = chosen.view.units, place()
    chart = f"cut_map {len(edits)} {encode(edits)[-40:]}"

    def click() -> None:
        for cell in st.session_state[chart]["selection"]["cell"]:
            queries = units[cell["q"]].positions if what == "cell" else None
            layers, heads = layers_heads
            made = Cut(queries, units[cell["k"]].positions, layers, heads, renormalise)
            left = tuple(edit for edit in edits if edit != made)
            _set(left if len(left) < len(edits) else (*edits, made))

    st.markdown(f"**{head_name(head)}** with the cuts. Rows ask, columns are read; click a cell.")
    weights = merged(chosen, changed(chosen, edits), head)
    draw(
        cut_map,
        intervention_frames.cut_frame(chosen.view, weights, shown, _cut_cells(chosen, edits, head)),
        key=chart,
        alt_text=f"Weights of {head_name(head)} with the cuts",
        on_select=click,
        labels=chosen.view.labels,
        size=MAP_SIZE,
    )


def _untouched(chosen: Reading, head: Head, shown: range) -> None:
    """Draw the same map without any edit, for comparison."""
    st.markdown(f"**{head_name(head)} untouched**")
    draw(
        cut_map,
        intervention_frames.cut_frame(chosen.view, chosen.view.weights[head], shown, set()),
        key="untouched",
        alt_text=f"Weights of {head_name(head)} in the untouched model",
        labels=chosen.view.labels,
        size=MAP_SIZE,
        clickable=False,
    )


def _cut_cells(chosen: Reading, edits: Edits, head: Head) -> set[tuple[int, int]]:
    """Return the pairs of words between which this head may not read."""
    word_of = {p: word for word, unit in enumerate(chosen.view.units) for p in unit.positions}
    found = set()
    for edit in edits:
        if not isinstance(edit, Cut) or not _acts(edit, head):
            continue
        queries = word_of if edit.queries is None else edit.queries
        keys = word_of if edit.keys is None else edit.keys
        found |= {
            (word_of[q], word_of[k])
            for q in queries
            for k in keys
            if q in word_of and k in word_of and (k <= q or not chosen.trace.is_causal)
        }
    return found


def _acts(edit: Cut, head: Head) -> bool:
    return (edit.layers is None or head[0] in edit.layers) and (
        edit.heads is None or head[1] in edit.heads
    )


def _grid(chosen: Reading, edits: Edits) -> None:
    silent = {pair for edit in edits if isinstance(edit, CutHeads) for pair in edit.pairs}
    others = tuple(edit for edit in edits if not isinstance(edit, CutHeads))
    chart = f"cut_grid {len(edits)} {encode(edits)[-40:]}"

    def click() -> None:
        for cell in st.session_state[chart]["selection"]["head"]:
            pairs = tuple(silent ^ {(int(cell["layer"]), int(cell["head"]))})
            _set((*others, CutHeads(pairs)) if pairs else others)

    st.markdown("**Heads.** Click one to switch it off or on; framed heads are off.")
    figure = chosen.figures["Entropy"]
    draw(
        head_grid,
        frames.head_frame(figure, sorted(silent)),
        key=chart,
        alt_text=f"All {figure.size} heads; {len(silent)} are off",
        on_select=click,
        title="entropy (bits)",
        domain=(0.0, float(int(figure.max()) + 1)),
        layers=len(figure),
    )
    st.caption("The colour is the head's entropy on this text, in bits.")


def _tell(chosen: Reading, edits: Edits) -> None:
    if not edits:
        st.info(
            "Nothing is cut yet. Click a cell of the map, or a head in the grid: the whole model "
            "then runs without it."
        )
        return
    after, model = changed(chosen, edits), decoder(chosen)
    if model is None:
        moved = effects.movement(chosen.trace, after, chosen.view.units).sentence[-1]
        told = f"the sentence vector moves by {moved:.4f}"
    else:
        first = effects.next_token_changes(logits_of(chosen.trace), logits_of(after), 1)[0]
        becomes = wording.change(percent(first.before), percent(first.after))
        told = f"“{model.label(first.id)}” as the next token {becomes}"
    notice(f"With {len(edits)} {'edit' if len(edits) == 1 else 'edits'}, {told}.")
    units, tokens = chosen.view.units, chosen.trace.input
    lines = [edit_text(edit, units, tokens) for edit in edits]
    st.text("\n".join(f"{i}. {text}" for i, text in enumerate(lines, start=1)))
