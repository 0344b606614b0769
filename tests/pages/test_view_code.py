"""“Code for this view” on every page: it is run as it stands, and makes what the page shows."""

import contextlib
import io
import re

import numpy as np
import pytest
from PIL import Image
from streamlit.runtime.context import ContextProxy, StreamlitTheme

import attention
from attention.charts.inline import inline
from attention.scaling import core_cost, crossover, methods
from attention.ui import view_code
from attention.ui.course import PAGES
from attention.ui.view_code import Figure, ViewCode, _npz, file_name
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
    (LESSON, {"q": LONG, "code_of": "hero"}),
    (LESSON, {"q": NASTY, "code_of": "story-relay"}),
    (LESSON, {"pair_score": "true", "points": "both"}),
    (EXPLORER, {}),
    (EXPLORER, {"start": "equal", "meanings": "cat, dog's"}),
    (EXPLORER, {"start": "head", "word": "5", "layer": "3", "head": "1"}),
    (EXPLORER, {"start": "head", "blended": "own"}),
    *((PIPELINE, {"step": step}) for step in ("embeddings", "qkv", "scores", "softmax", "concat")),
    (TRANSLATION, {"cross": "L0H3", "written": "2", "looked": "4", "code_of": "aligned"}),
    (TRANSLATION, {"cross": "L0H3", "cell": "written", "code_of": "aligned"}),
    (TRANSLATION, {"fog": "3"}),
    (TRANSLATION, {"looked": "4", "code_of": "cross"}),
    (TRANSLATION, {"see": "carry"}),
    (TRANSLATION, {"see": "scores", "inner": "64", "drawn": "3"}),
    (TRANSLATION, {"see": "wrong"}),
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
    (HEADS, {"heads": ["L5H11", "L0H0"], "words": "false", "q": LONG, "code_of": "maps"}),
    (HEADS, {"heads": ["L5H11", "L0H0"], "words": "false", "q": LONG}),
    (HEADS, {"cell": "written", "special": "false", "code_of": "maps"}),
    (HEADS, {"cell": "written", "special": "false"}),
    (HEADS, {"grid": "maps", "role": "none", "code_of": "grid"}),
    (HEADS, {"role": "previous", "code_of": "grid"}),
    (HEADS, {"more": "map", "pairs": "true", "code_of": "plane"}),
    (HEADS, {"more": "map", "pairs": "true"}),
    (HEADS, {"more": "rollout", "rolled": "3", "special": "false"}),
    (HEADS, {"heads": ["L5H11", "L0H0"], "probe": "true", "code_of": "probes"}),
    (INTERVENTIONS, {"model": "minilm", "strength": "2"}),
    (INTERVENTIONS, {"model": "minilm", "do": "cut", "edits": "cut_q2_k3"}),
    (INTERVENTIONS, {"model": "minilm", "do": "sinks"}),
    (INTERVENTIONS, {**PATCH, "special": "false"}),
    (INTERVENTIONS, {**PATCH, "patch_what": "weights"}),
    (INTERVENTIONS, {**PATCH, "patch_what": "states", "patch_layer": "2", "words": "false"}),
    (LEARNING, {"learned": "20"}),
    (LEARNING, {"learned": "20", "code_of": "curves"}),
    (LEARNING, {"learned": "20", "asked": "3", "code_of": "pushes"}),
    (LEARNING, {"code": "false", "trial_code": "true"}),
    *((SCALING, {"lab": tab}) for tab in ("core", "methods", "crossover", "memory")),
    (SCALING, {"lab": "planner", "phase": "decode"}),
    (SCALING, {"lab": "planner", "shape": "bert-base", "whole": "true", "plan_n": "500"}),
    (SURVEY, {}),
]
EVERY = [
    (LESSON, {}),
    (LESSON, {"claim": "heads"}),
    (TRANSLATION, {"lines": "cut_q2_k5"}),
]


def ran(code):
    """Run code as a script; return its chart, if it makes one, and the lines that it prints."""
    printed, names = io.StringIO(), {"__name__": "__main__"}
    with contextlib.redirect_stdout(printed):
        exec(compile(code, "view", "exec"), names)
    return names.get("chart"), printed.getvalue().splitlines()


