"""The heads page's tab on all layers together: attention rollout."""

from __future__ import annotations

import streamlit as st

from attention.analysis import frames, links
from attention.analysis.words import View
from attention.analysis.written import rolled_up_to, rollout_view
from attention.charts.maps import head_maps
from attention.ui import inputs
from attention.ui.controls import on_phone
from attention.ui.readings import Reading
from attention.ui.show import draw, notice
from attention.wording import most, percent, spelled

_SIDE, _PHONE_SIDE = 330, 230  # pixels


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
    titles = (f"Mean of the heads of layer {layer}", f"Rollout, layers 0 to {layer}")
    data = frames.map_frame(both, [(0, 0), (1, 0)], shown)
    draw(
        head_maps,
        data.assign(name=[titles[at] for at in data["map"]]),
        key="rollout",
        alt_text="The mean of a layer's heads, and the rollout of all layers up to it",
        labels=both.labels,
        first=0,
        names=titles,
        columns=1 if on_phone() else 2,
        size=_PHONE_SIDE if on_phone() else _SIDE,
        count=len(shown),
        figure="share",
    )
    st.latex(r"R_l = \tfrac{1}{2}\left(\bar A_l + I\right) R_{l-1}")
    st.caption(
        "Half of a stream is taken to be what it was, half the mean of the heads (Abnar and "
        "Zuidema 2020). It says where weight could have come from over all layers; it cannot say "
        "what was carried, since it knows neither values nor MLPs, and takes all heads for equal."
    )


def rollout_sentence(both: View, query: int, layer: int) -> str:
    """Say what a word's vector draws on so far, by rollout, beside what the layer attends to.

    Parameters
    ----------
    both : as from `rolled_up_to`
    """
    mean, rolled = both.weights[:, 0, query]
    first, now = most(rolled)[0], most(mean)[0]
    return (
        f"By rollout {spelled(both.labels, query)} draws on {spelled(both.labels, first)} most "
        f"after layer {layer} ({percent(float(rolled[first]))}; itself "
        f"{percent(float(rolled[query]))}); the heads of layer {layer} attend, on average, to "
        f"{spelled(both.labels, now)} most ({percent(float(mean[now]))})."
    )


@st.cache_resource(max_entries=4, show_spinner=False, hash_funcs={Reading: repr})
def _rolled(model: str, text: str, merged: bool, special: bool, chosen: Reading) -> View:
    return rollout_view(chosen.trace, merged=merged, special=special)
