"""Every page, light and dark, by axe-core: no violation of level A or AA of WCAG 2.2 is ours."""

import pytest
from axe_playwright_python.sync_playwright import Axe

from attention.ui.course import PAGES

RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]

# What Streamlit's own frontend draws, whatever an app does; rule -> the parts of it.
STREAMLIT_S = {
    "color-contrast": ('<span title="L',),  # what is chosen in a multiselect: white on the theme's
    "list": ("stSidebarNavItems",),  # its menu: a list whose items are grouped in headers
    "listitem": ("<li",),
    "scrollable-region-focusable": ("katex-display", "stDataFrame"),  # formulas can be scrolled
}


def ours(violation):
    parts = STREAMLIT_S.get(violation["id"], ())
    return [n["html"] for n in violation["nodes"] if not any(part in n["html"] for part in parts)]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_a_page_is_accessible(open_page, page, scheme):
    shown = open_page(f"/{page.name.lower()}", color_scheme=scheme)
    result = Axe().run(shown, options={"runOnly": RULES}).response
    assert len(result["passes"]) > 10
    found = {v["id"]: nodes for v in result["violations"] if (nodes := ours(v))}
    assert found == {}
