"""The pipeline page without a browser: every step, each control, the receipt, and hostile text."""

import contextlib
import io
import json

import numpy as np
import pytest

from attention import presets
from attention.pipeline import steps
from attention.pipeline.head_state import HeadState
from tests.optional import with_smollm2
from tests.pages.app import PIPELINE, ask, charts, healthy, rows, sentence
from tests.pages.app import open_page as open_any
from tests.pages.reader import plain

pytestmark = pytest.mark.slow
NAMES = [step.name for step in steps.ENCODER_STEPS]
HOSTILE = """**b** $x$ :red[hi] <b>d</b> '); print("no") # \\ 🔦"""


def open_page(**params):
    """Open the page with its receipt in sight."""
    return open_any(PIPELINE, **{"sums": "true", **params})


def tables(app):
    """Return the rows of every chart by its name."""
    return {
        chart.proto.alt.removeprefix("Matrix ").partition(":")[0]: rows(chart)
        for chart in charts(app)
    }


def code(app):
    """Return the Python code that the page shows."""
    return next(block.value for block in app.code if "import attention" in block.value)


def printed(app):
    output = io.StringIO()
    with contextlib.redirect_stdout(output):
        exec(code(app), {})
    return output.getvalue().strip()


def step_name(app):
    heading = next(h.value for h in app.subheader if h.value.startswith("Step "))
    return plain(heading.partition(": ")[2])


def shown_sum(app):
    """Return the last figure of the receipt that is written out."""
    lines = next(block.value for block in app.code if "import attention" not in block.value)
    return lines.rpartition("= ")[2]


def test_opens_on_the_cat_and_its_telling_head():
    app = open_page()
    assert app.selectbox(key="word").value == 8  # “it” among tokens
    assert app.selectbox(key="reads").value == 2  # “cat”
    assert (app.slider(key="layer").value, app.slider(key="head").value) == (3, 1)


@pytest.mark.parametrize("name", NAMES)
def test_a_link_opens_each_step(name):
    app = open_page(step=name)
    assert step_name(app) == name
    assert 1 <= len(app.get("vega_lite_chart")) <= 3
    assert len(app.latex) == 1
    assert not any(":red-badge[" in badge.value for badge in app.markdown)
    assert len(app.info) == 1


def lit(app, key):
    """Return the page with another step lit, as a click on the strip leaves it."""
    app.session_state["step"] = key
    return healthy(app.run())


def test_the_strip_goes_to_any_step_and_stays_there():
    app = open_page()
    assert step_name(app) == "Softmax"
    assert step_name(lit(app, "mask")) == "Mask"
    healthy(app.slider(key="head").set_value(2).run())
    assert step_name(app) == "Mask"


def test_the_receipt_is_closed_until_it_is_asked_for_or_a_link_means_it():
    assert not open_any(PIPELINE).code
    assert open_any(PIPELINE, receipt="output").code
    assert open_any(PIPELINE, column="3").code


def test_every_step_has_pictures_of_one_height():
    heights = {
        json.loads(chart.proto.spec)["height"]
        for name in NAMES
        for chart in charts(open_page(step=name))
    }
    assert len(heights) == 1


def test_matrices_are_the_traces(cat_trace):
    rows = tables(open_page(step="Query, key, value", layer="3", head="1"))
    for name, held in (("Q", cat_trace.query), ("K", cat_trace.key), ("V", cat_trace.value)):
        assert np.allclose(rows[name]["value"].to_numpy().reshape(12, 32), held[3, 1], atol=1e-5)
    rows = tables(open_page(step="Softmax", layer="3", head="1"))
    assert np.allclose(
        rows["A"]["value"].to_numpy().reshape(12, 12), cat_trace.weights[3, 1], atol=1e-6
    )


def test_the_illustrated_mask_leaves_later_cells_out():
    rows = tables(open_page(step="Mask"))
    assert len(rows["S′"]) == 144
    assert (rows["Illustration"]["r"] >= rows["Illustration"]["c"]).all()
    assert len(rows["Illustration"]) == 78


def test_layer_and_head_change_the_numbers_and_the_word_the_frame():
    app = open_page(step="Softmax")
    before = tables(app)["A"]
    healthy(app.slider(key="head").set_value(0).run())
    after = tables(app)["A"]
    assert not np.allclose(before["value"], after["value"])
    healthy(app.slider(key="layer").set_value(0).run())
    assert not np.allclose(after["value"], tables(app)["A"]["value"])
    healthy(app.selectbox(key="word").set_value(3).run())
    healthy(app.selectbox(key="reads").set_value(4).run())
    marked = tables(app)["A"].query("mark")
    assert marked[["row", "column"]].to_numpy().tolist() == [["3 sat", "4 on"]]


def test_the_receipt_follows_the_chosen_cell(cat_trace):
    app = open_page(layer="3", head="1", word="1 the", reads="6 mat")
    assert float(printed(app)) == pytest.approx(cat_trace.weights[3, 1, 1, 6], rel=1e-4)
    assert printed(app) == shown_sum(app)
    products, terms = (frame.value for frame in app.dataframe)
    assert len(products) == 32
    assert terms["weight"].sum() == pytest.approx(1)


