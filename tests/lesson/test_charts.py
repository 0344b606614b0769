"""The lesson's charts make valid specs that look up nothing but their tables."""

import json
import re

import numpy as np
import pandas as pd
import pytest

from attention.interventions import pruning
from attention.lesson import charts
from attention.lesson import frames as lesson_frames

LABELS = ("one", "two")
PAIR = np.full((2, 2, 6, 12), 0.1)
ORDERS = [(name, 0, [(0, 0)]) for name in pruning.ORDERS]
CHARTS = [
    (
        charts.pair_bars,
        lesson_frames.candidate_frame(PAIR, (3, 1), LABELS),
        {"labels": ("1: one", "1: two", "2: one", "2: two")},
    ),
    (
        charts.outcome_grid,
        lesson_frames.outcome_frame(PAIR, (3, 1)),
        {"labels": ("turns", "one", "two", "against"), "layers": 6},
    ),
    (
        charts.removal_lines,
        lesson_frames.removal_frame(ORDERS, (0, 1), np.zeros((3, 2))),
        {"heads": 72},
    ),
    (
        charts.alike_map,
        lesson_frames.alike_frame(np.zeros((4, 4)), 2),
        {"heads": 4, "heads_per_layer": 2, "highest": 1.0},
    ),
]
each_chart = pytest.mark.parametrize(
    ("build", "table", "options"), CHARTS, ids=[build.__name__ for build, *_ in CHARTS]
)


@each_chart
def test_chart_uses_the_tables_columns(build, table, options):
    text = json.dumps(build(table, **options).to_dict())
    calculated = set(re.findall(r'"as": "([^"]+)"', text))
    assert set(re.findall(r'"field": "([^"]+)"', text)) - calculated <= set(table.columns)
    assert set(re.findall(r"datum\.(\w+)", text)) <= {*table.columns, *calculated, "value"}


@each_chart
def test_spec_does_not_depend_on_the_data(build, table, options):
    specs = []
    for rows in (table, pd.DataFrame(columns=table.columns)):
        spec = build(rows, **options).to_dict()
        del spec["data"], spec["datasets"]
        specs.append(re.sub(r"view_[0-9a-f]+", "view", json.dumps(spec)))
    assert specs[0] == specs[1]


@each_chart
def test_what_a_reader_types_is_never_part_of_an_expression(build, table, options):
    if "labels" in options:
        options = {**options, "labels": ("datum['evil']",) * len(options["labels"])}
    spec = json.dumps(build(table, **options).to_dict())
    for expression in re.findall(r'"(?:labelExpr|expr|filter|calculate)": "([^"]*)"', spec):
        assert "evil" not in expression


def test_colours_of_outcomes_are_fixed():
    build, table, options = CHARTS[1]
    colour = build(table, **options).to_dict()["layer"][0]["encoding"]["color"]
    assert colour["scale"]["domain"] == [0, 1, 2, 3]
