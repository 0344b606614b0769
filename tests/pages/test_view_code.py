"""“Code for this view” on every page: it is run as it stands, and makes what the page shows."""

import contextlib
import io
import re

import numpy as np
import pytest
from PIL import Image

import attention
from attention.charts.inline import inline
from attention.scaling import core_cost, crossover, methods
from attention.ui.course import PAGES
from attention.ui.view_code import ViewCode, _npz, file_name
from tests.optional import with_renderer, with_smollm2
from tests.pages.app import (
    CONTEXT,
    EXPLORER,
    HEADS,
    INTERVENTIONS,
    LEARNING,
    LESSON,
    PIPELINE,
    SCALING,
    SURVEY,
    TRANSLATION,
    VISUALIZER,
    charts,
    healthy,
    open_page,
)

pytestmark = pytest.mark.slow

NASTY = "It's \"quoted\" \\n '); import os  # and 🔦 too"
LONG = " ".join(["The old keeper walked down to the harbour to see the boats"] * 5)
PAIR = {"q": "Who's tired?", "q2": 'The "cat" was tired'}
PATCH = {"model": "minilm", "do": "patch", "q": 'It\'s "red" here', "patch_text": "It's blue now"}
STATES = [
    *((page, {**PAIR, "words": "false"}) for page in (PIPELINE, VISUALIZER, HEADS)),
    (EXPLORER, {**PAIR, "start": "head"}),
    (INTERVENTIONS, {**PAIR, "model": "minilm", "do": "cut", "edits": "cut_q2_k8"}),
    (LESSON, {}),
    (LESSON, {"q": LONG}),
    (LESSON, {"q": NASTY}),
    (EXPLORER, {}),
    (EXPLORER, {"start": "equal", "meanings": "cat, dog's"}),
    (EXPLORER, {"start": "head", "word": "5", "layer": "3", "head": "1"}),
    (EXPLORER, {"start": "head", "blended": "own"}),
    *((PIPELINE, {"step": step}) for step in ("embeddings", "qkv", "scores", "softmax", "concat")),
    (TRANSLATION, {}),
    (TRANSLATION, {"cross": "L0H3", "written": "2", "looked": "4"}),
    (TRANSLATION, {"cross": "L0H3", "cell": "written"}),
    (CONTEXT, {}),
    (CONTEXT, {"view": "rnn", "gain": "1.4", "seed": "3", "words": "false"}),
    (CONTEXT, {"view": "cnn", "kernel": "5", "cnn_layers": "4", "dilation": "0"}),
    (CONTEXT, {"view": "range", "between": "3", "far_head": "L3H1"}),
    (CONTEXT, {"view": "pair", "first": NASTY, "second": 'It\'s "the cat"', "words": "false"}),
    (CONTEXT, {"view": "changed", "special": "false"}),
    (CONTEXT, {"view": "cost", "tokens": "1000", "kernel": "5"}),
    (VISUALIZER, {}),
    (VISUALIZER, {"mode": "multi", "word": "2", "special": "false"}),
    (VISUALIZER, {"mode": "multi", "on": "3"}),
    (VISUALIZER, {"cell": "written", "words": "false"}),
    (VISUALIZER, {"mode": "multi", "cell": "written", "special": "false"}),
    (VISUALIZER, {"q": LONG}),
    (HEADS, {}),
    (HEADS, {"heads": ["L5H11", "L0H0"], "words": "false", "q": LONG}),
    (HEADS, {"cell": "written", "special": "false"}),
    (INTERVENTIONS, {"model": "minilm", "strength": "2"}),
    (INTERVENTIONS, {"model": "minilm", "do": "cut", "edits": "cut_q2_k3"}),
    (INTERVENTIONS, {"model": "minilm", "do": "sinks"}),
    (INTERVENTIONS, {**PATCH, "special": "false"}),
    (INTERVENTIONS, {**PATCH, "patch_what": "weights"}),
    (INTERVENTIONS, {**PATCH, "patch_what": "states", "patch_layer": "2", "words": "false"}),
    (LEARNING, {"learned": "20"}),
    *((SCALING, {"lab": tab}) for tab in ("core", "methods", "crossover", "memory")),
    (SCALING, {"lab": "planner", "phase": "decode"}),
    (SCALING, {"lab": "planner", "shape": "bert-base", "whole": "true", "plan_n": "500"}),
    (SURVEY, {}),
]


def ran(code):
    """Run code as a script; return its chart, and the lines that it prints."""
    printed, names = io.StringIO(), {"__name__": "__main__"}
    with contextlib.redirect_stdout(printed):
        exec(compile(code, "view", "exec"), names)
    return names["chart"], printed.getvalue().splitlines()


def offered(page, params):
    """Return a page with its code open, the code, and the figures that the page has drawn."""
    app = open_page(page, code="true", **params)
    (code,) = (box.value for box in app.code if "from attention import plot" in box.value)
    figures = app.session_state["_drawn_figures"]
    assert len(figures) == len(charts(app))
    return app, code, figures


def values(table):
    """Return a table as rows that compare: numbers to four decimals."""
    return [
        {name: round(v, 4) if isinstance(v, float) else v for name, v in row.items()}
        for row in table
    ]


def tables_of(spec):
    if isinstance(spec, dict):
        yield from spec.get("datasets", {}).values()
        for part in spec.values():
            yield from tables_of(part)
    if isinstance(spec, list):
        for part in spec:
            yield from tables_of(part)


