"""The same sentence in a second model: two maps on the heads page, two pictures of lines."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import streamlit as st

import attention
from attention.analysis import alignment_frames, link_frames, links
from attention.analysis.alignment import Span, aligned, counterpart, later_share, places
from attention.analysis.sentences import attends_to
from attention.analysis.words import Unit
from attention.charts.links import word_links
from attention.charts.maps import head_maps
from attention.models import registry
from attention.ui import inputs
from attention.ui.controls import head_picker, on_phone
from attention.ui.readings import Focus, Reading, find_focus, trace
from attention.ui.show import draw, escape_markdown, notice, percent, sized, unknown_words
from attention.wording import Head, head_name, spelled

_MOST_WORDS = 40  # of a map


def maps_beside(chosen: Reading, query: int) -> None:
    """Draw one head of two models on the same words and one scale."""
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
    asks = [_counterpart(chosen, query, reading) for reading in readings]
    told = zip(readings, heads, asks, strict=True)
    notice(" ".join(_later_words(*each) for each in told))
    middle = next((i for i, (one, _) in enumerate(common) if one == asks[0]), 0)
    shown = links.shown_window(len(common), middle, _MOST_WORDS)
    pairs = common[shown.start : shown.stop]
    if len(pairs) < len(common):
        st.warning(
            f"The models have {len(common)} words in common; the maps show {len(pairs)} of them, "
            f"number {shown[0]} to {shown[-1]}, around the word that asks."
        )
    _draw_maps(readings, heads, pairs)
    st.caption(
        f"Words that both models have ({len(common)}), in order; special tokens are taken out, and "
        "every row is divided by what it keeps. Rows ask, columns are read. Where a decoder has no "
        "cell, its mask lets nothing through."
    )


def links_beside(chosen: Reading, query: int) -> None:
    """Draw the lines of one head of two models, of the same words."""
    other = _other_model(chosen)
    if other is None:
        return
    told = []
    for i, (reading, column) in enumerate(zip((_plain(chosen), other), st.columns(2), strict=True)):
        with column:
            head = telling_head(reading, f"Head of {reading.model_name}", f"links_head{i}")
            asks = _counterpart(chosen, query, reading)
            asks = telling(reading).query if asks is None else asks
            told.append(_reads_most(reading, head, asks))
            key = f"links_beside{i}"
            _draw_links(reading, head, asks, key=key, click=partial(_click, key, reading, chosen))
    notice(f"Side by side: {'; '.join(told)}.")
    st.caption(
        "Whole words, special tokens taken out. A decoder has lines to earlier words only. A word "
        "that is clicked asks in both pictures, and on the whole page."
    )


def _click(chart: str, reading: Reading, chosen: Reading) -> None:
    """Let the clicked word of a reading ask on the whole page."""
    for clicked in st.session_state[chart]["selection"]["asks"]:
        asks = _counterpart(reading, clicked["q"], chosen)
        if asks is not None:
            st.session_state["word"] = asks


def telling(reading: Reading) -> Focus:
    """Return the link that shows most in a reading."""
    return find_focus(reading.model_name, reading.text, reading.words, reading.special)


def telling_head(reading: Reading, label: str, key: str) -> Head:
    """Draw a picker for a head, which opens on the telling one of each model and sentence."""
    found = telling(reading)
    at = found.layer, found.head
    of = reading.model_name, reading.text
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


def _later_words(reading: Reading, head: Head, asks: int | None) -> str:
    """Say how much an encoder gives to later words, which a decoder never sees."""
    view, name = reading.view, reading.model_name
    if view.is_causal:
        return f"{name} is a decoder: later words are hidden from it."
    share = later_share(view)
    own = "" if asks is None else (
        f"{spelled(view.labels, asks)} gives {percent(float(share[head][asks]))} of its "
        "weight to later words, "
    )  # fmt: skip
    return (
        f"In {name} {head_name(head)} {own}the words on average "
        f"{percent(float(share[head].mean()))} (over all heads {percent(float(share.mean()))})."
    )


def _draw_maps(
    readings: tuple[Reading, Reading], heads: list[Head], pairs: list[tuple[int, int]]
) -> None:
    views = [reading.view for reading in readings]
    names = [f"{r.model_name} {head_name(h)}" for r, h in zip(readings, heads, strict=True)]
    draw(
        head_maps,
        alignment_frames.beside_frame(views, heads, names, pairs),
        key="beside_maps",
        alt_text=f"Maps of {' and '.join(names)} on the same words",
        labels=tuple(_marked(views[0].units[i], views[1].units[j]) for i, j in pairs),
        first=0,
        names=tuple(names),
        size=250 if on_phone() else 340,
        columns=1 if on_phone() else 2,
    )


def _marked(one: Unit, other: Unit) -> str:
    """Return the label of a word in both models, marked where either has no token for it."""
    return one.label if one.unknown else other.label


def _reads_most(reading: Reading, head: Head, asks: int) -> str:
    view = reading.view
    return (
        f"in {reading.model_name} {head_name(head)} {spelled(view.labels, asks)} "
        f"{attends_to(view, head, asks)}"
    )


def _draw_links(
    reading: Reading, head: Head, asks: int, *, key: str, click: Callable[[], None]
) -> None:
    view = reading.view
    most = int(view.weights[head][asks].argmax())
    shown = links.shown_words(len(view.units), asks, [most])
    if len(shown) < len(view.units):
        st.warning(
            f"{reading.model_name} has {len(view.units)} words; the picture shows {len(shown)} of "
            f"them, number {links.shown_text(shown)}: those around the word that asks, and what it "
            "reads most."
        )
    draw(
        word_links,
        link_frames.link_frame(view, head[0], [head[1]], shown, query=asks, several=False),
        key=key,
        alt_text=f"Lines of {reading.model_name} {head_name(head)}",
        on_select=click,
        selection="asks",
        count=len(shown),
        longest=max(len(view.labels[k]) for k in shown),
        names=tuple(f"H{h}" for h in range(view.weights.shape[1])),
        several=False,
    )
