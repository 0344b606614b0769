"""A second sentence: read with the first by every page that can, and kept in the address."""

import pytest

import attention
from tests.optional import with_smollm2
from tests.pages.app import (
    CONTEXT,
    EXPLORER,
    HEADS,
    INTERVENTIONS,
    PIPELINE,
    VISUALIZER,
    dashboard,
    go,
    healthy,
    open_page,
    sentence,
)

FIRST, SECOND = "Who was tired?", "The cat sat on the mat because it was tired"
PAIR = {"q": FIRST, "q2": SECOND, "model": "minilm"}


def second(app):
    return [field.value for field in app.text_input if field.key == "q2"]


def added(app):
    return any(button.key == "add_second" for button in app.button)


def told(app):
    return " ".join(found.value.replace("\\", "") for found in [*app.caption, *app.warning])


@pytest.mark.parametrize("page", [EXPLORER, PIPELINE, CONTEXT, VISUALIZER, HEADS, INTERVENTIONS])
def test_a_page_reads_both_sentences(page):
    app = open_page(page, **PAIR)
    assert second(app) == [SECOND]
    tokens = len(attention.load_model().trace(FIRST, pair=SECOND).tokens)
    assert "segment 1. Each ends with [SEP]" in told(app)
    assert f"have {tokens} tokens" in told(app)


def test_a_reader_adds_a_sentence_and_takes_it_away_again():
    app = go(dashboard(q=FIRST), VISUALIZER)
    assert second(app) == []
    options = app.selectbox(key="word").options
    healthy(app.button(key="add_second").click().run())
    assert second(app) == [""]
    assert app.selectbox(key="word").options == options
    healthy(app.text_input(key="q2").set_value(SECOND).run())
    assert not added(app)
    view = attention.view(attention.load_model().trace(FIRST, pair=SECOND))
    numbered = [f"{i} {label}" for i, label in enumerate(view.labels)]
    assert app.selectbox(key="word").options == numbered
    assert len(set(view.labels)) == len(view.labels)  # "was", "tired" and [SEP] are told apart
    healthy(app.text_input(key="q2").set_value("").run())
    assert second(app) == []
    assert app.selectbox(key="word").options == options


def test_it_goes_along_to_other_pages_and_is_no_part_of_an_example():
    app = dashboard(**PAIR)
    assert "the second one is left out" in told(app)
    assert second(app) == []
    go(app, HEADS)
    assert second(app) == [SECOND]
    go(app, PIPELINE)
    assert second(app) == [SECOND]
    example = app.selectbox(key="example")
    healthy(example.select_index(0).run())
    assert second(app) == []
    assert sentence(app).value == app.selectbox(key="example").options[0]


def test_undo_brings_both_sentences_back():
    app = open_page(INTERVENTIONS, do="cut", edits="cut_q3_k8", **PAIR)
    healthy(app.text_input(key="q2").set_value("").run())
    assert f"“{FIRST} / {SECOND}”" in " ".join(i.value.replace("\\", "") for i in app.info)
    healthy(app.button(key="undo_text").click().run())
    assert second(app) == [SECOND]
    healthy(app.text_input(key="q2").set_value("A dog slept").run())
    assert second(app) == ["A dog slept"]


def test_both_sentences_together_have_one_limit():
    app = open_page(VISUALIZER, q="cat " * 300, q2="mat " * 300)
    assert "Both texts together have 603 tokens; the model reads at most 512 at once." in told(app)


@with_smollm2
def test_a_decoder_leaves_the_second_sentence_out():
    app = open_page(VISUALIZER, **{**PAIR, "model": "smollm2"})
    assert second(app) == []
    assert not added(app)
    assert "smollm2 reads one text at a time: the second one is left out." in told(app)
    healthy(app.selectbox(key="model").select("minilm").run())
    assert second(app) == [SECOND]


def test_no_text_can_pretend_to_be_two():
    app = open_page(VISUALIZER, q="a cat\x1ea dog", model="minilm")
    assert [unit for unit in app.selectbox(key="word").options if "₂" in unit] == []
