"""The visualizer without a browser: what is drawn and said, and each control."""

import re
from functools import partial

import numpy as np
import pytest

from attention import Cut, presets
from attention.analysis import words
from attention.analysis.links import difference
from attention.analysis.telling import telling_heads
from tests.pages.app import VISUALIZER, ask, charts, click, dashboard, go, healthy, rows
from tests.pages.app import open_page as open_any
from tests.pages.reader import plain

open_page = partial(open_any, VISUALIZER)


def drawn(app, kind):
    data = rows(charts(app)[0])
    return data[data["kind"] == kind]


def table(app, column):
    return next(t.value for t in app.dataframe if column in t.value.columns)


def said(app):
    return plain(app.info[0].value)


def spelled_most(own):
    """Return how the sentence names the strongest key."""
    best = own.iloc[0]
    return f"“{best['key']}” at position {best['k']}"


def test_it_opens_on_it_at_the_head_that_attends_to_cat():
    app = open_page()
    assert app.title[0].value == "Visualizer"
    assert app.selectbox(key="word").value == 8
    assert (app.slider(key="layer").value, app.slider(key="head").value) == (3, 1)
    rows = drawn(app, "row").query("q == 8").set_index("key")
    assert rows["weight"]["cat"] == pytest.approx(0.49, abs=0.005)
    assert rows["rank"]["cat"] == 1
    assert "“cat” most (0.4874; the other words give it 0.1080 on average)" in said(app)


def test_it_runs_from_the_entrypoint():
    assert go(dashboard(), VISUALIZER).title[0].value == "Visualizer"


def test_every_word_has_the_models_row(cat_view):
    rows = drawn(open_page(layer="3", head="1"), "row")
    found = rows.sort_values(["q", "k"])["weight"].to_numpy().reshape(12, 12)
    assert np.abs(found - cat_view.weights[3, 1]).max() < 1e-6


def test_another_word_changes_the_sentence_and_the_picture():
    app = open_page()
    healthy(app.selectbox(key="word").set_value(10).run())
    best = drawn(app, "row").query("q == 10").sort_values("rank")["key"].iloc[0]
    assert f"“tired” attends to “{best}” most" in said(app)
    assert drawn(app, "word").query("start")["q"].tolist() == [10]


def test_multi_head_shows_every_head_of_the_layer(cat_view):
    app = open_page(mode="Multi-head", layer="5", head="11", on=[f"H{i}" for i in range(12)])
    links = drawn(app, "link")
    assert sorted(links["h"].unique()) == list(range(12))
    assert links["h"].iloc[-1] == 11  # the chosen head is in front
    assert np.allclose(links.groupby(["h", "q"])["weight"].sum(), 1, atol=1e-5)
    means = drawn(app, "row").query("q == 8").set_index("key")["weight"]
    assert means["cat"] == pytest.approx(cat_view.weights[5, :, 8, 2].mean())
    assert "L5 H11 stands out" in said(app)
    assert len(table(app, "Bits apart")) == 12


def test_multi_head_opens_on_the_three_that_differ_most(cat_view):
    app = open_page(mode="multi", layer="5")
    bits = difference(cat_view.weights[5, :, 8]).bits
    assert sorted(drawn(app, "link")["h"].unique()) == sorted(np.argsort(-bits)[:3])
    assert len(table(app, "Bits apart")) == 3


def test_every_switch_has_the_colour_of_its_lines():
    pills = open_page(mode="multi").get("button_group")[1].proto.options
    colours = [re.search("#[0-9a-f]{6}", pill.content)[0] for pill in pills]
    assert len(colours) == len(set(colours)) == 12


def test_heads_can_be_switched_off_and_on():
    app = open_page(mode="Multi-head", on=["H0", "H4"])
    assert drawn(app, "link")["h"].unique().tolist() == [0, 4]
    assert len(table(app, "Bits apart")) == 2
    healthy(app.get("button_group")[1].set_value(["H3"]).run())
    assert drawn(app, "link")["h"].unique().tolist() == [3]
    assert "L3 H3" in said(app)


def test_no_head_is_a_calm_state():
    app = open_page(mode="Multi-head")
    healthy(app.get("button_group")[1].set_value([]).run())
    assert "No head" in said(app)
    assert len(drawn(app, "word")) == 12
    assert drawn(app, "link").empty


def test_the_mode_can_be_changed_and_changed_back():
    app = open_page()
    assert drawn(app, "link").empty
    healthy(app.get("button_group")[0].set_value("multi").run())
    assert not drawn(app, "link").empty
    healthy(app.get("button_group")[0].set_value("single").run())
    assert drawn(app, "link").empty


def opener(app):
    return next(button for button in app.button if button.label.startswith("Go to"))


