"""The scaling page's first tab: what the readable core costs, step by step."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import NamedTuple

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from attention.scaling import core_cost, questions, runs, stored
from attention.scaling import frames as scaling_frames
from attention.scaling.charts import memory_chart, time_chart
from attention.scaling.core_cost import Measurement
from attention.scaling.frames import core_fit, core_points
from attention.scaling.power_law import Fit
from attention.scaling.runs import Facts, Point
from attention.scaling.sentences import growth_sentence
from attention.ui import inputs
from attention.ui.code_lines import script
from attention.ui.inputs import stepped
from attention.ui.measuring import HEAD_WIDTHS, Bench, Sweep, bench, busy_warning, measured
from attention.ui.questions import predict
from attention.ui.scaling.runs import download
from attention.ui.scaling.source import before_measuring, call_code, results_code, say_source
from attention.ui.show import draw, notice, table
from attention.ui.view_code import ViewCode, drawn_last, offer

_FIGURE = "time"
TARGETS = (100_000, 1_000_000)
_MAXIMA = (512, 1024, 2048, 4096, 8192, 16_384, 32_768, 65_536, 131_072)


class _Settings(NamedTuple):
    maximum: int = core_cost.DEFAULT_MAXIMUM
    width: int = 64
    heads: int = 1
    repeats: int = 5


def core() -> None:
    """Time the core and its steps at growing lengths, and fit how they grow."""
    controls = st.container(horizontal=True, vertical_alignment="bottom")
    with controls:
        settings = _settings()
    place = bench(controls, key="measure_core")
    left, right = st.columns([5, 3], gap="large")
    with left:
        switch, picture = st.container(), st.empty()
    sweep = _measured(settings, place, picture)
    points = core_points(sweep.results)
    trend = core_fit(points)
    with switch:
        beyond = inputs.switch(
            "Draw the fit out to a million tokens", False, key="beyond",
            disabled=trend is None,
        )  # fmt: skip
        if trend is None:
            st.caption("Once four lengths are measured there is a fit.")
    _draw_times(picture, points, beyond=beyond)
    offer(ViewCode(partial(_code, sweep, beyond=beyond), _FIGURE, text="core"))
    with right:
        _tell(sweep, trend)
        say_source(sweep, _offer(settings))
    if trend and trend.tells:
        _predictions(trend, int(sweep.settings["heads"]))
    _steps(points, sweep.settings)
    _memory(sweep.results)
    if not sweep.stored:
        download(runs.record(stored.CORE_KIND, sweep.settings, points), key="save_core")
    if trend and trend.tells:
        predict(questions.times_longer(trend))


def _code(sweep: Sweep[Measurement], *, beyond: bool) -> str:
    imported, drawing = drawn_last(_FIGURE).code()
    call = call_code("sweep", tuple(result.n for result in sweep.results), **sweep.settings)
    made = results_code(sweep, stored.CORE_KIND, core_cost.__name__, call)
    imports = [
        "from attention import plot",
        "from attention.scaling.frames import core_fit, core_points, scaling_frame",
        "from attention.scaling.sentences import growth_sentence",
        made[0], imported,
    ]  # fmt: skip
    return script(imports, [
        *made[1],
        "points = core_points(results)",
        "trend = core_fit(points)",
        f"data = scaling_frame(points, trend, targets={TARGETS if beyond else ()})",
        *drawing,
        'print(growth_sentence(trend) if trend else "too few lengths")',
    ])  # fmt: skip


def _settings() -> _Settings:
    first = _Settings()
    return _Settings(
        stepped("Longest text (tokens)", _MAXIMA, first.maximum, key="n"),
        stepped("Head width E", HEAD_WIDTHS, first.width, key="width"),
        inputs.slider("Heads H", 1, 12, first.heads, key="timed_heads", width=150),
        inputs.slider("Repeats", 3, 15, first.repeats, key="repeats", width=150),
    )


def _measured(settings: _Settings, place: Bench, picture: DeltaGenerator) -> Sweep[Measurement]:
    lengths = core_cost.default_lengths(settings.maximum)
    options = {
        "width": settings.width, "heads": settings.heads, "repeats": settings.repeats,
    }  # fmt: skip
    return measured(
        "sweep",
        place,
        options,
        lambda progress: core_cost.sweep(lengths, **options, on_progress=progress),
        lambda results: _draw_times(picture, core_points(results)),
        before=partial(before_measuring, stored.CORE_KIND),
    )


def _draw_times(picture: DeltaGenerator, points: Sequence[Point], *, beyond: bool = False) -> None:
    """Draw what there is so far."""
    trend = core_fit(points)
    far = beyond and trend is not None
    with picture:
        draw(
            time_chart,
            scaling_frames.scaling_frame(points, trend, targets=TARGETS if far else ()),
            key=_FIGURE,
            alt_text="Time of one call against the number of tokens, on logarithmic axes",
            fitted=trend is not None,
            extrapolation=far,
        )


def _tell(sweep: Sweep[Measurement], trend: Fit | None) -> None:
    """Say how time grows, and how much else the machine did meanwhile."""
    if trend is None:
        st.info(f"{len(sweep.results)} lengths are measured; a fit needs four.")
        return
    notice(growth_sentence(trend))
    busy_warning(max(r.others for r in sweep.results if r.n in trend.lengths))


def _offer(settings: _Settings) -> str:
    """Say what pressing the button does."""
    lengths = core_cost.default_lengths(settings.maximum)
    soon = ", in about 5 seconds" if settings == _Settings() else ""
    return (
        f"times this one at {len(lengths)} lengths up to {settings.maximum:,} tokens{soon}. It "
        "can be stopped at any time and keeps what it has."
    )


def _memory(results: Sequence[Measurement]) -> None:
    st.subheader("Memory of one call")
    draw(
        memory_chart,
        scaling_frames.memory_frame(results),
        key="memory",
        alt_text="Memory of one call against the number of tokens, on logarithmic axes",
    )


def _steps(points: Sequence[Point], settings: Facts) -> None:
    st.subheader("The three steps of one call")
    left, right = st.columns([5, 3], gap="large")
    with left:
        st.dataframe(
            scaling_frames.step_frame(points),
            hide_index=True,
            width="content",
            alt="What each step takes at the longest length",
        )
    with right:
        st.latex(
            r"\underbrace{QK^\top}_{2n^2E} \to \underbrace{\mathrm{softmax}}_{\sim n^2} \to"
            r"\underbrace{AV}_{2n^2E}"
        )
    st.caption(
        f"Measured with E = {settings['width']}, H = {settings['heads']}, float32, after a "
        f"warm-up, in up to {settings['repeats']} rounds of the whole call and its steps in turn. "
        "Points are medians, bars go from the fastest to the slowest round. The fit goes through "
        "the fastest, since what else a machine does only slows a round down, from an eighth of "
        "the longest length on: short calls cost what any call costs. Below the formula's steps "
        "stand their operations per head."
    )


def _predictions(trend: Fit, heads: int) -> None:
    st.markdown("**What the fit says about longer texts**")
    longer = scaling_frames.prediction_frame(trend, TARGETS, heads=heads)
    table([str(name) for name in longer], longer.itertuples(index=False))
    st.caption(
        "Extrapolated, not measured: the fit knows nothing of a memory that runs out. The memory "
        "is that of the weights, H × n² × 4 bytes."
    )
