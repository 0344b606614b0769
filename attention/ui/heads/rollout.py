"""The heads page's tab on all layers together: attention rollout."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import streamlit as st

from attention.analysis import frames, links
from attention.analysis.sentences import rollout_sentence
from attention.analysis.words import View
from attention.analysis.written import rolled_up_to, rollout_view
from attention.charts.maps import head_maps
from attention.ui import inputs
from attention.ui.code_lines import of_view
from attention.ui.controls import on_phone
from attention.ui.readings import Reading
from attention.ui.show import draw, notice
from attention.ui.view_code import ViewCode, drawn_last, offer

_SIDE, _PHONE_SIDE = 330, 230  # pixels
_FIGURE = "rollout"
_BOTH = [(0, 0), (1, 0)]  # the mean and the rollout, as heads


def all_layers(chosen: Reading, query: int) -> None:
    """Draw what a layer's heads attend to on average, and what its vectors draw on so far."""
    rolled = _rolled(chosen.model_name, chosen.text, chosen.words, chosen.special, chosen)
    layers = len(rolled.weights)
    layer = inputs.select(
        "Up to layer", range(layers), layers - 1, key="rolled", of=(chosen.model_name,), width=140
    )
    both = rolled_up_to(rolled, layer)
    notice(rollout_sentence(both, query, layer))
    size = len(both.units)
    best = both.weights[:, 0, query].argmax(axis=-1).tolist()
    shown = links.shown_words(size, query, [query, *best], links.MOST_WORDS)
    titles = _titles(layer)
    data = frames.map_frame(both, _BOTH, shown)
    draw(
        head_maps,
        data.assign(name=[titles[at] for at in data["map"]]),
        key=_FIGURE,
        alt_text="The mean of a layer's heads, and the rollout of all layers up to it",
        labels=both.labels,
        first=0,
        names=titles,
        columns=1 if on_phone() else 2,
        size=_PHONE_SIDE if on_phone() else _SIDE,
        count=len(shown),
        figure="share",
    )
    code = partial(_code, chosen, query, layer, shown)
    offer(ViewCode(code, _FIGURE, chosen.trace, chosen.text))
    st.latex(r"R_l = \tfrac{1}{2}\left(\bar A_l + I\right) R_{l-1}")
    st.caption(
        "Half of a stream is taken to be what it was, half the mean of the heads (Abnar and "
        "Zuidema 2020). It says where weight could have come from over all layers; it cannot say "
        "what was carried, since it knows neither values nor MLPs, and takes all heads for equal."
    )


def _code(chosen: Reading, query: int, layer: int, shown: Sequence[int]) -> str:
    imported, drawing = drawn_last(_FIGURE).code(labels="both.labels", names="titles")
    imports = [
        "from attention.analysis.frames import map_frame",
        "from attention.analysis.sentences import rollout_sentence",
        "from attention.analysis.written import rolled_up_to, rollout_view",
        imported,
    ]
    return of_view(chosen, imports, [
        f"rolled = rollout_view(trace, merged={chosen.words}, special={chosen.special})",
        f"both = rolled_up_to(rolled, {layer})",
        f"data = map_frame(both, {_BOTH}, {list(shown)})",
        f"titles = {_titles(layer)}",
        "data['name'] = [titles[at] for at in data['map']]",
        *drawing,
        f"print(rollout_sentence(both, {query}, {layer}))",
    ])  # fmt: skip


def _titles(layer: int) -> tuple[str, str]:
    return f"Mean of the heads of layer {layer}", f"Rollout, layers 0 to {layer}"


@st.cache_resource(max_entries=4, show_spinner=False, hash_funcs={Reading: repr})
def _rolled(model: str, text: str, merged: bool, special: bool, chosen: Reading) -> View:
    return rollout_view(chosen.trace, merged=merged, special=special)
