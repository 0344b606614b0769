"""Charts as files: pictures, and pages that load nothing."""

import io
import json
import re

import pytest
from PIL import Image

from attention import plot
from attention.charts import files
from tests.optional import with_renderer


@with_renderer
@pytest.mark.slow
def test_a_chart_is_written_in_every_format(cat_trace, tmp_path):
    chart = plot.rows(cat_trace, query="it")
    written = {path.suffix: path for path in (
        plot.save(chart, tmp_path / f"row{ending}") for ending in files.ENDINGS)}  # fmt: skip
    assert json.loads(written[".json"].read_text(encoding="utf-8"))["$schema"].endswith("json")
    svg = written[".svg"].read_text(encoding="utf-8")
    assert svg.startswith("<svg")
    assert ">tired</text>" in svg
    with Image.open(io.BytesIO(written[".png"].read_bytes())) as image:
        width = image.width
        assert width > 800
    page = written[".html"].read_text(encoding="utf-8")
    assert not re.search(r"<(script|link)[^>]+(src|href)=", page)
    half = plot.save(chart, tmp_path / "half.PNG", scale=1)
    with Image.open(half) as image:
        assert abs(image.width - width / 2) <= 1


@with_renderer
@pytest.mark.slow
def test_pictures_of_all_heads_are_in_a_picture(cat_trace):
    """They are pictures within the picture, and nothing is fetched for them."""
    svg = files.rendered(plot.head_grid(cat_trace), "svg").decode()
    assert svg.count("<image") == 72
    assert ">L2 H8</text>" in svg


def test_an_ending_that_means_nothing_is_refused(cat_trace, tmp_path):
    with pytest.raises(ValueError, match=r"'a.pdf' ends with none of .html, .svg, .png, .json"):
        plot.save(plot.rows(cat_trace), tmp_path / "a.pdf")
    assert not list(tmp_path.iterdir())


def test_without_a_renderer_it_is_said_how_to_get_one(cat_trace, tmp_path, monkeypatch):
    monkeypatch.setattr(files, "find_spec", lambda name: None)
    chart = plot.rows(cat_trace)
    for ending in ("svg", "png", "html"):
        with pytest.raises(ValueError, match=rf'as {ending} needs vl-convert.*\[figures\]"'):
            plot.save(chart, tmp_path / f"a.{ending}")
    with pytest.raises(ValueError, match="not installed"):
        plot.offline()
    assert plot.save(chart, tmp_path / "a.json").stat().st_size > 1000


@with_renderer
def test_a_notebook_shows_charts_without_a_network(cat_trace):
    import altair as alt

    with alt.renderers.enable("default"):
        plot.offline()
        shown = plot.rows(cat_trace)._repr_mimebundle_()["text/html"]
        assert not re.search(r"<(script|link)[^>]+(src|href)=", shown)
        assert len(shown) > 500_000
