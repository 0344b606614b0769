"""The scaling page's first tab: what the readable core costs, step by step."""

from __future__ import annotations

import streamlit as st

from attention.scaling import core_cost, questions, runs
from attention.scaling import frames as scaling_frames
from attention.scaling.charts import memory_chart, time_chart
from attention.scaling.power_law import Fit, fit
from attention.ui import inputs
from attention.ui.inputs import stepped
from attention.ui.measuring import HEAD_WIDTHS, bench, busy_warning, measured
from attention.ui.questions import predict
from attention.ui.scaling.runs import download
from attention.ui.show import draw, notice

TARGETS = (100_000, 1_000_000)
_MAXIMA = (512, 1024, 2048, 4096, 8192, 16_384, 32_768, 65_536, 131_072)
_DEFAULTS = core_cost.DEFAULT_MAXIMUM, 64, 1, 5  # tokens, width, heads, repeats
_SWEEP = "sweep"


def core() -> None:
    """Time the core and its steps at growing lengths, and fit how they grow."""
    controls = st.container(horizontal=True, vertical_alignment="bottom")
    with controls:
        first = iter(_DEFAULTS)
        maximum = stepped("Longest text (tokens)", _MAXIMA, next(first), key="n")
        width = stepped("Head width E", HEAD_WIDTHS, next(first), key="width")
        heads = inputs.slider("Heads H", 1, 12, next(first), key="timed_heads", width=150)
        repeats = inputs.slider("Repeats", 3, 15, next(first), key="repeats", width=150)
    place = bench(controls, key="measure_core")
    note = st.container()
    st.subheader("Time of one call")
    switch, picture = st.container(), st.empty()

    def show(results: list[core_cost.Measurement], *, beyond: bool = False) -> None:
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

    lengths = core_cost.default_lengths(maximum)
    sweep = measured(
        _SWEEP,
        place,
        {"width": width, "heads": heads, "repeats": repeats},
        lambda progress: core_cost.sweep(
            lengths, width=width, heads=heads, repeats=repeats, on_progress=progress
        ),
        show,
    )
    trend = _fit(sweep.results)
    with switch:
        beyond = inputs.switch(
            "Draw the fit out to a million tokens", False, key="beyond",
            disabled=trend is None, help="Once four lengths are measured there is a fit.",
        )  # fmt: skip
    if not sweep.results:
        at_first = (maximum, width, heads, repeats) == _DEFAULTS
        picture.info(
            f"Nothing is measured yet. “Measure” times the core at {len(lengths)} lengths up to "
            f"{maximum:,} tokens{', in about 5 seconds' if at_first else ''}. It can be stopped at "
            "any time and keeps what it has."
        )
        return
    show(sweep.results, beyond=beyond)
    with note:
        _tell(sweep.results, trend)
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


def _fit(results: list[core_cost.Measurement]) -> Fit | None:
    return fit([r.n for r in results], [r.total.median for r in results])


def _tell(results: list[core_cost.Measurement], trend: Fit | None) -> None:
    if trend is None:
        st.info(f"{len(results)} lengths are measured; a fit needs four.")
        return
    fitted = (
        f"fitted to the {len(trend.lengths)} lengths from {trend.lengths[0]:,} to "
        f"{trend.lengths[-1]:,} tokens."
    )
    interval = f"{trend.low:.2f} to {trend.high:.2f}"
    if trend.tells:
        notice(
            f"Twice the text takes {2**trend.exponent:.1f} times as long ({2**trend.low:.1f} to "
            f"{2**trend.high:.1f} times with 95 % confidence): time grows as n to the power "
            f"{trend.exponent:.2f} ({interval}), {fitted}"
        )
    else:
        notice(
            f"These times do not tell how time grows: as n to a power of {interval} (95 % "
            f"interval), {fitted} Measure longer texts, or more repeats on a quiet machine."
        )
    busy_warning(max(r.others for r in results if r.n in trend.lengths))


def _steps(last: core_cost.Measurement) -> None:
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
