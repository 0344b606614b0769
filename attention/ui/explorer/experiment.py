"""The explorer's experiment: scores to move, and the weights and the blend that follow."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from functools import partial

import numpy as np
import streamlit as st

from attention import presets
from attention.analysis import embeddings, frames, words
from attention.charts.blend import blend_bars, meaning_axis
from attention.pipeline.blend_frames import BlendBars, dimension_bars, meaning_bars
from attention.pipeline.blending import (
    MOST_COLOURED,
    MOST_MOVABLE,
    BlendedWords,
    BlendStart,
    Leaning,
    leaning,
)
from attention.ui.code_lines import of_view
from attention.ui.controls import meanings_input, on_phone
from attention.ui.explorer.starts import start_code
from attention.ui.inputs import expander
from attention.ui.readings import Reading
from attention.ui.show import draw, escape_markdown, notice, percent, show_check, table
from attention.ui.sliders import LINE_HEIGHT, Bar, Slider, slider_column, standing
from attention.ui.view_code import ViewCode, offer
from attention.wording import head_name

MOST_MEANINGS = 12
_TALL = 12  # sliders: more, and they scroll beside what they change
_TEMPERATURE = Slider("temperature", "Temperature", 1.0, 0.1, 5.0, 0.1)
_COLUMNS = [3, 2]


def draw_experiment(chosen: Reading, start: BlendStart) -> tuple[BlendedWords, bool]:
    """Draw the scores beside what they make; return that, and whether the sliders rest."""
    sliders = _score_sliders(start)
    scores = start.base.copy()
    scores[start.movable] = standing(sliders)
    (temperature,) = standing([_TEMPERATURE])
    blended = BlendedWords(start, scores, temperature)
    row = st.container(horizontal=True, vertical_alignment="center")
    if on_phone():  # the result stays above the sliders, which scroll
        right, left = st.container(), st.container(height=300)
    else:
        left, right = st.columns(_COLUMNS, gap="large")
    told = st.container()
    with right:
        stands = _draw_blend(chosen, blended)
    with told:
        notice(" ".join([blended.sentence(chosen.model), stands.sentence if stands else ""]))
        _draw_checks(blended)
        _notes(chosen, start)
    with left:
        rests = _draw_scores(blended, sliders)
    with row:
        return blended, _draw_temperature(blended, sliders) and rests


def draw_details(blended: BlendedWords) -> None:
    """Draw the formula and the raw dimensions, closed at first, with the numbers of now."""
    formula = expander("The formula, with these numbers", key="formula")
    if formula.open:
        with formula:
            _draw_formula(blended)
    if blended.start.own:  # its dimensions are all there is to show
        return
    dimensions = expander("The blend's raw dimensions", key="dimensions")
    if dimensions.open:
        with dimensions:
            _draw_bars(dimension_bars(blended), "The raw dimensions", key="raw")


def _score_sliders(start: BlendStart) -> list[Slider]:
    """Return a slider for each word that has one, around where the scores start."""
    low, high = float(np.floor(start.base.min())) - 4, float(np.ceil(start.base.max())) + 4
    return [
        Slider(_key(start, k), start.view.labels[k], float(start.base[k]), low, high, 0.05)
        for k in start.movable
    ]


def _draw_scores(blended: BlendedWords, sliders: list[Slider]) -> bool:
    start = blended.start
    weights, before = (words.fold(row, start.movable) for row in (blended.weights, start.weights))
    bars = [
        Bar(float(share), float(was), percent(float(share)), None if c == MOST_COLOURED else c)
        for share, was, c in zip(weights, before, blended.colours, strict=True)
    ]
    tall = len(sliders) > _TALL and not on_phone()
    with st.container(height=_TALL * LINE_HEIGHT if tall else "content", border=False):
        return slider_column(
            "scores",
            "Relevance of each word",
            sliders,
            [float(blended.scores[k]) for k in start.movable],
            bars=bars,
            heads=("relevance score", "weight"),
            rest=blended.labels[-1] if start.rest else None,
        )


def _draw_temperature(blended: BlendedWords, sliders: list[Slider]) -> bool:
    with st.container(width=300):
        rests = slider_column(
            "softmax", "Softmax", [_TEMPERATURE], [blended.temperature], digits=1, signed=False
        )
    st.button(
        "Reset", icon=":material/restart_alt:", on_click=partial(_reset, sliders),
        disabled=blended.untouched, help="Scores and temperature, as they were at first",
    )  # fmt: skip
    return rests


def _draw_checks(blended: BlendedWords) -> None:
    weights, head = blended.weights, blended.start.head
    with st.container(horizontal=True):
        show_check(f"none negative: smallest {weights.min():.2g}", weights.min() >= 0)
        show_check(f"sum {weights.sum():.6f}", abs(weights.sum() - 1) < 1e-6)
        if head and (gap := blended.row_gap) is not None:
            name = head_name(head)
            show_check(f"weights: the model's own row at {name}, largest difference {gap:.0e}",
                       gap < 1e-6)  # fmt: skip


def _draw_blend(chosen: Reading, blended: BlendedWords) -> Leaning | None:
    """Draw the blend as meanings, where it stands between two of them; or as raw dimensions."""
    if blended.start.own:
        _offer(chosen, blended, ())
        st.markdown("**Blended output**")
        _draw_bars(dimension_bars(blended), "The blended output", key="blend")
        return None
    axis = st.container()
    with st.container(horizontal=True, vertical_alignment="center"):
        with st.popover("Meanings", icon=":material/translate:"):  # left: right is the toolbar
            near = blended.nearest_before(chosen.model)
            names = meanings_input(chosen, near, MOST_MEANINGS)
        st.markdown("**Blended output**, by word")
    vectors = {name: embeddings.word_vector(chosen.model, name) for name in names}
    _offer(chosen, blended, names)
    if not vectors:
        _draw_bars(dimension_bars(blended), "The blended output", key="blend")
        return None
    _draw_bars(meaning_bars(blended, vectors), "The blended output", key="blend")
    stands = leaning(blended, vectors, chosen.preset)
    if stands:
        with axis:
            _draw_axis(blended, stands)
    return stands


def _offer(chosen: Reading, blended: BlendedWords, meanings: Sequence[str]) -> None:
    code = partial(_code, chosen, blended, meanings)
    offer(ViewCode(code, "blend", chosen.trace, chosen.text))


def _code(chosen: Reading, blended: BlendedWords, meanings: Sequence[str]) -> str:
    """Return the code of a blend, with the scores as they stand."""
    imports, made = start_code(chosen, blended.start)
    moved = {k: float(blended.scores[k]) for k in blended.start.movable
             if blended.scores[k] != blended.start.base[k]}  # fmt: skip
    lines = [made, "scores = start.base.copy()"]
    lines += [f"scores[{k}] = {score!r}" for k, score in moved.items()]
    lines.append(f"blended = BlendedWords(start, scores, {blended.temperature!r})")
    if meanings:
        lines.append(f"chart = plot.blend(blended, meanings={list(meanings)!r}, model=model.name)")
    else:
        imports += ["from attention.charts.blend import blend_bars",
                    "from attention.pipeline.blend_frames import dimension_bars"]  # fmt: skip
        lines += [
            "bars = dimension_bars(blended)",
            "chart = plot.drawn(blend_bars, bars.frame, labels=bars.labels, title=bars.title, "
            "domain=bars.domain)",
        ]
    return of_view(chosen, imports, [*lines, "print(blended.sentence(model))"])


def _draw_axis(blended: BlendedWords, stands: Leaning) -> None:
    name = blended.start.query_label or "blend"
    draw(
        meaning_axis,
        frames.leaning_frame(stands.before, stands.now, f"{name}, now"),
        key="axis",
        alt_text=stands.sentence,
        labels=(stands.left, stands.right),
    )


def _draw_formula(blended: BlendedWords) -> None:
    """Write softmax and the blend out with the numbers of this moment."""
    st.latex(
        r"w_k = \frac{e^{s_k / t}}{\sum_j e^{s_j / t}} \qquad\qquad"
        r"\mathrm{output} = \sum_k w_k\, v_k"
    )
    table(
        ("word", "e to the score / t", "weight"),
        presets.softmax_receipt(blended.start.view.labels, blended.scores, blended.temperature),
    )


def _draw_bars(bars: BlendBars, what: str, *, key: str) -> None:
    draw(
        blend_bars,
        bars.frame,
        key=key,
        alt_text=f"{what}: {bars.title}",
        labels=bars.labels,
        title=bars.title,
        domain=bars.domain,
    )


def _notes(chosen: Reading, start: BlendStart) -> None:
    """Say which words have no slider: those that weigh little, and a decoder's later ones."""
    if start.rest:
        st.warning(
            f"The text has {len(start.base)} words. The {MOST_MOVABLE} that weigh most have a "
            f"slider; the other {start.rest} keep the score they start with."
        )
    if hidden := len(chosen.view.units) - len(start.view.units):
        further = ", or further back than the window of this layer," if start.first else ""
        st.caption(
            f"Words that are hidden: {hidden}. {escape_markdown(chosen.model_name)} is a "
            f"decoder: what comes later{further} has no score, and no slider."
        )


def _key(start: BlendStart, k: int) -> str:
    """Return a key for the slider of a word: a score belongs to one sentence and one start."""
    return f"r{k}-{zlib.crc32(f'{start.view.labels}{start.origin}'.encode()) % 0xFFFF:x}"


def _reset(sliders: list[Slider]) -> None:
    """Put every slider back where it started."""
    st.session_state.update({s.key: s.default for s in (*sliders, _TEMPERATURE)})
