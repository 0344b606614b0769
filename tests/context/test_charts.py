"""The context page's charts make valid specs that look up nothing but their tables' columns."""

import json
import re

import numpy as np
import pandas as pd
import pytest

from attention.analysis.words import Unit, View
from attention.context import charts, relay_charts, rnn_cnn
from attention.context import frames as context_frames
from attention.context.far_words import FarAttention
from attention.context.layer_costs import LayerTime
from attention.context.reach import Influence, Relay

LABELS = ("one", "two", "one")
SERIES = ("recurrent", "attention")
REACHED = rnn_cnn.cone(3, (1,), 3, 1)
LOOK = FarAttention(3, 1, np.array([[0.5]]), np.array([[1]]), np.full((1, 1, 3), 1 / 3))
VIEW = View(
    tuple(Unit(label, (k,), False) for k, label in enumerate(LABELS)),
    np.full((1, 1, 3, 3), 1 / 3),
    np.zeros((1, 1, 3)),
)
FAR = context_frames.far_frame(dict.fromkeys(SERIES, ([LOOK], (0, 0))))
CASES = {
    "reach": (
        charts.reach_chart,
        context_frames.reach_frame(LABELS, dict.fromkeys(SERIES, np.ones(3))),
        {"labels": LABELS, "series": SERIES},
    ),
    "times": (
        charts.layer_time_chart,
        context_frames.layer_time_frame([LayerTime("recurrent", 16, 2e-3, 1e-3, 3e-3, 3)]),
        {"n": 16},
    ),
    "cone": (
        charts.cone_chart,
        context_frames.cone_frame(REACHED, (1,), 3, range(3), LABELS),
        {"labels": LABELS, "first": 0, "layers": 1, "output": 1, "other": 2},
    ),
    "offsets": (
        charts.offset_bars,
        context_frames.offset_frame(1, [[np.ones(3)] * 2], [LABELS] * 2),
        {"places": ("one", "two"), "side": 1},
    ),
    "weights": (charts.far_weights, FAR, {"series": SERIES, "chosen": 1}),
    "ranks": (charts.far_ranks, FAR, {"series": SERIES, "chosen": 1}),
    "row": (
        charts.pair_row,
        context_frames.pair_row_frame(VIEW, 0, (0, 0)),
        {"labels": LABELS, "second": True},
    ),
    "similarity": (
        charts.similarity_lines,
        context_frames.similarity_frame(1.0, dict.fromkeys(SERIES, np.ones(2))),
        {"stages": ("bare", "input", "L0"), "series": SERIES, "low": 0.0},
    ),
}


def spec_of(name, table=None, **changed):
    build, own, options = CASES[name]
    return build(own if table is None else table, **{**options, **changed}).to_dict()


@pytest.mark.parametrize("name", CASES)
def test_chart_uses_the_tables_columns(name):
    fields = set(re.findall(r'"field": "([^"]+)"', json.dumps(spec_of(name))))
    assert fields
    assert fields <= set(CASES[name][1].columns)


@pytest.mark.parametrize("name", CASES)
def test_every_column_that_an_expression_reads_is_in_the_table(name):
    text = json.dumps(spec_of(name))
    read = {
        column
        for found in re.findall(r'"(?:filter|test)": ("[^"]*"|\{[^}]*\})', text)
        for column in re.findall(r"datum\.(\w+)", found)
    }
    assert read <= set(CASES[name][1].columns)


@pytest.mark.parametrize("name", CASES)
def test_spec_does_not_depend_on_the_data(name):
    table, specs = CASES[name][1], []
    for rows in (table, pd.DataFrame(columns=table.columns)):
        spec = spec_of(name, rows)
        del spec["data"], spec["datasets"]
        specs.append(re.sub(r"view_[0-9a-f]+", "view", json.dumps(spec)))
    assert specs[0] == specs[1]


@pytest.mark.parametrize("name", ["reach", "cone", "row", "offsets"])
def test_what_a_reader_types_is_never_part_of_an_expression(name):
    evil = ("datum['evil']",) * 3
    names = {"labels", "places"} & set(CASES[name][2])
    spec = json.dumps(spec_of(name, **dict.fromkeys(names, evil)))
    assert "evil" in spec
    for expression in re.findall(r'"(?:labelExpr|expr|filter|calculate|test)": "([^"]*)"', spec):
        assert "evil" not in expression


def test_shares_weights_and_ranks_have_fixed_axes():
    def domains(name, field):
        text = json.dumps(spec_of(name))
        found = re.findall(rf'"field": "{field}", "scale": (\{{[^}}]*\}})', text)
        return [json.loads(scale)["domain"] for scale in found]

    assert domains("reach", "share")[0] == [1e-6, 1]
    assert domains("weights", "weight")[0] == [1e-4, 1]
    assert domains("ranks", "rank")[0] == [1, 512]
    assert domains("row", "weight") == [[0, 1]]
    assert domains("offsets", "weight") == [[0, 1]]


def test_the_first_rank_is_on_top():
    assert '"reverse": true' in json.dumps(spec_of("ranks"))


@pytest.mark.parametrize("words", [2, 40])
def test_relay_and_arcs_draw_their_tables_and_nothing_else(words):
    weights = np.full(words, 1 / words)
    influence = Influence(
        View(
            tuple(Unit(f"w{k}", (k,), False) for k in range(words)),
            np.full((1, 1, words, words), 1 / words),
            np.zeros((1, 1, words)),
        ),
        dict.fromkeys(("tanh", "GRU", "attention"), weights),
    )
    held = np.geomspace(1, 1e-3, words - influence.far)
    relay = Relay(influence, {"tanh": held, "GRU": held})
    labels = tuple(influence.labels[k] for k in relay.places)
    assert len(labels) == min(words, 16)
    assert "0.1 % (tanh)" in relay.sentence
    for build, table, options in (
        (relay_charts.relay_chart, context_frames.relay_frame(relay), {"series": ("tanh", "GRU")}),
        (relay_charts.arc_chart, context_frames.arc_frame(relay), {"name": "attention"}),
    ):
        text = json.dumps(build(table, labels=labels, **options).to_dict())
        assert set(re.findall(r'"field": "([^"]+)"', text)) <= set(table.columns)
    arcs = context_frames.arc_frame(relay)
    assert arcs.groupby("i")["y"].agg(["min", "max"]).iloc[0].tolist() == [0, len(labels) - 1]
