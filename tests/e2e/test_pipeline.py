"""The pipeline page in a real browser: steps, clicks on cells, the receipt's code, a phone."""

import re
import subprocess
import sys
from urllib.parse import urlencode

import pytest

from tests.e2e.live import ROOT
from tests.e2e.page import PHONE, expect, field, main, slider

STEPS = (
    "Representation",
    "Query, key, value",
    "Scores",
    "Scale",
    "Mask",
    "Softmax",
    "Weighted sum",
    "Concatenate",
    "Output W_O",
    "Back to the stream",
)
HOSTILE = """It's "$x$" :red[hi] <b>d</b> '); print("no") # \\ 🔦"""


def heading(page, name):
    return main(page).get_by_role("heading", name=re.compile(f"Step .*: {name}$"))


def charts(page):
    return main(page).locator("[data-testid=stVegaLiteChart]:visible")


def cell(page, matrix, row, column):
    """Return one cell of a chart by its words."""
    chart = page.locator(f'[data-testid=stVegaLiteChart][aria-label^="Matrix {matrix}:"]')
    return chart.locator(f'path[aria-label$="query: {row}; key: {column}"]').first


def code(page):
    return main(page).get_by_test_id("stCode").filter(has_text="import attention")


def written_out(page):
    """Return the last figure of the receipt."""
    block = main(page).get_by_test_id("stCode").filter(has_not_text="import attention")
    return block.inner_text().strip().rpartition("= ")[2]


def ran(source):
    """Run the code as a reader would who pastes it into a Python session."""
    done = subprocess.run(
        [sys.executable, "-X", "utf8", "-"],
        input=source.encode(),
        cwd=ROOT,
        capture_output=True,
        check=True,
    )
    return done.stdout.decode().strip()


def test_arrow_keys_and_clicks_light_a_step_and_the_link_follows(open_page):
    page = open_page("/pipeline?step=stream&sums=true")
    check_step(page, STEPS[0])
    page.get_by_role("radio", name="X", exact=True).focus()
    for name in STEPS[1:]:
        page.keyboard.press("ArrowRight")
        check_step(page, name)
    for _ in range(3):  # faster than the page answers
        page.keyboard.press("ArrowLeft")
    expect(heading(page, STEPS[-4])).to_be_visible()
    expect(page.get_by_role("radio", name="× V")).to_be_checked()
    expect(page).to_have_url(re.compile(r"[?&]step=blend"))
    page.get_by_role("radio", name="+ mask").click()
    expect(heading(page, "Mask")).to_be_visible()
    expect(page.get_by_role("radio", name="+ mask")).to_be_checked()
    expect(main(page)).to_contain_text("Illustration")
    expect(page).to_have_url(re.compile(r"[?&]step=mask"))


def check_step(page, name):
    """It is drawn and summed up, and KaTeX can set its formulas: what it cannot is red."""
    expect(heading(page, name)).to_be_visible()
    expect(charts(page).first).to_be_visible()
    expect(main(page).get_by_text("the model's own weight is")).to_be_visible()
    expect(page.locator(".katex").first).to_be_visible()
    red = "all => all.filter(e => getComputedStyle(e).color === 'rgb(204, 0, 0)').length"
    assert page.locator(".katex *").evaluate_all(red) == 0
    assert page.locator(".katex-error").count() == 0


def test_the_pictures_of_the_steps_are_of_the_chosen_head(open_page):
    page = open_page("/pipeline")
    pictures = main(page).locator("label img")
    expect(pictures).to_have_count(len(STEPS))
    assert all(pictures.evaluate_all("all => all.map(image => image.naturalWidth)"))
    softmax = pictures.nth(STEPS.index("Softmax"))
    before = softmax.get_attribute("src")
    slider(page, "Head").press("ArrowRight")
    expect(softmax).not_to_have_attribute("src", before)


def test_a_click_on_a_cell_chooses_it_for_the_receipt_again_and_again(open_page):
    page = open_page("/pipeline?step=Softmax&sums=true")
    for row, column in (("5 the", "1 the"), ("4 on", "2 cat"), ("5 the", "1 the")):
        cell(page, "A", row, column).click(force=True)
        expect(field(page, "word")).to_have_value(row)
        expect(field(page, "reads")).to_have_value(column)
    expect(code(page)).to_contain_text("layer, head, query, key = 3, 1, 5, 1")


@pytest.mark.parametrize("tab", ["The weight", "The output number"])
def test_the_copied_code_prints_the_number_on_the_page(open_page, tab):
    query = urlencode({"q": HOSTILE, "receipt": tab, "column": 3})
    page = open_page(f"/pipeline?{query}", permissions=["clipboard-read", "clipboard-write"])
    expect(code(page)).to_be_visible()
    code(page).hover()
    code(page).get_by_role("button", name="Copy to clipboard").click()
    copied = page.evaluate("navigator.clipboard.readText()")
    assert repr(HOSTILE) in copied
    assert ran(copied) == written_out(page)


def test_the_output_column_changes_the_number(open_page):
    page = open_page("/pipeline?receipt=The+output+number")
    expect(code(page)).to_contain_text("column = 3, 1, 8, 0")
    before = written_out(page)
    page.locator('input[type=range][aria-label="Output column e"]').press("ArrowRight")
    expect(code(page)).to_contain_text("column = 3, 1, 8, 1")
    assert written_out(page) != before
    expect(page).to_have_url(re.compile(r"[?&]column=1"))


def test_hovering_a_row_asks_nothing_of_the_server(open_page):
    page = open_page("/pipeline?step=Query%2C+key%2C+value")
    chart = page.locator('[data-testid=stVegaLiteChart][aria-label^="Matrix Q:"]')
    mark = chart.locator('path[aria-label*="row: 8 it;"]').nth(5)
    expect(mark).to_be_attached()
    other = chart.locator('path[aria-label*="row: 2 cat;"]').nth(5)
    page.wait_for_timeout(500)
    sent = page.evaluate("window.framesSent")
    mark.hover(force=True)
    expect(other).to_have_attribute("opacity", "0.35")
    expect(mark).to_have_attribute("opacity", "1")
    assert page.evaluate("window.framesSent") == sent


def test_a_prediction_is_answered_and_kept_for_the_visit(open_page):
    page = open_page("/pipeline?step=Scores")
    main(page).get_by_text("Predict first, then see").click()
    main(page).get_by_text("larger", exact=True).click()
    expect(main(page)).to_contain_text("Right at the first answer so far on this visit: 1 of 1")


def test_a_phone_shows_every_step_below_each_other(open_page):
    page = open_page("/pipeline?step=Softmax", **PHONE)
    expect(charts(page)).to_have_count(3)
    boxes = [charts(page).nth(i).bounding_box() for i in range(3)]
    assert boxes[0]["y"] < boxes[1]["y"] < boxes[2]["y"]
    assert all(box["x"] >= 0 and box["x"] + box["width"] <= 390 for box in boxes)
    width = page.locator("div:has(> .katex-display)").evaluate(
        "e => [e.scrollWidth, e.clientWidth]"
    )
    assert width[0] <= width[1] + 1
