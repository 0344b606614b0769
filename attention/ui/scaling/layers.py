"""The scaling page's tabs on a whole layer: where n^2 takes over, and what is held in memory."""

from __future__ import annotations

from functools import partial
from itertools import chain
from typing import Any

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from attention.scaling import core_cost, crossover, stored
from attention.scaling import frames as scaling_frames
from attention.scaling.charts import bytes_chart, comparison_chart
from attention.scaling.core_cost import Peak
from attention.scaling.crossover import PartTime
from attention.scaling.model_shapes import SHAPES, Shape, shape, shape_code
from attention.scaling.sentences import cache_text, crossing_sentence, peaks_sentence
from attention.ui import inputs
from attention.ui.code_lines import script
from attention.ui.inputs import stepped
from attention.ui.measuring import Sweep, bench, busy_warning, measured
from attention.ui.scaling.source import before_measuring, call_code, results_code, say_source
from attention.ui.show import draw, notice
from attention.ui.view_code import ViewCode, drawn_last, offer

_CROSSING, _PEAKS = "crossover", "peaks_chart"  # the keys of charts
_MAXIMA = (1024, 2048, 4096, 8192, 16_384)
DECODERS = tuple(s.name for s in SHAPES if s.is_causal)
CACHED = tuple(2**power for power in range(10, 24))


def overtaken() -> None:
    """Show from which length on attention takes longer than the rest of a layer."""
    controls = st.container(horizontal=True, vertical_alignment="bottom")
    with controls:
        name = inputs.select("Shape of the layer", stored.SHAPES_TO_TIME, stored.SHAPES_TO_TIME[0],
                             key="layer_shape", code=shape_code, width=220)  # fmt: skip
        maximum = stepped("Longest text (tokens)", _MAXIMA, 4096, key="cross_n")
    place = bench(controls, key="measure_parts")
    chosen, note = shape(name), st.container()
    picture = st.empty()
    sweep = measured(
        f"parts_{chosen.name}",
        place,
        {},
        lambda progress: crossover.time_parts(
            chosen, stored.layer_lengths(maximum), on_progress=progress
        ),
        lambda results: _draw_parts(picture, [*chain(*results)]),
        before=partial(before_measuring, stored.parts_kind(name), grouped=True),
    )
    times = [*chain(*sweep.results)]
    _draw_parts(picture, times)
    with note:
        notice(crossing_sentence(chosen, times))
        busy_warning(max(time.others for time in times))
        say_source(
            sweep, f"times a layer of this shape on this one, at lengths up to {maximum:,} tokens."
        )
    offer(ViewCode(partial(_parts_code, sweep, times, chosen), _CROSSING, text="crossover"))
    _formula(chosen)


def _parts_code(sweep: Sweep[Any], times: list[PartTime], chosen: Shape) -> str:
    imported, drawing = drawn_last(_CROSSING).code()
    lengths = tuple(dict.fromkeys(time.n for time in times))
    call = call_code("time_parts", f"shape({chosen.name!r})", lengths)
    made = results_code(
        sweep, stored.parts_kind(chosen.name), crossover.__name__, call, grouped=True
    )
    imports = [
        "from attention import plot",
        "from attention.scaling.frames import crossings_found, crossover_frame",
        "from attention.scaling.model_shapes import shape",
        "from attention.scaling.sentences import crossing_sentence",
        made[0], imported,
    ]  # fmt: skip
    return script(imports, [
        *made[1],
        "data = crossover_frame(results, crossings_found(results))",
        *drawing,
        f"print(crossing_sentence(shape({chosen.name!r}), results))",
    ])  # fmt: skip


def _draw_parts(picture: DeltaGenerator, times: list[PartTime]) -> None:
    crossings = scaling_frames.crossings_found(times)
    with picture:
        draw(
            comparison_chart,
            scaling_frames.crossover_frame(times, crossings),
            key=_CROSSING,
            alt_text="Time of the parts of one layer against the number of tokens",
            series=crossover.PARTS,
            crossings=bool(crossings),
        )


