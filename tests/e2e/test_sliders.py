"""The sliders of our own in a real browser: what they move follows while they are held."""

import re

import pytest

from tests.e2e.page import PHONE, button, chart, expect, main, notice, slider, weight

BLEND = "The blended output"


def at(knob, share):
    """Return a point of a slider, as a share of its width."""
    box = knob.bounding_box()
    return box["x"] + share * box["width"], box["y"] + box["height"] / 2


def test_the_page_follows_while_a_slider_is_held_and_the_last_position_arrives(open_page):
    page = open_page("/explorer")
    knob, picture = slider(page, "deposit"), chart(page, BLEND)
    page.mouse.move(*at(knob, 0.55))
    page.mouse.down()
    seen = [picture.text_content()]
    for share in (0.45, 0.35, 0.25):
        page.mouse.move(*at(knob, share), steps=5)
        expect(picture).not_to_have_text(seen[-1])
        seen.append(picture.text_content())
    assert len(set(seen)) >= 3

    page.mouse.move(*at(knob, 0.8), steps=30)
    held = knob.input_value()
    page.mouse.up()
    expect(page).to_have_url(re.compile(rf"[?&]r6-[0-9a-f]+={re.escape(held)}(&|$)"))
    assert knob.input_value() == held
    again = open_page(f"/{page.url.split('/')[3]}")
    expect(slider(again, "deposit")).to_have_value(held)
    expect(weight(again, "deposit")).to_have_text(weight(page, "deposit").inner_text())
    assert chart(again, BLEND).text_content() == picture.text_content()


def test_keys_move_a_slider_that_says_its_score_and_weight(open_page):
    page = open_page("/explorer")
    knob = slider(page, "bank")
    expect(knob).to_have_attribute("aria-valuetext", "+1.32, weight 15.0 %")
    knob.focus()
    for key in ("ArrowRight", "ArrowRight", "PageUp", "End"):
        before = knob.get_attribute("aria-valuetext")
        page.keyboard.press(key)
        expect(knob).not_to_have_attribute("aria-valuetext", before)
    expect(knob).to_be_focused()
    expect(notice(page)).to_contain_text("“bank” weighs most")
    expect(page).to_have_url(re.compile(r"/explorer\?r4-[0-9a-f]+=7$"))  # no other is touched


def test_what_sets_the_sliders_from_outside_arrives_in_them(open_page):
    page = open_page("/explorer")
    knob = slider(page, "deposit")
    start = knob.input_value()
    page.mouse.move(*at(knob, 0.55))
    page.mouse.down()
    page.mouse.move(*at(knob, 0.2), steps=8)
    page.mouse.up()
    button(page, "Reset").click()
    expect(knob).to_have_value(start)
    expect(weight(page, "deposit")).to_have_text("35.0 %")
    expect(button(page, "Reset")).to_be_disabled()
    expect(page).not_to_have_url(re.compile("r6-"))

    knob.press("End")
    page.get_by_text("Equal scores", exact=True).click()
    expect(knob).to_have_value("0")
    expect(weight(page, "deposit")).to_have_text("10.0 %")  # with [CLS] and [SEP]
    page.get_by_text("The lesson's weights", exact=True).click()
    expect(knob).not_to_have_value(start)  # where it was left


def test_a_choice_in_the_instant_in_which_a_slider_moves_is_not_lost(open_page):
    """Streamlit sends both as one change, of the fragment that the slider is in."""
    page = open_page("/explorer")
    knob = slider(page, "deposit")
    choice = page.get_by_text("Equal scores", exact=True).element_handle()
    knob.evaluate(
        """(knob, choice) => {
            knob.value = 7;
            knob.dispatchEvent(new Event("input", { bubbles: true }));
            choice.click();
        }""",
        choice,
    )
    expect(knob).to_have_value("0")
    expect(page).to_have_url(re.compile(r"/explorer\?start=equal$"))


@pytest.mark.parametrize("word", ["I", "money"])
def test_a_phone_moves_a_slider_by_touch_and_the_result_stays_in_view(open_page, word):
    page = open_page("/explorer", **PHONE)
    knob, picture = slider(page, word), chart(page, BLEND)
    picture.evaluate("e => e.scrollIntoView()")
    knob.evaluate("e => e.scrollIntoView({ block: 'nearest' })")
    before, drawn = knob.input_value(), picture.text_content()
    page.touchscreen.tap(*at(knob, 0.9))
    expect(knob).not_to_have_value(before)
    expect(picture).not_to_have_text(drawn)
    expect(knob).to_be_in_viewport()
    expect(picture).to_be_in_viewport(ratio=0.9)
    box = main(page).locator(".column.bars").bounding_box()
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= 390
