"""The chart of lines: its spec, in which no word of the text is, and its colours."""

import colorsys
import json
import re

import pandas as pd
import pytest

from attention.analysis import link_frames
from attention.charts.links import head_colours, word_links

NAMES = tuple(f"H{i}" for i in range(12))


def table(view, several):
    heads = range(12) if several else [11]
    return link_frames.link_frame(view, 5, heads, range(12), query=8, several=several)


def build(data, several, **options):
    shown = {"count": 2, "longest": 3, "names": NAMES}
    return word_links(data, several=several, **{**shown, **options}).to_dict()


def without_data(spec):
    return {key: value for key, value in spec.items() if key not in ("data", "datasets")}


def layers(spec, mark):
    return [layer for layer in spec["layer"] if layer["mark"]["type"] == mark]


def test_listed_keys_have_their_position(cat_view):
    data = table(cat_view, False)
    plain, listed = (json.dumps(build(data, False, listed=listed)) for listed in (False, True))
    assert "datum.k + ' ' + datum.key" in listed
    assert "datum.k + ' ' + datum.key" not in plain


@pytest.mark.parametrize("several", [False, True])
def test_chart_uses_the_tables_columns_and_not_its_rows(several, cat_view):
    data = table(cat_view, several)
    spec = without_data(build(data, several))
    text = json.dumps(spec)
    made = set(re.findall(r'"as": "([^"]+)"', text))
    assert set(re.findall(r'"field": "([^"]+)"', text)) - made <= set(data.columns)
    empty = without_data(build(pd.DataFrame(columns=data.columns), several))

    def plain(value):
        return re.sub(r"view_[0-9a-f]+", "view", json.dumps(value))

    assert plain(spec) == plain(empty)


def test_a_click_stays_and_pointing_does_not(cat_view):
    params = {p["name"]: p for p in build(table(cat_view, False), False)["params"]}
    assert params["query"]["select"]["clear"] is False
    assert params["peek"]["select"]["clear"] == "pointerout"


def test_words_are_drawn_downwards_with_room_above(cat_view):
    rule = layers(build(table(cat_view, False), False, count=40), "rule")[0]
    scale = rule["encoding"]["y"]["scale"]
    assert scale["reverse"] is True
    assert -2 < scale["domain"][0] < -1
    assert 39 < scale["domain"][1] < 40


def test_higher_weights_are_thicker_and_brighter(cat_view):
    encoding = layers(build(table(cat_view, False), False), "rule")[0]["encoding"]
    for channel in ("strokeWidth", "opacity"):
        assert encoding[channel]["field"] == "weight"
        assert encoding[channel]["scale"]["domain"] == [0, 1]
        low, high = encoding[channel]["scale"]["range"]
        assert low < high


@pytest.mark.parametrize("heads", [1, 9, 12])
def test_every_head_has_its_place_in_the_colours(heads, cat_view):
    names = NAMES[:heads]
    encoding = layers(build(table(cat_view, True), True, names=names), "rule")[0]["encoding"]
    assert encoding["color"]["scale"] == {"domain": list(range(heads))}


@pytest.mark.parametrize("heads", [13, 16, 25, 32, 64])
def test_more_heads_than_the_theme_has_colours_get_distinct_ones(heads, cat_view):
    colours = head_colours(heads)
    assert len(set(colours)) == heads
    for colour in colours:
        rgb = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
        assert 0.35 < colorsys.rgb_to_hls(*rgb)[1] < 0.7  # seen on light and on dark ground
    names = tuple(f"H{i}" for i in range(heads))
    encoding = layers(build(table(cat_view, True), True, names=names), "rule")[0]["encoding"]
    assert encoding["color"]["scale"]["range"] == colours


def test_a_longer_text_is_a_higher_chart(cat_view):
    data = table(cat_view, False)
    heights = [build(data, False, count=n)["height"] for n in (3, 12, 30, 60, 100)]
    assert heights == sorted(set(heights))
    assert heights[-1] <= 100 * 20
