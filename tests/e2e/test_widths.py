"""No page is wider than the window, on a small laptop and on a phone."""

import pytest

from attention.ui.course import PAGES
from tests.e2e.page import PHONE

BEYOND = "(main) => main.scrollWidth - main.clientWidth"
WINDOWS = {"laptop": {"viewport": {"width": 1024, "height": 768}}, "phone": PHONE}


@pytest.mark.parametrize("window", WINDOWS)
@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_a_page_is_no_wider_than_its_window(open_page, page, window):
    shown = open_page(f"/{page.name.lower()}", **WINDOWS[window])
    assert shown.get_by_test_id("stMain").evaluate(BEYOND) <= 0
