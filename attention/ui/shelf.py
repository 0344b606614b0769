"""What readers have measured: kept by the server for whoever holds the name that it goes by.

The name stands in the address of the page, so a reload shows the results again, and so does a link
to whoever is given it. It is drawn at random: nobody comes by another reader's. Each measurement
has a new name, which starts with what the last one held: whoever follows a link and measures anew
changes nothing for others.

Kept in memory and nowhere else: when the server stops, all of it is gone, and the page says so.
"""

from __future__ import annotations

import secrets
import threading
from typing import Any

import streamlit as st

from attention.ui.inputs import Control

MOST_KEPT = 64  # measurements, each of less than a megabyte
_KEY = "run"

Box = dict[str, Any]  # what was measured -> its results


class Shelf:
    """Boxes by name, the last ones.

    >>> shelf = Shelf(most=2)
    >>> names = [shelf.put({"n": n}) for n in range(3)]
    >>> [shelf.get(name) for name in names]
    [None, {'n': 1}, {'n': 2}]
    """

    def __init__(self, most: int) -> None:
        """Keep so many."""
        self._most, self._boxes, self._lock = most, dict[str, Box](), threading.Lock()

    def put(self, box: Box) -> str:
        """Keep a box, and return the name that it is found by."""
        name = secrets.token_urlsafe(12)
        with self._lock:
            self._boxes[name] = box
            while len(self._boxes) > self._most:
                del self._boxes[next(iter(self._boxes))]
        return name

    def get(self, name: str) -> Box | None:
        """Return the box of a name, if it is there still."""
        return self._boxes.get(name)


@st.cache_resource(show_spinner=False)
def _shelf() -> Shelf:
    return Shelf(MOST_KEPT)


def results() -> Box:
    """Return what the address names; say so where it is no longer there."""
    name = Control(_KEY, "", read=lambda said: said[-1]).draw(lambda value: value)
    st.session_state[_KEY] = name
    box = _shelf().get(name)
    return {} if box is None else box


def tell_lost() -> None:
    """Say so where the address names results that are gone."""
    if (name := st.session_state.get(_KEY)) and _shelf().get(name) is None:
        st.warning(
            "What this address names was measured before and is no longer kept: the server holds "
            f"the last {MOST_KEPT} measurements, in memory, until it is stopped."
        )


def renew() -> None:
    """Let what is measured next have a name of its own; in a callback."""
    held = _shelf().get(st.session_state.get(_KEY, "")) or {}
    st.session_state[_KEY] = _shelf().put(dict(held))
