"""Links from page to page, each into the state that it is about.

A link is an address that holds the state, so that it can be copied or opened in a new tab.
"""

from __future__ import annotations

from pathlib import PurePosixPath
from urllib.parse import urlencode

import streamlit as st
from streamlit.errors import StreamlitPageNotFoundError

from attention.lesson.takeaways import State
from attention.models import registry
from attention.ui import address
from attention.ui.show import escape_markdown

_ICON = ":material/arrow_forward:"
_MODEL = "model"  # the picker's key
_SHOWN = ("words", "special")  # what words are: a position counts them


def link(page: str, label: str, state: State) -> None:
    """Draw a link to a page in a state.

    Parameters
    ----------
    page : its file, such as "pages/explore/heads.py"
    state : key of a control -> its value, as an address spells it; the model and what is taken for
        a word go along, for in another model or in other words a sentence is another place
    """
    text, name = escape_markdown(label), PurePosixPath(page).stem
    said = {**_reading(), **state} if state else state
    if name == address.visit().file:  # Streamlit does not go to where it is
        st.button(
            text, icon=_ICON, type="tertiary", on_click=address.go, args=(said,), key=f"to {label}"
        )
        return
    try:
        st.page_link(page, label=text, icon=_ICON, query_params=said)
    except StreamlitPageNotFoundError:  # a page that runs alone knows of no other
        st.markdown(f"[{text}](/{name}?{urlencode(said, doseq=True)})")


def _reading() -> dict[str, str]:
    kept = address.visit().kept
    shown = {key: kept[key].spelled[-1] for key in (*_SHOWN, _MODEL) if key in kept}
    model = st.session_state.get(_MODEL, registry.EMBEDDED)
    return shown if model == registry.EMBEDDED else {**shown, _MODEL: model}
