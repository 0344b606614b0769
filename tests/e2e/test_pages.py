"""Every page in a real browser, on a real server."""

import csv
import re
from pathlib import Path
from urllib.parse import urlencode

import pytest

from tests.e2e.page import (
    PHONE,
    button,
    chart,
    expect,
    main,
    open_view,
    slider,
    tags,
    type_sentence,
    weight,
)
from tests.optional import with_smollm2

HOSTILE = ("**bold**", "$x$", ":red[hi]", "<script>alert(1)</script>", "[a](http://x)")
BLEND, MAPS, ROWS, TIME = "The blended output", "Maps of", "Row of", "Time of"
HERE = "Measured on this machine."
RESULT = re.compile("Twice the text takes .* times as long|These times do not tell how time grows")


def marks(page, title, part=":"):
    """Return the marks whose label, the values that they are drawn from, has `part` in it."""
    return chart(page, title).locator(f'path[aria-roledescription][aria-label*="{part}"]')


LINKS = {
    "/": "Attention: how a word finds its meaning",
    "/explorer?start=head&layer=3&head=1&temperature=2": "Explorer",
    "/heads?q=The+dog+chased+the+cat&heads=L1H2&heads=L3H4&figure=distance": "Heads",
    "/scaling?n=512&width=32&repeats=3&beyond=true": "Scaling",
    "/survey?survey=en-pt&role=next&survey_head=L5H3": "Survey",
}


@pytest.mark.parametrize("link", LINKS)
def test_a_link_works_as_the_first_request_of_a_fresh_server(fresh_server, open_page, link):
    page = open_page(link, base=fresh_server)
    expect(page.locator("h1")).to_have_text(LINKS[link])
    expect(page.get_by_role("dialog")).to_have_count(0)
    check_controls(page, link)
    expect(page).to_have_url(re.compile(re.escape(link)))


def check_controls(page, link):
    if "start=" in link:
        expect(page.get_by_role("radio", name="A real head")).to_be_checked()
        expect(slider(page, "Layer")).to_have_value("3")
        expect(slider(page, "Head")).to_have_value("1")
        expect(slider(page, "Temperature")).to_have_value("2")
    if "heads=" in link:
        expect(page.get_by_role("textbox", name="Sentence", exact=True)).to_have_value(
            "The dog chased the cat"
        )
        expect(tags(page)).to_have_text(["L1 H2", "L3 H4"])
        expect(page.locator(".st-key-figure input").first).to_have_value("Distance")
    if "n=512" in link:
        expect(main(page).locator(".st-key-n")).to_contain_text("512")
        expect(main(page).locator(".st-key-width")).to_contain_text("32")
        expect(slider(page, "Repeats")).to_have_value("3")
        expect(page.get_by_role("switch", name="Draw the fit")).to_be_checked()


def test_a_key_on_a_slider_moves_the_bars_and_the_link_and_reset_restores_both(open_page):
    page = open_page("/explorer")
    expect(weight(page, "deposit")).to_have_text("35.0 %")
    drawn = chart(page, BLEND).text_content()

    slider(page, "deposit").press("PageUp")
    expect(weight(page, "deposit")).not_to_have_text("35.0 %")
    expect(chart(page, BLEND)).not_to_have_text(drawn)
    expect(page).to_have_url(re.compile(r"[?&]r6-[0-9a-f]+=\d"))

    button(page, "Reset").click()
    expect(weight(page, "deposit")).to_have_text("35.0 %")
    expect(chart(page, BLEND)).to_have_text(drawn)
    expect(page).not_to_have_url(re.compile("r6-"))


def test_temperature_meanings_and_raw_dimensions_change_the_charts(open_page):
    page = open_page("/explorer")
    slider(page, "Temperature").press("ArrowRight")
    expect(weight(page, "deposit")).not_to_have_text("35.0 %")
    expect(page).to_have_url(re.compile("temperature=1.1"))

    button(page, "Meanings").click()
    meanings = page.get_by_role("textbox", name="Meanings to compare with")
    meanings.fill("lake, credit")
    meanings.press("Enter")
    expect(marks(page, BLEND, "towards: credit;").first).to_be_attached()
    expect(marks(page, BLEND, "towards: money;")).to_have_count(0)

    page.keyboard.press("Escape")
    main(page).get_by_text("The blend's raw dimensions").click()
    dimensions = chart(page, "The raw dimensions").filter(has_text="12 of 384 dimensions")
    expect(dimensions).to_be_visible()


