"""Scaling: time the O(n²) core, here and now."""

from attention import ui
from attention.ui import shelf
from attention.ui.scaling import core, layers, methods, plan, runs

TABS = {
    "core": ("Cost of n²", core.core),
    "methods": ("Same answer, other cost", methods.methods_compared),
    "crossover": ("Crossover", layers.overtaken),
    "memory": ("Memory", layers.held),
    "planner": ("Planner", plan.planned),
    "runs": ("Saved runs", runs.overlaid),
}

bar = ui.opening(
    "Scaling",
    "**What does it cost to let every word attend to every word?** n tokens make n × n weights. "
    "“Measure” times the package's own attention on this machine, now; the fit says how it grows.",
)
shelf.results()
shelf.tell_lost()
tabs = ui.tabs({code: name for code, (name, _) in TABS.items()}, key="lab")
for tab, (_, draw_tab) in zip(tabs, TABS.values(), strict=True):
    with tab:
        if tab.open:
            draw_tab()
ui.closing()
