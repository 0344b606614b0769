"""The dashboard: `streamlit run streamlit_app.py`."""

import gc
import logging
from pathlib import Path

import streamlit as st

# (file, icon, what the page does); the first one is the home page.
PAGES = {
    "Learn": [
        (
            "pages/learn/lesson.py",
            ":material/school:",
            "The idea, what to take away, and three claims to break",
        ),
        (
            "pages/learn/explorer.py",
            ":material/tune:",
            "Change the relevance of each word and see the blend shift",
        ),
        (
            "pages/learn/pipeline.py",
            ":material/account_tree:",
            "The mechanics step by step, with a receipt for any number",
        ),
        (
            "pages/learn/context.py",
            ":material/route:",
            "Attention against recurrent and convolutional layers",
        ),
    ],
    "Explore": [
        (
            "pages/explore/visualizer.py",
            ":material/hub:",
            "Click a word and see where each head looks",
        ),
        ("pages/explore/heads.py", ":material/grid_view:", "Compare heads side by side"),
        (
            "pages/explore/interventions.py",
            ":material/construction:",
            "Change attention inside the model and see what comes of it",
        ),
    ],
    "Measure": [
        ("pages/measure/scaling.py", ":material/timer:", "Time the O(n²) core on this machine"),
    ],
}
HOME = PAGES["Learn"][0][0]


def navigation() -> st.Page:
    """Set up the pages and return the one that the reader asked for."""
    sections = {
        section: [
            st.Page(file, title=Path(file).stem.capitalize(), icon=icon, help=what)
            for file, icon, what in pages
        ]
        for section, pages in PAGES.items()
    }
    # Streamlit serves the default page at "/" and nowhere else, but links name every page: what is
    # at "/" is the first page once more, unseen.
    home = st.Page(HOME, default=True, url_path="home", visibility="hidden")
    sections["Learn"].append(home)
    return st.navigation(sections, position="top")


if __name__ == "__main__":  # for every reader, at every rerun
    from attention.ui import address  # late: the branch below runs before there is a page

    st.set_page_config(page_title="Attention", page_icon="🔦", layout="wide")
    address.begin()
    page = navigation()
    address.arrive(page.url_path, page.url_path or Path(HOME).stem)
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

    # Streamlit collects garbage after every rerun, which takes longer the more there is to look
    # through: some 50 ms for the libraries alone. What is loaded now is here to stay.
    import attention.ui  # noqa: F401 for its weight alone

    gc.collect()
    gc.freeze()
