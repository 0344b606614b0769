"""The dashboard: `streamlit run streamlit_app.py`."""

import logging

import streamlit as st


def navigation() -> st.Page:
    """Set up the pages and return the one that the reader asked for."""
    return st.navigation(
        {
            "Learn": [
                st.Page(
                    "pages/learn/explorer.py",
                    title="Explorer",
                    icon=":material/tune:",
                    url_path="explorer",
                    help="Change the relevance of each word and see the blend shift",
                ),
            ],
            "Explore": [
                st.Page(
                    "pages/explore/heads.py",
                    title="Heads",
                    icon=":material/grid_view:",
                    url_path="heads",
                    help="Compare heads side by side",
                ),
            ],
            "Measure": [
                st.Page(
                    "pages/measure/scaling.py",
                    title="Scaling",
                    icon=":material/timer:",
                    url_path="scaling",
                    help="Time the O(n²) core on this machine",
                ),
            ],
        },
        position="top",
    )


if __name__ == "__main__":  # for every reader, at every rerun
    st.set_page_config(page_title="Attention", page_icon="🔦", layout="wide")
    navigation().run()
else:
    # Once, when the server starts. A folder called `pages` makes Streamlit take the first request
    # for an app of the old kind, one page a file, and tell a reader who follows a link that the
    # page does not exist; st.navigation before that request puts it right. Out here it has no
    # reader to talk to, and would log that four times.
    context = "streamlit.runtime.scriptrunner_utils.script_run_context"
    logging.getLogger(context).setLevel(logging.ERROR)
    navigation()
    app = st.App(__file__)
