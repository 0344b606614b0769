"""One call a picture: what is drawn is what the trace holds, and what is meant is found."""

import dataclasses
import json
import re
import tomllib
from pathlib import Path

import numpy as np
import pytest

import attention
from attention import Trace, plot
from attention.analysis.role_kinds import ROLES
from attention.analysis.telling import telling_link
from attention.analysis.words import View
from attention.charts.look import CATEGORIES
from attention.charts.thumbnails import LETTERS, NO_CELL, STEPS
from attention.pictures import DARK_DIVERGING, DARK_RAMP, DIVERGING, RAMP
from attention.pipeline.blending import BlendedWords, equal_start

ROOT = Path(__file__).parents[2]
LONG = " ".join(["The keeper walked down to the harbour to see the boats"] * 8)


@pytest.fixture(scope="module")
def done():
    return attention.load_translator().translate("The bank by the river was steep.")


@pytest.fixture(scope="module")
def cross(done):
    return Trace.from_weights(done.target, done.cross_weights, keys=done.source)


@pytest.fixture(scope="module")
def long_trace(model):
    return model.trace(LONG)


def spec(chart):
    """Return a chart as Vega-Lite, held to the schema, as strict JSON."""
    return json.loads(json.dumps(chart.to_dict(), allow_nan=False))


def rows_of(chart):
    """Return the largest table of a chart."""
    return max(_tables(spec(chart)), key=len)


def _tables(part):
    if isinstance(part, dict):
        yield from part.get("datasets", {}).values()
        if "values" in part and isinstance(part["values"], list):
            yield [row for row in part["values"] if isinstance(row, dict)]
        yield from (table for value in part.values() for table in _tables(value))
    if isinstance(part, list):
        yield from (table for value in part for table in _tables(value))


def params(chart):
    return {param["name"]: param.get("value") for param in spec(chart)["params"]}


PICTURES = {
    "links": plot.links,
    "one head": lambda of: plot.links(of, heads=[(0, 0)]),
    "several": lambda of: plot.links(of, heads=[(1, 0), (1, 2)]),
    "map": plot.head_map,
    "maps": lambda of: plot.head_map(of, heads=[(0, 0), (1, 1), (1, 0), (0, 1)]),
    "grid": plot.head_grid,
    "entropy": lambda of: plot.head_grid(of, figure="entropy"),
    "rows": plot.rows,
}
TEXT = "The cat sat on the mat and the cat was very tired of the mat"


@pytest.mark.parametrize("picture", PICTURES)
@pytest.mark.parametrize("kind", ["trace", "view", "words", "weights", "cross", "long"])
def test_every_picture_is_drawn_of_everything_that_has_weights(
    picture, kind, cat_trace, cross, long_trace
):
    of = {
        "trace": cat_trace,
        "view": attention.view(cat_trace, words=False),
        "words": attention.view(cat_trace, special=False),
        "weights": Trace.from_weights(cat_trace.tokens, cat_trace.weights),
        "cross": cross,
        "long": long_trace,
    }[kind]
    found = spec(PICTURES[picture](of))
    assert found["config"]["background"] == "white"
    assert "http" not in json.dumps({**found, "$schema": "", "datasets": ""})


def test_a_map_has_the_weights_of_the_head(cat_trace, cat_view):
    rows = rows_of(plot.head_map(cat_trace, heads=[(3, 1)]))
    table = np.zeros((12, 12))
    for row in rows:
        table[row["q"], row["k"]] = row["weight"]
    np.testing.assert_allclose(table, cat_view.weights[3, 1], atol=1e-6)
    cell = next(row for row in rows if (row["query"], row["key"]) == ("it", "cat"))
    assert round(cell["weight"], 2) == 0.49


def test_without_a_word_the_most_telling_link_is_shown(cat_trace, cat_view):
    query, _, layer, head = telling_link(cat_view)
    rows = rows_of(plot.links(cat_trace))
    assert {row["q"] for row in rows if row["start"]} == {query}
    assert {row["name"] for row in rows if row["kind"] == "row"} == {f"L{layer} H{head}"}


def test_a_word_is_found_by_its_text_or_its_position(cat_trace):
    assert rows_of(plot.rows(cat_trace, query="IT")) == rows_of(plot.rows(cat_trace, query=8))
    with pytest.raises(ValueError, match=r"no word 'dog'; the words are \[CLS\], The, cat"):
        plot.rows(cat_trace, query="dog")
    with pytest.raises(ValueError, match="no word 12: there are 12, counted from 0"):
        plot.links(cat_trace, query=12)


def test_a_row_of_bars_is_the_row_of_the_word(cat_trace, cat_view):
    rows = rows_of(plot.rows(cat_trace, query="it", heads=[(3, 1), (0, 4)]))
    assert len(rows) == 24
    for at, head in enumerate([(3, 1), (0, 4)]):
        own = [row["weight"] for row in rows if row["map"] == at]
        np.testing.assert_allclose(own, cat_view.weights[head][8], atol=1e-6)


