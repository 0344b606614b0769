"""The dashboard: `streamlit run streamlit_app.py`."""

import gc
import logging
from pathlib import Path

import streamlit as st

from attention.ui import address
from attention.ui.course import COURSE, PAGES
from attention.ui.readers import page_turn, turn_away


def navigation() -> st.Page:
    """Set up the pages and return the one that the reader asked for."""
    sections = {
        section: [st.Page(p.file, title=p.name, icon=p.icon, help=p.question) for p in pages]
        for section, pages in COURSE.items()
    }
    # Streamlit serves the default page at "/" and nowhere else, but links name every page: what is
    # at "/" is the first page once more, unseen.
    home = st.Page(PAGES[0].file, default=True, url_path="home", visibility="hidden")
    sections["Learn"].append(home)
    return st.navigation(sections, position="sidebar", expanded=True)


if __name__ == "__main__":  # for every reader, at every rerun
    st.set_page_config("Attention", "🔦", layout="wide", initial_sidebar_state=220)
    st.logo("🔦")
    turn_away()
    address.begin()
    page = navigation()
    address.arrive(page.url_path, page.url_path or Path(PAGES[0].file).stem)
    with page_turn():
        page.run()
    address.publish()
else:
    # Once, when the server starts. A folder called `pages` makes Streamlit take the first request
    # for an app of the old kind, one page a file, and tell a reader who follows a link that the
    # page does not exist; st.navigation before that request puts it right. Out here it has no
    # reader to talk to, and would log that four times.
    context = "streamlit.runtime.scriptrunner_utils.script_run_context"
    logging.getLogger(context).setLevel(logging.ERROR)
    navigation()
    app = st.App(__file__)

    # Collecting garbage takes longer the more there is to look through: some 50 ms for the
    # libraries alone. What is loaded now is here to stay.
    gc.collect()
    gc.freeze()
