"""A trace at a glance, as a notebook shows it: every head's map, in one picture without scripts."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from attention.characters import shown
from attention.pictures import binned, data_url, map_png, sheet

if TYPE_CHECKING:
    from attention.models.trace import Tokens, Trace

_PIXELS = 32  # of a map: longer texts are in bins
_MOST_MAPS, _MOST_TOKENS = 600, 60


def trace_html(trace: Trace) -> str:
    """Return what a notebook shows of a trace: what it is, its tokens, and a picture of all heads.

    Everything is in it: no script, nothing that is loaded.
    """
    layers, heads = trace.weights.shape[:2]
    told = [f"<b>{escape(repr(trace))}</b>", _listed(trace.input, "tokens")]
    if trace.keys is not None:
        told.append(_listed(trace.keys, "keys"))
    if trace.weights.size and layers * heads <= _MOST_MAPS:
        picture = data_url(map_png(sheet(binned(trace.weights, _PIXELS))))
        told.append(
            f'<img alt="the maps of all {layers * heads} heads" src="{picture}" '
            f'style="image-rendering:pixelated;max-width:100%;width:{heads * 40}px">'
        )
        told.append(
            f"Layers 0 to {layers - 1} from top to bottom, heads 0 to {heads - 1} from left to "
            "right; in each, rows are queries and columns are keys. <code>attention.plot</code> "
            "has pictures to read numbers from."
        )
    return "<div>" + "<br>".join(told) + "</div>"


def _listed(tokens: Tokens, what: str) -> str:
    """Return the tokens as text that no browser takes for anything else."""
    some = [shown(tokens.said(i)) for i in range(min(len(tokens), _MOST_TOKENS))]
    more = f" and {len(tokens) - _MOST_TOKENS} more" if len(tokens) > _MOST_TOKENS else ""
    return f"{what}: <code>{escape(' '.join(some))}</code>{more}"
