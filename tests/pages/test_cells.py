"""The switch between weights and what is written: what every page that has it draws, and a link."""

import numpy as np
import pytest

import attention
from attention.analysis.written import written_shares, written_translation, written_view
from attention.context.differences import Differences
from attention.edits import Cut
from attention.translation import examples
from attention.translation.aligned import Aligned
from attention.ui.context.differences import _TEXTS
from tests.pages.app import (
    CONTEXT,
    HEADS,
    INTERVENTIONS,
    TRANSLATION,
    VISUALIZER,
    dashboard,
    drawn,
    go,
    healthy,
    open_page,
)
from tests.pages.reader import plain

CAT = "The cat sat on the mat because it was tired"


def cells(app, rows, columns):
    """Return the first map of a page as an array."""
    return drawn(app, "q", "k", "weight")["weight"].to_numpy().reshape(rows, columns)


def explained(app):
    return any("Kobayashi" in plain(c.value) for c in app.caption)


def test_lines_are_by_what_is_written(model, cat_trace):
    app = open_page(VISUALIZER, cell="written")
    rows = drawn(app, "kind", "row")
    found = rows[rows["kind"] == "row"].sort_values(["q", "k"])["weight"].to_numpy()
    assert found == pytest.approx(written_view(model, cat_trace).weights[3, 1].ravel(), abs=1e-6)
    assert explained(app)
    assert not explained(open_page(VISUALIZER))


def test_a_map_with_cuts_is_by_what_is_written(model):
    cut = Cut((8,), (2,), (3,), (1,))
    where = {"do": "cut", "model": "minilm", "layer": "3", "head": "1", "q": CAT}
    app = open_page(INTERVENTIONS, cell="written", edits="cut_l3_h1_q8_k2", **where)
    after = model.edited(model.trace(CAT), (cut,))
    expected = written_shares(model, after)[3, 1]
    assert expected[8, 2] == 0
    assert cells(app, 12, 12) == pytest.approx(expected, abs=1e-6)
    assert explained(app)


def test_two_texts_are_compared_by_what_is_written(model):
    app = open_page(CONTEXT, view="changed", cell="written", changed_head="L3H1")
    traces = tuple(map(model.trace, _TEXTS))
    both = Differences(traces, tuple(written_view(model, trace) for trace in traces))
    change = drawn(app, "q", "k", "change")["change"].to_numpy()
    assert change == pytest.approx(both.difference((3, 1)).ravel(), abs=1e-6)
    assert f"{both.apart[3, 1]:.2f} bits apart" in plain(app.info[0].value)
    assert explained(app)


def test_an_alignment_is_by_what_is_written():
    app = open_page(TRANSLATION, cell="written", cross="L0H3")
    pair = attention.load_translator("en-pt")
    done = pair.translate(examples.STEEP_BANK.text)
    expected = Aligned(written_translation(pair, done), 0, 3).weights
    assert cells(app, *expected.shape) == pytest.approx(expected, abs=1e-6)
    assert not np.allclose(expected, Aligned(done, 0, 3).weights, atol=0.05)
    assert explained(app)


def test_the_choice_goes_along_to_other_pages(model, cat_trace):
    app = go(dashboard(), VISUALIZER)
    app = go(healthy(app.selectbox(key="cell").set_value("written").run()), HEADS)
    assert app.selectbox(key="cell").value == "written"
    shown = drawn(app, "map", "weight")
    expected = written_view(model, cat_trace).weights[3, 1].ravel()
    assert shown[shown["map"] == 0]["weight"].to_numpy() == pytest.approx(expected, abs=1e-6)
