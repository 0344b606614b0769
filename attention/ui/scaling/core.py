"""The scaling page's first tab: what the readable core costs, step by step."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from attention.scaling import core_cost, questions, runs
from attention.scaling import frames as scaling_frames
from attention.scaling.charts import memory_chart, time_chart
from attention.scaling.core_cost import Measurement
from attention.scaling.power_law import Fit, fit
from attention.scaling.sentences import growth_sentence
from attention.ui import inputs
from attention.ui.inputs import stepped
from attention.ui.measuring import HEAD_WIDTHS, Bench, Sweep, bench, busy_warning, measured
from attention.ui.questions import predict
from attention.ui.scaling.runs import download
from attention.ui.show import draw, notice

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
    note = st.container()
    st.subheader("Time of one call")
    switch, picture = st.container(), st.empty()
    sweep = _measured(settings, place, picture)
    trend = _fit(sweep.results)
    with switch:
        beyond = inputs.switch(
            "Draw the fit out to a million tokens", False, key="beyond",
            disabled=trend is None, help="Once four lengths are measured there is a fit.",
        )  # fmt: skip
    if not sweep.results:
        _nothing_yet(picture, settings)
        return
    _draw_times(picture, sweep.results, beyond=beyond)
    with note:
        _tell(sweep.results, trend)
    _results(sweep, trend)


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
        lambda results: _draw_times(picture, results),
    )


def _draw_times(
    picture: DeltaGenerator, results: Sequence[Measurement], *, beyond: bool = False
) -> None:
    """Draw what there is so far."""
    trend = _fit(results)
    far = beyond and trend is not None
    with picture:
        draw(
            time_chart,
            scaling_frames.scaling_frame(results, trend, targets=TARGETS if far else ()),
            key="time",
            alt_text="Time of one call against the number of tokens, on logarithmic axes",
            fitted=trend is not None,
            extrapolation=far,
        )


def _fit(results: Sequence[Measurement]) -> Fit | None:
    return fit([r.n for r in results], [r.total.median for r in results])


def _nothing_yet(picture: DeltaGenerator, settings: _Settings) -> None:
    lengths = core_cost.default_lengths(settings.maximum)
    soon = ", in about 5 seconds" if settings == _Settings() else ""
    picture.info(
        f"Nothing is measured yet. “Measure” times the core at {len(lengths)} lengths up to "
        f"{settings.maximum:,} tokens{soon}. It can be stopped at any time and keeps what it has."
    )


def _tell(results: Sequence[Measurement], trend: Fit | None) -> None:
    if trend is None:
        st.info(f"{len(results)} lengths are measured; a fit needs four.")
        return
    notice(growth_sentence(trend))
    busy_warning(max(r.others for r in results if r.n in trend.lengths))


def _results(sweep: Sweep[Measurement], trend: Fit | None) -> None:
    """Show steps, longer texts and memory, and offer the run as a file."""
    _steps(sweep.results[-1])
    if trend and trend.tells:
        _predictions(trend, sweep.results[-1].heads)
    st.subheader("Memory of one call")
    draw(
        memory_chart,
        scaling_frames.memory_frame(sweep.results),
        key="memory",
        alt_text="Memory of one call against the number of tokens, on logarithmic axes",
    )
    points = scaling_frames.core_points(sweep.results)
    download(runs.record("the core and its steps", sweep.settings, points), key="save_core")
    if trend and trend.tells:
        predict(questions.times_longer(trend))


def _steps(last: Measurement) -> None:
    st.caption(
        f"Measured with E = {last.width}, H = {last.heads}, float32, after a warm-up: the median "
        f"of {last.total.rounds} or more rounds, whole call and steps in turn; bars from the "
        "fastest to the slowest round. Short calls cost what any call costs, so the fit uses "
        "lengths from an eighth of the longest on."
    )
    st.latex(
        r"\underbrace{QK^\top}_{2n^2E} \;\to\; \underbrace{\mathrm{softmax}}_{\sim n^2} \;\to\;"
        r"\underbrace{AV}_{2n^2E} \qquad \text{operations per head}"
    )
    st.dataframe(
        scaling_frames.step_frame(last),
        hide_index=True,
        width="content",
        alt=f"What each step takes at {last.n} tokens",
    )


def _predictions(trend: Fit, heads: int) -> None:
    st.subheader("What the fit says about longer texts")
    st.dataframe(
        scaling_frames.prediction_frame(trend, TARGETS, heads=heads),
        hide_index=True,
        width="content",
        alt="Extrapolated time and computed memory for long texts",
    )
    st.caption(
        "Extrapolated, not measured: the fit knows nothing of a memory that runs out. The memory "
        "is that of the weights, H × n² × 4 bytes."
    )
