"""Whose times a tab of the scaling page shows: this machine's, or those that are stored."""

from __future__ import annotations

from typing import Any

import streamlit as st

from attention.scaling import runs, stored
from attention.ui.code_lines import ANEW
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


def results_code(
    sweep: Sweep[Any], kind: str, module: str, call: str, *, grouped: bool = False
) -> tuple[str, list[str]]:
    """Return the import and the lines that make `results`: those that are stored, or new ones.

    Parameters
    ----------
    module, call : where the function is that measured them, and its call
    grouped : the call gives a tuple of results for each length
    """
    if sweep.stored:
        return "from attention.scaling.stored import stored_sweep", [
            f"results = stored_sweep({kind!r}).results"
        ]
    results = f"[each for some in {call} for each in some]" if grouped else f"[*{call}]"
    return f"from {module} import {call.partition('(')[0]}", [ANEW, f"results = {results}"]


def call_code(function: str, *first: object, **settings: object) -> str:
    """Return a call as Python.

    >>> call_code("sweep", (16, 32), heads=1)
    'sweep((16, 32), heads=1)'
    """
    own = [*map(str, first), *(f"{name}={value!r}" for name, value in settings.items())]
    return f"{function}({', '.join(own)})"


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