def test_lines_have_the_base_rate_beside_the_weight(cat_trace, cat_view):
    rows = rows_of(plot.links(cat_trace, query="it", heads=[(3, 1)]))
    found = next(r for r in rows if r["kind"] == "row" and (r["q"], r["k"]) == (8, 2))
    ordinary = [unit.ordinary for unit in cat_view.units]
    base = attention.base_rate(cat_view.weights[3, 1], ordinary, query=8)[2]
    assert found["weight"] == pytest.approx(cat_view.weights[3, 1, 8, 2], abs=1e-6)
    assert found["base"] == pytest.approx(base, abs=1e-6)


def test_heads_that_are_not_there_are_refused(cat_trace):
    for draw in (plot.links, plot.head_map, plot.rows):
        with pytest.raises(ValueError, match="no L6 H0: there are 6 layers of 12 heads"):
            draw(cat_trace, heads=[(6, 0)])
        with pytest.raises(ValueError, match="no head is chosen"):
            draw(cat_trace, heads=[])
    with pytest.raises(ValueError, match="heads of one layer, got L0 H1, L2 H1"):
        plot.links(cat_trace, heads=[(0, 1), (2, 1)])
    with pytest.raises(ValueError, match="no figure 'spread'; of this there are entropy, distance"):
        plot.head_grid(cat_trace, figure="spread")


def test_what_is_no_trace_is_refused():
    with pytest.raises(ValueError, match="of a Trace or a View, got ndarray"):
        plot.links(np.eye(3))
    empty = View((), np.zeros((1, 1, 0, 0)), np.zeros((1, 1, 0)))
    with pytest.raises(ValueError, match="the text has no tokens"):
        plot.head_map(empty)


def decoded(chart, head):
    """Return the weights that the large map of a grid shows for a head."""
    values = params(chart)
    return np.array([LETTERS.index(letter) / STEPS for letter in values["maps"][head]])


def test_the_grid_holds_every_weight_to_three_decimals(cat_trace, cat_view):
    chart = plot.head_grid(cat_trace)
    for head in (0, 37, 71):
        own = cat_view.weights[divmod(head, 12)].ravel()
        assert np.abs(decoded(chart, head) - own).max() <= 0.5 / STEPS + 1e-7
    assert params(chart)["names"][37] == "L3 H1"
    assert len(set(LETTERS)) == STEPS + 1


def test_144_heads_of_62_tokens_take_less_than_a_megabyte():
    """With scores as wide as those of real heads; the usual viewer sends 12.4 MB."""
    scores = np.random.default_rng(3).normal(scale=2, size=(12, 12, 62, 62))
    trace = Trace.from_weights([f"w{i}" for i in range(62)], attention.softmax(scores))
    sent = plot.head_grid(trace).to_json(indent=None)
    assert len(sent.encode()) < 1_000_000
    own = trace.weights[11, 11].ravel()
    assert np.abs(decoded(plot.head_grid(trace), 143) - own).max() <= 0.5 / STEPS + 1e-7


def test_a_decoder_has_no_cells_after_the_query():
    lower = np.tril(np.ones((3, 3)))
    lower /= lower.sum(axis=-1, keepdims=True)
    trace = Trace.from_weights(["a", "b", "c"], lower[None, None])
    (drawn,) = params(plot.head_grid(trace))["maps"]
    assert [letter == NO_CELL for letter in drawn] == (np.tri(3) == 0).ravel().tolist()
    assert NO_CELL not in LETTERS
    assert len(rows_of(plot.head_map(trace))) == 6


def test_a_long_text_is_cut_to_a_window_or_into_bins(long_trace):
    rows = rows_of(plot.head_map(long_trace, query=60))
    assert len({row["q"] for row in rows}) == 40
    assert 60 in {row["q"] for row in rows}
    chart = plot.head_grid(long_trace)
    assert len(params(chart)["labels"]) == 64
    assert max(decoded(chart, 0)) == pytest.approx(long_trace.weights[0, 0].max(), abs=1e-3)
    heads = [(layer, 0) for layer in range(6)]
    assert len(rows_of(plot.head_map(long_trace, heads=heads))) == 9600  # Altair's limit is 5,000


