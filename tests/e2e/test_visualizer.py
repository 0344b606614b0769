"""The visualizer in a real browser: the click, the hover, the toggle, the heads, long texts."""

import re
from urllib.parse import urlencode

import pytest

from tests.e2e.page import expect, main, open_view

PHONE = {"viewport": {"width": 390, "height": 844}, "color_scheme": "dark", "has_touch": True}
EVERY_HEAD = urlencode({"on": range(12)}, doseq=True)
CHART = '[data-testid=stVegaLiteChart][aria-label^="Lines from each"]'

# In one look: a picture may be replaced between two.
ALL_START_AT = """
([chart, query]) => {
  const lines = [...document.querySelectorAll(`${chart} line`)];
  return lines.length && lines.every((e) => e.getAttribute('aria-label').includes(query));
}
"""
HUNDRED = {"q": " ".join(f"{'abcdefghij'[i % 10]}{i}" for i in range(98)), "words": "true"}


def chart(page):
    return page.locator(CHART)


def word(page, text):
    """Return the place where a word is clicked to become the query."""
    return chart(page).locator(f'path[aria-label*="click: {text};"]')


def label(page, text, *, right):
    """Return a word of the sentence, in the column of queries or in that of keys."""
    same = chart(page).locator("text", has_text=re.compile(f"^{text}$"))
    return same.nth(1 if right else 0)


def lines(page, *, head="", query="", key=""):
    """Return the lines that are drawn, by the label that says what they are drawn from."""
    ends = f'[aria-label$="key: {key}"]' if key else ""
    has = f'[aria-label*="head: {head}"][aria-label*="query: {query}"]'
    return chart(page).locator(f"line{has}{ends}")


def is_query(page, text):
    """Expect that there are lines, and that all of them start at this word."""
    page.wait_for_function(ALL_START_AT, arg=[CHART, f"query: {text};"])


def click(page, text):
    """Click a word, and wait for the page's answer.

    The pointer leaves the picture: while it rests on a word, that word's lines are previewed.
    """
    page.locator("[data-test-script-state=notRunning]").wait_for()
    word(page, text).click()
    page.locator("h1").hover()
    expect(page.locator(".st-key-word input").first).to_have_value(re.compile(f" {text}$"))
    is_query(page, text)


def width_of(line):
    return float(line.get_attribute("stroke-width"))


def test_a_click_makes_another_word_the_query_everywhere(open_page):
    page = open_page("/visualizer")
    is_query(page, "it")
    expect(lines(page)).to_have_count(12)
    cat, sat = lines(page, key="cat"), lines(page, key="sat")
    expect(cat).to_have_attribute("aria-label", re.compile(r"weight: 0\.48\d\d"))
    assert width_of(cat) > 4 * width_of(sat)
    assert float(cat.get_attribute("opacity")) > 3 * float(sat.get_attribute("opacity"))

    click(page, "tired")
    expect(page).to_have_url(re.compile("word=10"))
    expect(main(page)).to_contain_text("“tired” attends to")
    empty = chart(page).bounding_box()
    page.mouse.click(empty["x"] + empty["width"] / 2, empty["y"] + empty["height"] - 4)
    page.locator("h1").hover()
    is_query(page, "tired")
    expect(page.locator(".st-key-word input").first).to_have_value("10 tired")


def test_the_same_word_can_be_clicked_after_another_was_picked(open_page):
    page = open_page("/visualizer")
    for text in ("cat", "mat", "cat"):
        click(page, text)


def test_pointing_at_a_word_previews_it_for_as_long_as_it_lasts(open_page):
    page = open_page("/visualizer")
    is_query(page, "it")
    sent = page.evaluate("framesSent")
    word(page, "mat").hover()
    is_query(page, "mat")
    page.locator("h1").hover()
    is_query(page, "it")
    assert page.evaluate("framesSent") == sent


def test_every_weight_stands_beside_its_key(open_page):
    page = open_page("/visualizer")
    is_query(page, "it")
    drawn = chart(page).locator("svg").text_content()
    for figure in ("0.487", "0.201", "0.137", "0.045", "0.043"):
        assert drawn.count(figure) == 1
    expect(main(page)).to_contain_text("All 12 words together: 1.0000")


def test_a_decoder_draws_nothing_after_the_query(open_page):
    page = open_page("/visualizer?model=smollm2&word=2")
    is_query(page, "sat")
    expect(lines(page)).to_have_count(3)
    expect(label(page, "mat", right=True)).to_have_count(0)
    click(page, "mat")
    expect(label(page, "mat", right=True)).to_have_count(1)


def test_another_head_keeps_the_clicked_word_and_another_word_starts_anew(open_page):
    page = open_page("/visualizer")
    is_query(page, "it")
    click(page, "mat")
    before = lines(page, key="cat").get_attribute("aria-label")
    page.locator('input[type=range][aria-label="Head"]').press("ArrowLeft")
    expect(lines(page, key="cat")).not_to_have_attribute("aria-label", before)
    page.locator("h1").hover()
    is_query(page, "mat")

    page.locator(".st-key-word input").first.click()
    page.get_by_role("option", name="2 cat").click()
    expect(page).to_have_url(re.compile("word=2(&|$)"))
    is_query(page, "cat")


