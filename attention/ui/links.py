"""Links from page to page, each into the state that it is about."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import PurePosixPath
from urllib.parse import urlencode

import streamlit as st
from streamlit.errors import StreamlitPageNotFoundError

from attention.ui.show import escape_markdown

_ICON = ":material/arrow_forward:"


def link(page: str, label: str, params: Mapping[str, str | list[str]]) -> None:
    """Draw a link to a page in the state that `params` say, as its address has them.

    Parameters
    ----------
    page : its file, such as "pages/explore/heads.py"
    """
    text = escape_markdown(label)
    try:
        st.page_link(page, label=text, icon=_ICON, query_params=dict(params))
    except StreamlitPageNotFoundError:  # a page that runs alone knows of no other
        address = f"/{PurePosixPath(page).stem}?{urlencode(params, doseq=True)}"
        st.markdown(f"[{text}]({address})")
