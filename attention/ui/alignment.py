"""The same sentence in a second model: two maps on the heads page, two pictures of lines."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

import streamlit as st

import attention
from attention.analysis import alignment_frames, links
from attention.analysis.alignment import Span, aligned, counterpart, places
from attention.analysis.decoder_sentences import later_words_sentence
from attention.analysis.sentences import attends_to
from attention.analysis.words import Unit
from attention.charts.maps import head_maps
from attention.models import registry
from attention.ui import inputs
from attention.ui.cells import AS_WEIGHT, AS_WRITTEN, cells_of
from attention.ui.code_lines import script
from attention.ui.controls import head_picker, on_phone
from attention.ui.readings import Focus, Reading, find_focus, trace
from attention.ui.show import draw, escape_markdown, notice, sized, unknown_words
from attention.ui.view_code import ViewCode, drawn_last, offer
from attention.ui.visualizer import lines
from attention.ui.visualizer.lines import Lines
from attention.wording import Head, head_name, spelled

_MOST_WORDS = 40  # of a map
_MAPS, _LINKS = "beside_maps", "links_beside"


def maps_beside(chosen: Reading, query: int, what: str = AS_WEIGHT) -> None:
    """Draw one head of two models on the same words and one scale.

    Parameters
    ----------
    what : a cell is, see `ui.cells`
    """
    with st.container(horizontal=True, vertical_alignment="bottom"):
        other = _other_model(chosen)
        if other is None:
            return
        readings = _plain(chosen), other
        heads = [telling_head(r, f"Head of {r.model_name}", f"beside_head{i}")
                 for i, r in enumerate(readings)]  # fmt: skip
    common = aligned(*map(_places, readings))
    if not common:
        st.info("The two models have no word in common here.")
        return
    queries = [_counterpart(chosen, query, reading) for reading in readings]
    each = zip(readings, heads, queries, strict=True)
    notice(" ".join(later_words_sentence(r.view, r.model_name, h, q) for r, h, q in each))
    middle = next((i for i, (one, _) in enumerate(common) if one == queries[0]), 0)
    shown = links.shown_window(len(common), middle, _MOST_WORDS)
    pairs = common[shown.start : shown.stop]
    if len(pairs) < len(common):
        st.warning(
            f"The models have {len(common)} words in common; the maps show {len(pairs)} of them, "
            f"number {shown[0]} to {shown[-1]}, around the query."
        )
    _draw_maps(readings, heads, pairs, what)
    code = partial(_maps_code, readings, heads, queries, shown, what)
    offer(ViewCode(code, _MAPS, other.trace, chosen.text))
    st.caption(
        f"Words that both models have ({len(common)}), in order; special tokens are taken out, and "
        "every row is divided by what it keeps. Rows are queries, columns are keys. Where a "
        "decoder has no cell, its mask hides the key."
    )


def links_beside(chosen: Reading, query: int, head: Head, what: str) -> None:
    """Draw the lines of one head of two models, of the same words; of the first at first `head`.

    Parameters
    ----------
    what : a line is, see `ui.cells`
    """
    other = _other_model(chosen)
    if other is None:
        return
    both, page = [], (head, None)
    for i, (reading, column) in enumerate(zip((_plain(chosen), other), st.columns(2), strict=True)):
        with column:
            label = f"Head of {reading.model_name}"
            head = telling_head(reading, label, f"links_head{i}", page[i])
            own = _counterpart(chosen, query, reading)
            own = telling(reading).query if own is None else own
            both.append(_attends_most(reading, head, own))
            key = f"{_LINKS}{i}"
            click = partial(_click, key, reading, chosen)
            _draw_links(Lines(reading, head[0], [head[1]], own, False, what), key, click)
    notice(f"Side by side: {'; '.join(both)}.")
    st.caption(
        "Whole words, special tokens taken out. A decoder has lines to earlier words only. A word "
        "that is clicked becomes the query in both pictures, and on the whole page."
    )


def _click(chart: str, reading: Reading, chosen: Reading) -> None:
    """Make the clicked word of a reading the query on the whole page."""
    for clicked in st.session_state[chart]["selection"]["query"]:
        query = _counterpart(reading, clicked["q"], chosen)
        if query is not None:
            st.session_state["word"] = query


def telling(reading: Reading) -> Focus:
    """Return the link that shows most in a reading."""
    return find_focus(reading.model_name, reading.text, reading.words, reading.special)


def telling_head(reading: Reading, label: str, key: str, first: Head | None = None) -> Head:
    """Draw a picker for a head, which opens on `first` or the telling one of model and sentence."""
    own, of = telling(reading), (reading.model_name, reading.text, first)
    at = first or (own.layer, own.head)
    return head_picker(label, reading.model, at, key=key, of=of, width=180)


def _other_model(chosen: Reading) -> Reading | None:
    """Draw the picker for a second model and return the same sentence in it, without specials."""
    names = [name for name in attention.available_models() if name != chosen.model_name]
    if not names:
        st.info(
            "There is only one model here. An encoder beside a decoder tells most: "
            f"`{registry.INSTALL_SMOLLM2}`"
        )
        return None
    prefer = next((n for n in (registry.SMOLLM2, registry.EMBEDDED) if n in names), names[0])
    name = inputs.select(
        "The other model", names, prefer, key="beside", of=(chosen.model_name,), width=220,
        text=sized,
    )  # fmt: skip
    try:
        trace(name, chosen.text)
    except ValueError as refusal:
        st.warning(escape_markdown(str(refusal)))
        return None
    other = Reading(name, chosen.text, words=True, special=False)
    unknown_words(other.model_name, other.view.units)
    return other


def _plain(chosen: Reading) -> Reading:
    """Return the reading in whole words without special tokens: what models have in common."""
    return Reading(chosen.model_name, chosen.text, words=True, special=False)


def _places(reading: Reading) -> list[Span | None]:
    return places(reading.view, reading.trace.input)


def _counterpart(chosen: Reading, query: int, other: Reading) -> int | None:
    """Return where the chosen word is in another reading of the text; None for special tokens."""
    return counterpart(_places(chosen)[query], _places(other))


def _draw_maps(
    readings: tuple[Reading, Reading], heads: list[Head], pairs: list[tuple[int, int]], what: str
) -> None:
    views = [cells_of(reading, what) for reading in readings]
    names = _titles(readings, heads)
    draw(
        head_maps,
        alignment_frames.beside_frame(views, heads, names, pairs),
        key=_MAPS,
        alt_text=f"Maps of {' and '.join(names)} on the same words",
        labels=tuple(_marked(views[0].units[i], views[1].units[j]) for i, j in pairs),
        first=0,
        names=names,
        size=250 if on_phone() else 340,
        columns=1 if on_phone() else 2,
        figure=what,
    )


def _maps_code(
    readings: tuple[Reading, Reading], heads: list[Head], queries: list[int | None],
    shown: range, what: str,
) -> str:  # fmt: skip
    imported, drawing = drawn_last(_MAPS).code()
    written, cells = what == AS_WRITTEN, "views"
    made: Sequence[str] = ()
    if written:
        cells = "cells"
        made = ["cells = [written_view(*both, special=False) for both in zip(models, traces)]"]
    texts = ", ".join(
        f"models[{at}].trace({one.trace.input.as_code})" for at, one in enumerate(readings)
    )
    return script([
        "import attention",
        "from attention import plot",
        "from attention.analysis.alignment import aligned, places",
        "from attention.analysis.alignment_frames import beside_frame",
        "from attention.analysis.decoder_sentences import later_words_sentence",
        *(["from attention.analysis.written import written_view"] if written else []),
        imported,
    ], [
        f"names = {[one.model_name for one in readings]}",
        "models = [attention.load_model(name) for name in names]",
        f"traces = [{texts}]",
        "views = [attention.view(trace, words=True, special=False) for trace in traces]",
        *made,
        "common = aligned(*(places(v, trace.input) for v, trace in zip(views, traces)))",
        f"heads, pairs = {heads}, common[{shown.start}:{shown.stop}]",
        f"data = beside_frame({cells}, heads, {_titles(readings, heads)}, pairs)",
        *drawing,
        f"for told in zip(views, names, heads, {queries}):",
        "    print(later_words_sentence(*told))",
    ])  # fmt: skip


def _titles(readings: tuple[Reading, Reading], heads: list[Head]) -> tuple[str, ...]:
    each = zip(readings, heads, strict=True)
    return tuple(f"{reading.model_name} {head_name(head)}" for reading, head in each)


def _marked(one: Unit, other: Unit) -> str:
    """Return the label of a word in both models, marked where either has no token for it."""
    return one.label if one.unknown else other.label


def _attends_most(reading: Reading, head: Head, query: int) -> str:
    view = reading.view
    return (
        f"in {reading.model_name} {head_name(head)} {spelled(view.labels, query)} "
        f"{attends_to(view, head, query)}"
    )


def _draw_links(own: Lines, key: str, click: Callable[[], None]) -> None:
    reading, head = own.chosen, (own.layer, own.heads[0])
    shown, size = lines.words_in_picture(own), len(reading.view.units)
    if told := links.listed_sentence(size, shown):
        st.caption(told)
    alt_text = f"Lines of {reading.model_name} {head_name(head)}"
    lines.draw_lines(own, shown, key=key, alt_text=alt_text, click=click)
    offer(ViewCode(partial(lines.lines_code, own, digits=2), key, reading.trace, reading.text))
