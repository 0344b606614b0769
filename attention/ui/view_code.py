"""“Code for this view”: the lines of Python that make a figure of the page, and files of it."""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
import streamlit as st

from attention import plot
from attention.charts import Chart
from attention.charts.files import EXTRA, can_render, rendered
from attention.models.trace import Trace
from attention.ui import address, inputs

_OFFERED, _DRAWN = "_offered_code", "_drawn_figures"
_LONGEST_NAME = 40  # letters of the text, in the name of a file


@dataclass(frozen=True)
class Figure:
    """A chart as a page has drawn it."""

    build: Callable[..., Chart]
    data: pd.DataFrame
    options: dict[str, Any]
    alt_text: str
    in_light: Callable[[], pd.DataFrame] | None = None

    def code(self, **said: str) -> tuple[str, list[str]]:
        """Return the import, and the lines that draw `data` as this is drawn.

        Parameters
        ----------
        said : options that an expression says better than their value does
        """
        options = {name: repr(_plain(value)) for name, value in self.options.items()} | said
        return f"from {self.build.__module__} import {self.build.__name__}", [
            "chart = plot.drawn(",
            f"    {self.build.__name__}, data,",
            *(f"    {name}={value}," for name, value in options.items()),
            ")",
        ]

    def file(self, form: str) -> bytes:
        """Return it in a format, as it looks outside the dashboard."""
        data = self.in_light() if self.in_light else self.data
        return rendered(plot.drawn(self.build, data, **self.options), form)


@dataclass(frozen=True)
class ViewCode:
    """Code that makes `chart`, the figure, and prints what the page says of it.

    Of a view without a figure it only prints, and has a `name`.
    """

    make: Callable[[], str]
    figure: str  # the first words of the key of its chart
    trace: Trace | None = None
    text: str = ""  # what files are named by, beside the page and the model
    name: str = ""  # where no chart says what it is of


def begin_figures() -> None:
    """Forget what the last run of the page has drawn and offered; as the page begins."""
    st.session_state[_OFFERED], st.session_state[_DRAWN] = {}, {}


def note_figure(key: str, figure: Figure) -> None:
    """Keep what is drawn, until the page is drawn again."""
    st.session_state.setdefault(_DRAWN, {})[key] = figure


def drawn_last(key: str) -> Figure:
    """Return the figure that the page has drawn last under a key that begins with this word."""
    return _all_drawn(key)[-1]


def _all_drawn(key: str) -> list[Figure]:
    """Return what is drawn under this key, or under one that goes on with a space."""
    figures: dict[str, Figure] = st.session_state.get(_DRAWN, {})
    return [figure for name, figure in figures.items() if f"{name} ".startswith(f"{key} ")]


def _plain(value: Any) -> Any:
    """Return a number of NumPy as one of Python, in tuples, too: so they are spelled."""
    if isinstance(value, tuple):
        return tuple(map(_plain, value))
    return value.item() if isinstance(value, np.generic) else value


def offer(code: ViewCode) -> None:
    """Let the next box have this code, too; it opens on what was offered last."""
    st.session_state.setdefault(_OFFERED, {})[code.figure] = code


def code_box(label: str = "Code for this view", key: str = "code") -> None:
    """Draw the box with the code that was offered since the last one, closed at first, if any is.

    A page ends with it. A fragment that offers code draws one itself: it may run again without the
    end of the page. Where a page has two, the second has a label and a key of its own.
    """
    offered: dict[str, ViewCode] = st.session_state.get(_OFFERED, {})
    if not offered:
        return
    st.session_state[_OFFERED] = {}
    box = inputs.expander(label, icon=":material/code:", key=key)
    if box.open:
        with box:
            found = _chosen(offered, key)
            made = "makes the same figure, and prints" if _all_drawn(found.figure) else "prints"
            st.caption(f"This {made} what the page says of it, wherever the package is installed.")
            st.code(found.make(), language="python")
            _files(found, key)


def _chosen(offered: dict[str, ViewCode], key: str) -> ViewCode:
    """Draw the choice of a figure, where there are several; at first what was offered last."""
    *_, last = offered
    if len(offered) == 1:
        return offered[last]
    names = {figure: one.name or drawn_last(figure).alt_text for figure, one in offered.items()}
    picked = inputs.select(
        "Code of", list(names), last, key=f"{key}_of", text=names.__getitem__, of=tuple(names),
        width=420,
    )  # fmt: skip
    return offered[picked]


def _files(found: ViewCode, key: str) -> None:
    """Draw buttons for the arrays and for the figure as files, each made when it is asked for."""
    drawn = _all_drawn(found.figure)
    page = address.visit().file or "view"
    with st.container(horizontal=True):
        if found.trace is not None:
            name = file_name(page, found)
            _button("Trace as NPZ", f"{name}.npz", partial(_npz, found.trace), key)
        if drawn and can_render():
            name = file_name(f"{page} {found.figure}", found)
            for form in ("svg", "png"):
                label, make = f"Figure as {form.upper()}", partial(drawn[-1].file, form)
                _button(label, f"{name}.{form}", make, key)
    if drawn and not can_render():
        st.caption(f"With `{EXTRA}` the figure can be saved here as SVG and PNG, too.")


def _button(label: str, name: str, make: Callable[[], bytes], key: str) -> None:
    st.download_button(
        label, make, name, key=f"{key}-{name.rpartition('.')[2]}", icon=":material/download:",
        on_click="ignore",
    )  # fmt: skip


def file_name(page: str, found: ViewCode) -> str:
    """Return a name of letters, digits and dashes: page, text and model.

    >>> file_name("heads", ViewCode(str, "maps", text="The cat, it's (tired)/../!"))
    'heads-the-cat-it-s-tired'
    """
    parts = [page, found.text[:_LONGEST_NAME], found.trace.model if found.trace else ""]
    plain = [re.sub(r"[^0-9a-z]+", "-", part.lower()).strip("-") for part in parts]
    return "-".join(part for part in plain if part)


def _npz(trace: Trace) -> bytes:
    held = io.BytesIO()
    trace.save(held)
    return held.getvalue()
