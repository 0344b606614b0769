"""Every chart makes a valid spec that looks up nothing but the columns of its table."""

import json
import re

import numpy as np
import pandas as pd
import pytest

from attention import blend
from attention.analysis import frames
from attention.charts.blend import blend_bars, meaning_axis
from attention.charts.maps import head_grid, head_maps, row_bars, whole_maps

HEADS = [(3, 1), (5, 11)]
LABELS = ("one", "two")
VALUES = np.eye(2)


def tables_and_charts(view):
    maps = frames.map_frame(view, HEADS, range(4))
    shown = {"labels": view.labels[:4], "first": 0, "names": ("L3 H1", "L5 H11"), "columns": 2}
    now = blend([0.3, 0.7], VALUES)
    stack = frames.blend_frame(LABELS, [0, 4], now, now.output, ["east", "north"], VALUES)
    return [
        (meaning_axis, frames.leaning_frame(0.2, -0.7, "bank, now"), {"labels": LABELS}),
        (
            blend_bars,
            stack,
            {"labels": ("east", "north"), "title": "cosine", "domain": (0.0, 1.0)},
        ),
        (
            head_grid,
            frames.head_frame(np.zeros((6, 12)), HEADS),
            {"title": "Entropy", "domain": (0.0, 1.0), "layers": 6},
        ),
        (head_maps, maps, {"size": 100, **shown}),
        (
            whole_maps,
            frames.binned_frame(view, HEADS, 3),
            {"names": ("a", "b"), "size": 100, "columns": 2, "words": 12, "window": (2, 6)},
        ),
        (row_bars, maps[maps["q"] == 1], {"size": 100, **shown}),
    ]


def fields(spec):
    """Return every field that is encoded, apart from those that a transform calculates."""
    text = json.dumps(spec)
    return set(re.findall(r'"field": "([^"]+)"', text)) - set(re.findall(r'"as": "([^"]+)"', text))


@pytest.mark.parametrize("index", range(6))
def test_chart_is_valid_and_uses_the_tables_columns(index, cat_view):
    build, table, options = tables_and_charts(cat_view)[index]
    assert fields(build(table, **options).to_dict()) <= set(table.columns)


@pytest.mark.parametrize("index", range(6))
def test_spec_does_not_depend_on_the_data(index, cat_view):
    build, table, options = tables_and_charts(cat_view)[index]
    specs = []
    for rows in (table, pd.DataFrame(columns=table.columns)):
        spec = build(rows, **options).to_dict()
        del spec["data"], spec["datasets"]
        specs.append(re.sub(r"view_[0-9a-f]+", "view", json.dumps(spec)))  # named by Altair
    assert specs[0] == specs[1]


@pytest.mark.parametrize("index", range(6))
def test_what_a_reader_types_is_never_part_of_an_expression(index, cat_view):
    build, table, options = tables_and_charts(cat_view)[index]
    if "labels" in options:
        options["labels"] = ("datum['evil']",) * len(options["labels"])
    spec = json.dumps(build(table, **options).to_dict())
    for expression in re.findall(r'"(?:labelExpr|expr|filter|calculate)": "([^"]*)"', spec):
        assert "evil" not in expression


def test_maps_share_one_scale(cat_view):
    build, table, options = tables_and_charts(cat_view)[3]
    assert build(table, **options).to_dict()["spec"]["encoding"]["color"]["scale"]["domain"] == [
        0,
        1,
    ]


def test_rows_are_queries_and_columns_are_keys(cat_view):
    build, table, options = tables_and_charts(cat_view)[3]
    encoding = build(table, **options).to_dict()["spec"]["encoding"]
    assert (encoding["y"]["field"], encoding["y"]["title"]) == ("q", "query")
    assert (encoding["x"]["field"], encoding["x"]["title"]) == ("k", "key")


@pytest.mark.parametrize("index", range(6))
def test_charts_of_several_have_no_width_to_fit_a_legend_to(index, cat_view):
    build, table, options = tables_and_charts(cat_view)[index]
    spec = build(table, **options).to_dict()
    assert "facet" not in spec or "width - " not in json.dumps(spec)
