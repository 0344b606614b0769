"""What several charts share."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import altair as alt

ROW_HEIGHT = 24  # pixels per word in a bar chart
AXIS_HEIGHT = 30  # pixels for the axis under it
TITLE_HEIGHT = 22  # and for its title
LABEL_ROW = 17  # and for a label, so that the next one is clear of it
_SYMBOL, _LETTER = 42, 7  # pixels that a name's symbol and gaps take in a legend, and its letters
_LABEL = 0.2  # of an axis is about what a label takes
NEUTRAL = "#797982"  # text and marks: as far from light ground as from dark, 4.2 : 1
CHOSEN = "#f59e0b"  # frames around what the reader has chosen


def value_label(
    base: alt.Chart, *, value: str, end: str, mark: str, span: float, form: str, aside: str
) -> alt.Chart:
    """Write the value of each bar at its end.

    Where the mark stands right behind the end, so that the label would be taken for the mark's, it
    is written behind that and says both values.

    Parameters
    ----------
    value, end, mark : fields: what is written, where the bar ends, where the mark stands
    span : length of the axis
    form : of both values
    aside : what the mark is, in a word or two
    """
    near = f"datum.{mark} > datum.{end} && datum.{mark} < datum.{end} + {_LABEL * span}"
    own, other = (f"format(datum.{field}, '{form}')" for field in (value, mark))
    told = base.transform_calculate(
        at=f"{near} ? datum.{mark} : datum.{end}",
        said=f"{near} && {own} != {other} ? {own} + ' ({aside} ' + {other} + ')' : {own}",
    )
    text = told.mark_text(align="left", dx=7, color=NEUTRAL, fontWeight=600)
    return text.encode(x="at:Q", text="said:N")


def legend_below(names: Sequence[str], **options: Any) -> alt.Legend:
    """Return a legend below its chart with as many names side by side as the chart has room for.

    Not for facets and charts side by side: those have no width of their own to ask for.
    """
    room = _SYMBOL + _LETTER * max(map(len, names), default=0)
    columns = alt.ExprRef(f"max(1, floor(width / {room}))")
    return alt.Legend(
        title=None, orient="bottom", columns=columns, labelLimit=330, symbolOpacity=1, **options
    )


def ramp_below(length: int = 160, **options: Any) -> alt.Legend:
    """Return the legend of a scale of colours, below its chart and no longer than that is wide.

    Not for facets and charts side by side, as `legend_below`.
    """
    fits = alt.ExprRef(f"min({length}, width - 10)")
    return alt.Legend(orient="bottom", direction="horizontal", gradientLength=fits, **options)


def labels_param(labels: Sequence[str]) -> alt.Parameter:
    """Return a parameter that holds the text of each position.

    Axes are keyed by position, because a sentence repeats words; the text is looked up. It is data
    in the spec, never part of an expression, so what a reader types cannot act.
    """
    return alt.param(name="labels", value=list(labels))


def position_axis(
    *, offset: int = 0, thin: bool = False, names: str = "labels", **options: Any
) -> alt.Axis:
    """Return an axis whose ticks, positions from `offset` on, show `labels_param`'s text.

    Every one has its label or, where they are to be `thin`, as many as have room. `names` is the
    parameter that holds the text, where it is another one.
    """
    expression = f"{names}[datum.value - {offset}]" if offset else f"{names}[datum.value]"
    return alt.Axis(
        labelExpr=expression,
        labelLimit=110,
        labelOverlap=thin,
        labelFlush=False,
        ticks=False,
        domain=False,
        **options,
    )
