"""The scaling page's planner: what a model of a published shape would cost at any length."""

from __future__ import annotations

from functools import partial

import streamlit as st

from attention.scaling import frames as scaling_frames
from attention.scaling import planner
from attention.scaling.charts import plan_chart
from attention.scaling.frames import PER_TOKEN, PREFILL
from attention.scaling.model_shapes import SHAPES, Shape, shape, shape_code
from attention.scaling.planner import CORE, REST, Memory, Part, Rates
from attention.scaling.sentences import plan_sentence
from attention.ui import inputs
from attention.ui.code_lines import script
from attention.ui.inputs import choice, stepped
from attention.ui.measuring import alone
from attention.ui.show import draw, notice
from attention.ui.view_code import ViewCode, drawn_last, offer

_FIGURE = "plan"
_LENGTHS = tuple(
    step * 10**power for power in range(2, 8) for step in (1, 2, 5) if step * 10**power <= 10**7
)
BYTES = {"4": "4 (float32)", "2": "2 (bfloat16)", "1": "1 (int8)", "0.5": "½ (int4)"}
MACHINES = {
    "a100": "NVIDIA A100 80 GB SXM, published",
    "h100": "NVIDIA H100 SXM, published",
    "here": "This machine, measured",
}
RATES = {  # from the makers' data sheets: dense bfloat16 products and memory bandwidth
    "a100": Rates(312e12, 2.039e12),
    "h100": Rates(989e12, 3.35e12),
}
PHASES = {"prefill": PREFILL, "decode": PER_TOKEN}


def planned() -> None:
    """Draw the planner: controls, what it comes to, the formulas, and time against length."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        names = [s.name for s in SHAPES]
        name = inputs.select("Shape of the model", names, "Llama 3 8B", key="shape",
                             code=shape_code, width=200)  # fmt: skip
        n = stepped("Tokens n", _LENGTHS, 10_000, key="plan_n")
        number_bytes = float(choice("Bytes per number", BYTES, key="bytes", default="2"))
    rates, chosen = _rates(), shape(name)
    phase, tiled = _phase(chosen)
    if one_more := phase == "decode":
        parts = planner.next_token_parts(chosen, n, number_bytes)
    else:
        parts = planner.prefill(chosen, n, number_bytes, tiled=tiled)
    queries = 1 if one_more else n
    memory = planner.memory(chosen, n, number_bytes, tiled=tiled, queries=queries)
    notice(plan_sentence(chosen.name, n, parts, rates, memory.total, one_more=one_more))
    _tables(PHASES[phase], parts, rates, memory)
    draw(
        plan_chart,
        scaling_frames.planned_frame(chosen, _LENGTHS, number_bytes, rates, tiled=tiled),
        key=_FIGURE,
        alt_text="Planned time of attention and of the rest against the number of tokens",
        phase=PHASES[phase],
        series=(CORE, REST),
        n=n,
    )
    code = partial(_code, chosen, n, number_bytes, rates, one_more=one_more, tiled=tiled)
    offer(ViewCode(code, _FIGURE, text=name))
    _formulas(chosen, parts, n if one_more else chosen.pairs(n), queries)


def _code(
    chosen: Shape, n: int, number_bytes: float, rates: Rates, *, one_more: bool, tiled: bool
) -> str:  # fmt: skip
    imported, drawing = drawn_last(_FIGURE).code()
    parts, whole = ("next_token_parts", "") if one_more else ("prefill", f", tiled={tiled}")
    imports = [
        "from attention import plot",
        "from attention.scaling.frames import planned_frame",
        "from attention.scaling.model_shapes import shape",
        f"from attention.scaling.planner import Rates, memory, {parts}",
        "from attention.scaling.sentences import plan_sentence",
        imported,
    ]
    queries = 1 if one_more else n
    return script(imports, [
        f"shape, n, size = shape({chosen.name!r}), {n}, {number_bytes}  # bytes per number",
        f"rates = {rates}  # operations and bytes per second",
        f"parts = {parts}(shape, n, size{whole})",
        f"held = memory(shape, n, size, tiled={tiled}, queries={queries}).total",
        f"lengths = {_LENGTHS}",
        f"data = planned_frame(shape, lengths, size, rates, tiled={tiled})",
        *drawing,
        f"print(plan_sentence(shape.name, n, parts, rates, held, one_more={one_more}))",
    ])  # fmt: skip


def _phase(chosen: Shape) -> tuple[str, bool]:
    """Draw what is planned; return it, and whether attention is tiled."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        phase = choice("What to plan", PHASES, key="phase") if chosen.is_causal else "prefill"
        whole = phase == "prefill" and inputs.switch(  # a single row of scores is nothing to keep
            "Keep the scores whole", False, key="whole",
            help="As the plain form does: n × n scores for every head, written and read.",
        )  # fmt: skip
    return phase, not whole


