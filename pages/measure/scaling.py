"""Scaling: time the O(n²) core, here and now."""

import time

import streamlit as st

from attention import frames, questions, scaling, ui
from attention.charts.scaling import memory_chart, time_chart
from attention.trend import Fit, fit

TARGETS = (100_000, 1_000_000)
MAXIMA = (512, 1024, 2048, 4096, 8192, 16_384, 32_768, 65_536, 131_072)
WIDTHS = (16, 32, 64, 128)
REDRAW_SECONDS = 1.0  # drawing takes time from the very processor that is timed

st.title("Scaling")
st.markdown(
    "**What does it cost to let every word read every word?** n tokens make n × n weights. This "
    "page times the package's own attention on this machine, now, and fits how fast it grows."
)
with st.container(horizontal=True, vertical_alignment="bottom"):
    maximum = ui.stepped("Longest text (tokens)", MAXIMA, scaling.DEFAULT_MAXIMUM, key="n")
    width = ui.stepped("Head width E", WIDTHS, 64, key="width")
    heads = st.slider("Heads H", 1, 12, 1, key="timed_heads", bind="query-params", width=150)
    repeats = st.slider("Repeats", 3, 15, 5, key="repeats", bind="query-params", width=150)
    measure = st.button("Measure", type="primary", icon=":material/play_arrow:")
    stop = st.empty()
status = st.empty()
note = st.container()
st.subheader("Time of one call")
beyond = st.toggle("Draw the fit out to a million tokens", key="beyond", bind="query-params")
picture = st.empty()


def show(results: list[scaling.Measurement]) -> Fit | None:
    """Draw what there is so far, and return the fit through it."""
    trend = fit([r.n for r in results], [r.total.median for r in results])
    far = beyond and trend is not None
    with picture:
        ui.draw(
            time_chart,
            frames.scaling_frame(results, trend, targets=TARGETS if far else ()),
            key="time",
            alt_text="Time of one call against the number of tokens, on logarithmic axes",
            fitted=trend is not None,
            extrapolation=far,
        )
    return trend


def run() -> None:
    """Measure when it is this reader's turn; any click stops, and what is measured is kept."""
    results: list[scaling.Measurement] = []
    sweep = scaling.sweep(
        scaling.default_lengths(maximum),
        width=width,
        heads=heads,
        repeats=repeats,
        on_progress=lambda share: status.progress(share, f"Measuring: {share:.0%}"),
    )
    stop.button("Stop", icon=":material/stop:")
    with ui.turnstile().join() as turn:
        while not turn.wait(0.5):
            status.info(f"Another reader is measuring. Before you in the queue: {turn.ahead}.")
        st.session_state["sweep"] = results
        drawn = time.monotonic()
        for result in sweep:
            results.append(result)
            if time.monotonic() - drawn > REDRAW_SECONDS:
                show(results)
                drawn = time.monotonic()
    status.empty()
    stop.empty()


if measure:
    try:
        run()
    except ValueError as refusal:
        status.error(f"{refusal}.")

results: list[scaling.Measurement] = st.session_state.get("sweep", [])
if not results:
    picture.info(
        "Nothing is measured yet. “Measure” times the core at "
        f"{len(scaling.default_lengths(maximum))} lengths up to {maximum:,} tokens; the default "
        "takes about 5 seconds. It can be stopped at any time and keeps what it has."
    )
    st.stop()

trend, last = show(results), results[-1]
with note:
    if trend:
        ui.notice(
            f"Twice the text takes {2**trend.exponent:.1f} times as long: time grows as n to the "
            f"power {trend.exponent:.2f} (95 % interval {trend.low:.2f} to {trend.high:.2f}), "
            f"fitted to the {len(trend.lengths)} lengths from {trend.lengths[0]:,} to "
            f"{trend.lengths[-1]:,} tokens."
        )
        busy = max(r.others for r in results if r.n in trend.lengths)
        if busy > scaling.BUSY:
            st.warning(
                f"Other programs took {busy:.0%} of the processors while this was measured, and "
                "the figures suffer from it. Measure again when the machine is quiet."
            )
    else:
        st.info(f"{len(results)} lengths are measured; a fit needs four.")
st.caption(
    f"Measured with E = {last.width}, H = {last.heads}, float32, after a warm-up: the median of "
    f"{last.rounds} or more rounds, whole call and steps in turn; bars from the fastest to the "
    "slowest round. Short calls cost what any call costs, so the fit uses lengths from an eighth "
    "of the longest on."
)
st.latex(
    r"\underbrace{QK^\top}_{2n^2E} \;\to\; \underbrace{\mathrm{softmax}}_{\sim n^2} \;\to\;"
    r"\underbrace{AV}_{2n^2E} \qquad \text{operations per head}"
)
st.dataframe(
    frames.step_frame(last),
    hide_index=True,
    width="content",
    alt=f"What each step takes at {last.n} tokens",
)

if trend:
    st.subheader("What the fit says about longer texts")
    st.dataframe(
        frames.prediction_frame(trend, TARGETS, heads=last.heads),
        hide_index=True,
        width="content",
        alt="Extrapolated time and computed memory for long texts",
    )
    st.caption(
        "Extrapolated, not measured: the fit knows nothing of a memory that runs out. The memory "
        "is that of the weights, H × n² × 4 bytes."
    )

st.subheader("Memory of one call")
ui.draw(
    memory_chart,
    frames.memory_frame(results),
    key="memory",
    alt_text="Memory of one call against the number of tokens, on logarithmic axes",
)
if trend:
    ui.predict(questions.times_longer(trend))
ui.saving_hint()
