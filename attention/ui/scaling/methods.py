"""The scaling page's tab on ways to the same answer that cost less."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from itertools import chain
from typing import NamedTuple

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from attention.scaling import core_cost, methods, runs, stored
from attention.scaling import frames as scaling_frames
from attention.scaling.charts import comparison_chart
from attention.scaling.methods import MethodCost
from attention.scaling.runs import Facts
from attention.scaling.sentences import methods_sentence
from attention.ui import inputs
from attention.ui.code_lines import script
from attention.ui.inputs import stepped
from attention.ui.measuring import (
    HEAD_WIDTHS,
    Bench,
    Sweep,
    bench,
    busy_warning,
    measured,
)
from attention.ui.scaling.runs import download
from attention.ui.scaling.source import before_measuring, call_code, results_code, say_source
from attention.ui.show import draw, notice
from attention.ui.view_code import ViewCode, drawn_last, offer

_MAXIMA = (512, 1024, 2048, 4096, 8192, 16_384)
_FIGURE = "methods_chart"
WINDOWS = (16, 32, 64, 128, 256, 512)


class _Settings(NamedTuple):
    maximum: int = 4096
    window: int = 128
    width: int = 64
    heads: int = 1


def methods_compared() -> None:
    """Time every method on the same input, in turn, and say how far its answer is from full."""
    controls = st.container(horizontal=True, vertical_alignment="bottom")
    with controls:
        settings = _settings()
    place = bench(controls, key="measure_methods")
    note = st.container()
    picture = st.empty()
    sweep = _measured(settings, place, picture)
    _draw_times(picture, sweep.results)
    costs = [*chain(*sweep.results)]
    with note:
        notice(methods_sentence(costs, int(sweep.settings["window"])))
        busy_warning(max(cost.others for cost in costs if cost.n == costs[-1].n))
        say_source(sweep, _offer(settings))
    offer(ViewCode(partial(_code, sweep, costs), _FIGURE, text="methods"))
    _table(costs, sweep.settings)
    if not sweep.stored:
        points = scaling_frames.method_points(costs)
        download(runs.record(stored.METHODS_KIND, sweep.settings, points), key="save_methods")


def _code(sweep: Sweep[tuple[MethodCost, ...]], costs: Sequence[MethodCost]) -> str:
    imported, drawing = drawn_last(_FIGURE).code()
    lengths = tuple(dict.fromkeys(cost.n for cost in costs))
    call = call_code("compare", lengths, **sweep.settings)
    made = results_code(sweep, stored.METHODS_KIND, methods.__name__, call, grouped=True)
    imports = [
        "from attention import plot",
        "from attention.scaling.frames import method_points, timed_frame",
        "from attention.scaling.sentences import methods_sentence",
        made[0], imported,
    ]  # fmt: skip
    return script(imports, [
        *made[1],
        "data = timed_frame([method_points(results)])",
        *drawing,
        f"print(methods_sentence(results, {sweep.settings['window']}))",
    ])  # fmt: skip


def _settings() -> _Settings:
    first = _Settings()
    return _Settings(
        stepped("Longest text (tokens)", _MAXIMA, first.maximum, key="methods_n"),
        stepped("Window (keys to either side)", WINDOWS, first.window, key="window"),
        stepped("Head width E", HEAD_WIDTHS, first.width, key="methods_width"),
        inputs.slider("Heads H", 1, 12, first.heads, key="methods_heads", width=150),
    )


def _measured(
    settings: _Settings, place: Bench, picture: DeltaGenerator
) -> Sweep[tuple[MethodCost, ...]]:
    lengths = core_cost.default_lengths(settings.maximum)
    options = {
        "width": settings.width, "heads": settings.heads, "window": settings.window,
    }  # fmt: skip
    return measured(
        "methods",
        place,
        options,
        lambda progress: methods.compare(lengths, **options, on_progress=progress),
        lambda results: _draw_times(picture, results),
        before=partial(before_measuring, stored.METHODS_KIND, grouped=True),
    )


def _draw_times(picture: DeltaGenerator, results: Sequence[tuple[MethodCost, ...]]) -> None:
    costs = [*chain(*results)]
    with picture:
        draw(
            comparison_chart,
            scaling_frames.timed_frame([scaling_frames.method_points(costs)]),
            key=_FIGURE,
            alt_text="Time of one call of each method against the number of tokens",
            series=tuple(dict.fromkeys(cost.method for cost in costs)),
        )


def _offer(settings: _Settings) -> str:
    """Say what pressing the button does."""
    soon = ", in about 5 seconds" if settings == _Settings() else ""
    torch = "also PyTorch's fused kernel" if methods.torch_installed() else "no PyTorch here"
    return (
        "times them on this one, in turn on the same input, at lengths up to "
        f"{settings.maximum:,} tokens{soon} ({torch})."
    )


def _table(costs: Sequence[MethodCost], settings: Facts) -> None:
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
        f"E = {settings['width']}, H = {settings['heads']}, float32; all methods take "
        "turns in every round, each with all processors. The difference is the largest of any "
        f"number of the output at {lengths[-1]:,} tokens, where the largest number is "
        f"{costs[-1].largest:.2f}: from plain full attention; for the causal form from plain "
        "causal attention; for the step with a KV cache, one query and keys and values that are "
        "there already, from the last row."
    )
