"""Charts as files and in notebooks, all without a network."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import altair as alt

EXTRA = 'pip install "attention-lab[figures]"'
ENDINGS = (".html", ".svg", ".png", ".json")
_SCALE = 2.0  # pixels of a PNG for each of a chart


def save(chart: alt.TopLevelMixin, path: str | Path, *, scale: float = _SCALE) -> Path:
    """Write a chart to a file, in the format that its name ends with, and return where it is.

    `.html` can be clicked and hovered over as in a notebook and has all in it that it needs, 0.9 MB
    of library; `.svg` and `.png` are pictures; `.json` is the chart as Vega-Lite.

    Raises
    ------
    ValueError : the ending is another one, or what makes pictures is not installed.
    """
    target = Path(path)
    if target.suffix.lower() not in ENDINGS:
        raise ValueError(f"{target.name!r} ends with none of {', '.join(ENDINGS)}")
    target.write_bytes(rendered(chart, target.suffix.lower().removeprefix("."), scale=scale))
    return target


def rendered(chart: alt.TopLevelMixin, form: str, *, scale: float = _SCALE) -> bytes:
    """Return a chart in a format: html, svg, png or json.

    Raises
    ------
    ValueError : what makes pictures is not installed.
    """
    if form == "json":
        return chart.to_json(indent=None).encode()
    _require_renderer(form)
    import vl_convert

    spec = chart.to_json(indent=None)
    if form == "html":
        return vl_convert.vegalite_to_html(spec, bundle=True).encode()
    if form == "svg":
        return vl_convert.vegalite_to_svg(spec).encode()
    return vl_convert.vegalite_to_png(spec, scale=scale)


def offline() -> None:
    """Let notebooks show charts with the library beside them, not from the network.

    Raises
    ------
    ValueError : what brings the library is not installed.
    """
    _require_renderer("html")
    alt.renderers.enable("html", template="inline", fullhtml=False)


def can_render() -> bool:
    """Return whether pictures can be made here."""
    return find_spec("vl_convert") is not None


def _require_renderer(form: str) -> None:
    if not can_render():
        raise ValueError(f"a chart as {form} needs vl-convert, which is not installed: {EXTRA}")
