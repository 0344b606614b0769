"""Links from page to page, each into the state that it is about.

A link is an address that holds the state, so that it can be copied or opened in a new tab. Within
a visit that isn't enough: Streamlit drops from an address what the page that is left has controls
for, and keeps what the reader had chosen before. So a link also names itself, and on arrival
its values are given to the controls.
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from pathlib import PurePosixPath
from urllib.parse import urlencode

import streamlit as st
from streamlit.errors import StreamlitAPIException, StreamlitPageNotFoundError

from attention.models import registry
from attention.takeaways import Setting
from attention.ui.show import escape_markdown

_ICON = ":material/arrow_forward:"
_NAME = "to"  # in the address, until the page is there
_MODEL = "model"  # the picker's key
_LINKS = "_links"  # name -> where the link leads
_FOLLOWED = "_links_followed"  # how many of them so far


def link(page: str, label: str, state: Mapping[str, Setting]) -> None:
    """Draw a link to a page in a state.

    Parameters
    ----------
    page : its file, such as "pages/explore/heads.py"
    state : key of a control -> its value, and how that is spelled in an address; the model that
        is picked goes along, for a sentence in another model is another place
    """
    model = st.session_state.get(_MODEL, registry.EMBEDDED)
    if state and model != registry.EMBEDDED:
        state = {_MODEL: (model, model), **state}
    links: dict[str, Mapping[str, Setting]] = st.session_state.setdefault(_LINKS, {})
    followed = st.session_state.get(_FOLLOWED, 0)
    name = f"{zlib.crc32(repr((page, state)).encode()):x}-{followed}"  # of use once: see `arrive`
    links[name] = state
    address = {key: spelled for key, (_, spelled) in state.items()}
    text = escape_markdown(label)
    try:
        st.page_link(page, label=text, icon=_ICON, query_params={**address, _NAME: name})
    except StreamlitPageNotFoundError:  # a page that runs alone knows of no other
        st.markdown(f"[{text}](/{PurePosixPath(page).stem}?{urlencode(address, doseq=True)})")


def arrive() -> None:
    """Set the controls as the link says that the reader has just followed.

    Once: whoever comes back to its address by the browser's own buttons has moved on since.
    """
    state = st.session_state.get(_LINKS, {}).get(st.query_params.get(_NAME))
    if state is None:
        return
    st.session_state[_LINKS] = {}
    st.session_state[_FOLLOWED] = st.session_state.get(_FOLLOWED, 0) + 1
    st.session_state.update({key: value for key, (value, _) in state.items()})
    try:
        st.query_params.from_dict({key: spelled for key, (_, spelled) in state.items()})
    except StreamlitAPIException:  # it leads to this very page, whose controls own the address
        del st.query_params[_NAME]
