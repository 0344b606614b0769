"""Charts of time and memory against length, both on logarithmic axes."""

from __future__ import annotations

from collections.abc import Sequence

import altair as alt
import pandas as pd

from attention.charts.parts import NEUTRAL, legend_below
from attention.scaling.frames import COMPUTED, MEASURED, MEMORY_SERIES, TIME_SERIES, WHOLE

Domain = tuple[float, float]

# SI prefixes suit bytes and parts of a second, but nobody counts in kiloseconds.
_LONGER = {"s": 1, "min": 60, "h": 3600, "days": 86_400, "years": 31_557_600}
_SECONDS = "({0} < 1 ? format({0}, '{1}s') + 's' : "
_SECONDS += "".join(
    f"{{0}} < {0.9995 * limit} ? format({{0}} / {size}, ',{{1}}r') + ' {unit}' : "
    for (unit, size), limit in zip(_LONGER.items(), [*_LONGER.values()][1:], strict=False)
)
_SECONDS += f"format({{0}} / {_LONGER['years']}, ',{{1}}r') + ' years')"
_BYTES = "(format({0}, '{1}s') + 'B')"
_DECADES = [10.0**power for power in range(-8, 16)]  # ticks outside an axis are not drawn
_CLOCK = [10.0**power for power in range(-8, 1)]  # decades, then tens and hundreds of each unit
_CLOCK += [10.0, *(_LONGER["min"] * t for t in (1, 10)), *(_LONGER["h"] * t for t in (1, 10))]
_CLOCK += [_LONGER["days"] * t for t in (2, 20)]
_CLOCK += [_LONGER["years"] * 10.0**power for power in range(8)]
_DOUBLINGS = [2.0**power for power in range(24)]
_DASHES = [[1, 0], [7, 4], [2, 3], [10, 3, 2, 3]]
_TIMES = ("seconds", "low", "high")
_TOKENS = [alt.Tooltip("series:N", title="what"), alt.Tooltip("n:Q", title="tokens n", format=",")]


def time_chart(
    data: pd.DataFrame,
    *,
    fitted: bool = True,
    extrapolation: bool = False,
    n_domain: Domain | None = None,
    seconds_domain: Domain | None = None,
    height: int = 380,
) -> alt.LayerChart:
    """Draw seconds per call against length: the whole call, its steps, and the fitted line.

    Parameters
    ----------
    data : as `scaling_frame` returns it
    fitted : draw the fitted line, dashed, and grey guides for n and n squared; `data` must have
        their rows, as Vega warns of empty layers
    extrapolation : draw the fitted line and its 95 % band beyond the measured lengths
    n_domain, seconds_domain : ends of the axes; by default those of what is drawn
    height : in pixels
    """
    series = TIME_SERIES if fitted or extrapolation else TIME_SERIES[:-1]
    base = alt.Chart().encode(
        x=_x(n_domain, _DECADES if extrapolation else _DOUBLINGS),
        y=_seconds("seconds:Q", seconds_domain),
        color=_color(series),
    )
    measured = base.transform_filter("datum.kind == 'measured'")
    steps = measured.transform_filter(alt.datum.series != WHOLE).encode(tooltip=_timed())
    whole = measured.transform_filter(alt.datum.series == WHOLE).encode(tooltip=_timed())
    bars = whole.encode(y=_seconds("low:Q", seconds_domain), y2="high:Q")
    line = base.transform_filter("datum.kind == 'fit'")
    layers = [
        steps.mark_line(strokeWidth=1.2),
        steps.mark_point(filled=True, size=16, opacity=1),
        whole.mark_line(strokeWidth=2.5),
        bars.mark_rule(strokeWidth=5, opacity=0.35),
        whole.mark_point(filled=True, size=45, opacity=1),
    ]
    if fitted:
        layers = [*_guides(base), *layers, line.mark_line(strokeDash=[6, 4], strokeWidth=2)]
    if extrapolation:
        layers = [*_extrapolation(base, seconds_domain), *layers]
    texts = {f"{field}_text": _SECONDS.format(f"datum.{field}", ".3") for field in _TIMES}
    chart = alt.LayerChart(data=data, layer=layers).properties(height=height, width="container")
    return chart.transform_calculate(**texts)


