"""Two models beside each other in a real browser."""

import re

import pytest

from tests.e2e.page import PHONE, chart, expect, main
from tests.optional import with_smollm2

pytestmark = with_smollm2


@pytest.mark.parametrize(
    ("model", "tab", "title"),
    [
        ("minilm", "Beside another model", "Maps of minilm L3 H1 and smollm2 L9 H2"),
        ("smollm2", "Rotation", "Score against distance"),
    ],
)
def test_a_tab_of_the_heads_page_opens_and_draws(open_page, model, tab, title):
    page = open_page(f"/heads?model={model}")
    main(page).get_by_role("tab", name=tab).click()
    expect(chart(page, title).locator("svg, canvas").first).to_be_visible()
    expect(page).to_have_url(re.compile("more="))


def test_a_click_works_in_both_pictures_of_the_visualizer(open_page):
    page = open_page("/visualizer?both=true")
    for title, word in (("Lines of minilm", "because"), ("Lines of smollm2", "mat")):
        picture = chart(page, title)
        expect(picture.locator("svg, canvas").first).to_be_visible()
        picture.locator(f'path[aria-label*="click: {word}"]').first.click()
        for other in ("Lines of minilm", "Lines of smollm2"):  # the word is the query everywhere
            line = chart(page, other).locator("line").first
            expect(line).to_have_attribute("aria-label", re.compile(f"query: {word};"))


def test_a_phone_shows_the_whole_width(open_page):
    page = open_page("/visualizer?second=true", **PHONE)
    expect(main(page).get_by_text("smollm2 L9 H2").first).to_be_visible()
    for block in ("html", "[data-testid=stMain]", "[data-testid=stMainBlockContainer]"):
        wide, room = page.locator(block).evaluate("e => [e.scrollWidth, e.clientWidth]")
        assert wide <= room == 390