def test_a_real_head_starts_from_the_models_own_row(open_page):
    page = open_page("/explorer")
    page.get_by_text("A real head", exact=True).click()
    badge = main(page).locator(".stMarkdownBadge", has_text="the model's own row at L")
    expect(badge.get_by_label("check icon")).to_be_visible()
    assert float(re.search(r"difference (.+)", badge.inner_text())[1]) < 1e-6


def test_a_click_in_the_grid_adds_a_head_and_the_same_click_takes_it_away(open_page):
    page = open_page("/heads")
    cell = page.locator('path[aria-label^="head: 2; layer: 0;"]').first
    expect(tags(page)).to_have_text(["L3 H1", "L4 H3", "L4 H4"])

    cell.click()
    expect(tags(page)).to_have_text(["L3 H1", "L4 H3", "L4 H4", "L0 H2"])
    expect(chart(page, MAPS).get_by_text("L0 H2", exact=True)).to_be_visible()
    expect(page).to_have_url(re.compile("heads=L0H2"))

    cell.click()
    expect(tags(page)).to_have_text(["L3 H1", "L4 H3", "L4 H4"])
    expect(chart(page, MAPS).get_by_text("L0 H2", exact=True)).to_have_count(0)


@pytest.mark.parametrize("model", ["minilm", pytest.param("smollm2", marks=with_smollm2)])
def test_a_click_on_a_small_map_adds_its_head(open_page, model):
    page = open_page(f"/heads?grid=maps&model={model}&heads=L3H1")
    small = chart(page, "Maps of all").locator("image")
    expect(small).to_have_count(72 if model == "minilm" else 270)
    small.nth(2).click()
    expect(tags(page)).to_have_text(["L3 H1", "L0 H2"])


def test_hovering_a_row_marks_it_in_every_map_without_the_server(open_page):
    page = open_page("/heads")
    hovered, other = (marks(page, MAPS, f"key: 1; query: {q};") for q in (2, 3))
    expect(hovered).to_have_count(3)
    chart(page, MAPS).scroll_into_view_if_needed()
    sent = page.evaluate("framesSent")

    hovered.nth(1).hover()
    for i in range(3):
        expect(hovered.nth(i)).to_have_attribute("opacity", "1")
        expect(other.nth(i)).to_have_attribute("opacity", "0.3")
    page.locator("h1").hover()
    expect(other.first).to_have_attribute("opacity", "1")
    assert page.evaluate("framesSent") == sent


def test_special_tokens_can_be_taken_out_and_the_page_says_how_much_they_took(open_page):
    page = open_page("/heads")
    expect(chart(page, MAPS)).to_contain_text("[SEP]")

    open_view(page)
    page.locator(".st-key-special").get_by_text("Special tokens").click()
    page.keyboard.press("Escape")
    expect(main(page).get_by_text("Special tokens are taken out")).to_contain_text(
        re.compile(r"They took, on average over the rows: L3 H1 \d+\.\d %, L4 H3 \d+\.\d %")
    )
    expect(chart(page, MAPS)).not_to_contain_text("[SEP]")
    # The reader's word stays the same one, though its position has changed.
    expect(main(page).get_by_text("“it” in L3 H1 attends to")).to_be_visible()
    expect(page.locator(".st-key-word input").first).to_have_value("7 it")


def test_a_sweep_gives_a_result_and_a_refusal_keeps_it(open_page):
    page = open_page("/scaling?n=512&repeats=3")
    expect(main(page).get_by_text("A stored run, not of this machine")).to_be_visible()
    expect(marks(page, TIME).first).to_be_attached()
    button(page, "Measure").click()
    expect(main(page).get_by_text(HERE)).to_be_visible()
    expect(main(page).get_by_text(RESULT)).to_be_visible()
    before = main(page).get_by_text(RESULT).inner_text()

    for control in ("Longest text (tokens)", "Heads H"):
        slider(page, control).press("End")
    expect(page).to_have_url(re.compile("timed_heads=12"))
    button(page, "Measure").click()
    refusal = main(page).get_by_text("131,072 tokens with 12 heads need 826 GB of memory")
    expect(refusal).to_contain_text(re.compile(r"a sweep may take \S+ \wB of the \S+ \wB"))
    assert main(page).get_by_text(RESULT).inner_text() == before


