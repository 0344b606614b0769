"""The lesson without a browser: the living example, the cards, the claims and the questions."""

from functools import partial
from urllib.parse import parse_qs, urlsplit

import pytest

from attention import presets
from attention.analysis import pair_sentences
from attention.interventions import pruning
from attention.lesson import takeaways
from tests.pages.app import LESSON, ask, click, dashboard, drawn, healthy, sentence
from tests.pages.app import open_page as open_any
from tests.pages.reader import plain

pytestmark = pytest.mark.slow

open_page = partial(open_any, LESSON)


def notices(app):
    return " ".join(plain(info.value) for info in app.info)


def said(app):
    return " ".join(plain(caption.value) for caption in app.caption)


def test_runs_from_the_entrypoint_as_the_first_page():
    app = dashboard()
    assert app.title[0].value == "Attention: how a word finds its meaning"
    assert len(app.get("page_link")) >= 7


def test_opens_on_the_living_example():
    app = open_page()
    assert (
        "L3 H1 (0.49; the other words give it 0.11 on average; the mean of all 72 heads is 0.08)"
        in notices(app)
    )
    rows = drawn(app, "base").query("kind == 'row' and start").set_index("key")
    assert rows["weight"]["cat"] == pytest.approx(0.49, abs=0.01)
    assert rows["base"]["cat"] == pytest.approx(0.11, abs=0.01)
    assert rows["weight"].sum() == pytest.approx(1, abs=1e-5)


def test_a_clicked_word_is_the_query_of_the_whole_page():
    app = open_page()
    click(app, "Lines from", "query", q=10)
    assert app.selectbox(key="word").value == 10
    assert "“tired” attends to" in notices(app)
    assert set(drawn(app, "base").query("start")["query"]) == {"tired"}
    assert "“tired”" in said(app)
    assert "“it” takes over" not in said(app)


def test_the_story_has_figures_of_the_sentence():
    app = open_page(q=presets.RIVER.text)
    assert "“bank” attends to “river”" in notices(app)
    assert "of 72" in app.metric[0].value
    assert "3 words on" in said(app)
    assert "100 weights in a head. Twice the text takes 400" in said(app)
    assert drawn(app, "i", "word", "left")["word"].tolist() == ["bank", "of", "the", "river"]


def test_the_models_name_is_told():
    assert "all-MiniLM-L6-v2" in said(open_page())


def test_alone_the_cards_still_link_to_the_right_state():
    links = [m.value for m in open_page().markdown if m.value.startswith("[")]
    address = next(urlsplit(m.split("](")[1][:-1]) for m in links if "/pipeline?" in m)
    assert parse_qs(address.query)["step"] == ["qkv"]
    assert parse_qs(address.query)["word"] == ["8"]  # it


@pytest.mark.parametrize(
    "text", ["One", "我爱你", "😀 😀", "**a** $b$ :red[c] <b>d</b>", "[SEP] [CLS]", "word " * 510]
)
@pytest.mark.parametrize("special", ["true", "false"])
def test_any_text_is_shown(text, special):
    app = open_page(q=text, special=special)
    assert len(app.metric) == 3
    assert drawn(app, "base")["row"].nunique() <= 18


@pytest.mark.parametrize("text", ["", "\u200b"])
def test_a_text_without_words_is_a_calm_state(text):
    app = open_page()
    healthy(sentence(app).set_value(text).run())
    assert not app.get("vega_lite_chart")


@pytest.mark.parametrize(
    "params",
    [
        {"claim": "?"},
        {"turn_head": "L9 H9"},
        {"pronoun": "99 nothing"},
        {"removed_from": "x", "claim": takeaways.MORE_HEADS},
        {"inner": "7", "drawn": "99", "score_head": "?", "claim": "additive"},  # of version 0.2
    ],
)
def test_a_bad_value_in_a_link_falls_back(params):
    assert open_page(**params).get("vega_lite_chart")


# The first claim


def test_the_trophy_does_not_turn():
    app = open_page()
    rows = drawn(app, "sentence", "meant")
    assert rows["weight"].round(2).tolist() == pytest.approx([0.54, 0.28, 0.56, 0.24], abs=0.01)
    assert "In L3 H1 the pronoun gives “trophy”" in notices(app)
    assert "does not turn it" in notices(app)


