"""Charts as files and in notebooks, all without a network."""

from __future__ import annotations

import json
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from uuid import uuid4

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
    if form == "html":
        head = '<!DOCTYPE html>\n<html lang="en">\n<meta charset="utf-8">\n'
        return (head + _in_notebook(chart.to_dict())["text/html"]).encode()
    import vl_convert

    spec = chart.to_json(indent=None)
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
    alt.renderers.register("attention", _in_notebook)
    alt.renderers.enable("attention")


def _in_notebook(
    spec: dict[str, Any], embed_options: dict[str, Any] | None = None
) -> dict[str, str]:
    """Return a chart as a piece of a page, with the library that draws it.

    All that a notebook shows is in one page, where no name may be declared twice: what the library
    declares is within a function. The first chart of a page runs it, for all.
    """
    place = f"chart-{uuid4().hex}"
    options = {"mode": "vega-lite"} | (embed_options or {})
    page = f"""\
<div id="{place}">A script draws a chart here. A notebook runs it once it is trusted.</div>
<script>
if (!window.attentionEmbed) (() => {{ {_library()} }})();
attentionEmbed("#{place}", {_literal(spec)}, {_literal(options)})
  .catch(error => {{ document.getElementById("{place}").textContent = error; }});
</script>
"""
    return {"text/html": page}


@cache
def _library() -> str:
    """Return a script that gives its page what draws charts."""
    import vl_convert

    return vl_convert.javascript_bundle("window.attentionEmbed = vegaEmbed;")


def _literal(value: object) -> str:
    """Return a value as a script has it, where no text can end the script."""
    return json.dumps(value).replace("<", "\\u003c")


def can_render() -> bool:
    """Return whether pictures can be made here."""
    return find_spec("vl_convert") is not None


def _require_renderer(form: str) -> None:
    if not can_render():
        raise ValueError(f"a chart as {form} needs vl-convert, which is not installed: {EXTRA}")
