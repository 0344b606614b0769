"""How often each head prefers what is meant, over the pairs of the lesson's first claim."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from math import ceil, floor

import streamlit as st

import attention
from attention.analysis import frames
from attention.analysis.pair_sentences import Pair
from attention.charts.maps import head_grid
from attention.lesson import frames as lesson_frames
from attention.lesson import minimal_pairs
from attention.lesson.pair_score import PairScore
from attention.ui import inputs
from attention.ui.code_lines import script
from attention.ui.inputs import choice
from attention.ui.progress import kept
from attention.ui.show import draw, notice
from attention.ui.view_code import ViewCode, drawn_last, offer

_GRID = "pair_grid"  # the key of a chart
_POINTS = {"single": "Sentences right", "both": "Both sentences right"}


def score_box(model: str, pairs: Sequence[Pair]) -> None:
    """Draw a box that opens on the score over the pairs, where there are enough of them."""
    if len(pairs) < 2:  # one half chooses a head, the other scores it
        return
    box = inputs.expander(
        f"The score over {len(pairs)} pairs written for this page",
        icon=":material/scoreboard:",
        key="pair_score",
    )
    with box:
        if box.open:
            _score(model, pairs)


def _score(model: str, pairs: Sequence[Pair]) -> None:
    """Draw how often each head prefers what is meant, against rules."""
    weights = kept(
        f"Reading {2 * len(pairs)} sentences",
        lambda progress: minimal_pairs.read_pairs(
            attention.load_model(model), pairs, on_progress=progress
        ),
        model,
    )
    points = choice("Count", _POINTS, key="points")
    score = PairScore(pairs, weights, whole_pairs=points == "both")
    left, right = st.columns(2, gap="large")
    with left:
        _grid(score, _POINTS[points])
    with right:
        _table(score)
    notice(score.sentence)
    offer(ViewCode(partial(_code, model, score), _GRID, text="pairs"))
    st.caption(
        "Both rules get exactly one sentence of each pair right, since one word turns what is "
        "meant. Two coins would get both right in 25 % of the pairs. Each head is scored on which "
        "candidate the pronoun attends to more; no training, no threshold."
    )


def _code(model: str, score: PairScore) -> str:
    imported, drawing = drawn_last(_GRID).code()
    return script([
        "import attention",
        "from attention import plot",
        "from attention.analysis.frames import head_frame",
        "from attention.analysis.pair_sentences import PAIRS",
        "from attention.lesson.minimal_pairs import is_read, read_pairs",
        "from attention.lesson.pair_score import PairScore",
        imported,
    ], [
        f"model = attention.load_model({model!r})",
        "pairs = [pair for pair in PAIRS if is_read(model, pair)]",
        "weights = read_pairs(model, pairs)",
        f"score = PairScore(pairs, weights, whole_pairs={score.whole_pairs})",
        "data = head_frame(score.share, [score.best])",
        *drawing,
        "print(score.sentence)",
    ])  # fmt: skip


def _grid(score: PairScore, what: str) -> None:
    share = score.share
    draw(
        head_grid,
        frames.head_frame(share, [score.best]),
        key=_GRID,
        alt_text=f"{what} for all {share.size} heads",
        title="share",
        domain=(floor(10 * share.min()) / 10, ceil(10 * share.max()) / 10),
        layers=len(share),
    )
    st.caption(f"{what}: the share, for each head. Framed: the best.")


def _table(score: PairScore) -> None:
    columns = ("Sentences right", "Both right")
    st.dataframe(
        lesson_frames.score_frame(score.rows),
        hide_index=True,
        column_config={c: st.column_config.NumberColumn(format="%.1f %%") for c in columns},
        alt="How often what is meant is preferred",
    )
