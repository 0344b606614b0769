"""The matrix chart: valid, without a look into its table, with the true range as its legend."""

import json
import re

import numpy as np
import pandas as pd
import pytest

from attention.pipeline import frames as step_frames
from attention.pipeline.charts import matrix_map
from attention.pipeline.matrix import Matrix

TOKENS = ("one", "two", "one")
OPTIONS = {
    "numbers": {"square": False, "rows": 3, "named": True, "signed": True, "limit": 2.5},
    "square": {"square": True, "rows": 3, "named": True, "signed": True, "limit": 2.5},
    "weights": {"square": True, "rows": 3, "named": True, "signed": False, "limit": 1.0},
}


def spec_of(kind, table=None, labels=TOKENS):
    columns = "tokens" if OPTIONS[kind]["square"] else "numbers"
    matrix = Matrix("M", "", ("T", "T"), np.eye(3), 1, marked_column=2, columns=columns)
    rows = step_frames.matrix_frame(matrix, TOKENS, range(3))
    return matrix_map(rows if table is None else rows.head(0), labels=labels, **OPTIONS[kind])


def cells(spec):
    return spec["layer"][0]


@pytest.mark.parametrize("kind", OPTIONS)
def test_chart_uses_the_tables_columns(kind):
    spec = spec_of(kind).to_dict()
    fields = set(re.findall(r'"field": "([^"]+)"', json.dumps(spec)))
    assert fields <= {"r", "c", "row", "column", "value", "mark"}


@pytest.mark.parametrize("kind", OPTIONS)
def test_spec_does_not_depend_on_the_data(kind):
    specs = []
    for table in (None, pd.DataFrame()):
        spec = spec_of(kind, table).to_dict()
        del spec["data"], spec["datasets"]
        specs.append(re.sub(r"view_[0-9a-f]+", "view", json.dumps(spec)))
    assert specs[0] == specs[1]


@pytest.mark.parametrize("kind", OPTIONS)
def test_what_a_reader_types_is_never_part_of_an_expression(kind):
    spec = json.dumps(spec_of(kind, labels=("datum['evil']",) * 3).to_dict())
    for expression in re.findall(r'"(?:labelExpr|expr|filter|calculate)": "([^"]*)"', spec):
        assert "evil" not in expression


def test_signed_colours_run_equally_far_both_ways_and_the_legend_says_how_far():
    colour = cells(spec_of("numbers").to_dict())["encoding"]["color"]
    assert colour["scale"]["domain"] == [-2.5, 2.5]
    assert colour["scale"]["range"] == "diverging"
    assert colour["legend"]["values"] == [-2.5, 0, 2.5]


def test_weights_run_from_0_to_1():
    colour = cells(spec_of("weights").to_dict())["encoding"]["color"]
    assert colour["scale"]["domain"] == [0, 1]
    assert "range" not in colour["scale"]


def test_rows_are_queries_and_columns_are_keys():
    encoding = cells(spec_of("square").to_dict())["encoding"]
    assert [tip["title"] for tip in encoding["tooltip"]] == ["query", "key", "value"]
    assert (encoding["y"]["field"], encoding["x"]["field"]) == ("r", "c")


def test_only_square_maps_answer_to_a_click():
    names = {kind: [p.get("name") for p in spec_of(kind).to_dict()["params"]] for kind in OPTIONS}
    assert "cell" in names["square"]
    assert "cell" in names["weights"]
    assert "cell" not in names["numbers"]


def test_a_marked_row_is_framed_whole_and_a_marked_cell_alone():
    frame = spec_of("numbers").to_dict()["layer"][1]["encoding"]
    assert "x" not in frame
    assert spec_of("square").to_dict()["layer"][1]["encoding"]["x"]["field"] == "c"
