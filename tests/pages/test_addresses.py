"""What stands in the address of a page: codes, which open the page as it was; and those of 0.1."""

import re

import pytest

from attention import presets
from attention.ui import inputs, old_addresses
from tests.pages.app import (
    CONTEXT,
    EXPLORER,
    HEADS,
    ROOT,
    VISUALIZER,
    handles,
    healthy,
    open_page,
    sentence,
)
from tests.pages.reader import plain
from tests.pages.test_controls import DECODER, STATES

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("small_models")]
DATA = {
    "model",
    "translator",
    "beside",
    "role",
    "shared",
    "survey",
    "survey_model",
    "survey_with",
}  # names of models and of roles, and a word of the reader's own text


def address(app):
    """Return what the address says, as `open_page` takes it."""
    visit = app.session_state["_visit"]
    said = {}
    for key, value in visit.query(tuple(visit.drawn)):
        said.setdefault(key, []).append(value)
    return said


ABSURD = ["nan", "-1000000", "1e999", "9" * 5_000, "x" * 100_000, "\0", "-inf", "0x10"]
KINDS = (
    "selectbox", "multiselect", "slider", "select_slider", "toggle", "text_input", "text_area",
    "number_input", "segmented_control", "pills",
)  # fmt: skip


def controls(app):
    """Return every control by its key."""
    found = [widget for kind in KINDS for widget in getattr(app, kind)]
    return {widget.key: widget for widget in found if widget.key} | handles(app)


def control(app, key):
    return controls(app)[key]


def state_of(app):
    """Return where every control stands."""
    return {key: widget.value for key, widget in controls(app).items()}


def typed_in(app):
    """Return the keys of the fields for text."""
    return {field.key for field in [*app.text_input, *app.text_area]}


@pytest.fixture(scope="module")
def spelled(small_models):
    """Open every page in each of its states, and note how options are spelled: key -> codes."""
    noted = {}
    codes = inputs._codes

    def note(key, options, code, text):
        noted.setdefault(key, {}).update({code(option): text(option) for option in options})
        return codes(key, options, code, text)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(inputs, "_codes", note)
        for page, params in [*STATES, ("pages/learn/pipeline.py", DECODER)]:
            open_page(page, **params)
    return noted


def test_codes_are_never_the_wording_of_a_control(spelled):
    assert len(spelled) > 40
    for key, options in spelled.items():
        for code, text in options.items():
            if key not in DATA:
                assert re.fullmatch(r"[A-Za-z0-9._-]+", code), (key, code)
                assert code != text or code.isdecimal(), (key, code)


def test_no_control_is_bound_by_streamlit():
    """It would put its wording into the address, and entries into the browser's history."""
    for path in [*ROOT.glob("attention/ui/**/*.py"), *ROOT.glob("pages/**/*.py")]:
        assert "bind=" not in path.read_text(encoding="utf-8"), path


def test_every_wording_of_version_0_1_has_a_code_that_is_there(spelled):
    for key, wordings in old_addresses._CODES.items():
        alike = [k for k, others in old_addresses._CODES.items() if others is wordings]
        there = {code for k in alike for code in spelled[k]}  # the shapes of three pickers differ
        assert set(wordings.values()) <= there, key


@pytest.mark.parametrize(
    ("page", "params", "key", "value"),
    [
        (VISUALIZER, {"word": "7 because"}, "word", 7),
        (VISUALIZER, {"mode": "Multi-head", "on": ["H1", "H5"]}, "on", ["H1", "H5"]),
        (HEADS, {"heads": ["L1 H2", "L3 H4"]}, "heads", ["L1 H2", "L3 H4"]),
        (HEADS, {"figure": "Distance"}, "figure", "distance"),
        (EXPLORER, {"start": "A real head"}, "start", "head"),
        ("pages/learn/context.py", {"view": "CNN", "reach_word": "5 left"}, "reach_word", 5),
        ("pages/measure/scaling.py", {"n": "8,192"}, "n", 8192),
        ("pages/measure/scaling.py", {"lab": "Planner", "shape": "GPT-2 small"}, "shape",
         "GPT-2 small"),
        ("pages/explore/interventions.py",
         {"model": "minilm", "how": "A slider for every word", "push2": "3"}, "nudge2", 3.0),
    ],
)  # fmt: skip
def test_an_address_of_version_0_1_still_opens(page, params, key, value):
    assert state_of(open_page(page, **params))[key] == value


