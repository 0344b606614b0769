"""Whose times a tab of the scaling page shows: this machine's, or those that are stored."""

from __future__ import annotations

from typing import Any

import streamlit as st

from attention.scaling import runs, stored
from attention.ui.measuring import Sweep
from attention.ui.show import escape_markdown


def before_measuring(kind: str, *, grouped: bool = False) -> Sweep[Any]:
    """Return a sweep that is stored with the package.

    Parameters
    ----------
    grouped : as one tuple of results, where the tab's own sweep gives a tuple for each length
    """
    settings, results = stored.stored_sweep(kind)
    return Sweep(settings, [tuple(results)] if grouped else results, stored=True)


def say_source(sweep: Sweep[Any], offer: str) -> None:
    """Say where a sweep was made; of a stored one also when and how, and what measuring does."""
    if not sweep.stored:
        st.caption("Measured on this machine.")
        return
    made = escape_markdown(runs.machine_text(stored.stored_run(stored.CORE_KIND)))
    st.caption(
        f"A stored run, not of this machine: {made}, made by “{stored.SWEEPS_COMMAND}”. “Measure” "
        f"{offer}"
    )
