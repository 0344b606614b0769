"""Interventions: change attention inside the model, and see what comes of it."""

import streamlit as st

import attention
from attention import presets, ui
from attention.models import registry
from attention.ui.dropped import tell_dropped
from attention.ui.interventions import cut as interventions_cut
from attention.ui.interventions import direct as interventions_direct
from attention.ui.interventions import heads
from attention.ui.interventions import patch as interventions_patch
from attention.ui.interventions import steer as interventions_steer
from attention.ui.interventions import write as interventions_write
from attention.ui.interventions.answer import asked

TABS = {
    "steer": "Steer",
    "cut": "Cut",
    "patch": "Patch",
    "direct": "What heads write",
    "matter": "Which heads matter",
    "sinks": "Sink account",
    "write": "Write on",
}

bar = ui.opening(
    "Interventions",
    "**What does attention cause?** Change it inside the model, and see what that does to what the "
    "model makes of the text.",
)
if registry.SMOLLM2 not in attention.available_models():
    st.caption(
        "This page shows most with a model that predicts the next word. One of 98 MB comes with "
        f"`{registry.INSTALL_SMOLLM2}`"
    )
above = st.container()  # what is said of the text; the tab decides which controls it needs
steer, cut, patch, direct, matter, account, write = ui.tabs(TABS, key="do")
words_act = bool(steer.open or cut.open)
with above:
    chosen = ui.reading(
        bar,
        presets.GIFT.text,
        tokens_only=not (words_act or patch.open or direct.open),
        prefer=registry.SMOLLM2,
        more_examples=presets.TO_FINISH,
    )
    tell_dropped(chosen)
if words_act:
    focus = asked(chosen)
with steer:
    if steer.open:
        interventions_steer.steer(chosen, focus)
with cut:
    if cut.open:
        interventions_cut.cut(chosen, focus)
with patch:
    if patch.open:
        interventions_patch.patch(chosen)
with direct:
    if direct.open:
        interventions_direct.what_heads_write(chosen)
with matter:
    if matter.open:
        heads.which_matter(chosen)
with account:
    if account.open:
        heads.sink_balance(chosen)
with write:
    if write.open:
        interventions_write.write_on(chosen)
ui.closing()
