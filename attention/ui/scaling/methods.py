"""The scaling page's tab on ways to the same answer that cost less."""

from __future__ import annotations

import streamlit as st

from attention.scaling import core_cost, methods, runs
from attention.scaling import frames as scaling_frames
from attention.scaling.charts import comparison_chart
from attention.scaling.methods import MethodCost
from attention.ui import inputs
from attention.ui.inputs import stepped
from attention.ui.measuring import HEAD_WIDTHS, bench, busy_warning, legend_columns, measured
from attention.ui.scaling.runs import download
from attention.ui.show import draw, notice

_MAXIMA = (512, 1024, 2048, 4096, 8192, 16_384)
WINDOWS = (16, 32, 64, 128, 256, 512)
_DEFAULTS = 4096, 128, 64, 1  # tokens, window, width, heads
_SWEEP = "methods"


def methods_compared() -> None:
    """Time every method on the same input, in turn, and say how far its answer is from full."""
    controls = st.container(horizontal=True, vertical_alignment="bottom")
    with controls:
        first = iter(_DEFAULTS)
        maximum = stepped("Longest text (tokens)", _MAXIMA, next(first), key="methods_n")
        window = stepped("Window (keys to either side)", WINDOWS, next(first), key="window")
        width = stepped("Head width E", HEAD_WIDTHS, next(first), key="methods_width")
        heads = inputs.slider("Heads H", 1, 12, next(first), key="methods_heads", width=150)
    place = bench(controls, key="measure_methods")
    note = st.container()
    picture = st.empty()

    def show(results: list[tuple[MethodCost, ...]]) -> None:
        series = tuple(cost.method for cost in results[0])
        with picture:
            draw(
                comparison_chart,
                scaling_frames.timed_frame([scaling_frames.method_points(_flat(results))]),
                key="methods_chart",
                alt_text="Time of one call of each method against the number of tokens",
                series=series,
                legend_columns=legend_columns(),
            )

    sweep = measured(
        _SWEEP,
        place,
        {"width": width, "heads": heads, "window": window},
        lambda progress: methods.compare(
            core_cost.default_lengths(maximum),
            window=window,
            width=width,
            heads=heads,
            on_progress=progress,
        ),
        show,
    )
    if not methods.torch_installed():
        st.caption("PyTorch is not installed here; where it is, its fused kernel is timed as well.")
    if not sweep.results:
        picture.info(
            "Nothing is measured yet. “Measure” times plain and tiled attention, its causal and "
            "windowed forms, and one step of decoding, in turn on the same input, at lengths up "
            f"to {maximum:,} tokens"
            f"{', in about 5 seconds' if (maximum, window, width, heads) == _DEFAULTS else ''}."
        )
        return
    show(sweep.results)
    costs = _flat(sweep.results)
    with note:
        _tell(costs, int(sweep.settings["window"]))
        busy_warning(max(cost.others for cost in sweep.results[-1]))
    lengths = sorted({cost.n for cost in costs})
    st.dataframe(
        scaling_frames.method_frame(costs, lengths),
        hide_index=True,
        width="content",
        alt="Each method's time, growth, and largest difference from full attention",
    )
    st.latex(
        r"\underbrace{4n^2E}_{\text{full}} \qquad \underbrace{2n(n+1)E}_{\text{causal}} \qquad"
        r"\underbrace{\le 4n(2w+1)E}_{\text{window } w} \qquad"
        r"\underbrace{4nE}_{\text{one step}} \qquad \text{operations per head}"
    )
    st.caption(
        f"E = {sweep.settings['width']}, H = {sweep.settings['heads']}, float32; all methods take "
        "turns in every round, each with all processors. The difference is the largest of any "
        f"number of the output at {lengths[-1]:,} tokens, where the largest number is "
        f"{costs[-1].largest:.2f}: from plain full attention; for the causal form from plain "
        "causal attention; for the step with a KV cache, one query and keys and values that are "
        "there already, from the last row."
    )
    points = scaling_frames.method_points(costs)
    download(runs.record("methods", sweep.settings, points), key="save_methods")


def _tell(costs: list[MethodCost], window: int) -> None:
    last = {cost.method: cost for cost in costs if cost.n == costs[-1].n}
    plain, tiled, windowed = (last[m] for m in (methods.FULL, methods.TILES, methods.WINDOW))
    grows = [methods.growth(costs, method) for method in (methods.TILES, methods.WINDOW)]
    powers = [
        f"n^{found.exponent:.1f}" if found and found.tells else "not told by these lengths"
        for found in grows
    ]
    notice(
        f"At {plain.n:,} tokens tiled attention takes {tiled.time.median / plain.time.median:.0%} "
        f"of the plain form's time and differs by {tiled.difference:.0e}, which is rounding. "
        f"Growth: tiled {powers[0]}, window {powers[1]}. The window of {window} is another "
        f"answer: off by up to {windowed.difference:.2f}."
    )


def _flat(results: list[tuple[MethodCost, ...]]) -> list[MethodCost]:
    return [cost for costs in results for cost in costs]
