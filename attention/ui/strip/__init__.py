"""A strip of steps, each a small picture with its sign; one is lit. The arrow keys go on and back.

What stands in the browser is `strip.js`: native radio buttons. Which step is lit is a control like
any other, with its place in the address: whoever sets it sets `st.session_state[key]`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib import resources
from typing import NamedTuple

import streamlit as st

from attention.ui import inputs

_FILES = resources.files(__name__)
_js, _css = ((_FILES / f"strip.{kind}").read_text(encoding="utf-8") for kind in ("js", "css"))
_strip = st.components.v2.component("attention_strip", js=_js, css=_css)


class Sign(NamedTuple):
    """What the strip shows of a step."""

    key: str
    sign: str  # a few letters
    name: str
    picture: str  # an address


def lit(options: Mapping[str, str], *, key: str, default: str) -> str:
    """Return which step is lit, `{code: sign}`: as the reader, the address or the default says."""
    return inputs.choice("", options, key=key, default=default, widget=_held)


def strip(title: str, signs: Sequence[Sign], chosen: str, *, key: str) -> None:
    """Draw the strip; `chosen` is as `lit` returns it, and `key` is that of the control."""
    own = f"{key}_strip"
    _strip(
        key=own,
        data={"title": title, "chosen": chosen, "steps": [sign._asdict() for sign in signs]},
        on_picked_change=lambda: _take(key, own, [sign.key for sign in signs]),
    )


def _held(label: str, codes: Sequence[str], *, default: str, key: str, **_: object) -> str:
    """Keep the value of a strip that is drawn later."""
    st.session_state[key] = default
    return default


def _take(key: str, own: str, known: Sequence[str]) -> None:
    picked = st.session_state[own].get("picked")
    if picked in known:
        st.session_state[key] = picked