def memory_chart(
    data: pd.DataFrame,
    *,
    n_domain: Domain | None = None,
    bytes_domain: Domain | None = None,
    height: int = 300,
) -> alt.LayerChart:
    """Draw bytes against length: the weights as computed (line), one call as measured (points).

    Parameters
    ----------
    data : as `memory_frame` returns it
    n_domain, bytes_domain : ends of the axes; by default those of what is drawn
    height : in pixels
    """
    base = alt.Chart().encode(
        x=_x(n_domain, _DOUBLINGS),
        y=_y("bytes:Q", "memory of one call", _BYTES, bytes_domain),
        color=_color(MEMORY_SERIES),
        tooltip=[*_TOKENS, alt.Tooltip("bytes_text:N", title="memory")],
    )
    layers = [
        base.transform_filter(alt.datum.series == COMPUTED).mark_line(strokeWidth=2),
        base.transform_filter(alt.datum.series == MEASURED).mark_point(size=45, opacity=1),
    ]
    chart = alt.LayerChart(data=data, layer=layers).properties(height=height, width="container")
    return chart.transform_calculate(bytes_text=_BYTES.format("datum.bytes", ".3"))


def comparison_chart(
    data: pd.DataFrame,
    *,
    series: Sequence[str],
    runs: int = 1,
    crossings: bool = False,
    height: int = 380,
) -> alt.LayerChart:
    """Draw seconds per call against length, a line for each series, dashed from the second run on.

    Parameters
    ----------
    data : as `timed_frame` or `crossover_frame` returns it
    series : in the order of the legend
    runs : how many are laid over each other
    crossings : draw an upright line, with its length, at each row of the kind "crossing"
    height : in pixels
    """
    base = alt.Chart().encode(
        x=_x(None, _DOUBLINGS),
        y=_seconds("seconds:Q", None),
        color=_color(series),
        tooltip=_timed(),
    )
    if runs > 1:
        base = base.encode(tooltip=[alt.Tooltip("run:N"), *_timed()])
    measured = base.transform_filter("datum.kind == 'measured'")
    lines = measured.mark_line(strokeWidth=2)
    if runs > 1:  # lines alone: from points the legend would take its form, and all would be dots
        lines = lines.encode(strokeDash=_dashes(runs))
    spread = measured.encode(y=_seconds("low:Q", None), y2="high:Q")
    layers = [
        lines,
        spread.mark_rule(strokeWidth=5, opacity=0.35),
        measured.mark_point(filled=True, size=40, opacity=1),
    ]
    if crossings:
        layers += _crossings(base)
    texts = {f"{field}_text": _SECONDS.format(f"datum.{field}", ".3") for field in _TIMES}
    chart = alt.LayerChart(data=data, layer=layers).properties(height=height, width="container")
    return chart.transform_calculate(**texts)


def bytes_chart(
    data: pd.DataFrame,
    *,
    series: Sequence[str],
    title: str,
    height: int = 360,
) -> alt.Chart:
    """Draw bytes against length, a line with points for each series.

    Parameters
    ----------
    data : `n, series, bytes`
    series : in the order of the legend
    title : what the bytes are
    height : in pixels
    """
    chart = alt.Chart(data).mark_line(strokeWidth=2, point=alt.OverlayMarkDef(size=40, opacity=1))
    return (
        chart.encode(
            x=_x(None, _DOUBLINGS),
            y=_y("bytes:Q", title, _BYTES, None),
            color=_color(series),
            tooltip=[*_TOKENS, alt.Tooltip("bytes_text:N", title="memory")],
        )
        .transform_calculate(bytes_text=_BYTES.format("datum.bytes", ".3"))
        .properties(height=height, width="container")
    )


def plan_chart(
    data: pd.DataFrame, *, phase: str, series: Sequence[str], n: int, height: int = 340
) -> alt.LayerChart:
    """Draw the planned seconds of one phase against length, and a line at the chosen length.

    Parameters
    ----------
    data : as `planned_frame` returns it
    phase : which rows to draw
    series : in the order of the legend
    n : the chosen length, one of those in the data
    height : in pixels
    """
    base = alt.Chart().transform_filter(alt.datum.phase == phase).encode(x=_x(None, _DECADES))
    lines = base.mark_line(strokeWidth=2).encode(
        y=_y("seconds:Q", "time on a perfect machine", _SECONDS, None),
        color=_color(series),
        tooltip=[*_TOKENS, alt.Tooltip("text:N", title="planned time")],
    )
    rule = base.transform_filter(alt.datum.n == n).encode(tooltip=_TOKENS[1])
    layers = [
        rule.mark_rule(color=NEUTRAL, strokeDash=[4, 4]),
        lines,
        lines.transform_filter(alt.datum.n == n).mark_point(filled=True, size=70, opacity=1),
    ]
    return alt.LayerChart(data=data, layer=layers).properties(height=height, width="container")


