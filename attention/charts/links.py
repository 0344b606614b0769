"""The visualizer's chart: the words twice, and lines from the query to its keys."""

from __future__ import annotations

import colorsys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import altair as alt
import pandas as pd

from attention.analysis.link_frames import STRONGEST
from attention.charts.parts import NEUTRAL

_Align = Literal["left", "right"]

THEME_COLOURS = 12  # as many as .streamlit/config.toml has
_ABOVE = 1.6  # rows above the words, for the headings
_FIGURE = 50  # pixels for a weight beside each key
_FIGURE_FROM = 0.05  # smaller weights have a bar and no figure
_CELLS = 88  # pixels for a cell per head there, where there are several heads
_LETTER = 8  # pixels, about

# The word under the pointer, else the clicked one, else the page's. A click is of no account any
# more when the page has picked another word or has another text. No text is in expressions.
_ASKING = (
    "(isDefined(peek.q) ? datum.q == peek.q[0]"
    " : isDefined(query.q) && query.pick[0] == datum.pick ? datum.q == query.q[0] : datum.start)"
)
# Constants as objects: as dictionaries, which alt.value makes, they cost ten times as much. Altair
# has no types for these.
_X: Any = alt.XValue
_X2: Any = alt.X2Value
_Text: Any = alt.TextValue
# The far end of the theme's ramp: nearly black on light ground, nearly white on dark.
_INK = alt.Color("ink:Q").scale(domain=[0, 1]).legend(None)


def head_colours(heads: int) -> list[str] | None:
    """Return a colour for each head, no two alike; None where the theme's own colours suffice.

    Beyond the theme's 12, hues go evenly round the circle while three lightnesses alternate, so
    that neighbours differ in both; all can be told from a light and from a dark ground.

    >>> head_colours(12) is None, len(set(head_colours(40)))
    (True, 40)
    """
    if heads <= THEME_COLOURS:
        return None
    lightness = (0.5, 0.62, 0.4)
    found = (colorsys.hls_to_rgb(h / heads, lightness[h % 3], 0.7) for h in range(heads))
    return ["#" + "".join(f"{round(255 * part):02x}" for part in rgb) for rgb in found]


