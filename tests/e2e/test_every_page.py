"""Every page in a real browser, on a desk and on a phone: what must hold wherever a reader is."""

import os
import re
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe

from attention.ui.course import PAGES
from tests.e2e.conftest import DRAWN
from tests.e2e.page import PHONE, expect, main

RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
COLOURS = ["color-contrast", "link-in-text-block"]  # what may be another in the dark
# What Streamlit's own frontend draws, whatever an app does; rule -> the parts of it.
STREAMLIT_S = {
    "color-contrast": ('<span title="L',),  # what is chosen in a multiselect: white on the theme's
    "list": ("stSidebarNavItems",),  # its menu: a list whose items are grouped in headers
    "listitem": ("<li",),
    "target-size": ('<input aria-label="Heads to compare"',),  # between the tags of a multiselect
    "scrollable-region-focusable": ("katex-display", "stDataFrame"),  # formulas can be scrolled
}
OWN = [f"/{page.name.lower()}" for page in PAGES]
CUT = "/interventions?model=minilm&do=cut&edits=cut_q2_k1"
MORE = [f"/interventions?model=minilm&do={do}" for do in ("patch", "sinks")]
ON_A_DESK = [*OWN, CUT, *MORE, "/context?view=changed"]
SMALL_LAPTOP, DESK = {"width": 1024, "height": 768}, {"width": 1400, "height": 900}
BOXES = ("html", "[data-testid=stMain]", "[data-testid=stMainBlockContainer]")
# A letter or two may stand in the gap beside a chart.
CUT_OFF = """charts => charts.flatMap(chart => {
    const edge = chart.getBoundingClientRect();
    const beyond = text => {
        const own = text.getBoundingClientRect();
        return own.width && (own.right > edge.right + 7 || own.left < edge.left - 7);
    };
    return [...chart.querySelectorAll("text")].filter(beyond).map(text => text.textContent);
})"""
UNSEEN = re.compile("[\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufe00-\ufe0f\ufeff]")
# KaTeX puts a zero-width space into the frame of a formula; it is no part of what it spells.
WITHOUT_FORMULAS = """element => {
  const copy = element.cloneNode(true);
  copy.querySelectorAll(".katex").forEach(formula => formula.remove());
  return copy.textContent;
}"""
# A toolbar fades in, and moves to its place: here at once.
AT_ONCE = "* { transition: none !important; animation: none !important; }"
# Where the toolbar is while its chart is pointed at; and what can be used there.
UNDER = """
(chart) => {
  const block = chart.closest("[data-testid=stElementContainer], [data-testid=stFullScreenFrame]");
  const bar = block.querySelector("[data-testid=stElementToolbarButtonContainer]");
  if (!bar) return [];
  const own = bar.getBoundingClientRect();
  const used = "input, textarea, button, select, a[href], [role=slider], [data-baseweb=select]";
  return [...document.querySelectorAll(`[data-testid=stMain] :is(${used})`)]
    .filter((other) => !bar.contains(other) && !block.contains(other))
    .filter((other) => {
      const box = other.getBoundingClientRect();
      return box.width && box.left < own.right && own.left < box.right
        && box.top < own.bottom && own.top < box.bottom;
    })
    .map((other) => other.outerHTML.slice(0, 160));
}
"""


def drawn(page):
    """Return the charts that can be seen, once all are drawn."""
    page.locator("[data-test-script-state=notRunning]").wait_for()
    page.wait_for_function(DRAWN)
    return page.locator("[data-testid=stVegaLiteChart]:visible").all()


def check_access(page, rules=RULES):
    """No violation of level A or AA of WCAG 2.2 is ours, says axe-core."""
    # To list the thousands of marks of charts in which nothing is wrong takes most of its time.
    asked = {"runOnly": rules, "resultTypes": ["violations"]}
    result = Axe().run(page, options=asked).response
    assert len(result["passes"]) > (10 if rules is RULES else 0)
    assert {v["id"]: nodes for v in result["violations"] if (nodes := ours(v))} == {}


def ours(violation):
    parts = STREAMLIT_S.get(violation["id"], ())
    return [n["html"] for n in violation["nodes"] if not any(part in n["html"] for part in parts)]


def check_width(page):
    """Nothing is wider than the window."""
    for box in BOXES:
        wide, room = page.locator(box).evaluate("e => [e.scrollWidth, e.clientWidth]")
        assert wide <= room <= page.viewport_size["width"], box


def check_charts(page):
    """No chart is wider than its own window: no word of it is cut off."""
    charts = page.locator("[data-testid=stVegaLiteChart] svg:visible")
    if charts.count():
        expect(charts.first.locator("text").first).to_be_attached()
    assert charts.evaluate_all(CUT_OFF) == []


def check_toolbars(page):
    """A chart's toolbar, which comes up above it when it is pointed at, lies over no control."""
    for chart in drawn(page):
        chart.hover(position={"x": 3, "y": 3})
        assert chart.evaluate(UNDER) == [], chart.get_attribute("aria-label")


def brightness(page, style):
    colour = page.get_by_test_id("stApp").evaluate(f"e => getComputedStyle(e)['{style}']")
    return sum(map(float, re.findall(r"[\d.]+", colour)[:3])) / 3


@pytest.mark.parametrize("path", ON_A_DESK)
def test_on_a_desk(open_page, path):
    page = open_page(path, viewport=SMALL_LAPTOP)
    page.add_style_tag(content=AT_ONCE)
    text = page.get_by_test_id("stApp").evaluate(WITHOUT_FORMULAS)
    assert page.locator("h1").inner_text() in text
    assert not UNSEEN.search(text)  # nothing that is copied holds what nobody sees
    check_width(page)
    check_charts(page)
    check_access(page)
    page.emulate_media(color_scheme="dark")
    expect(page.get_by_test_id("stApp")).to_have_css("background-color", "rgb(20, 20, 31)")
    check_access(page, COLOURS)
    page.set_viewport_size(DESK)
    check_toolbars(page)


@pytest.mark.parametrize("path", OWN)
def test_on_a_phone_in_the_dark_with_every_tab(open_page, path):
    page = open_page(path + "?model=minilm" * (path == "/interventions"), **PHONE)
    page.add_style_tag(content=AT_ONCE)
    expect(page.locator("h1")).to_be_in_viewport()
    assert brightness(page, "background-color") < 60
    assert brightness(page, "color") > 200
    save_screenshot(page)
    tabs = main(page).get_by_role("tab")
    for i in range(tabs.count() or 1):
        if i:
            tabs.nth(i).tap()
            expect(tabs.nth(i)).to_have_attribute("aria-selected", "true")
        for box in (chart.bounding_box() for chart in drawn(page)):
            assert box["x"] >= 0
            assert box["x"] + box["width"] <= 390
        check_width(page)
        check_charts(page)
        check_toolbars(page)


def save_screenshot(page):
    """Keep a picture of the whole page, for people to look at, where a folder is named for it."""
    folder = os.environ.get("ATTENTION_SCREENSHOTS")
    if folder:
        size = page.viewport_size
        height = main(page).evaluate("e => e.scrollHeight")
        page.set_viewport_size({**size, "height": min(height, 8000)})
        page.screenshot(path=Path(folder) / f"phone-{page.locator('h1').inner_text().lower()}.png")
        page.set_viewport_size(size)
