"""The lesson on additive (2014) against scaled dot-product (2017) scores."""

from __future__ import annotations

import numpy as np
import streamlit as st

from attention import wording
from attention.analysis import metrics
from attention.arrays import Array
from attention.core import causal_mask, softmax
from attention.lesson import additive
from attention.lesson import frames as lesson_frames
from attention.lesson.additive import ADDITIVE, DOT, ScoreCost
from attention.lesson.charts import cost_lines, two_rows
from attention.ui import inputs
from attention.ui.controls import head_picker, word
from attention.ui.links import link
from attention.ui.measuring import alone
from attention.ui.readings import Focus, Reading
from attention.ui.show import draw, notice

_LENGTHS = (32, 64, 128, 256, 512)
_MOST_TOKENS = 40
_INNER = (8, 16, 32, 64, 128)
_TIMES = "_score_times"  # (E, A) -> what this visit has measured


def additive_or_dot(chosen: Reading, focus: Focus) -> None:
    """Draw both kinds of scores on the real queries and keys of a head, and what they cost."""
    st.markdown(
        "In 2014 a small network scored each pair of words; in 2017 a dot product took its place. "
        "Both score here the same vectors: the queries and keys of one head of the model. The "
        "additive network's weights are **random, not trained**: the model has none."
    )
    left, right = st.columns(2)
    left.latex(r"\text{additive: } s_{qk} = v^\top \tanh(W q + U k)")
    right.latex(r"\text{scaled dot product: } s_{qk} = \frac{q \cdot k}{\sqrt{E}}")
    with st.container(horizontal=True, vertical_alignment="bottom"):
        query = word("Word that asks", chosen.view, focus.query)
        at, of = (focus.layer, focus.head), (chosen.model_name,)
        head = head_picker("Head", chosen.model, at, key="score_head", of=of, width=120)
        inner = inputs.stepped("Inner width A", _INNER, 32, key="inner", width=180)
        seed = inputs.slider("Random weights no.", 0, 9, 0, key="drawn", width=150)
        pressed = st.button("Measure", icon=":material/timer:", help="About a second")
    rows = _rows(chosen, query, head, inner, seed)
    width = chosen.trace.key.shape[-1]
    costs = _costs(width, inner, pressed=pressed)
    spread = {kind: float(metrics.entropy(row)) for kind, row in rows.items()}
    most = {kind: chosen.view.labels[int(row.argmax())] for kind, row in rows.items()}
    notice(
        f"{_longer(costs)}When "
        f"“{chosen.view.labels[query]}” asks, trained dot products read “{most[DOT]}” most "
        f"(entropy {spread[DOT]:.1f} bits), the random network “{most[ADDITIVE]}” "
        f"({spread[ADDITIVE]:.1f} bits): what a head looks for is learned, in both forms."
    )
    _show(chosen, rows, costs, additive.counted(_LENGTHS[-1], width, inner))


def _longer(costs: list[ScoreCost]) -> str:
    """Say how much longer the additive scores took, where they were timed."""
    longest = {cost.kind: cost.seconds for cost in costs if cost.n == _LENGTHS[-1]}
    if not longest:
        return ""
    return (
        f"At {_LENGTHS[-1]} tokens the additive scores took "
        f"{longest[ADDITIVE] / longest[DOT]:.0f} times as long. "
    )


def _rows(
    chosen: Reading, query: int, head: wording.Head, inner: int, seed: int
) -> dict[str, Array]:
    """Return the row of weights by kind of score, over the words of the view."""
    trace, units, (layer, at) = chosen.trace, chosen.view.units, head
    keys = trace.key[layer, at * trace.key.shape[1] // trace.query.shape[1]]  # (T, E)
    drawn = additive.random_weights(keys.shape[-1], inner, seed)
    positions = list(units[query].positions)
    scores = additive.additive_scores(trace.query[layer, at, positions], keys, drawn)
    if trace.is_causal:
        scores[~causal_mask(len(keys))[positions]] = -np.inf
    read = softmax(scores).mean(axis=0)  # (T,)
    merged = np.array([read[list(unit.positions)].sum() for unit in units])
    return {DOT: chosen.view.weights[head][query], ADDITIVE: merged / merged.sum()}


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


def _show(
    chosen: Reading,
    rows: dict[str, Array],
    costs: list[ScoreCost],
    counts: dict[str, tuple[int, int]],
) -> None:
    strongest = np.max(list(rows.values()), axis=0)
    shown = sorted(np.argsort(-strongest, kind="stable")[:_MOST_TOKENS].tolist())
    labels = tuple(chosen.view.labels[k] for k in shown)
    left, right = st.columns(2, gap="large")
    with left:
        st.markdown("**The same queries and keys, scored in two ways**")
        if len(labels) < len(chosen.view.labels):
            st.warning(
                f"The text has {len(chosen.view.labels)} words; the chart shows the {len(labels)} "
                "that weigh most in either row. The weights are over all of them."
            )
        draw(
            two_rows,
            lesson_frames.row_frame(labels, {kind: row[shown] for kind, row in rows.items()}),
            key="two_rows",
            alt_text="One row of weights from dot products and from additive scores",
            labels=labels,
        )
    with right:
        st.markdown("**Time of all scores of one head, measured on this machine**")
        if costs:
            draw(
                cost_lines,
                lesson_frames.cost_frame(costs),
                key="score_costs",
                alt_text="Time of additive and of dot-product scores against length",
            )
        else:
            st.info(f"Nothing is timed yet. “Measure” times both, up to {_LENGTHS[-1]} tokens.")
        st.dataframe(
            lesson_frames.cost_table(counts, costs, _LENGTHS[-1]),
            hide_index=True,
            alt=f"What both kinds of scores cost at {_LENGTHS[-1]} tokens",
        )
        link("pages/measure/scaling.py", "Time the whole of attention", {})
    st.caption(
        "Bahdanau et al. 2014, appendix A.1.2; Vaswani et al. 2017, section 3.2.1. Both grow as "
        "n². A dot product is a matrix product, for which processors are made; the additive score "
        "has a tanh for every pair and every one of its A inner numbers. Medians, one processor."
    )