def code_in(app):
    """Return the code in the open box."""
    (code,) = (box.value for box in app.code if box.language == "python")
    return code


def figures_in(app):
    """Return the figures that the code may be of: where the box has a choice, the chosen one."""
    figures = app.session_state["_drawn_figures"]
    assert len(figures) == len(charts(app))
    chosen = [picker.value for picker in app.selectbox if picker.key.endswith("code_of")]
    return {
        key: figure
        for key, figure in figures.items()
        if all(f"{key} ".startswith(f"{one} ") for one in chosen)
    }


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


def makes(app):
    """Check that the code makes one of the figures that it may be of; return what it prints."""
    chart, printed = ran(code_in(app))
    figures = {key: values(inline(figure.data).values) for key, figure in figures_in(app).items()}
    made = [values(table) for table in tables_of(chart.to_dict() if chart else {})]
    assert bool(chart) == bool(figures)
    assert any(table and table in made for table in figures.values()) or not chart, [*figures]
    assert printed
    return printed


def tells(app):
    """Check that the code makes what the page draws, and prints what it says."""
    texts = [said(app), *(text.value for text in app.text)]
    for line in makes(app):
        assert any(line.replace("\\", "") in text for text in texts), line


@pytest.mark.parametrize(("page", "params"), STATES)
def test_the_code_makes_the_figure_and_says_what_the_page_says(page, params):
    app = open_page(page, **{"code": "true", **params})
    if page == INTERVENTIONS and params.get("do") not in ("sinks", "patch"):
        makes(app)  # what it prints is in the figure
    else:
        tells(app)


@pytest.mark.parametrize(("page", "params"), EVERY)
def test_every_choice_of_the_box_is_the_code_of_its_figure(page, params):
    app = open_page(page, code="true", **params)
    choices = len(app.selectbox(key="code_of").options)
    assert choices > 1
    for at in range(choices):
        tells(healthy(app.selectbox(key="code_of").select_index(at).run()))


@with_smollm2
@pytest.mark.parametrize("params", [{"strength": "2"}, {"do": "cut", "edits": "cut_q3_k1"}])
def test_the_code_says_what_a_decoder_predicts(params):
    app = open_page(INTERVENTIONS, code="true", model="smollm2", **params)
    chart, printed = ran(code_in(app))
    made = [values(table) for table in tables_of(chart.to_dict())]
    shown = [values(inline(figure.data).values) for figure in figures_in(app).values()]
    (same,) = (table for table in shown if table in made)
    assert printed == [f"{max(row['after'] for row in same):.3f}"]


@with_smollm2
@pytest.mark.parametrize("tab", ["shared", "rotation", "beside", "beside written"])
def test_the_code_of_a_tab_on_a_decoder_makes_what_it_shows(tab):
    tab, *written = tab.split()
    tells(open_page(HEADS, code="true", model="smollm2", more=tab,
                    **({"cell": "written"} if written else {})))  # fmt: skip


@with_smollm2
@pytest.mark.parametrize("figure", ["links", "links_beside0", "links_beside1"])
def test_the_code_of_lines_in_another_model_is_of_that_model(figure):
    tells(open_page(VISUALIZER, code="true", both="true", code_of=figure))


ASKED = {"q": "Mary gave it to", "interests": "him | her", "patch_text": "John gave it to"}


@with_smollm2
@pytest.mark.parametrize("tab", ["direct", "matter", "write", "patch"])
def test_the_code_says_what_a_tab_says_of_a_decoder(tab):
    page = {"model": "smollm2", "do": tab, "count": "4", "heat": "0.7", **ASKED}
    app = open_page(INTERVENTIONS, code="true", **page)
    for button in app.button:
        if button.label.startswith(("Patch each", "Write")):
            healthy(button.click().run())
    tells(app)


def test_the_code_of_a_measured_tab_measures_to_the_end():
    app = open_page(INTERVENTIONS, code="true", do="matter", model="minilm", q="A cat")
    assert not app.code
    healthy(app.button(key="measure_heads").click().run())
    tells(app)


