"""Many readers of one server: how many there may be, and whose page is made first."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial

import streamlit as st
from streamlit import runtime
from streamlit.runtime.scriptrunner import get_script_run_ctx

from attention.runtime.limits import READERS_ALLOWED, number_said
from attention.runtime.threads import processors
from attention.runtime.waiting_line import Turnstile

_LONGEST_TURN = 1.0  # seconds; a page that measures or trains goes on beside others


class Room:
    """A place for each reader, as long as there are any.

    >>> room = Room(is_here=lambda reader: reader != "gone")
    >>> [room.lets_in(reader, most=2) for reader in ("a", "gone", "b", "c", "a")]
    [True, True, True, False, True]
    """

    def __init__(self, is_here: Callable[[str], bool]) -> None:
        """Ask `is_here` who has left."""
        self._is_here, self._inside, self._lock = is_here, set[str](), threading.Lock()

    def lets_in(self, reader: str, most: int) -> bool:
        """Return whether a reader has a place; one who has keeps it until leaving."""
        with self._lock:
            if reader not in self._inside and len(self._inside) >= most:
                self._inside = {other for other in self._inside if self._is_here(other)}
            if reader in self._inside or len(self._inside) < most:
                self._inside.add(reader)
                return True
            return False


def turn_away() -> None:
    """Stop the page, with the reason, where the server has as many readers as it may."""
    most, context = number_said(READERS_ALLOWED), get_script_run_ctx()
    if most is None or context is None or not runtime.exists():
        return
    if not _room().lets_in(context.session_id, most):
        st.info(
            f"This server has its {most} readers. Reload the page in a while: your address keeps "
            "all that you have chosen.",
            icon=":material/hourglass:",
        )
        st.stop()


@contextmanager
def page_turn() -> Iterator[None]:
    """Make a page when those that were asked for before are made, but for a few side by side.

    All at once would all be done last, and take as much memory as all of them need.
    """
    with _line().join() as turn:
        while not turn.wait(_LONGEST_TURN):
            pass
        yield


@st.cache_resource(show_spinner=False)
def _line() -> Turnstile:
    return Turnstile(processors(), _LONGEST_TURN)


def presence() -> Callable[[], bool]:
    """Return what says, in any thread, whether the reader of this run is still there."""
    context = get_script_run_ctx()
    if context is None or not runtime.exists():
        return lambda: True
    return partial(runtime.get_instance().is_active_session, context.session_id)


@st.cache_resource(show_spinner=False)
def _room() -> Room:
    return Room(runtime.get_instance().is_active_session)