def test_the_receipt_of_an_output_number(cat_trace):
    app = open_page(receipt="The output number", column="5")
    assert app.slider(key="column").value == 5
    assert float(printed(app)) == pytest.approx(cat_trace.head_output[3, 1, 8, 5], rel=1e-4)
    assert printed(app) == shown_sum(app)
    healthy(app.slider(key="column").set_value(31).run())
    assert float(printed(app)) == pytest.approx(cat_trace.head_output[3, 1, 8, 31], rel=1e-4)


@pytest.mark.parametrize(
    "text", [HOSTILE, "It's", '"""', "two\nlines", "我爱你", "مرحبا بالعالم", "e\u0301clair"]
)
@pytest.mark.parametrize("receipt", ["The weight", "The output number"])
def test_the_code_that_is_shown_prints_the_figure_that_is_shown(text, receipt):
    app = open_page(q=text, receipt=receipt)
    assert printed(app) == shown_sum(app)


def test_hostile_text_is_not_markdown():
    app = open_page(q=HOSTILE, step="Softmax")
    shown = [m.value for m in (*app.markdown, *app.info, *app.caption, *app.subheader)]
    assert not any("**b**" in text or ":red[" in text or "<b>" in text for text in shown)


def test_this_page_shows_tokens_and_says_so():
    app = open_page(words="true", special="false", q=presets.TROPHY_BIG.text, step="stream")
    assert app.toggle(key="words").disabled
    assert app.toggle(key="special").disabled
    rows = tables(app)["X"]
    assert {"0 [CLS]", "3 wouldn", "4 '", "5 t"} <= set(rows["row"])
    assert any("the model's own tokens" in caption.value for caption in app.caption)


def test_a_new_sentence_points_at_its_own_words():
    app = open_page()
    healthy(app.selectbox(key="example").set_value(presets.STEEP.text).run())
    words = ["[CLS]", *presets.STEEP.text.lower().split(), "[SEP]"]
    assert words[app.selectbox(key="word").value] == "bank"
    assert words[app.selectbox(key="reads").value] == "river"


def test_a_long_text_shows_24_tokens_and_sums_over_all():
    app = open_page(q=" ".join(["word"] * 300), step="Softmax")
    assert any("302" in caption.value for caption in app.caption)
    assert len(tables(app)["A"]) == 24 * 24
    assert len(app.dataframe[1].value) == 302
    assert printed(app) == shown_sum(app)


@pytest.mark.parametrize("text", ["", "   "])
def test_a_text_without_words_is_a_calm_state(text):
    app = open_page()
    healthy(sentence(app).set_value(text).run())
    assert len(app.info) == 1
    assert not app.get("vega_lite_chart")


def test_a_text_that_is_too_long_is_refused():
    app = open_page()
    healthy(sentence(app).set_value("a " * 600).run())
    assert "602" in app.warning[0].value
    assert app.get("vega_lite_chart")


@pytest.mark.parametrize(
    "params",
    [
        {"step": "Nonsense"},
        {"word": "99 nothing"},
        {"reads": "x"},
        {"layer": "77"},
        {"head": "-1"},
        {"column": "99"},
        {"receipt": "?"},
    ],
)
def test_a_bad_value_in_a_link_falls_back(params):
    app = open_page(**params)
    assert step_name(app) == "Softmax"
    assert float(printed(app)) == pytest.approx(0.4874, abs=0.001)


@pytest.mark.parametrize("name", ["Scores", "Softmax"])
def test_a_prediction_is_answered_from_the_figures(name, model, cat_trace):
    app = ask(open_page(step=name))
    question = next(s for s in steps.ENCODER_STEPS if s.name == name).question
    asked = question(HeadState(model, cat_trace, 3, 1, 8, 2))
    wrong = next(option for option in asked.options if option != asked.answer)
    healthy(app.radio[0].set_value(wrong).run())
    assert not app.success
    assert asked.because in plain(app.warning[0].value)


def test_specs_hold_no_data():
    for name in NAMES:
        for chart in open_page(step=name).get("vega_lite_chart"):
            assert "datasets" not in json.loads(chart.proto.spec)


@with_smollm2
@pytest.mark.parametrize("receipt", ["The weight", "The output number"])
def test_a_decoder_has_its_own_steps_and_a_receipt(receipt):
    app = open_page(model="smollm2", step="Rotate (RoPE)", receipt=receipt)
    assert set(tables(app)) == {"Q", "Q′", "K", "K′"}
    assert printed(app) == shown_sum(app)
    lit(app, "mask")
    rows = tables(app)["S″"]
    assert (rows["c"] <= rows["r"]).all()


@with_smollm2
def test_a_step_that_another_model_lacks_gives_way():
    app = open_page(model="smollm2", step="Rotate (RoPE)")
    healthy(app.selectbox(key="model").set_value("minilm").run())
    assert step_name(app) == "Softmax"


@with_smollm2
def test_a_key_that_the_mask_hides_is_told():
    app = open_page(model="smollm2", word="1 ␣cat", reads="5 ␣mat")
    assert "the mask hides it" in app.warning[0].value
    assert printed(app) == shown_sum(app)
