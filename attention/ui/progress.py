"""Work that takes a moment: done once, kept for all readers, with a bar while it lasts."""

from __future__ import annotations

from collections.abc import Callable
from time import perf_counter
from typing import Any, TypeVar

import streamlit as st

_SHOW_AFTER_SECONDS = 0.2  # quicker work shows no bar
_SHOW_EVERY_SECONDS = 0.1

Result = TypeVar("Result")


def kept(
    label: str, work: Callable[[Callable[[float], None]], Result], *key: str | int | bool
) -> Result:
    """Return what `work` gave for this key the first time; show how far it is until then.

    Parameters
    ----------
    label : what is being done, for the bar
    work : called with a function that takes the share that is done, 0 to 1
    key : what the result depends on; `label` is part of it
    """
    box = _box(label, key)
    if not box:
        slot, start = st.empty(), perf_counter()
        shown = start + _SHOW_AFTER_SECONDS - _SHOW_EVERY_SECONDS

        def progress(share: float) -> None:
            nonlocal shown
            if perf_counter() - shown > _SHOW_EVERY_SECONDS:
                slot.progress(share, f"{label}: {share:.0%}")
                shown = perf_counter()

        box.append(work(progress))
        slot.empty()
    return box[0]


def is_kept(label: str, *key: str | int | bool) -> bool:
    """Return whether `kept` has the result for this key."""
    return bool(_box(label, key))


@st.cache_resource(max_entries=64, show_spinner=False)
def _box(label: str, key: tuple[str | int | bool, ...]) -> list[Any]:
    """Return a place to keep one result; the cache forgets the longest unused."""
    return []
