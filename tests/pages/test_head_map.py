"""The map of heads on the heads page: what is drawn, clicks, and the nearest of a head."""

import pytest

from attention.analysis import head_map
from tests.pages.app import HEADS, chart, click, healthy, open_page, rows
from tests.pages.reader import plain

pytestmark = pytest.mark.slow

PLANE = "All 72 heads in a plane"


def test_the_plane_is_what_the_package_computes(cat_view):
    app = open_page(HEADS, more="map")
    places, _ = head_map.layout(head_map.head_distances(cat_view))
    drawn = rows(chart(app, PLANE))
    assert drawn[["x", "y"]].to_numpy() == pytest.approx(places, abs=1e-6)
    assert drawn.loc[drawn["chosen"], "name"].tolist() == ["L3 H1", "L4 H3", "L4 H4"]


def test_a_click_adds_the_head():
    app = open_page(HEADS, more="map")
    click(app, PLANE, "head", layer=0, head=2)
    assert app.multiselect(key="heads").value[-1] == "L0 H2"


def test_the_nearest_follow_the_picker(cat_view):
    app = open_page(HEADS, more="map")
    healthy(app.selectbox(key="near").set_value("L0 H2").run())
    distances = head_map.head_distances(cat_view)
    near = head_map.nearest(distances, 2, 5)
    table = app.dataframe[0].value
    assert table["Head"].tolist() == [f"L{at // 12} H{at % 12}" for at in near]
    assert table["Bits apart"].to_numpy() == pytest.approx(distances[2, near], abs=1e-6)
    said = plain(app.info[-1].value)
    assert said.startswith(f"L0 H2 is nearest to L{near[0] // 12} H{near[0] % 12}")
    assert "by chance 0.4" in said


def test_the_table_of_all_pairs_opens():
    app = open_page(HEADS, more="map", pairs="true")
    (url,) = rows(chart(app, "How alike any two heads"))["url"]
    assert url.startswith("data:image/png;base64,")
    assert any("All pairs of 72 heads" in plain(c.value) for c in app.caption)
