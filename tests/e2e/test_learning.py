"""Attention learning in front of the reader, in a real browser: live, stopped, looked back on."""

import re

import pytest

from tests.e2e.page import PHONE, button, chart, expect, main, notice, slider
from tests.e2e.training import MAP, changes, press_train, trained

CURVES, PUSHES = "Right answers and loss", "Where the loss pushes"
BOOKS, BARS = "Right answers against", "Right answers of each"
LEAST_PICTURES = 10  # of 61, however busy the machine is


def told(page):
    return notice(page).inner_text()


@pytest.mark.parametrize(("books", "share"), [(8, "12.5"), (32, "3.1")])  # painted from 17 on
def test_one_button_and_attention_learns_before_the_readers_eyes(open_page, books, share):
    page = open_page(f"/learning?books={books}")
    even = f"Nothing is learned yet: every weight is 1/{books} = {share} %"
    expect(notice(page)).to_contain_text(even)
    press_train(page)
    expect(notice(page)).to_contain_text(re.compile(r"After \d+ steps: attention gets"))
    trained(page)
    expect(notice(page)).to_contain_text("After 240 steps")
    assert len(changes(page)) > LEAST_PICTURES
    right = re.search(r"has ([\d.]+) % of the weight", told(page))
    assert float(right[1]) > 80
    expect(page).to_have_url(re.compile("learned=240"))


def test_stop_keeps_what_there_is_and_a_link_brings_it_back(open_page):
    page = open_page("/learning?books=16&steps=960&rival=none")
    press_train(page)
    expect(notice(page)).to_contain_text(re.compile(r"After \d+ steps"))
    button(page, "Stop").click()
    trained(page)
    steps = int(slider(page, "Step").get_attribute("max"))
    assert 0 < steps < 960
    expect(page).to_have_url(re.compile(f"learned={steps}"))

    slider(page, "Step").press("Home")
    slider(page, "Step").press("ArrowRight")
    expect(notice(page)).to_contain_text("After 16 steps")
    expect(page).to_have_url(re.compile("at=16"))
    said = told(page)
    again = open_page(page.url[page.url.index("/learning") :])
    expect(notice(again)).to_have_text(said, use_inner_text=True)
    expect(slider(again, "Step")).to_have_attribute("max", str(steps))


def test_the_slider_over_the_steps_moves_the_map_and_the_pushes(open_page):
    page = open_page("/learning?books=4&steps=60&learned=60&rival=none")
    now = chart(page, MAP).locator('path[aria-label*="weight"]').first
    pushes = chart(page, PUSHES).text_content()
    before = now.get_attribute("fill")
    slider(page, "Step").press("Home")
    expect(notice(page)).to_contain_text("every weight is 1/4")
    expect(now).not_to_have_attribute("fill", before)
    expect(chart(page, PUSHES)).to_have_text(pushes)  # the same books
    expect(chart(page, CURVES)).to_be_visible()


def test_another_readers_page_answers_while_one_trains(open_page):
    page = open_page("/learning?books=32&steps=960")
    other = open_page("/pipeline")
    press_train(page)
    expect(notice(page)).to_contain_text(re.compile(r"After \d+ steps"))
    other.get_by_role("radio", name="÷ √E").click()
    expect(other).to_have_url(re.compile("step=scale"))
    expect(button(page, "Stop")).to_be_visible()  # still at it
    button(page, "Stop").click()
    trained(page)


@pytest.mark.parametrize("tab", ["positions", "heads"])
def test_a_tab_compares_networks_from_its_link(open_page, tab):
    page = open_page(f"/learning?try={tab}&trial_seeds=1")
    button(page, "Measure").click()
    expect(chart(page, BARS)).to_be_visible()
    expect(main(page)).to_contain_text("Right answers: ")
    expect(page).to_have_url(re.compile(f"try={tab}&trial_seeds=1"))


def test_the_stored_comparison_is_there_on_both_pages(open_page):
    page = open_page("/learning")
    expect(chart(page, BOOKS)).to_be_visible()
    expect(main(page)).to_contain_text("A stored run, not of this machine")
    context = open_page("/context")
    expect(chart(context, BOOKS)).to_be_visible()
    context.get_by_role("link", name="Watch them learn").click()
    expect(context.locator("h1")).to_have_text("Learning")


def test_the_lesson_leads_here(open_page):
    page = open_page("/lesson")
    main(page).get_by_role("link", name="Learning", exact=True).click()
    expect(page.locator("h1")).to_have_text("Learning")
    expect(button(page, "Train")).to_be_visible()


def test_a_phone_shows_the_map_the_curves_and_the_button(open_page):
    page = open_page("/learning", **PHONE)
    button(page, "Train").click()
    expect(notice(page)).to_contain_text("After 240 steps")
    for title in (MAP, CURVES, PUSHES):
        expect(chart(page, title)).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