def test_all_heads_have_their_own_colour_and_can_be_switched_off(open_page):
    page = open_page("/visualizer?layer=5&head=11")
    page.get_by_text("Multi-head", exact=True).click()
    expect(lines(page)).to_have_count(36)
    expect(page).to_have_url(re.compile("mode=multi"))
    page = open_page(f"/visualizer?layer=5&head=11&mode=multi&{EVERY_HEAD}")
    expect(lines(page)).to_have_count(144)
    strokes = lines(page, key="cat").evaluate_all("all => all.map(e => getComputedStyle(e).stroke)")
    assert len(strokes) == len(set(strokes)) == 12
    expect(main(page).get_by_test_id("stAlert")).to_contain_text("stands out")

    page.locator(".st-key-on").get_by_role("button", name=re.compile("H0$")).click()
    expect(lines(page)).to_have_count(132)
    expect(lines(page, head="L5 H0;")).to_have_count(0)
    expect(page).not_to_have_url(re.compile("on=0"))
    page.locator(".st-key-on").get_by_role("button", name=re.compile("H0$")).click()
    expect(lines(page)).to_have_count(144)


def test_the_best_head_for_a_pair_is_one_click_away(open_page):
    page = open_page("/visualizer?layer=0&head=0")
    button = main(page).get_by_role("button", name="Go to L3 H1")
    button.click()
    expect(button).to_be_disabled()
    expect(page).to_have_url(re.compile("visualizer$|layer=3"))
    expect(lines(page, head="L3 H1;").first).to_be_attached()


def test_special_tokens_can_be_taken_out(open_page):
    page = open_page("/visualizer")
    expect(lines(page)).to_have_count(12)
    open_view(page)
    page.locator(".st-key-special").get_by_text("Special tokens").click()
    page.keyboard.press("Escape")
    expect(lines(page)).to_have_count(10)
    expect(main(page).get_by_text("Special tokens are taken out")).to_be_visible()
    is_query(page, "it")


def test_a_question_is_answered_from_the_model(open_page):
    page = open_page("/visualizer")
    first = main(page).get_by_test_id("stExpander").first
    first.get_by_text("Predict first").click()
    first.get_by_text("less than half as much").click()
    expect(first.get_by_text("Right.")).to_be_visible()


def test_a_link_restores_the_page(open_page):
    link = "/visualizer?word=7&layer=4&head=2&mode=multi&on=1&on=5&pair=3"
    page = open_page(link)
    is_query(page, "because")
    expect(lines(page)).to_have_count(24)
    expect(lines(page, head="L4 H5;")).to_have_count(12)
    expect(page.locator(".st-key-pair input").first).to_have_value("3 sat")
    expect(page).to_have_url(re.compile(re.escape(link)))


def test_hostile_text_is_shown_letter_for_letter(open_page):
    page = open_page(f"/visualizer?{urlencode({'q': '<b>x</b> **b** $y$', 'special': 'false'})}")
    drawn = chart(page).locator("text", has_text=re.compile(r"^[<>*$]$"))
    expect(drawn).to_have_count(2 * 10)
    word(page, "<").first.hover()
    tip = page.locator("#vg-tooltip-element")
    expect(tip).to_contain_text("<")
    expect(tip.locator("b")).to_have_count(0)


@pytest.mark.parametrize("mode", ["Single head", "Multi-head"])
def test_a_hundred_words_can_be_clicked_to_the_last(open_page, mode):
    page = open_page(f"/visualizer?{urlencode({**HUNDRED, 'mode': mode, 'word': 12})}")
    expect(chart(page).locator("svg")).to_be_visible()
    for text in ("b1", "j9", "f15"):
        click(page, text)
    tops = [word(page, text).bounding_box()["y"] for text in ("f15", "g16")]
    assert 14 < tops[1] - tops[0] < 30


def test_pointing_at_a_key_shows_its_weight(open_page):
    page = open_page("/visualizer?layer=5&head=11")
    is_query(page, "it")
    place = label(page, "tired", right=True).bounding_box()
    page.mouse.move(place["x"] + 5, place["y"] + place["height"] / 2)
    tip = page.locator("#vg-tooltip-element")
    expect(tip).to_contain_text("0.0237")
    expect(tip).to_contain_text("L5 H11")
    is_query(page, "it")


@pytest.mark.parametrize("mode", ["Single head", "Multi-head"])
def test_a_phone_in_the_dark_can_tap_every_word(open_page, mode):
    page = open_page(f"/visualizer?{urlencode({'mode': mode})}", **PHONE)
    is_query(page, "it")
    word(page, "because").tap()
    is_query(page, "because")
    for block in ("html", "[data-testid=stMain]", "[data-testid=stMainBlockContainer]"):
        wide, room = page.locator(block).evaluate("e => [e.scrollWidth, e.clientWidth]")
        assert wide <= room == 390
    box = chart(page).bounding_box()
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= 390
    for side in (False, True):
        place = label(page, "because", right=side).bounding_box()
        assert place["x"] >= box["x"]
        assert place["x"] + place["width"] <= box["x"] + box["width"]