def word_links(
    data: pd.DataFrame,
    *,
    count: int,
    longest: int,
    names: Sequence[str],
    several: bool,
    bars: bool = False,
    listed: bool = False,
    legend: Sequence[int] = (),
    figure: str = "weight",
) -> alt.TopLevelMixin:
    """Draw lines from the query to all its keys; a click makes another word the query.

    `data` is `link_frames.link_frame`. With `several`, each head has lines and cells of a colour of
    its own. A key that the mask of a decoder hides from the query is absent.

    Parameters
    ----------
    count, longest : words shown, and letters of the longest
    names : all heads of the layer
    bars : of one head, its weights stand as bars right of the keys, with a mark for the field
        `base`, what the other words give the same key
    listed : the keys are a list of their own for every query, so each has its position
    legend : heads whose colours are told below, where nothing else on the page does
    figure : what the numbers are
    """
    step = 26 if count <= 30 else 20 if count <= 60 else 16
    cell = max(2, min(7, _CELLS // max(len(names), 1)))
    beside = len(names) * cell + 4 if several else 0 if bars else _FIGURE
    rows = (-_ABOVE, count - 0.4)
    parts = _Parts(data, rows, step, list(range(len(names))), several, tuple(legend), figure)
    params = [
        alt.param(name="letters", value=14 if step > 20 else 13 if step > 16 else 12),
        alt.param(name="room", expr=f"min({16 + _LETTER * min(longest, 14)}, 0.28 * width)"),
        alt.param(name="cell", value=cell),
        alt.param(name="edge", expr="width - max(110, 0.32 * width)" if bars else "width"),
        alt.param(name="beside", expr=f"edge - room - {beside}"),
    ]
    return alt.layer(
        *parts.queries(),
        *parts.keys(listed=listed),
        parts.lines(),
        *(parts.bars() if bars else [parts.cells()] if several else parts.figures()),
        resolve=alt.Resolve(scale=alt.LegendResolveMap(color="independent")),
        height=round((rows[1] - rows[0]) * step),
    ).add_params(*params)


@dataclass(frozen=True, eq=False)
class _Parts:
    """The layers. They share a table, a vertical scale (in rows) and pixels from side to side."""

    data: pd.DataFrame
    rows: tuple[float, float]  # at the top and at the bottom of the chart
    step: int  # pixels from row to row
    heads: list[int]
    several: bool
    legend: tuple[int, ...] = ()
    figure: str = "weight"

    def queries(self) -> list[alt.Chart]:
        """Return the words as queries, on grounds that are easy to point at and to tap."""
        # All layers take a click, and one on the ground would be taken for one on no word.
        click = alt.selection_point(
            "query",
            fields=["q", "pick"],
            on="click[event.item && event.item.datum && event.item.datum.kind]",
            clear=False,
            toggle=False,
        )
        hover = alt.selection_point(
            "peek", fields=["q"], on="pointerover", clear="pointerout", empty=False
        )
        words = self._rows("datum.kind == 'word'").transform_calculate(
            top="datum.row - 0.5", bottom="datum.row + 0.5", shade=f"{_ASKING} ? 0.3 : 0.001"
        )
        grounds = words.mark_rect(cursor="pointer", cornerRadius=5).encode(
            x=_X(alt.ExprRef("0")),
            x2=_X2(alt.ExprRef("room + 4")),
            y=self._y("top"),
            y2="bottom:Q",
            opacity=alt.Opacity("shade:Q", scale=None),
            tooltip=[
                alt.Tooltip("query:N", title="click"),
                alt.Tooltip("strongest:N", title=f"highest {self.figure}"),
            ],
        )
        text = self._text(words, "room - 2", "row", "right").encode(text="query:N")
        return [grounds.add_params(click, hover), text, self._heading("query", "room - 2", "right")]

    def keys(self, *, listed: bool) -> list[alt.Chart]:
        """Return the words that the query may attend to, as keys."""
        x = "edge - room + 4"
        words = self._asked("row", self._inside).transform_calculate(
            says="datum.k + ' ' + datum.key" if listed else "datum.key"
        )
        heading = "key, most first" if listed else "key"
        return [
            self._text(words, x, "to", "left").encode(text="says:N"),
            self._heading(heading, x, "left"),
        ]

    def lines(self) -> alt.Chart:
        """Return the lines, thicker and brighter for higher weights, neighbouring heads apart."""
        spread = 0.8 / len(self.heads) if self.several else 0
        aside = f"(datum.h - {(len(self.heads) - 1) / 2}) * {spread}"
        found = self._asked("link" if self.several else "row", self._inside).transform_calculate(
            begin=f"datum.row + {aside}", end=f"datum.to + {aside}"
        )
        lines = found.mark_rule(strokeCap="round").encode(
            x=_X(alt.ExprRef("room + 8")),
            x2=_X2(alt.ExprRef("beside - 4")),
            y=self._y("begin"),
            y2="end:Q",
            strokeWidth=alt.StrokeWidth("weight:Q")
            .legend(None)
            .scale(domain=[0, 1], range=[0.5, 6 if self.several else 14]),
            tooltip=self._tips(),
        )
        if not self.several:  # all of one colour, the theme's first
            first = alt.Color("kind:N").scale(domain=["row"]).legend(None)
            return lines.encode(opacity=_bright(0.15), color=first)
        return lines.encode(opacity=_bright(), color=self._colour().legend(None))

    def figures(self) -> list[alt.Chart]:
        """Return the weights, each beside its key; either can be pointed at."""
        found = self._asked("row", self._inside).transform_calculate(
            top="datum.to - 0.5",
            bottom="datum.to + 0.5",
            shade=f"datum.rank <= {STRONGEST} ? 1 : 0.6",
        )
        return [
            self._grey(found, "width - room - 4", "right").encode(
                y=self._y("to"),
                text=alt.Text("weight:Q", format=".3f"),
                opacity=alt.Opacity("shade:Q", scale=None),
            ),
            found.mark_rect(opacity=0.001).encode(
                x=_X(alt.ExprRef("beside")),
                x2=_X2(alt.ExprRef("width")),
                y=self._y("top"),
                y2="bottom:Q",
                tooltip=self._tips(),
            ),
        ]

    def bars(self) -> list[alt.Chart]:
        """Return the weights as bars right of the keys, with a mark at what the others give."""
        span = "(width - edge - 48)"
        found = self._asked("row", self._inside).transform_calculate(
            top="datum.to - 0.3",
            bottom="datum.to + 0.3",
            high="datum.to - 0.42",
            low="datum.to + 0.42",
            left="edge + 4",
            right=f"edge + 4 + datum.weight * {span}",
            mark=f"edge + 4 + datum.base * {span}",
        )
        pixels = alt.X("left:Q").scale(None).axis(None)
        tips = [*self._tips(), alt.Tooltip("base:Q", title="the other words give", format=".4f")]
        first = alt.Color("kind:N").scale(domain=["row"]).legend(None)
        own = found.mark_rect(cornerRadius=3).encode(
            x=pixels, x2="right:Q", y=self._y("top"), y2="bottom:Q", color=first, tooltip=tips
        )
        others = found.transform_filter("isValid(datum.base)").mark_rule(
            color=NEUTRAL, strokeWidth=3
        )
        figure = self._grey(
            found.transform_filter(f"datum.weight >= {_FIGURE_FROM}"), "width - 2", "right"
        )
        return [
            own,
            others.encode(
                x=alt.X("mark:Q").scale(None).axis(None),
                y=self._y("high"),
                y2="low:Q",
                tooltip=tips,
            ),
            figure.encode(y=self._y("to"), text=alt.Text("weight:Q", format=".2f")),
        ]

    def cells(self) -> alt.Chart:
        """Return a cell per head beside each key, brighter for higher weights."""
        boxes = self._asked("link", self._inside).transform_calculate(
            left="beside + cell * datum.h",
            right="beside + cell * datum.h + cell - 1",
            top="datum.to - 0.4",
            bottom="datum.to + 0.4",
        )
        return boxes.mark_rect().encode(
            x=alt.X("left:Q").scale(None).axis(None),
            x2="right:Q",
            y=self._y("top"),
            y2="bottom:Q",
            color=self._colour(),
            opacity=_bright(),
            tooltip=self._tips(),
        )

    @property
    def _inside(self) -> str:
        return f"datum.to >= 0 && datum.to < {self.rows[1]}"

    def _rows(self, test: str) -> alt.Chart:
        return alt.Chart(self.data).transform_filter(test)

    def _asked(self, kind: str, test: str) -> alt.Chart:
        return self._rows(f"datum.kind == '{kind}' && {test} && {_ASKING}")

    def _y(self, field: str) -> alt.Y:
        scale = alt.Scale(domain=list(self.rows), reverse=True, nice=False)
        return alt.Y(f"{field}:Q", axis=None, scale=scale)

    def _text(self, base: alt.Chart, x: str, y: str, align: _Align) -> alt.Chart:
        mark = base.transform_calculate(ink="1").mark_text(
            align=align,
            baseline="middle",
            fontSize=alt.ExprRef("letters"),
            limit=alt.ExprRef("room"),
            tooltip=None,
        )
        return mark.encode(x=_X(alt.ExprRef(x)), y=self._y(y), color=_INK)

    def _grey(self, base: alt.Chart, x: str, align: _Align, *, dy: int = 0) -> alt.Chart:
        mark = base.transform_calculate(ink="1").mark_text(
            align=align, baseline="middle", dy=dy, fontSize=13
        )
        return mark.encode(x=_X(alt.ExprRef(x)), color=_INK)

    def _heading(self, heading: str, x: str, align: _Align) -> alt.Chart:
        top = self._rows("datum.kind == 'word' && datum.row == 0")
        label = self._grey(top, x, align, dy=-self.step)
        return label.encode(y=self._y("row"), text=_Text(heading))

    def _colour(self) -> alt.Color:
        """Give each head of the layer its own colour, whichever heads are drawn."""
        own = head_colours(len(self.heads))
        scale = alt.Scale(domain=self.heads, range=own) if own else alt.Scale(domain=self.heads)
        colour = alt.Color("h:N", title=None, scale=scale)
        if not self.legend:
            return colour.legend(None)
        legend = alt.Legend(
            values=list(self.legend),
            orient="bottom",
            title="head",
            labelExpr="'H' + datum.value",
            symbolOpacity=1,
        )
        return colour.legend(legend)

    def _tips(self) -> list[alt.Tooltip]:
        return [
            alt.Tooltip("name:N", title="head"),
            alt.Tooltip("query:N", title="query"),
            alt.Tooltip("key:N", title="key"),
            alt.Tooltip("weight:Q", title=self.figure, format=".4f"),
        ]


def _bright(least: float = 0.05) -> alt.Opacity:
    scale = alt.Scale(type="pow", exponent=0.7, domain=[0, 1], range=[least, 1])
    return alt.Opacity("weight:Q", scale=scale, legend=None)
