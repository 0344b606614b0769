"""The pipeline's steps as the reader walks through them, and the matrices of one."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import streamlit as st

from attention.pipeline import frames as step_frames
from attention.pipeline import matrix, steps
from attention.pipeline.charts import matrix_map
from attention.pipeline.head_state import HeadState
from attention.pipeline.matrix import Matrix, thumbnail
from attention.pipeline.steps import PipelineStep
from attention.ui import strip
from attention.ui.code_lines import of_view
from attention.ui.controls import on_phone
from attention.ui.readings import Reading
from attention.ui.show import draw, show_check
from attention.ui.view_code import ViewCode, offer

MOST_TOKENS = 24  # in a chart
_TITLE = 52  # pixels: two lines, so that the pictures are on one level
_FIRST_STEP = "softmax"  # whose picture says most: scores on the left, weights on the right


def lit_step(all_steps: Sequence[PipelineStep]) -> int:
    """Return the number of the step that is lit in the strip, which `draw_strip` draws."""
    signs = {step.key: step.sign for step in all_steps}
    return list(signs).index(strip.lit(signs, key="step", default=_FIRST_STEP))


def draw_strip(all_steps: Sequence[PipelineStep], number: int, place: HeadState) -> None:
    """Draw the strip of steps: of each what it makes, small, and what it does."""
    shown, dark = steps.shown_tokens(place, MOST_TOKENS), st.context.theme.type == "dark"
    signs = [
        strip.Sign(step.key, step.sign, step.name, thumbnail(_made(step, place), shown, dark))
        for step in all_steps
    ]
    title = "Steps: each does to what is left of it what it says"
    strip.strip(title, signs, all_steps[number].key, key="step")


def explain(step: PipelineStep, place: HeadState) -> None:
    """Say what a step does, in words and in formulas."""
    st.markdown(step.what)
    st.latex(r"\small\begin{gathered}" + r" \\[1ex] ".join(step.formulas) + r"\end{gathered}")
    st.caption(f"Shapes: {steps.shapes_text(step, place)}")
    if step.gap:
        gap = step.gap(place)
        show_check(f"checked: within {gap:.1g} of the model", gap < 1e-4)


def draw_matrices(step: PipelineStep, place: HeadState) -> None:
    """Draw the matrices of a step side by side, of as many tokens as can be read."""
    shown, count = steps.shown_tokens(place, MOST_TOKENS), len(place.labels)
    if len(shown) < count:
        st.caption(
            f"The text has {count} tokens. The charts show {len(shown)}: the chosen two and those "
            "that the query attends to most. Every sum runs over all of them."
        )
    matrices = step.matrices(place)
    named = [i == 0 or m.rows != matrices[0].rows or on_phone() for i, m in enumerate(matrices)]
    for i, beside in enumerate(st.columns([1.4 if names else 1.0 for names in named])):
        with beside:
            drawn = matrices[i]
            limit = matrix.limit(matrices if step.one_scale else [drawn], shown)
            _draw_matrix(drawn, f"{step.key} {drawn.name}", place, shown, limit, named[i])
    if any(drawn.square for drawn in matrices):
        st.caption("Rows are queries, columns are keys. Click a cell to choose it for the receipt.")


def offer_code(chosen: Reading, number: int, step: PipelineStep, place: HeadState) -> None:
    """Offer the code of a step: its last matrix."""
    drawn = step.matrices(place)[-1]
    figure = f"{step.key} {drawn.name} {place.query}" if drawn.square else drawn.name
    offer(ViewCode(partial(_code, chosen, number, place), figure, chosen.trace, chosen.text))


def _code(chosen: Reading, number: int, place: HeadState) -> str:
    imports = [
        "from attention.pipeline import matrix",
        "from attention.pipeline.charts import matrix_map",
        "from attention.pipeline.decoder_steps import steps_for",
        "from attention.pipeline.frames import matrix_frame, row_labels",
        "from attention.pipeline.head_state import HeadState",
        "from attention.pipeline.steps import shown_tokens",
    ]
    where = f"{place.layer}, {place.head}, {place.query}, {place.key}"
    return of_view(chosen, imports, [
        f"place = HeadState(model, trace, {where})",
        f"step = steps_for(model)[{number}]",
        f"drawn, shown = step.matrices(place)[-1], shown_tokens(place, {MOST_TOKENS})",
        "chart = plot.drawn(",
        "    matrix_map, matrix_frame(drawn, place.labels, shown),",
        "    labels=row_labels(drawn, place.labels, shown), square=drawn.square, rows=len(shown),",
        "    named=True, signed=drawn.signed, limit=matrix.limit([drawn], shown),",
        ")",
        "print(step.sentence(place))",
    ], words=False)  # fmt: skip


def _made(step: PipelineStep, place: HeadState) -> Matrix:
    """Return the matrix that a step makes: the last one that is the model's own."""
    return next(m for m in reversed(step.matrices(place)) if m.name != steps.ILLUSTRATION)


def _draw_matrix(
    drawn: Matrix, name: str, place: HeadState, shown: list[int], limit: float, named: bool
) -> None:
    with st.container(height=_TITLE, border=False, vertical_alignment="bottom"):
        st.markdown(f"**{drawn.name}** {drawn.meaning}")
    # of a square one new after every click: any cell can be clicked again
    chart = f"{name} {place.query} {place.key}" if drawn.square else drawn.name
    draw(
        matrix_map,
        step_frames.matrix_frame(drawn, place.labels, shown),
        key=chart,
        alt_text=f"Matrix {drawn.name}: {drawn.meaning}",
        on_select=partial(_click, chart, shown) if drawn.square else None,
        labels=step_frames.row_labels(drawn, place.labels, shown),
        square=drawn.square,
        rows=max(len(shown), 1),
        named=named,
        signed=drawn.signed,
        limit=limit,
    )
    if part := matrix.part_text(drawn, shown):
        st.caption(part)


def _click(chart: str, shown: list[int]) -> None:
    """Let the clicked cell say which token is the query and which the key."""
    for cell in st.session_state[chart]["selection"]["cell"]:
        st.session_state.update(word=shown[cell["r"]], reads=shown[cell["c"]])