def test_a_head_that_turns_is_said_to():
    app = open_page(turn_head="L5 H0")
    assert "It turns with the meaning" in notices(app)
    rows = drawn(app, "outcome")
    assert rows.loc[rows["chosen"], "name"].tolist() == ["L5 H0"]
    assert (rows["outcome"] == 0).sum() == 2


def test_picking_a_pair_sets_its_words():
    app = open_page(turn_head="L5 H0")
    healthy(app.selectbox(key="_pair").set_value(pair_sentences.ANIMAL).run())
    assert app.text_input(key="one").value == pair_sentences.ANIMAL.texts[0]
    assert drawn(app, "sentence", "meant")["word"].tolist() == ["animal", "street"] * 2
    assert app.selectbox(key="turn_head").value == "L3 H1"


def test_own_sentences_have_nouns_to_start_with():
    app = open_page(
        one="The bird saw the worm since it flew", two="The bird saw the worm since it dug"
    )
    assert app.selectbox(key="_pair").value is None
    assert drawn(app, "sentence", "meant")["word"].tolist() == ["bird", "worm"] * 2


def test_another_candidate_can_be_chosen():
    app = open_page()
    healthy(app.selectbox(key="meant2").set_value(4).run())
    assert drawn(app, "sentence", "meant")["word"].tolist() == ["trophy", "fit"] * 2


@pytest.mark.parametrize("two", ["", "Something else", "**a** <b>"])
def test_sentences_with_too_little_in_common_are_a_calm_state(two):
    app = open_page(two=two)
    healthy(app.text_input(key="two").set_value(two).run())
    assert "at least three words in common" in notices(app)


def test_a_sentence_that_is_too_long_is_refused():
    app = open_page()
    healthy(app.text_input(key="two").set_value("cat " * 70).run())
    assert "72" in app.warning[0].value
    assert drawn(app, "sentence", "meant") is not None


def test_the_score_is_said_with_what_it_is_worth():
    app = open_page(pair_score="true")
    grid = drawn(app, "layer", "head", "value")
    assert len(grid) == 72
    best = grid.loc[grid["value"].idxmax()]
    assert f"{best['name']}, the best of 72 heads, gets {100 * best['value']:.1f} %" in notices(app)
    table = app.dataframe[0].value.set_index("Who chooses")
    assert table.loc["always the first", "Sentences right"] == 50
    assert table.loc["always the nearest", "Both right"] == 0
    assert table["Sentences right"].iloc[1] < table["Sentences right"].iloc[0]  # held out
    healthy(app.segmented_control(key="points").set_value("both").run())
    assert drawn(app, "layer", "head", "value")["value"].max() < 0.5


# The second claim


def test_heads_are_removed_from_the_readers_sentence():
    app = open_page(claim=takeaways.MORE_HEADS)
    singles = drawn(app, "layer", "head", "value")
    assert singles.loc[singles["value"].idxmax(), "name"] == "L5 H11"
    lines = drawn(app, "removed", "shift")
    assert lines["removed"].max() == 72
    assert lines.groupby(["order", "run"]).size().tolist() == [12] * 5
    least, most = (lines[lines["order"] == order] for order in (pruning.LEAST, pruning.LARGEST))
    assert (least["shift"].to_numpy() <= most["shift"].to_numpy() + 1e-6).all()
    assert "36 of 72 heads can be ablated" in notices(app)
    assert len(drawn(app, "a", "b", "bits")) == 72 * 71 / 2


def test_heads_are_removed_from_the_built_in_set(monkeypatch):
    monkeypatch.setattr("attention.interventions.pruning.TEXTS", pruning.TEXTS[:2])
    app = open_page(claim=takeaways.MORE_HEADS)
    before = drawn(app, "removed", "shift")
    healthy(app.segmented_control(key="removed_from").set_value("set").run())
    assert not drawn(app, "removed", "shift").equals(before)


# The questions


def test_a_question_is_answered_before_its_answer_is_shown():
    app = ask(open_page())
    question = app.radio[0]
    assert not app.success
    plainly = next(option for option in question.options if option.isalpha())  # not escaped
    healthy(question.set_value(plainly).run())
    assert len(app.success) + len(app.warning) == 1


def test_the_right_answer_counts():
    app = ask(open_page())
    turns = app.radio[1]
    answer = next(option for option in turns.options if "both" in plain(option))
    healthy(turns.set_value(answer).run())
    said = [plain(box.value) for box in (*app.success, *app.warning)]
    assert len(said) == 1
    assert "animal" in said[0]