def test_the_best_head_for_a_pair_is_found_and_opened(model, cat_view):
    app = open_page(layer="0", head="0")
    found = table(app, "Head")
    assert found["Head"].iloc[0] == "L3 H1"
    assert (found["Weight"] - found["Others"]).is_monotonic_decreasing
    cut = (Cut(queries=(8,), keys=(2,), layers=(3,), heads=(1,)),)
    one, other = (model.trace(presets.CAT.text, edits).hidden[-1, 8] for edits in ((), cut))
    cosine = one @ other / np.linalg.norm(one) / np.linalg.norm(other)
    assert found["Effect"].iloc[0] == pytest.approx(1 - cosine, abs=1e-5)
    assert 0 < found["Written"].iloc[0] < 1
    healthy(app.selectbox(key="pair").set_value(6).run())
    layer, head = telling_heads(cat_view, 8, 6, 1)[0]
    assert table(app, "Head")["Head"].iloc[0] == f"L{layer} H{head}"
    healthy(opener(app).click().run())
    assert (app.slider(key="layer").value, app.slider(key="head").value) == (layer, head)
    assert opener(app).disabled


@pytest.mark.slow
def test_special_tokens_can_be_taken_out(model):
    app = open_page(special="false", layer="5", head="11")
    expected = words.view(model.trace(presets.CAT.text), special=False).weights[5, 11]
    found = drawn(app, "row").sort_values(["q", "k"])["weight"].to_numpy().reshape(10, 10)
    assert np.abs(found - expected).max() < 1e-6
    assert any("taken out" in caption.value for caption in app.caption)


def test_repeated_words_stay_apart():
    app = open_page(q="the dog saw the dog", layer="0", head="0")
    rows = drawn(app, "row")
    assert rows.query("q == 1")["key"].tolist().count("the") == 2
    assert (rows.groupby("q")["weight"].sum() - 1).abs().max() < 1e-5


def test_a_new_sentence_moves_all_controls():
    app = open_page()
    healthy(app.selectbox(key="example").set_value(presets.TROPHY_BIG.text).run())
    word, pair = app.selectbox(key="word"), app.selectbox(key="pair")
    assert word.format_func(word.value).endswith("it")
    assert pair.format_func(pair.value).endswith("trophy")
    assert table(app, "Head")["Head"].iloc[0] == (
        f"L{app.slider(key='layer').value} H{app.slider(key='head').value}"
    )


@pytest.mark.slow
@pytest.mark.parametrize("mode", ["Single head", "Multi-head"])
def test_a_long_text_is_shown_around_the_word_and_both_numbers_are_said(mode):
    text = " ".join(f"w{chr(97 + i % 26)}" for i in range(150))
    app = open_page(q=text, mode=mode)
    healthy(app.selectbox(key="word").set_value(140).run())
    assert "The text has 152 words" in app.caption[0].value
    assert "number 128 to 151" in app.caption[0].value
    assert drawn(app, "word")["q"].tolist() == [*range(128, 152)]
    own = drawn(app, "row").query("q == 140").sort_values("to")
    assert len(own) == 20
    assert own["weight"].is_monotonic_decreasing
    assert spelled_most(own) in said(app)
    assert len(rows(charts(app)[0])) < 11_000


@pytest.mark.slow
@pytest.mark.parametrize("mode", ["Single head", "Multi-head"])
@pytest.mark.parametrize(
    "text", ["One", "我爱你", "😀 😀", "**a** $b$ :red[c] <b>d</b>", "[SEP] [CLS]"]
)
@pytest.mark.parametrize("special", ["true", "false"])
def test_any_text_is_shown(mode, text, special):
    app = open_page(q=text, mode=mode, special=special)
    assert not drawn(app, "word").empty


@pytest.mark.parametrize(
    "params",
    [
        {"word": "99 nothing"},
        {"pair": "99 nothing"},
        {"mode": "Both"},
        {"mode": "Multi-head", "on": "H99"},
        {"layer": "77"},
    ],
)
def test_a_bad_value_in_a_link_falls_back(params):
    assert not drawn(open_page(**params), "row").empty


def test_questions_are_answered_from_the_rows(cat_view):
    app = ask(open_page())
    back, most = app.radio
    right = "less than half as much"
    assert cat_view.weights[3, 1, 2, 8] < cat_view.weights[3, 1, 8, 2] / 2
    healthy(back.set_value(right).run())
    assert any("Right" in s.value for s in app.success)
    assert len(most.options) == 4


def test_a_click_in_the_picture_moves_everything_that_the_picker_moves():
    app = open_page()
    clicked = click(app, "Lines from each", "query", q=10, pick=1)
    assert clicked.selectbox(key="word").value == 10
    assert "“tired” attends to" in said(clicked)
    picked = open_page(word="10 tired")
    assert said(clicked) == said(picked)
    assert [t.value.to_dict() for t in clicked.dataframe] == [
        t.value.to_dict() for t in picked.dataframe
    ]
    assert drawn(clicked, "row").equals(drawn(picked, "row"))
    assert [s.label for s in clicked.selectbox] == [s.label for s in picked.selectbox]


def test_only_a_click_reaches_the_page_pointing_does_not():
    chart = open_page().get("vega_lite_chart")[0]
    assert list(chart.proto.selection_mode) == ["query"]