def test_a_second_reader_waits_and_stop_keeps_what_is_measured(open_page):
    first = open_page("/scaling?n=16,384&repeats=15")
    second = open_page("/scaling?n=512&repeats=3")
    button(first, "Measure").click()
    expect(first.get_by_test_id("stProgress")).to_be_visible()

    button(second, "Measure").click()
    queue = main(second).get_by_text("Another reader is measuring")
    expect(queue).to_contain_text("Before you in the queue: 1.")

    expect(chart(first, TIME)).to_be_visible()
    button(first, "Stop").click()
    expect(button(first, "Stop")).to_have_count(0)
    expect(main(first).get_by_text(HERE)).to_be_visible()
    expect(marks(first, TIME).first).to_be_attached()

    expect(main(second).get_by_text(HERE)).to_be_visible()
    expect(queue).to_have_count(0)


def press_toolbar(page, name):
    """Press a button by key: under the pointer the toolbar fades in and out."""
    button(page, name).press("Enter")


def test_a_chart_can_be_saved_as_picture_and_as_data(open_page):
    page = open_page("/explorer")
    with page.expect_download() as download:
        press_toolbar(page, "Download as PNG: The blend")
    assert Path(download.value.path()).read_bytes().startswith(b"\x89PNG\r\n\x1a\n")

    press_toolbar(page, "Show data: The blend")
    with page.expect_download() as download:
        press_toolbar(page, "Download as CSV: The blend")
    with Path(download.value.path()).open(encoding="utf-8-sig") as file:
        rows = [row for row in csv.DictReader(file) if row["meaning"] == "money"]
    assert [row["word"] for row in rows] == [
        "I",
        "went",
        "to",
        "the",
        "bank",
        "to",
        "deposit",
        "money",
    ]
    total = sum(float(row["part"]) for row in rows)
    assert [round(float(row["total"]) - total, 5) for row in rows] == [0] * 8


def test_a_phone_measures_and_shows_the_result(open_page):
    page = open_page("/scaling?n=512&repeats=3", **PHONE)
    button(page, "Measure").tap()
    expect(main(page).get_by_text(HERE)).to_be_visible()
    box = chart(page, TIME).bounding_box()
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= 390


@pytest.mark.parametrize("path", ["/explorer", "/heads"])
def test_too_much_text_and_none_get_a_sentence_and_the_page_stays(open_page, path):
    page = open_page(path)
    told = main(page).get_by_test_id("stAlert")
    sentence = told.first.inner_text()

    type_sentence(page, "word " * 600)
    expect(told.first).to_contain_text("602 tokens")
    expect(told.first).to_contain_text("at most 512")
    assert told.nth(1).inner_text() == sentence
    expect(page.get_by_test_id("stVegaLiteChart").first).to_be_visible()

    type_sentence(page, "")
    expect(told).to_have_text([re.compile("There is no word yet")])

    type_sentence(page, "The dog barked")
    expect(told.first).to_contain_text("“")
    expect(page.get_by_test_id("stVegaLiteChart").first).to_be_visible()


@pytest.mark.parametrize("path", ["/explorer", "/heads"])
def test_hostile_text_is_shown_letter_for_letter(open_page, path):
    text = " ".join(HOSTILE)
    page = open_page(f"{path}?{urlencode({'q': text, 'meanings': ','.join(HOSTILE)})}")
    expect(page.get_by_role("textbox", name="Sentence", exact=True)).to_have_value(text)
    expect(page.get_by_test_id("stVegaLiteChart").last.locator("svg, canvas")).to_be_attached()
    if path == "/explorer":
        drawn = "\n".join(labels(marks(page, BLEND)))
        assert all(f"towards: {word};" in drawn for word in HOSTILE)
        sliders = main(page).locator("input[type=range]").all()
        names = {slider.get_attribute("aria-label") for slider in sliders}
        assert names >= set("*$<>()[]")
    else:
        read = [re.search(r"key: (.*)", label)[1] for label in labels(marks(page, ROWS))]
        assert "".join(read[: len(read) // 3]) == f"[CLS]{text.replace(' ', '')}[SEP]"
    expect(main(page).locator('a[href*="//"], script')).to_have_count(0)


def labels(found):
    return found.evaluate_all("all => all.map(e => e.getAttribute('aria-label'))")