def _tables(phase: str, parts: tuple[Part, ...], rates: Rates, memory: Memory) -> None:
    with st.container(horizontal=True):
        st.dataframe(
            scaling_frames.plan_frame(parts, rates), hide_index=True, width="content",
            alt=f"Operations, bytes and time of {phase}",
        )  # fmt: skip
        st.dataframe(
            scaling_frames.planned_memory_frame(memory), hide_index=True, width="content",
            alt="Memory that must be held at once",
        )  # fmt: skip


def _rates() -> Rates:
    """Draw the machine and its rates; they can be changed."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        machine = inputs.select("Machine", list(MACHINES), next(iter(MACHINES)), key="machine",
                                text=MACHINES.__getitem__, width=290)  # fmt: skip
        if machine == "here" and st.button("Measure again", icon=":material/refresh:"):
            _measured_rates.clear()
        rates = RATES.get(machine) or alone(st.empty(), _measured_rates)
        of = machine, rates
        flops, bandwidth = (
            inputs.slider(label, 0.1, most, _rounded(rate / 1e9), key=key, of=of,
                          widget=st.number_input, width=150)
            for label, most, rate, key in (
                ("GFLOP/s", 1e9, rates.flops, "gflops"),
                ("GB/s", 1e6, rates.bandwidth, "gbs"),
            )
        )  # fmt: skip
    return Rates(flops * 1e9, bandwidth * 1e9)


@st.cache_resource(show_spinner="Measuring a matrix product and a copy…")
def _measured_rates() -> Rates:
    return planner.measured_rates()


def _rounded(value: float) -> float:
    return float(f"{value:.3g}")


def _formulas(chosen: Shape, parts: tuple[Part, ...], pairs: int, tokens: int) -> None:
    st.latex(
        rf"\text{{attention: }} 4\,L\,H\,E \cdot \text{{pairs}} = 4 \cdot {chosen.layers} \cdot "
        rf"{chosen.heads} \cdot {chosen.head_width} \cdot {_latex(pairs)} = "
        rf"{_power(parts[0].flops)}"
    )
    st.latex(
        rf"\text{{the rest: }} 2\,L\,P \cdot \text{{tokens}} + 2\,D\,V = "
        rf"2 \cdot {chosen.layers} \cdot {_latex(chosen.layer_parameters)} \cdot "
        rf"{_latex(tokens)} + 2 \cdot {chosen.width} \cdot {_latex(chosen.vocabulary)} = "
        rf"{_power(parts[1].flops)}"
    )
    st.latex(
        r"\text{time} = \max\!\left(\frac{\text{operations}}{\text{FLOP/s}},\;"
        r"\frac{\text{bytes}}{\text{bytes/s}}\right)"
    )
    st.caption(
        f"Shape: {chosen.source}. P: parameters of a layer in projections and MLP. Counted, not "
        "measured: a roofline, which real programs come near to but do not pass. Powers, norms "
        "and activations are left out. The rates measured here are those of NumPy's float32 "
        "products and of a copy of 64 MB; smaller numbers save bytes in this plan, not operations."
    )


def _latex(number: int) -> str:
    return f"{number:,}".replace(",", "{,}")


def _power(number: float) -> str:
    digits, power = f"{number:.2e}".split("e")
    return rf"{digits} \cdot 10^{{{int(power)}}}"
