"""Additive (2014) against scaled dot-product (2017) scores."""

from __future__ import annotations

from functools import partial

import streamlit as st

from attention.translation import additive, frames
from attention.translation.additive import BothRows, ScoreCost
from attention.translation.charts import cost_lines, two_rows
from attention.ui import inputs
from attention.ui.code_lines import ANEW, of_view, script
from attention.ui.controls import head_picker
from attention.ui.links import link
from attention.ui.measuring import alone
from attention.ui.readings import Focus, Reading
from attention.ui.show import draw, notice
from attention.ui.view_code import ViewCode, drawn_last, offer
from attention.wording import Head

_LENGTHS = (32, 64, 128, 256, 512)
_MOST_TOKENS = 40
_INNER = (8, 16, 32, 64, 128)
_ROWS, _COSTS = "two_rows", "score_costs"  # keys of charts
_TIMES = "_score_times"  # (E, A) -> what this visit has measured


def additive_or_dot(chosen: Reading, focus: Focus, query: int) -> None:
    """Draw both kinds of scores on the real queries and keys of a head, and what they cost."""
    st.markdown(
        "In 2014 a small network scored each pair of words; in 2017 a dot product took its place. "
        "Both score here the same vectors: the queries and keys of one head of the encoder. The "
        "additive network's weights are **random, not trained**: the model has none."
    )
    left, right = st.columns(2)
    left.latex(r"\text{additive: } s_{qk} = v^\top \tanh(W q + U k)")
    right.latex(r"\text{scaled dot product: } s_{qk} = \frac{q \cdot k}{\sqrt{E}}")
    head, inner, seed, pressed = _controls(chosen, focus)
    width = chosen.trace.key.shape[-1]
    weights = additive.random_weights(width, inner, seed)
    both = additive.both_rows(chosen.trace, chosen.view, query, head, weights)
    costs = _costs(width, inner, pressed=pressed)
    notice(f"{additive.longer_sentence(costs, _LENGTHS[-1])}{both.sentence}")
    left, right = st.columns(2, gap="large")
    with left:
        _rows(both)
    with right:
        _times(costs, additive.counted(_LENGTHS[-1], width, inner))
    if costs:
        code = partial(_times_code, width, inner)
        offer(ViewCode(code, _COSTS, text="additive scores"))
    code = partial(_rows_code, chosen, both, head, (width, inner, seed))
    offer(ViewCode(code, _ROWS, chosen.trace, chosen.text))
    st.caption(
        "Bahdanau et al. 2014, appendix A.1.2; Vaswani et al. 2017, section 3.2.1. Both grow as "
        "n². A dot product is a matrix product, for which processors are made; the additive score "
        "has a tanh for every pair and every one of its A inner numbers. Medians, one processor."
    )


def _rows_code(chosen: Reading, both: BothRows, head: Head, drawn: tuple[int, int, int]) -> str:
    imported, drawing = drawn_last(_ROWS).code()
    imports = [
        "from attention.translation.additive import both_rows, random_weights",
        "from attention.translation.frames import row_frame",
        imported,
    ]
    return of_view(chosen, imports, [
        f"weights = random_weights{drawn}  # width of a head, inner width, seed",
        f"both = both_rows(trace, view, {both.query}, {head}, weights)",
        f"shown = both.largest({_MOST_TOKENS})",
        "labels = [view.labels[k] for k in shown]",
        "rows = {kind: row[shown] for kind, row in both.rows.items()}",
        "data = row_frame(labels, rows)",
        *drawing,
        "print(both.sentence)",
    ])  # fmt: skip


def _times_code(width: int, inner: int) -> str:
    imported, drawing = drawn_last(_COSTS).code()
    return script([
        "from attention import plot",
        "from attention.translation.additive import costs, longer_sentence",
        "from attention.translation.frames import cost_frame",
        imported,
    ], [
        ANEW,
        f"times = costs({_LENGTHS}, {width}, {inner})",
        "data = cost_frame(times)",
        *drawing,
        f"print(longer_sentence(times, {_LENGTHS[-1]}))",
    ])  # fmt: skip


def _controls(chosen: Reading, focus: Focus) -> tuple[Head, int, int, bool]:
    """Draw the controls; return the head, the inner width, the seed, and whether to measure."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        at, of = (focus.layer, focus.head), (chosen.model_name,)
        head = head_picker("Head", chosen.model, at, key="score_head", of=of, width=120)
        inner = inputs.stepped("Inner width A", _INNER, 32, key="inner", width=180)
        seed = inputs.slider("Random weights no.", 0, 9, 0, key="drawn", width=150)
        pressed = st.button("Measure", icon=":material/timer:", help="About a second")
    return head, inner, seed, pressed


def _costs(width: int, inner: int, *, pressed: bool) -> list[ScoreCost]:
    """Return the times of both that this visit has measured, if it has."""
    measured: dict[tuple[int, int], list[ScoreCost]] = st.session_state.setdefault(_TIMES, {})
    if pressed:
        slot = st.empty()
        measured[width, inner] = alone(
            slot,
            lambda: additive.costs(
                _LENGTHS, width, inner, lambda share: slot.progress(share, "Measuring")
            ),
        )
        slot.empty()
    return measured.get((width, inner), [])


def _rows(both: BothRows) -> None:
    shown, count = both.largest(_MOST_TOKENS), len(both.view.labels)
    labels = tuple(both.view.labels[k] for k in shown)
    st.markdown("**The same queries and keys, scored in two ways**")
    if len(shown) < count:
        st.warning(
            f"The text has {count} words; the chart shows the {len(shown)} that weigh most in "
            "either row. The weights are over all of them."
        )
    draw(
        two_rows,
        frames.row_frame(labels, {kind: row[shown] for kind, row in both.rows.items()}),
        key=_ROWS,
        alt_text="One row of weights from dot products and from additive scores",
        labels=labels,
    )


def _times(costs: list[ScoreCost], counts: dict[str, tuple[int, int]]) -> None:
    st.markdown("**Time of all scores of one head, measured on this machine**")
    if costs:
        draw(
            cost_lines,
            frames.cost_frame(costs),
            key=_COSTS,
            alt_text="Time of additive and of dot-product scores against length",
        )
    else:
        st.info(f"Nothing is timed yet. “Measure” times both, up to {_LENGTHS[-1]} tokens.")
    st.dataframe(
        frames.cost_table(counts, costs, _LENGTHS[-1]),
        hide_index=True,
        alt=f"What both kinds of scores cost at {_LENGTHS[-1]} tokens",
    )
    link("pages/measure/scaling.py", "Time the whole of attention", {})