def said(app):
    """Return all that a page says, without marks of Markdown."""
    found = [*app.markdown, *app.info, *app.caption, *app.warning]
    text = " ".join(element.value for element in found)
    return re.sub(r":color\[(.*?)\]", r"\1", text).replace("\\", "")


def makes(code, drawn):
    """Check that code makes one of the figures that are drawn; return what it prints."""
    chart, printed = ran(code)
    made = [values(table) for table in tables_of(chart.to_dict())]
    shown = {key: values(inline(figure.data).values) for key, figure in drawn.items()}
    assert any(table and table in made for table in shown.values()), sorted(shown)
    assert printed
    return printed


@pytest.mark.parametrize(("page", "params"), STATES)
def test_the_code_makes_the_figure_and_says_what_the_page_says(page, params):
    app, code, drawn = offered(page, params)
    printed = makes(code, drawn)
    if page != INTERVENTIONS or params.get("do") in ("sinks", "patch"):  # else it is in the figure
        for line in printed:
            assert line.replace("\\", "") in said(app)


@with_smollm2
@pytest.mark.parametrize("params", [{"strength": "2"}, {"do": "cut", "edits": "cut_q3_k1"}])
def test_the_code_says_what_a_decoder_predicts(params):
    _, code, drawn = offered(INTERVENTIONS, {"model": "smollm2", **params})
    chart, printed = ran(code)
    made = [values(table) for table in tables_of(chart.to_dict())]
    shown = [values(inline(figure.data).values) for figure in drawn.values()]
    (same,) = (table for table in shown if table in made)
    assert printed == [f"{max(row['after'] for row in same):.3f}"]


ASKED = {"q": "Mary gave it to", "interests": "him | her", "patch_text": "John gave it to"}


@with_smollm2
@pytest.mark.parametrize("tab", ["direct", "matter", "write", "patch"])
def test_the_code_says_what_a_tab_says_of_a_decoder(tab):
    page = {"model": "smollm2", "do": tab, "count": "4", "heat": "0.7", **ASKED}
    app = open_page(INTERVENTIONS, code="true", **page)
    for button in app.button:
        if button.label.startswith(("Patch each", "Write")):
            healthy(button.click().run())
    (code,) = (box.value for box in app.code if "from attention import plot" in box.value)
    for line in makes(code, app.session_state["_drawn_figures"]):
        assert line in said(app) or line in [text.value for text in app.text]


def test_the_code_of_a_measured_tab_measures_to_the_end():
    app = open_page(INTERVENTIONS, code="true", do="matter", model="minilm", q="A cat")
    assert not app.code
    healthy(app.button(key="measure_heads").click().run())
    (code,) = (box.value for box in app.code if "from attention import plot" in box.value)
    for line in makes(code, app.session_state["_drawn_figures"]):
        assert line in said(app)


def test_the_code_of_saved_runs_reads_what_is_stored():
    app = open_page(SCALING, code="true", lab="runs")
    field = app.multiselect(key="laid")
    healthy(field.set_value(field.options).run())
    (code,) = (box.value for box in app.code if "from attention import plot" in box.value)
    for line in makes(code, app.session_state["_drawn_figures"]):
        assert line in said(app)


MEASURED = [
    ("core", {"n": "512", "beyond": "true"}, core_cost, "_measure"),
    ("methods", {"methods_n": "512"}, methods, "_measure"),
    ("crossover", {"cross_n": "1024"}, crossover, "_measure"),
    ("memory", {"held_n": "1024"}, core_cost, "_measure_peak"),
]


@pytest.mark.parametrize(("tab", "params", "module", "measure"), MEASURED)
def test_the_code_of_a_measurement_measures_the_same(monkeypatch, tab, params, module, measure):
    calls, original = [], getattr(module, measure)

    def noted(*settings):
        calls.append([one for one in settings if isinstance(one, int | tuple)])
        return original(*settings)

    monkeypatch.setattr(module, measure, noted)
    app = open_page(SCALING, code="true", lab=tab, **params)
    (button,) = (button for button in app.button if button.label == "Measure")
    healthy(button.click().run())
    on_the_page, calls[:] = [*calls], []
    (code,) = (box.value for box in app.code if "from attention import plot" in box.value)
    chart, printed = ran(code)
    assert calls == on_the_page
    assert chart.to_dict()
    assert printed


def test_every_page_has_code():
    pages = {page for page, _ in STATES}
    assert {page.file for page in PAGES} <= pages


@with_renderer
def test_the_trace_and_the_figure_are_files_named_by_what_they_hold():
    app = open_page("streamlit_app.py", code="true", q="The cat's on: the/mat!")
    buttons = [button.proto.label for button in app.get("download_button")]
    assert buttons == ["Trace as NPZ", "Figure as SVG", "Figure as PNG"]
    found = ViewCode(
        str, "", app.session_state["_drawn_figures"] and None, "The cat's on: the/mat!"
    )
    assert file_name("lesson", found) == "lesson-the-cat-s-on-the-mat"


@with_renderer
def test_the_figure_of_a_page_becomes_a_picture():
    open_page(VISUALIZER, code="true")
    app = open_page(VISUALIZER, code="true")
    figure = app.session_state["_drawn_figures"]["links"]
    assert figure.file("svg").startswith(b"<svg")
    with Image.open(io.BytesIO(figure.file("png"))) as image:
        assert image.width > 600


def test_an_array_that_is_saved_is_the_trace(cat_trace):
    held = io.BytesIO(_npz(cat_trace))
    np.testing.assert_array_equal(attention.Trace.load(held).weights, cat_trace.weights)