def test_a_blend_adds_up_to_cosines(cat_trace, model):
    chart = plot.blend(cat_trace, query="it", head=(3, 1), meanings=["cat", "mat"])
    rows = rows_of(chart)
    view = attention.view(cat_trace)
    vectors = np.stack([
        model.word_embeddings[cat_trace.input.ids[list(unit.positions)]].mean(axis=0)
        for unit in view.units
    ])  # fmt: skip
    blended = view.weights[3, 1, 8] @ vectors
    cat = model.word_embeddings[cat_trace.input.ids[2]]
    cosine = blended @ cat / np.linalg.norm(blended) / np.linalg.norm(cat)
    own = [row for row in rows if row["meaning"] == "cat"]
    assert sum(row["part"] for row in own) == pytest.approx(cosine, abs=1e-4)
    assert own[0]["total"] == pytest.approx(cosine, abs=1e-4)


def test_a_blend_of_ones_own_scores_is_drawn(cat_trace, cat_view, model):
    start = equal_start(model, cat_trace, cat_view)
    scores = np.where(np.arange(12) == 2, 4.0, 0.0)
    blended = BlendedWords(start, scores, 1.0)
    rows = rows_of(plot.blend(blended, meanings=["cat"], model="minilm"))
    assert rows[0]["total"] > rows[0]["before"]
    with pytest.raises(ValueError, match="does not say whose vectors it has: give model="):
        plot.blend(blended)


def test_a_blend_needs_more_than_weights(cat_trace):
    trace = Trace.from_weights(cat_trace.input, cat_trace.weights, name="elsewhere")
    with pytest.raises(ValueError, match="no model named 'elsewhere'"):
        plot.blend(trace)


def test_an_alignment_is_of_two_texts(done, cross, cat_trace):
    rows = rows_of(plot.alignment(done, query="margem"))
    assert {row["query"] for row in rows if row["chosen"]} == {"margem"}
    asked = next(r for r in rows if (r["query"], r["key"]) == ("margem", "bank"))
    own = done.cross_weights[-1].mean(axis=0)
    margem, bank = done.target.pieces.index("▁margem"), done.source.pieces.index("▁bank")
    assert asked["weight"] == pytest.approx(own[margem, bank], abs=1e-6)
    one = rows_of(plot.alignment(cross, layer=0, head=2))
    assert one[0]["weight"] == pytest.approx(done.cross_weights[0, 2, 0, 0], abs=1e-6)
    lines = rows_of(plot.alignment(done, query="margem", lines=True))
    assert {row["kind"] for row in lines} == {"word", "line"}
    with pytest.raises(ValueError, match="an alignment has two texts, and this trace has one"):
        plot.alignment(cat_trace)
    with pytest.raises(ValueError, match="no layer 5 head None: there are 2 layers of 8"):
        plot.alignment(done, layer=5)


def test_roles_are_those_that_were_measured(model):
    trace = model.trace(TEXT)
    found = attention.head_roles(trace)
    rows = rows_of(plot.roles(trace))
    assert len(rows) == 72
    for row in rows:
        head = row["layer"], row["head"]
        name = found.role_of(head)
        assert row["role"] == (ROLES[name].label if name else None)
        if name:
            own = [row["score"], row["chance"], row["spread"]]
            np.testing.assert_allclose(own, found.at(name, head), atol=1e-6)
    told = spec(plot.roles(found))
    assert told["title"].startswith(f"{(found.main >= 0).sum()} of 72 heads have a role")


def test_roles_are_of_one_text(cross):
    with pytest.raises(ValueError, match="what a head does on one text"):
        plot.roles(cross)


def test_text_never_becomes_part_of_an_expression(model):
    nasty = "'] + alert(1) + ['"
    trace = model.trace(f"cats {nasty} dogs")
    for draw in (plot.links, plot.head_map, plot.head_grid, plot.rows):
        expressions = re.findall(r'"(?:expr|labelExpr|calculate|filter)": "([^"]*)"',
                                 json.dumps(spec(draw(trace))))  # fmt: skip
        assert expressions
        assert not any("alert" in expression for expression in expressions)


def test_the_look_is_that_of_the_dashboard():
    theme = tomllib.loads((ROOT / ".streamlit" / "config.toml").read_text(encoding="utf-8"))
    light, dark = theme["theme"]["light"], theme["theme"]["dark"]
    assert list(CATEGORIES) == light["chartCategoricalColors"]
    assert list(RAMP) == light["chartSequentialColors"]
    assert list(DARK_RAMP) == dark["chartSequentialColors"]
    assert list(DIVERGING) == light["chartDivergingColors"]
    assert list(DARK_DIVERGING) == dark["chartDivergingColors"]


def test_pages_draw_the_lines_without_a_second_legend(cat_trace):
    legends = re.findall(r'"legend": \{[^}]*"values"', json.dumps(spec(
        plot.links(cat_trace, heads=[(3, 1), (3, 2)]))))  # fmt: skip
    assert len(legends) == 1


def test_a_trace_whose_model_is_gone_still_has_pictures(cat_trace):
    assert spec(plot.links(dataclasses.replace(cat_trace, model="gone")))
