"""The context page in a real browser: its tabs, its controls, its links, and a phone."""

import re

from tests.e2e.page import chart, expect, main, slider

TABS = ("RNN", "CNN", "Arbitrary range", "Data-dependent", "Two texts", "Cost")
REACH, CONE, WEIGHT, FIRST, SIMILAR, TIME = (
    "What reaches the last word",
    "Convolution: the words",
    "Weight of the far word",
    "The row of the word in text 1",
    "Cosine between",
    "Time of a recurrent",
)


MOVED = "Cosine distance between a word's vectors"
RELAY = "What is left of a word's message"
DETAILS = "/context?details=true"


def labels(page, title):
    """Return what each mark of a chart was drawn from, once there are some."""
    marks = chart(page, title).locator("path[aria-roledescription][aria-label]")
    expect(marks.first).to_be_attached()
    return marks.evaluate_all("all => all.map(e => e.getAttribute('aria-label'))")


def wait_until_redrawn(page, title, before):
    """Wait for a mark that was not there before."""
    page.wait_for_function(
        """([title, before]) => [...document.querySelectorAll(
            `[data-testid=stVegaLiteChart][aria-label^='${title}'] path[aria-roledescription]`
        )].some(e => !before.includes(e.getAttribute('aria-label')))""",
        arg=[title, before],
    )


def tab(page, name):
    return page.get_by_role("tab", name=name)


def notice(page):
    text = main(page).get_by_test_id("stAlert").first
    expect(text).to_be_visible()
    return text.inner_text()


def idle(page):
    page.locator("[data-test-script-state=notRunning]").wait_for()


def test_every_tab_opens_draws_and_has_an_address(open_page):
    page = open_page("/context")
    charts = RELAY, CONE, WEIGHT, FIRST, MOVED, TIME
    codes = "rnn", "cnn", "range", "pair", "changed", "cost"
    for name, code, title in zip(TABS, codes, charts, strict=True):
        tab(page, name).click()
        expect(tab(page, name)).to_have_attribute("aria-selected", "true")
        assert labels(page, title)
        assert len(notice(page)) > 40
        if name != TABS[0]:
            expect(page).to_have_url(re.compile(f"view={code}"))


def test_gain_moves_the_curve_and_the_link(open_page):
    page = open_page(DETAILS)
    before = labels(page, REACH)
    slider(page, "Recurrent gain").press("End")
    expect(page).to_have_url(re.compile("gain=3"))
    wait_until_redrawn(page, REACH, before)


def test_hovering_a_word_asks_the_server_nothing(open_page):
    page = open_page(DETAILS)
    labels(page, REACH)
    idle(page)
    sent = page.evaluate("window.framesSent")
    chart(page, REACH).scroll_into_view_if_needed()
    box = chart(page, REACH).bounding_box()
    for share in (0.3, 0.5, 0.7):
        page.mouse.move(box["x"] + share * box["width"], box["y"] + 0.3 * box["height"])
    expect(page.locator("#vg-tooltip-element.visible")).to_contain_text("words back")
    assert page.evaluate("window.framesSent") == sent


def test_enough_layers_connect_two_words(open_page):
    page = open_page("/context?view=CNN")
    assert "no dilation: 12" in notice(page)
    main(page).get_by_role("radio", name="Doubling").click()
    expect(main(page).get_by_text(re.compile(r"dilation:\W+4"))).to_be_visible()
    before = labels(page, CONE)
    slider(page, "Layers").press("ArrowRight")
    expect(page).to_have_url(re.compile("cnn_layers=4"))
    wait_until_redrawn(page, CONE, before)
    slider(page, "Kernel k").press("End")
    expect(main(page).get_by_text(re.compile(r"dilation:\W+3"))).to_be_visible()


def test_a_prediction_is_answered_and_counted(open_page):
    page = open_page("/context?view=CNN")
    main(page).get_by_text("Predict first, then see").click()
    main(page).get_by_test_id("stRadio").get_by_text("7", exact=True).click()
    expect(
        main(page).get_by_text("Right at the first answer so far on this visit: 1 of 1")
    ).to_be_visible()


def test_more_text_in_between_is_still_one_step(open_page):
    page = open_page("/context?view=Arbitrary+range")
    assert "across 196 tokens in one step" in notice(page)
    slider(page, "Sentences in between").press("End")
    expect(main(page).get_by_text(re.compile("across 38. tokens in one step"))).to_be_visible()
    expect(page).to_have_url(re.compile("between=34"))
    main(page).get_by_text("The text", exact=True).click()
    expect(main(page).get_by_test_id("stText")).to_contain_text("Nothing moved but the curtains")


def test_two_texts_can_be_edited_and_the_head_follows(open_page):
    page = open_page("/context?view=Data-dependent")
    assert "“deposited” (0.43;" in notice(page)
    field = page.get_by_role("textbox", name="Second text")
    field.fill("The bank by the river was steep")
    field.press("Enter")
    expect(page).to_have_url(re.compile("second="))
    expect(chart(page, "The row of the word in text 2")).to_contain_text("steep")
    assert labels(page, SIMILAR)

    field.fill("word " * 41)
    field.press("Enter")
    expect(main(page).get_by_text("It has 41 words")).to_be_visible()
    field.fill("Good night")
    field.press("Enter")
    expect(main(page).get_by_text("no word in common")).to_be_visible()


def test_length_and_width_are_the_same_in_both_tabs_and_measured_on_demand(open_page):
    page = open_page(DETAILS)
    slider(page, "Tokens n").press("End")
    expect(main(page).get_by_text("511", exact=True)).to_be_visible()
    tab(page, "Cost").click()
    expect(slider(page, "Tokens n")).to_be_visible()
    assert "At n = 512" in notice(page)
    before = labels(page, TIME)
    main(page).get_by_role("button", name="Measure here").click()
    wait_until_redrawn(page, TIME, before)


def test_a_link_restores_the_tab_and_its_controls(open_page):
    link = "/context?view=cnn&reach_word=5&kernel=5&cnn_layers=4"
    page = open_page(link)
    expect(page.locator("h1")).to_have_text("Context")
    expect(slider(page, "Layers")).to_have_value("4")
    assert "“left” and “gone”" in notice(page)
    expect(page).to_have_url(re.compile(re.escape(link)))


def test_a_long_text_keeps_the_curve_and_the_picture_readable(open_page):
    page = open_page(DETAILS + "&q=" + "+".join(f"word{i}" for i in range(120)))
    expect(chart(page, REACH).locator("svg, canvas").first).to_be_attached()
    tab(page, "CNN").click()
    expect(main(page).get_by_text("the picture shows number")).to_be_visible()
