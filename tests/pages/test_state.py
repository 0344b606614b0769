"""What is chosen stays chosen, as the same thing; what is about another text is gone."""

import re

import pytest

import attention
from attention import presets
from attention.analysis import words
from attention.interventions import steering
from tests.optional import with_smollm2
from tests.pages.app import (
    CONTEXT,
    EXPLORER,
    HEADS,
    INTERVENTIONS,
    LESSON,
    PIPELINE,
    VISUALIZER,
    dashboard,
    go,
    healthy,
    open_page,
)
from tests.pages.reader import plain
from tests.pages.test_addresses import address, control, controls

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("small_models")]
TEXT = "The xylophone was unbelievably loud because Xavier quickly hammered xylophones"
SMALL = "the cat sat on the mat it was"
ONE, TWO = (f"The xylophone beat the vibraphone because it was {w}" for w in ("loud", "quiet"))
PAGES = [
    (LESSON, {"claim": "heads", "q": TEXT}),
    (LESSON, {"one": ONE, "two": TWO}),
    (EXPLORER, {"start": "head", "q": TEXT}),
    (CONTEXT, {"view": "cnn", "q": TEXT}),
    (VISUALIZER, {"q": TEXT}),
    (HEADS, {"q": TEXT}),
    (HEADS, {"more": "rotation", "model": "small-llama", "q": SMALL}),
    (INTERVENTIONS, {"do": "steer", "model": "minilm", "q": TEXT}),
    (INTERVENTIONS, {"do": "steer", "model": "small-llama", "q": SMALL}),
]


def entrypoint(page, **params):
    """Open a page as a reader does, from the entrypoint."""
    app = dashboard()
    for key, value in params.items():
        app.query_params[key] = value
    go(app, page)
    app.query_params.clear()
    return app


def put(app, key, value):
    return healthy(control(app, key).set_value(value).run())


def pickers(app):
    """Return the keys of all controls that pick a word: their options have its number in front."""
    return [
        key
        for key, widget in controls(app).items()
        if widget.type == "selectbox" and all(re.match(r"\d+ ", name) for name in widget.options)
    ]


def picked(app, key):
    """Return the word that a picker shows, and the number in front of it."""
    widget = control(app, key)
    number, word = widget.options[widget.index].split(" ", 1)
    return int(number), word


def flip(app, key):
    return put(app, key, not control(app, key).value)


# Picked words


def test_every_page_has_pickers_that_are_found():
    found = {(page, key) for page, params in PAGES for key in pickers(open_page(page, **params))}
    assert {key for _, key in found} >= {
        "word", "pair", "source", "target", "reach_word", "rope_key", "pronoun", "meant1", "meant2",
    }  # fmt: skip


@pytest.mark.parametrize(("page", "params"), PAGES)
def test_a_picked_word_is_the_same_word_in_any_units(page, params):
    """Special tokens off, words in pieces, and back: each picker on its own."""
    for key in pickers(open_page(page, **params)):
        app = open_page(page, **params)
        last = [name for name in control(app, key).options if name.split(" ", 1)[1].isalpha()][-2]
        put(app, key, int(last.split(" ")[0]))
        number, word = picked(app, key)
        numbers = {number}
        for toggle in ("special", "words", "special", "words"):
            if toggle in controls(app) and not control(app, toggle).disabled:
                flip(app, toggle)
                assert picked(app, key)[1].casefold().strip() in word.casefold(), (key, toggle)
                numbers.add(picked(app, key)[0])
        assert picked(app, key) == (number, word)
        assert len(numbers) > 1 or "small" in params.get("model", "")


def test_a_word_that_is_hidden_gives_way_to_the_one_to_look_at():
    app = open_page(VISUALIZER, word="0")
    assert picked(app, "word") == (0, "[CLS]")
    flip(app, "special")
    assert picked(app, "word")[1] == "it"


def test_picker_and_table_speak_of_the_same_word():
    app = open_page(VISUALIZER, pair="2", word="8")
    flip(app, "special")
    assert picked(app, "pair") == (1, "cat")
    view = words.view(attention.load_model().trace(presets.CAT.text), special=False)
    table = next(f.value for f in app.dataframe if "Head" in f.value.columns)
    layer, head = (int(part[1:]) for part in table["Head"].iloc[0].split())
    weight = float(view.weights[layer, head, 7, 1])
    assert table["Weight"].iloc[0] == pytest.approx(weight, abs=1e-4)


def test_the_word_goes_along_to_a_page_that_shows_tokens():
    app = entrypoint(HEADS, q=TEXT)
    put(app, "word", next(i for i, n in enumerate(control(app, "word").options) if "Xavier" in n))
    go(app, PIPELINE)
    assert picked(app, "word")[1] == "xavier"
    go(app, HEADS)
    assert picked(app, "word")[1] == "Xavier"