@pytest.mark.parametrize(("params", "moved"), [
    ({"try": "books", "trial_books": "1", "trial_steps": "250"}, "trial_books"),
    ({"try": "positions", "trial_words": "4", "trial_back": "3"}, "trial_back"),
    ({"try": "heads", "trial_books_heads": "4", "trial_width": "16"}, "trial_width"),
])  # fmt: skip
def test_the_code_of_a_comparison_trains_the_networks_that_are_drawn(params, moved):
    app = open_page(LEARNING, trial_code="true", trial_seeds="1", **params)
    healthy(app.button(key=f"measure_{params['try']}").click().run())
    (control,) = (one for one in [*app.slider, *app.select_slider] if one.key == moved)
    tells(healthy(control.set_value(32 if moved == "trial_width" else 2).run()))


def test_the_code_of_timed_scores_times_the_same():
    app = open_page(TRANSLATION, code="true", see="scores", inner="8")
    (button,) = (button for button in app.button if button.label == "Measure")
    healthy(button.click().run())
    picker = app.selectbox(key="code_of")
    at = next(i for i, option in enumerate(picker.options) if option.startswith("Time of"))
    healthy(picker.select_index(at).run())
    chart, printed = ran(code_in(app))
    (figure,) = figures_in(app).values()
    timed = [(row["n"], row["kind"]) for table in tables_of(chart.to_dict()) for row in table]
    assert timed == [*zip(figure.data["n"], figure.data["kind"], strict=True)]
    assert printed


def test_the_code_of_a_table_prints_it():
    app = open_page(HEADS, code="true", more="figures", heads=["L5H11", "L0H0"])
    (table,) = (table.value for table in app.dataframe if "On this text" in table.value)
    assert "\n".join(makes(app)).strip() == table.round(2).to_csv(index=False).strip()


def test_the_code_of_saved_runs_reads_what_is_stored():
    app = open_page(SCALING, code="true", lab="runs")
    field = app.multiselect(key="laid")
    healthy(field.set_value(field.options).run())
    tells(app)


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
    chart, printed = ran(code_in(app))
    assert calls == on_the_page
    assert chart.to_dict()
    assert printed


def test_a_figure_is_found_by_the_first_words_of_its_key(monkeypatch):
    monkeypatch.setattr(view_code.st, "session_state", {})
    keys = ("links", "links_beside0", "map L3 H1", "map L3 H2")
    for key in keys:
        view_code.note_figure(key, Figure(str, None, {}, key))
    assert view_code.drawn_last("links").alt_text == "links"
    assert view_code.drawn_last("map").alt_text == "map L3 H2"


def test_every_page_has_code():
    pages = {page for page, _ in STATES}
    assert {page.file for page in PAGES} <= pages


@with_renderer
def test_the_trace_and_the_figure_are_files_named_by_what_they_hold():
    app = open_page("streamlit_app.py", code="true", code_of="hero", q="The cat's on: the/mat!")
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


@with_renderer
def test_the_table_of_all_heads_fills_its_file():
    app = open_page(HEADS, code="true", more="map", pairs="true")
    (figure,) = figures_in(app).values()
    with Image.open(io.BytesIO(figure.file("png"))) as image:
        left, top, right, bottom = image.convert("L").point(lambda v: 255 * (v < 250)).getbbox()
        assert max(left, top, image.width - right, image.height - bottom) < 0.05 * image.width


@with_renderer
@pytest.mark.parametrize(
    "params", [{"grid": "maps", "code_of": "grid"}, {"more": "map", "pairs": "true"}]
)
def test_a_picture_that_is_saved_is_light_from_a_dark_page_too(monkeypatch, params):
    def saved(theme):
        monkeypatch.setattr(ContextProxy, "theme", StreamlitTheme({"type": theme}))
        figures = figures_in(open_page(HEADS, code="true", **params)).values()
        (figure,) = (one for one in figures if "url" in one.data)
        return figure.data["url"][0], figure.file("png")

    (light, one), (dark, other) = saved("light"), saved("dark")
    assert light != dark  # on the page
    assert one == other


def test_an_array_that_is_saved_is_the_trace(cat_trace):
    held = io.BytesIO(_npz(cat_trace))
    np.testing.assert_array_equal(attention.Trace.load(held).weights, cat_trace.weights)
