"""No page is wider than its window, on a small laptop and on a phone, and no chart than its own."""

import pytest

from attention.ui.course import PAGES
from tests.e2e.page import PHONE, expect

BEYOND = "(main) => main.scrollWidth - main.clientWidth"
# A letter or two may stand in the gap beside a chart.
CUT = """charts => charts.flatMap(chart => {
    const edge = chart.getBoundingClientRect();
    const beyond = text => {
        const own = text.getBoundingClientRect();
        return own.width && (own.right > edge.right + 7 || own.left < edge.left - 7);
    };
    return [...chart.querySelectorAll("text")].filter(beyond).map(text => text.textContent);
})"""
WINDOWS = {"laptop": {"viewport": {"width": 1024, "height": 768}}, "phone": PHONE}


@pytest.mark.parametrize("window", WINDOWS)
@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_a_page_is_no_wider_than_its_window(open_page, page, window):
    shown = open_page(f"/{page.name.lower()}", **WINDOWS[window])
    assert shown.get_by_test_id("stMain").evaluate(BEYOND) <= 0
    charts = shown.locator("[data-testid=stVegaLiteChart] svg:visible")
    if charts.count():
        expect(charts.first.locator("text").first).to_be_attached()
    assert charts.evaluate_all(CUT) == []