def _formula(chosen: Shape) -> None:
    pairs, factor = (r"2 n (n + 1)", "") if chosen.is_causal else (r"4 n^2", r"2 \cdot ")
    parameters, crossing = (
        f"{number:,.0f}".replace(",", "{,}")
        for number in (chosen.layer_parameters, crossover.predicted(chosen))
    )
    st.latex(rf"\text{{linear }} 2 n P = \text{{attention }} {pairs} H E")
    st.latex(
        rf"n \approx P / ({factor} H E) = "
        rf"{parameters} / ({factor}{chosen.heads} \cdot {chosen.head_width}) = {crossing}"
    )
    mask = (
        "It is causal: the tiled form skips what the mask hides, the plain form does not."
        if chosen.is_causal
        else "It is an encoder: every token attends to every other."
    )
    st.caption(
        f"{chosen.name} ({chosen.source}): D = {chosen.width}, H = {chosen.heads} heads of E = "
        f"{chosen.head_width}, {chosen.kv_heads} of keys and values, MLP {chosen.mlp_width}"
        f"{', gated' if chosen.gated else ''}. {mask} Random float32 weights and tokens. The "
        "softmax is not a product: operations leave it out, the clock does not."
    )


def held() -> None:
    """Show measured memory of plain and tiled attention, and the size of a KV cache."""
    st.subheader("One call, measured")
    controls = st.container(horizontal=True, vertical_alignment="bottom")
    with controls:
        maximum = stepped("Longest text (tokens)", _MAXIMA, 4096, key="held_n")
        heads = inputs.slider("Heads H", 1, 12, 1, key="held_heads", width=150)
    place = bench(controls, key="measure_peaks")
    sweep = measured(
        "peaks",
        place,
        {"heads": heads},
        lambda progress: core_cost.peaks(
            stored.HELD, core_cost.default_lengths(maximum), heads=heads, on_progress=progress
        ),
        before=partial(before_measuring, stored.PEAKS_KIND),
    )
    _peaks(sweep.results)
    offer(ViewCode(partial(_peaks_code, sweep), _PEAKS, text="memory"))
    say_source(sweep, f"does it on this one, at lengths up to {maximum:,} tokens.")
    st.subheader("The KV cache, computed")
    name = inputs.select("Shape of the model", DECODERS, "Llama 3 8B", key="cache_shape",
                         code=shape_code, width=220)  # fmt: skip
    _cache(shape(name))


def _peaks_code(sweep: Sweep[Peak]) -> str:
    imported, drawing = drawn_last(_PEAKS).code()
    lengths = tuple(dict.fromkeys(peak.n for peak in sweep.results))
    call = call_code("peaks", "HELD", lengths, **sweep.settings)
    made = results_code(sweep, stored.PEAKS_KIND, core_cost.__name__, call)
    imports = [
        "from attention import plot",
        "from attention.scaling.frames import peaks_frame",
        "from attention.scaling.sentences import peaks_sentence",
        *(() if sweep.stored else ["from attention.scaling.stored import HELD"]),
        made[0], imported,
    ]  # fmt: skip
    return script(imports, [
        *made[1],
        "data = peaks_frame(results)",
        *drawing,
        "print(peaks_sentence(results))",
    ])  # fmt: skip


def _peaks(results: list[Peak]) -> None:
    if sentence := peaks_sentence(results):
        notice(sentence)
    draw(
        bytes_chart,
        scaling_frames.peaks_frame(results),
        key=_PEAKS,
        alt_text="Memory of one call against the number of tokens: plain and tiled",
        series=tuple(stored.HELD),
        title="memory of one call",
    )
    st.caption("The most that one call had allocated at any moment, E = 64, float32 (tracemalloc).")


def _cache(chosen: Shape) -> None:
    draw(
        bytes_chart,
        scaling_frames.cache_frame(chosen, CACHED, 2),
        key="cache",
        alt_text="Size of the KV cache against the number of tokens: three ways to share heads",
        series=scaling_frames.CACHE_KINDS,
        title="size of the KV cache",
    )
    st.latex(r"\underbrace{2}_{K,\,V} \cdot L \cdot G \cdot E \cdot n \cdot 2\ \text{bytes}")
    st.caption(
        f"{chosen.name} ({chosen.source}): L = {chosen.layers}, E = {chosen.head_width}, "
        f"{chosen.heads} query heads; the model itself has G = {chosen.kv_heads} heads of keys "
        f"and values. At 131,072 tokens: "
        f"{cache_text(chosen, 131_072, 2)}."
    )
