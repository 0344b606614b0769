"""A column of sliders that say where they stand while they are moved, each with a bar beside it.

Streamlit's own slider says so when it is let go; this one about twelve times a second, as fast as
the page answers. What stands in the browser is `sliders.js`: rows of a word, a native range input
and a number. It computes nothing: how long a bar is and what is said of it comes from here.

Each slider is a control of its own, with its own key and place in the address. Whoever sets one
(a link, a button, a new start) sets `st.session_state[key]`, before it is drawn or in a callback.
The browser may be a few positions ahead of what the page knows. So where the sliders stand is said
in turns: as long as nobody but the reader moves them the turn is the same, and the browser leaves
its sliders alone; when another does, a new turn begins, and what belongs to an older one is void.
"""

from __future__ import annotations

from collections.abc import Sequence
from importlib import resources
from typing import Any, NamedTuple

import streamlit as st

from attention.ui import inputs
from attention.ui.address import Of

LINE_HEIGHT = 34  # pixels, as in `sliders.css`
_FILES = resources.files(__name__)
_js, _css = ((_FILES / f"sliders.{kind}").read_text(encoding="utf-8") for kind in ("js", "css"))
_column = st.components.v2.component("attention_sliders", js=_js, css=_css)


class Slider(NamedTuple):
    """A slider over numbers."""

    key: str  # its name in the session and in the address
    label: str
    default: float
    low: float
    high: float
    step: float


class Bar(NamedTuple):
    """What stands beside a slider: a share between 0 and 1, and where it was at the start."""

    share: float
    before: float
    said: str
    colour: int | None = None  # one of the theme's; None for grey


class _Turn(NamedTuple):
    """Where the sliders of a column stand, as the browser knows or is about to be told."""

    number: int
    sliders: tuple[Slider, ...]
    values: tuple[float, ...]


def standing(sliders: Sequence[Slider], of: Of = ()) -> list[float]:
    """Return where the sliders stand: as the reader, the address or the default says."""
    return [
        inputs.slider(label, low, high, default, step, key=key, of=of, widget=_held)
        for key, label, default, low, high, step in sliders
    ]


def slider_column(
    key: str,
    title: str,
    sliders: Sequence[Slider],
    values: Sequence[float],
    *,
    bars: Sequence[Bar] = (),
    heads: tuple[str, str] | None = None,
    rest: str | None = None,
    digits: int = 2,
    signed: bool = True,
) -> bool:
    """Draw the sliders; return whether they rest, as they do not while they are being moved.

    Parameters
    ----------
    title : of the column, for those who hear it
    values : as `standing` returns them
    bars : one for each slider and, where `rest` names what has none, one more
    heads : what stands above the sliders and above the bars
    digits, signed : how the values are written
    """
    turn = _next_turn(key, tuple(sliders), tuple(values))
    rows: list[dict[str, Any]] = [
        {"label": s.label, "value": v, "at": (s.default - s.low) / (s.high - s.low)}
        for s, v in zip(sliders, values, strict=True)
    ]
    rows += [{"label": rest, "value": None}] if rest else []
    for row, bar in zip(rows, bars, strict=bool(bars)):
        row["bar"] = bar._asdict()
    data = {
        "turn": turn.number, "title": title, "rows": rows, "heads": heads,
        "digits": digits, "signed": signed,
        "low": sliders[0].low, "high": sliders[0].high, "step": sliders[0].step,
    }  # fmt: skip
    moved = _column(key=key, data=data, on_moved_change=lambda: _take(key)).moved
    return not (_said(turn, moved) and moved.get("moving") is True)


def _held(label: str, low: float, high: float, value: float, step: float, *, key: str) -> float:
    """Keep the value of a slider that `slider_column` draws later."""
    st.session_state[key] = value
    return value


def _next_turn(key: str, sliders: tuple[Slider, ...], values: tuple[float, ...]) -> _Turn:
    """Return the turn that goes on or, if something else than the reader moved them, a new one."""
    last: _Turn | None = st.session_state.get(_turn_of(key))
    if last is None or (last.sliders, last.values) != (sliders, values):
        last = _Turn(last.number + 1 if last else 1, sliders, values)
        st.session_state[_turn_of(key)] = last
    return last


def _take(key: str) -> None:
    """Let the sliders stand where the browser says, unless that is void by now."""
    turn: _Turn = st.session_state[_turn_of(key)]
    said = _said(turn, st.session_state[key].get("moved"))
    others = any(
        st.session_state.get(s.key) != v for s, v in zip(turn.sliders, turn.values, strict=True)
    )
    if said is None or others:
        return
    st.session_state.update({s.key: v for s, v in zip(turn.sliders, said, strict=True)})
    st.session_state[_turn_of(key)] = turn._replace(values=said)


def _said(turn: _Turn, moved: Any) -> tuple[float, ...] | None:
    """Return the values that the browser sends, if they are values of this turn."""
    try:
        values = tuple(float(value) for value in moved["values"])
        own = moved["turn"] == turn.number and len(values) == len(turn.sliders)
    except (TypeError, ValueError, KeyError):
        return None
    inside = all(s.low <= v <= s.high for s, v in zip(turn.sliders, values, strict=False))
    return values if own and inside else None


def _turn_of(key: str) -> str:
    return f"_{key}_turn"