def test_the_second_model_of_version_0_1_and_a_second_text_have_the_same_name():
    assert any("Side by side" in i.value for i in open_page(VISUALIZER, second="true").info)
    app = open_page("pages/learn/context.py", view="Data-dependent", second="It was a bank")
    assert app.text_input(key="second").value == "It was a bank"


@pytest.mark.parametrize(("page", "params"), STATES)
def test_an_address_opens_the_page_as_it_is(page, params):
    app = open_page(page, **params)
    again = open_page(page, **address(app))
    assert state_of(again) == state_of(app)
    assert address(again) == address(app)


@pytest.mark.parametrize("turn", range(3))
@pytest.mark.parametrize(("page", "params"), STATES)
def test_what_no_control_can_be_is_left_out_of_a_hand_typed_address(page, params, turn):
    app = open_page(page, **params)
    before = {key: value for key, value in state_of(app).items() if key not in typed_in(app)}
    absurd = {key: ABSURD[(i + turn) % len(ABSURD)] for i, key in enumerate(before)}
    again = state_of(open_page(page, **absurd | params))
    there = before.keys() & again.keys()
    assert len(there) > len(before) / 2
    assert {key: again[key] for key in there} == {key: before[key] for key in there}


@pytest.mark.parametrize("text", ["x" * 20_000, "😀" * 100_000])
@pytest.mark.parametrize(("page", "params"), STATES)
def test_any_text_in_any_field_of_a_hand_typed_address_is_read_or_refused(page, params, text):
    fields = typed_in(open_page(page, **params))
    open_page(page, **params | dict.fromkeys(fields, text))


@pytest.mark.parametrize(
    "choices",
    [
        {"details": "true", "rnn_width": "16", "gain": "1.5", "seed": "2", "path_head": "L4H5"},
        {"view": "cnn", "reach_word": "5", "kernel": "5", "cnn_layers": "4"},
        {"view": "range", "between": "8", "far_head": "L0H1"},
        {"view": "pair", "shared": "the", "pair_head": "L1H2"},
        {"view": "cost", "tokens": "256", "wide": "128", "kernel": "7"},
    ],
)
def test_an_address_is_read_and_written_back(choices):
    app = open_page(CONTEXT, **choices)
    assert address(app) == {key: [value] for key, value in choices.items()}
    there = state_of(app)
    for key in choices.keys() & there.keys() - {"details"}:
        assert str(there[key]).replace(" ", "") == choices[key]


@pytest.mark.parametrize(
    "moves",
    [
        {"words": False, "special": False, "word": 3, "layer": 1, "head": 7},
        {"q": "The bird saw the worm", "layer": 2, "pair": 2},
        {"q": "The bird saw the worm", "word": 1, "special": False},
    ],
)
def test_what_was_chosen_is_there_again(moves):
    app = open_page(VISUALIZER)
    for key, value in moves.items():
        healthy(control(app, key).set_value(value).run())
    again = open_page(VISUALIZER, **address(app))
    assert state_of(again) == state_of(app)
    assert [plain(i.value) for i in again.info] == [plain(i.value) for i in app.info]


def test_a_control_that_nobody_touched_follows_the_sentence_and_stays_out_of_the_address():
    app = open_page(VISUALIZER)
    assert address(app) == {}
    healthy(sentence(app).set_value(presets.STEEP.text).run())
    assert address(app) == {"q": [presets.STEEP.text]}
    fresh = open_page(VISUALIZER, q=presets.STEEP.text)
    assert state_of(fresh) == state_of(app)
