"""A column of sliders: whose word holds, the browser's or the page's; and what it is sent."""

import json

import pytest
from streamlit.testing.v1 import AppTest

from tests.pages.app import columns, handles, healthy

PAGE = """
import streamlit as st
from attention.ui.sliders import Bar, Slider, slider_column, standing

sliders = [Slider(f"x{i}", name, 1.23, -4.0, 4.0, 0.5) for i, name in enumerate(("<b>", "b"))]
def reset():
    st.session_state["x0"] = 1.23
st.button("Reset", on_click=reset)
values = standing(sliders)
bars = [Bar(0.25, 0.5, "25.0 %", 1)] * 2
rests = slider_column("two", "Two", sliders, values, bars=bars, heads=("score", "share"))
st.text(f"{values} {rests}")
"""


@pytest.fixture
def app():
    return healthy(AppTest.from_string(PAGE, default_timeout=60).run())


def sent(app):
    return json.loads(columns(app)["two"].proto.json)


def told(app):
    return app.text[0].value


def test_the_browser_is_sent_rows_as_data(app):
    data = sent(app)
    assert [row["label"] for row in data["rows"]] == ["<b>", "b"]
    assert data["rows"][0]["at"] == pytest.approx((1.23 + 4) / 8)
    assert data["rows"][0]["bar"] == {
        "share": 0.25, "before": 0.5, "said": "25.0 %", "colour": 1,
    }  # fmt: skip
    assert "<b>" not in columns(app)["two"].proto.js_content


def test_while_only_the_reader_moves_them_the_turn_is_the_same(app):
    turn = sent(app)["turn"]
    healthy(handles(app)["x0"].set_value(2.5, moving=True).run())
    assert told(app) == "[2.5, 1.23] False"
    healthy(handles(app)["x1"].set_value(-4.0).run())
    assert told(app) == "[2.5, -4.0] True"
    assert sent(app)["turn"] == turn


def test_a_reset_begins_a_turn_and_what_was_on_its_way_is_void(app):
    healthy(handles(app)["x0"].set_value(3.0, moving=True).run())
    old = sent(app)["turn"]
    healthy(app.button[0].click().run())
    assert told(app) == "[1.23, 1.23] True"
    assert sent(app)["turn"] == old + 1
    healthy(handles(app)["x0"].set_value(3.5, turn=old).run())
    assert told(app) == "[1.23, 1.23] True"


@pytest.mark.parametrize("value", [4.01, -99.0, float("nan"), "x", None])
def test_a_value_that_no_slider_can_have_is_not_taken(app, value):
    healthy(handles(app)["x0"].set_value(value).run())
    assert told(app) == "[1.23, 1.23] True"


@pytest.mark.parametrize("moved", [None, 3, [], {}, {"turn": 1}, {"turn": 1, "values": [2.0]}])
def test_nonsense_is_not_taken(app, moved):
    handle = handles(app)["x0"]
    handle.moved = moved
    assert told(healthy(handle.run())) == "[1.23, 1.23] True"
