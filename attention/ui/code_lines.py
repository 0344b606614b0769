"""What the code of views has in common: the code of each stands beside what draws it.

What a reader has typed goes in as a Python literal.
"""

from __future__ import annotations

from collections.abc import Sequence

from attention.analysis.words import View
from attention.ui.cells import AS_WEIGHT
from attention.ui.readings import Reading

ANEW = "# Timed anew: times differ from run to run, and between machines."


def script(imports: Sequence[str], lines: Sequence[str]) -> str:
    """Return code, what it imports first."""
    return "\n".join([*imports, "", *lines])


def of_view(
    chosen: Reading, imports: Sequence[str], lines: Sequence[str], *, words: bool | None = None
) -> str:
    """Return code about a view of the page's text."""
    merged = chosen.words if words is None else words
    return script(["import attention", "from attention import plot", *imports], [
        f"model = attention.load_model({chosen.model_name!r})",
        f"trace = model.trace({chosen.trace.input.as_code})",
        f"view = attention.view(trace, words={merged}, special={chosen.special})",
        *lines,
    ])  # fmt: skip


def of_cells(chosen: Reading, what: str) -> tuple[list[str], list[str], str, str]:
    """Return imports and lines that make what is drawn, its name, and what its numbers are.

    Parameters
    ----------
    what : a cell is, see `ui.cells`
    """
    if what == AS_WEIGHT:
        return [], [], "view", ""
    options = f"merged={chosen.words}, special={chosen.special}"
    return (
        ["from attention.analysis.written import written_view"],
        [f"cells = written_view(model, trace, {options})"],
        "cells",
        f", figure={what!r}",
    )


def only(shown: Sequence[int], view: View) -> str:
    """Return the argument that names the words that are drawn, where these are not all."""
    return "" if len(shown) == len(view.units) else f", shown={list(shown)}"
