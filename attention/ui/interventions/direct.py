"""What each head writes for the answer, beside what it attends to; what each layer predicts."""

from __future__ import annotations

from functools import partial

import numpy as np
import streamlit as st

from attention.arrays import Array
from attention.interventions.ablation import removal_effects
from attention.interventions.attribution import NO_SUM, DirectWriting, direct_sentence, written_for
from attention.interventions.charts import effect_grid
from attention.interventions.frames import effect_frame
from attention.interventions.steering import Interests
from attention.interventions.writing_frames import writing_frame
from attention.ui.code_lines import of_view
from attention.ui.controls import on_phone
from attention.ui.interventions.answer import answer
from attention.ui.interventions.edited import SIDES, decoder, row_height
from attention.ui.interventions.lens import logit_lens_below
from attention.ui.progress import kept
from attention.ui.readings import Reading
from attention.ui.show import draw, escape_markdown, notice
from attention.ui.view_code import ViewCode, drawn_last, offer

_FIGURE = "written"
_LISTED = 8  # heads
_MOST_ABLATED = 64  # tokens: of longer texts the listed heads are not ablated unasked
_SIGNED = st.column_config.NumberColumn(format="%+.2f")
_WEIGHT = st.column_config.NumberColumn(format="%.2f")


def what_heads_write(chosen: Reading) -> None:
    """Draw what every head writes for the reader's answer, and the logit lens below."""
    model = decoder(chosen)
    if model is None or not model.sums_parts:
        st.info(
            f"Nothing to add up in {escape_markdown(chosen.model_name)}: {NO_SUM}. “Which heads "
            "matter” takes heads out instead."
        )
        return
    left, right = st.columns(SIDES, gap="medium")
    with left:
        followed = answer(chosen, model)
    writing = kept(
        "Adding up what each head writes",
        lambda _: written_for(model, chosen.trace, followed.ids),
        chosen.model_name, chosen.text, repr(followed.ids),
    )  # fmt: skip
    code = partial(_code, chosen, followed, *_asked_about(chosen, followed))
    with right:
        _say(chosen, writing, followed)
        grid, listed = st.columns(2, gap="medium")
        with grid:
            _grid(writing)
        with listed:
            _listed_heads(chosen, writing, followed)
    offer(ViewCode(code, _FIGURE, chosen.trace, chosen.text))
    with st.container() if on_phone() else left:  # there, the result comes first
        _can_and_cannot()
    logit_lens_below(chosen, model, followed)


def _code(chosen: Reading, followed: Interests, title: str, key: int | None) -> str:
    imported, drawing = drawn_last(_FIGURE).code()
    imports = [
        "from attention.interventions.attribution import direct_sentence, written_for",
        "from attention.interventions.frames import effect_frame",
        imported,
    ]
    return of_view(chosen, imports, [
        f"writing = written_for(model, trace, {followed.ids})  # {title}, as tokens",
        "all_heads = writing.heads == writing.heads",
        "data = effect_frame(writing.heads, all_heads, writing.ranked(1))",
        *drawing,
        "rows = view.weights[:, :, -1]",
        f"print(direct_sentence(writing, rows, view.labels, {title!r}, {key}))",
    ])  # fmt: skip


def _say(chosen: Reading, writing: DirectWriting, followed: Interests) -> None:
    view = chosen.view
    about = _asked_about(chosen, followed)
    notice(direct_sentence(writing, view.weights[:, :, -1], view.labels, *about))


def _asked_about(chosen: Reading, followed: Interests) -> tuple[str, int | None]:
    """Return how the answer is called, and which word of the text it is, if any."""
    named = (chosen.view.find(word) for word in followed.names[0].split(" or "))
    key = next((at for at in named if at is not None), None)
    names = [f"“{name}”" for name in followed.names]
    return " against ".join(names[:2]) if len(names) > 1 else f"{names[0]} against all others", key


def _can_and_cannot() -> None:
    st.latex(r"z_h W_{O,h} \cdot u, \quad u = \mathrm{Norm}'(E_a - E_b)")
    st.caption(
        "What a head adds to the log-odds of the answer at the last word, in nats. It says what a "
        "head writes straight into the prediction; it cannot say what later layers make of that, "
        "nor what would take a head's place: ablation measures both (Elhage et al. 2021)."
    )
    st.caption(
        "Is attention explanation? No: weights that differ can predict the same (Jain and Wallace "
        "2019), and a large weight on a short value writes little (Kobayashi et al. 2020). It can "
        "be: such other weights are hard to train, and what counts as an explanation depends on "
        "the purpose (Wiegreffe and Pinter 2019). Here both stand side by side."
    )


def _grid(writing: DirectWriting) -> None:
    heads = writing.heads
    st.markdown("**What each head writes for the answer**")
    highest = float(f"{np.abs(heads).max():.2g}") or 0.1
    draw(
        effect_grid,
        effect_frame(heads, np.ones(heads.shape, bool), writing.ranked(1)),
        key=_FIGURE,
        alt_text="What each head writes for or against the answer",
        title="nats for the answer",
        domain=(-highest, highest),
        layers=heads.shape[0],
        heads=heads.shape[1],
        signed=True,
        plain=True,
        row=row_height(len(heads)),
    )
    st.caption(
        f"All {heads.size} heads together {heads.sum():+.2f}, the MLPs {writing.mlps.sum():+.2f}, "
        f"all else {writing.total - heads.sum() - writing.mlps.sum():+.2f}: "
        f"{writing.total:+.2f} nats."
    )


def _listed_heads(chosen: Reading, writing: DirectWriting, followed: Interests) -> None:
    ranked = writing.ranked(_LISTED)
    st.markdown(f"**The {len(ranked)} that write most, for or against**")
    rows, without = chosen.view.weights[:, :, -1], _without(chosen, writing, followed)
    table = writing_frame(writing, ranked, rows, chosen.view.labels, without)
    st.dataframe(
        table,
        hide_index=True,
        column_config={"Writes": _SIGNED, "Ablated": _SIGNED, "Weight": _WEIGHT},
        alt="What each of these heads writes, what it attends to, and what its ablation does",
    )
    st.caption(
        "Nats for the answer. Ablated: how the log-odds change without the head, later layers "
        "included. Key: the word that the last one attends to most, with that weight."
    )


def _without(chosen: Reading, writing: DirectWriting, followed: Interests) -> Array | None:
    """Return how the log-odds change without each listed head; None for a long text."""
    if len(chosen.trace.tokens) > _MOST_ABLATED:
        return None

    def work(progress: object) -> Array:
        changes = [[head] for head in writing.ranked(_LISTED)]
        *_, found = removal_effects(chosen.model, chosen.trace, changes, answer=followed.ids)
        return -found

    key = chosen.model_name, chosen.text, repr(followed.ids)
    return kept("Ablating the heads that write most", work, *key)
