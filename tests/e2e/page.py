"""A page in the browser: the parts of it that tests look for, by the names that a reader sees."""

from tests.e2e.live import playwright_api

expect = playwright_api().expect
expect.set_options(timeout=20_000)

PHONE = {
    "viewport": {"width": 390, "height": 844},
    "color_scheme": "dark",
    "is_mobile": True,
    "has_touch": True,
    "user_agent": "Mozilla/5.0 (Linux; Android 15) AppleWebKit/537.36 Chrome/140 Mobile",
}


def main(page):
    """Return the page without its sidebar and menu."""
    return page.get_by_test_id("stMain")


def chart(page, alt):
    """Return the chart whose description begins so, if its tab is open."""
    return page.locator(f'[data-testid=stVegaLiteChart][aria-label^="{alt}"]:visible')


def notice(page):
    return main(page).get_by_test_id("stAlert").and_(page.locator(":visible")).first


def button(page, name):
    return main(page).get_by_role("button", name=name)


def slider(page, name):
    return page.locator(f'input[type=range][aria-label="{name}"]:visible')


def weight(page, word):
    """Return what stands beside the explorer's slider of a word."""
    return page.locator(".row").filter(has=page.locator(f'[aria-label="{word}"]')).locator(".said")


def field(page, key):
    """Return the input of a picker or text field by its key."""
    return page.locator(f".st-key-{key} input").first


def tags(page):
    """Return the heads that are chosen, as the multiselect shows them."""
    return page.locator(".st-key-heads [data-tag]:visible")


def sentence(page):
    return page.get_by_role("textbox", name="Sentence", exact=True)


def open_view(page):
    """Open the box above the page that holds how the text is shown, and what is said of models."""
    main(page).get_by_role("button", name="View").first.click()


def type_sentence(page, text):
    sentence(page).fill(text)
    sentence(page).press("Control+Enter")