def _dashes(runs: int) -> alt.StrokeDash:
    """Return the encoding that dashes the lines from the second run on."""
    names = [str(number) for number in range(1, runs + 1)]
    legend = alt.Legend(
        title="run", orient="bottom", symbolType="stroke", symbolSize=900, symbolStrokeColor=NEUTRAL
    )
    scale = alt.Scale(domain=names, range=_DASHES[:runs])
    return alt.StrokeDash("run:N", scale=scale, legend=legend)


def _crossings(base: alt.Chart) -> list[alt.Chart]:
    """Return an upright line at each crossing and its length at the upper end."""
    where = base.transform_filter("datum.kind == 'crossing'").encode(
        y=alt.value(2),
        tooltip=[
            alt.Tooltip("series:N", title="overtakes the linear part"),
            alt.Tooltip("n:Q", title="at tokens", format=",.0f"),
        ],
    )
    text = where.encode(text=alt.Text("n:Q", format=",.0f"))
    return [
        where.mark_rule(strokeDash=[5, 4], strokeWidth=1.5).encode(y2=alt.value("height")),
        text.mark_text(align="right", dx=-4, baseline="top"),
    ]


def _guides(base: alt.Chart) -> list[alt.Chart]:
    """Return a thin grey line for each guide, with its name at the far end."""
    lines = base.transform_filter("datum.kind == 'guide'").encode(
        color=alt.value(NEUTRAL), detail="series:N", tooltip=alt.Tooltip("series:N", title="guide")
    )
    last = lines.transform_window(
        rank="row_number()", sort=[alt.SortField("n", "descending")], groupby=["series"]
    ).transform_filter("datum.rank == 1")
    name = last.mark_text(align="right", baseline="bottom", dx=-6, dy=-6, color=NEUTRAL)
    return [lines.mark_line(strokeWidth=1.5, opacity=0.7), name.encode(text="series:N")]


def _extrapolation(base: alt.Chart, domain: Domain | None) -> list[alt.Chart]:
    """Return the layers beyond the measured lengths: a band, a dotted line, and its points."""
    tooltip = [*_TOKENS, *_texts("predicted, not measured", "95 % from", "95 % to")]
    beyond = base.transform_filter("datum.kind == 'extrapolation'").encode(tooltip=tooltip)
    band = beyond.encode(y=_seconds("low:Q", domain), y2="high:Q")
    return [
        band.mark_area(opacity=0.2),
        beyond.mark_line(strokeDash=[2, 4], strokeWidth=2),
        beyond.mark_point(filled=False, size=45, opacity=1),
    ]


def _timed() -> list[alt.Tooltip]:
    return [*_TOKENS, *_texts("median time", "fastest round", "slowest round")]


def _texts(*titles: str) -> list[alt.Tooltip]:
    fields = zip(_TIMES, titles, strict=True)
    return [alt.Tooltip(f"{field}_text:N", title=title) for field, title in fields]


def _x(domain: Domain | None, ticks: Sequence[float]) -> alt.X:
    axis = alt.Axis(format=",", grid=False, values=[*ticks], labelOverlap="greedy", labelFlush=8)
    return alt.X("n:Q", title="tokens n", axis=axis, scale=_log(domain))


def _seconds(field: str, domain: Domain | None) -> alt.Y:
    return _y(field, "time of one call", _SECONDS, domain)


def _y(field: str, title: str, unit: str, domain: Domain | None) -> alt.Y:
    ticks = _CLOCK if unit == _SECONDS else _DECADES
    axis = alt.Axis(labelExpr=unit.format("datum.value", "~"), values=ticks)
    return alt.Y(field, title=title, axis=axis, scale=_log(domain))


def _log(domain: Domain | None) -> alt.Scale:
    return alt.Scale(type="log", domain=domain or alt.Undefined, nice=False, padding=6)


def _color(series: Sequence[str]) -> alt.Color:
    return alt.Color("series:N", scale=alt.Scale(domain=[*series]), legend=legend_below(series))
