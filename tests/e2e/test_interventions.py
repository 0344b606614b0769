"""The interventions page in a real browser: pushes, clicks that cut, heads removed, a phone."""

import re

import pytest

from tests.e2e.page import button, chart, expect, main, notice, slider
from tests.optional import with_smollm2


def mark(page, chart, what):
    """Return the mark of a chart that was drawn from this."""
    return page.locator(
        f'[data-testid=stVegaLiteChart][aria-label^="{chart}"]:visible '
        f'path[aria-roledescription][aria-label*="{what}"]'
    ).first


@with_smollm2
def test_a_push_changes_the_odds_of_the_next_word(open_page):
    page = open_page("/interventions")
    expect(notice(page)).to_contain_text(re.compile(r"455 untouched, 0\W*26 with this push"))
    strength = slider(page, "Strength")
    for _ in range(2):
        strength.press("ArrowLeft")
    expect(notice(page)).to_contain_text(re.compile(r"455 untouched, 49\W*3 with this push"))
    expect(page).to_have_url(re.compile("strength=1"))
    expect(mark(page, "Probability of the next token", "Mary")).to_be_attached()


def test_clicks_cut_a_cell_and_a_head_and_undo_brings_them_back(open_page):
    page = open_page("/interventions?do=Cut&model=minilm&layer=3&head=1")
    code = main(page).get_by_role("textbox", name="The edits as text")
    mark(page, "Weights of L3 H1", "key: 2; query: 9;").click()
    expect(code).to_have_value(re.compile(r"^cut_l3_h1_q\d+_k\d+$"))
    expect(notice(page)).to_contain_text("With 1 edit, the sentence vector moves by")
    mark(page, "All 72 heads, 0 of them", "head: 11; layer: 5;").click()
    expect(code).to_have_value(re.compile("~off_5h11$"))
    expect(page).to_have_url(re.compile("edits=cut"))
    mark(page, "All 72 heads, 1 of them", "head: 11; layer: 5;").click()
    expect(code).not_to_have_value(re.compile("off"))
    button(page, "Undo").click()
    expect(code).to_have_value("")
    expect(notice(page)).to_contain_text("Nothing is cut yet")


def test_a_click_patches_another_head_which_is_an_edit_on_cut(open_page):
    page = open_page("/interventions?do=patch&model=minilm")
    expect(notice(page)).to_contain_text("alone brings back")
    mark(page, "How much comes back", "put in: L2 H9").click()
    expect(notice(page)).to_contain_text("L2 H9 alone brings back")
    expect(page).to_have_url(re.compile("patch_head=L2H9"))
    button(page, "Open it on").click()
    code = main(page).get_by_role("textbox", name="The edits as text")
    expect(code).to_have_value(re.compile("^put_phead_l2_h9_"))


WORDS_300 = "+".join(["the", "keeper", "saw", "a", "small", "boat"] * 50)
BARS, CURVE, MAP, GRID = "Probability of the", "What the push does", "Weights of", "All "
FOLD = [
    ("smollm2", "", BARS, [CURVE]),
    ("smollm2", "how=each", BARS, []),
    ("smollm2", "do=cut", BARS, [MAP, GRID]),
    ("smollm2", "do=cut&edits=cut_q13_k1", BARS, [MAP, GRID]),
    ("smollm2", "do=sinks", "Share of the weight", ["Share of what"]),
    ("smollm2", "do=write", BARS, []),
    ("minilm", "", "How far the vector", [CURVE]),
    ("minilm", "do=cut", "How far the vector", [MAP, GRID]),
    ("minilm", f"do=cut&q={WORDS_300}", "How far the vector", [MAP, GRID]),
    ("minilm", "do=patch", "How much comes", ["How far the vector"]),
    ("minilm", "do=sinks", "Share of the weight", ["Share of what"]),
]


def below(page, locator):
    """Return by how many pixels the end of something is below the fold."""
    box = locator.bounding_box()
    return box["y"] + box["height"] - page.viewport_size["height"]


@with_smollm2
@pytest.mark.parametrize(("model", "state", "result", "beside"), FOLD)
def test_cause_and_effect_share_the_screen(open_page, model, state, result, beside):
    page = open_page(
        f"/interventions?model={model}&{state}", viewport={"width": 1400, "height": 900}
    )
    for alt in (result, *beside):
        assert below(page, chart(page, alt).first) <= 0, alt
    for key in ("strength", "interests", "cuts", "cut_where", "layer", "head", "heat", "count"):
        for control in page.locator(f".st-key-{key}:visible").all():
            assert below(page, control) <= 0, key


def test_a_new_text_has_no_edits_and_undo_brings_both_back(open_page):
    page = open_page("/interventions?do=cut&model=minilm&q=Mary+saw+John&edits=off_1h0")
    field = page.get_by_role("textbox", name="Sentence", exact=True)
    code = main(page).get_by_role("textbox", name="The edits as text")
    expect(code).to_have_value("off_1h0")
    field.fill("John saw the cat")
    field.press("Control+Enter")
    expect(code).to_have_value("")
    expect(main(page).get_by_text("is dropped")).to_be_visible()
    expect(page).not_to_have_url(re.compile("edits="))
    button(page, "bring both back").click()
    expect(field).to_have_value("Mary saw John")
    expect(code).to_have_value("off_1h0")
    expect(main(page).get_by_text("is dropped")).to_have_count(0)
    expect(page).to_have_url(re.compile("q=Mary.*edits=off_1h0"))


def test_heads_are_measured_and_can_be_stopped(open_page):
    page = open_page("/interventions?do=Which+heads+matter&model=minilm")
    button(page, "Measure").click()
    expect(notice(page)).to_contain_text(
        re.compile("Of 72 heads ablated alone.*within the limit", re.DOTALL)
    )
    expect(mark(page, "Effect against the number", "order")).to_be_attached()


@with_smollm2
def test_a_long_measurement_is_stopped_and_keeps_what_it_has(open_page):
    page = open_page("/interventions?do=Which+heads+matter&model=smollm2")
    button(page, "Measure").click()
    expect(mark(page, "What the ablation of each head", "head")).to_be_attached()
    button(page, "Stop").click()
    expect(button(page, "Stop")).to_have_count(0)
    expect(notice(page)).to_contain_text(re.compile("estimated to first order|heads ablated alone"))


@with_smollm2
def test_the_model_writes_word_by_word(open_page):
    page = open_page("/interventions?do=Write+on&heat=0&count=8")
    button(page, "Write").click()
    expect(main(page).get_by_text("a drink to Mary")).to_be_visible()
    expect(main(page).get_by_text(re.compile("8 tokens in"))).to_be_visible()


def test_the_vectors_move_while_a_push_is_held(open_page):
    page = open_page("/interventions?model=minilm&how=each")
    knob = slider(page, "2 Mary")
    box = knob.bounding_box()
    page.mouse.move(box["x"] + 0.5 * box["width"], box["y"] + box["height"] / 2)
    page.mouse.down()
    told = notice(page).inner_text()
    for share in (0.7, 0.9):
        page.mouse.move(box["x"] + share * box["width"], box["y"] + box["height"] / 2, steps=4)
        expect(notice(page)).not_to_have_text(told, use_inner_text=True)
        told = notice(page).inner_text()
    page.mouse.up()
    expect(page).to_have_url(re.compile(rf"nudge2={float(knob.input_value()):g}(&|$)"))