# Edits and pushes


def said(app):
    return " ".join(plain(box.value) for box in (*app.info, *app.warning))


def undo(app):
    return healthy(app.button(key="undo_text").click().run())


def test_a_new_text_starts_without_the_edits_and_undo_brings_both_back():
    app = entrypoint(INTERVENTIONS, do="cut", model="minilm", q=presets.TROPHY_BIG.text)
    put(app, "edits", "cut_q10_k2~off_5h11")
    assert "With 2 edits" in said(app)
    put(app, "q", "Mary saw John")
    assert control(app, "edits").value == ""
    assert "Nothing is cut yet" in said(app)
    assert f"on “{presets.TROPHY_BIG.text[:60]}" in said(app)
    assert "edits" not in address(app)
    undo(app)
    assert control(app, "q").value == presets.TROPHY_BIG.text
    assert control(app, "edits").value == "cut_q10_k2~off_5h11"
    assert "With 2 edits" in said(app)
    assert "is dropped" not in said(app)


def test_a_text_that_is_changed_on_another_page_drops_them_too():
    app = entrypoint(INTERVENTIONS, do="cut", model="minilm", q=presets.TROPHY_BIG.text)
    put(app, "edits", "cut_q10_k2")
    go(app, HEADS)
    put(app, "q", "Mary saw John")
    go(app, INTERVENTIONS)
    assert "is dropped" in said(app)
    undo(app)
    assert control(app, "edits").value == "cut_q10_k2"


@pytest.mark.parametrize(
    ("how", "key", "value"), [("move", "strength", 5.0), ("each", "nudge2", 4.0)]
)
def test_a_new_text_starts_without_pushes(how, key, value):
    text = presets.TROPHY_BIG.text
    app = entrypoint(INTERVENTIONS, do="steer", how=how, where="layer", model="minilm", q=text)
    put(app, key, value)
    put(app, "layer", 2)
    put(app, "q", "Mary saw John")
    assert "Nothing is pushed yet" in said(app)
    assert control(app, key).value == 0
    undo(app)
    assert control(app, key).value == value
    assert control(app, "layer").value == 2
    assert control(app, "q").value == text


def test_edits_of_one_model_are_not_made_in_another():
    app = entrypoint(INTERVENTIONS, do="cut", model="minilm", q=SMALL)
    put(app, "edits", "off_1h0")
    put(app, "model", "small-llama")
    assert control(app, "edits").value == ""
    undo(app)
    assert control(app, "model").value == "minilm"
    assert control(app, "edits").value == "off_1h0"


def test_a_link_carries_text_and_edits_together():
    app = open_page(INTERVENTIONS, do="cut", model="minilm", q="Mary saw John", edits="off_1h0")
    assert control(app, "edits").value == "off_1h0"
    assert "is dropped" not in said(app)


def test_no_undo_where_nothing_was_changed():
    app = entrypoint(INTERVENTIONS, model="minilm")
    put(app, "q", "Mary saw John")
    assert "is dropped" not in said(app)


# Words of interest


def test_the_words_of_interest_are_the_models_own_prediction():
    """A small decoder with random weights foretells anything; its most probable words are shown."""
    app = open_page(INTERVENTIONS, model="small-llama", q=SMALL)
    model = attention.load_model("small-llama")
    logits = model.trace(SMALL).next_logits
    assert control(app, "interests").value == steering.likely_words(model, logits)


@with_smollm2
@pytest.mark.parametrize(
    ("text", "first"),
    [(presets.UNFINISHED.text, "small | big, large"), ("The capital of France is", "Paris")],
)
def test_words_of_interest_fit_the_text(text, first):
    app = open_page(INTERVENTIONS, model="smollm2", q=text)
    assert control(app, "interests").value.startswith(first)
    assert ("small" in said(app)) == (text == presets.UNFINISHED.text)
    assert " 0.0 %" not in said(app)


@with_smollm2
def test_where_no_word_comes_next_the_most_probable_token_is_followed():
    app = open_page(INTERVENTIONS, model="smollm2", q="1 + 1 = 2, 2 + 2 =", strength="3")
    assert control(app, "interests").value == ""
    model = attention.load_model("smollm2")
    best = model.spell(int(model.trace("1 + 1 = 2, 2 + 2 =").next_logits.argmax()))
    assert f"Probability of “{best}” as the next token" in said(app)


@with_smollm2
def test_new_words_of_interest_come_with_a_new_text():
    app = entrypoint(INTERVENTIONS)
    put(app, "interests", "heavy | light")
    put(app, "q", "The capital of France is")
    assert "Paris" in control(app, "interests").value
