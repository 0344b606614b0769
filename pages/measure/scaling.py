"""Scaling: time the O(n²) core, here and now."""

import streamlit as st

from attention import ui
from attention.ui import (
    scaling_core,
    scaling_layers,
    scaling_methods,
    scaling_plan,
    scaling_runs,
    shelf,
)

TABS = {
    "core": ("Cost of n²", scaling_core.core),
    "methods": ("Same answer, other cost", scaling_methods.compared),
    "crossover": ("Crossover", scaling_layers.overtaken),
    "memory": ("Memory", scaling_layers.held),
    "planner": ("Planner", scaling_plan.planned),
    "runs": ("Saved runs", scaling_runs.overlaid),
}

st.title("Scaling")
st.markdown(
    "**What does it cost to let every word read every word?** n tokens make n × n weights. This "
    "page times the package's own attention on this machine, now, and fits how fast it grows."
)
shelf.results()
shelf.tell_lost()
tabs = ui.tabs({code: name for code, (name, _) in TABS.items()}, key="lab")
for tab, (_, draw_tab) in zip(tabs, TABS.values(), strict=True):
    with tab:
        if tab.open:
            draw_tab()
ui.saving_hint()
