"""Write on: the next token under temperature and top-k, and a text that grows word by word."""

from __future__ import annotations

from functools import partial

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from attention.interventions import writing
from attention.interventions.writing import Sampling, Writing
from attention.models.decoder import CausalModel
from attention.ui import inputs
from attention.ui.code_lines import of_view
from attention.ui.interventions.edited import NEXT_SHOWN, SIDES, decoder, draw_changes, logits_of
from attention.ui.measuring import alone
from attention.ui.readings import Reading
from attention.ui.show import escape_markdown, notice, signs_note
from attention.ui.view_code import ViewCode, drawn_last, offer

_MOST_TOKENS = 100
_WRITTEN, _CHANCES = "_written", "chances"


def write_on(chosen: Reading) -> None:
    """Draw the controls, the chances of the next token, and what the model has written."""
    model = decoder(chosen)
    if model is None:
        st.info(
            f"{escape_markdown(chosen.model_name)} predicts no next token: "
            f"{chosen.trace.why_no_next}. Pick another model above."
        )
        return
    left, right = st.columns(SIDES, gap="medium")
    with left:
        sampling = _sampling()
        count = inputs.slider("Tokens", 1, _MOST_TOKENS, 25, key="count")
        pressed = st.button("Write", icon=":material/edit:")
    with right:
        status, place = st.empty(), st.empty()
        if pressed:
            alone(status, lambda: _write(chosen, model, sampling, count, place))
        _show(chosen, model, place)
        _chances(chosen, model, sampling)
    code = partial(_code, chosen, sampling, count)
    offer(ViewCode(code, _CHANCES, chosen.trace, chosen.text))


def _code(chosen: Reading, sampling: Sampling, count: int) -> str:
    labels = "tuple(f'“{token}”' for token in data['token'])"
    imported, drawing = drawn_last(_CHANCES).code(labels=labels)
    imports = [
        "from attention.interventions.frames import next_frame",
        "from attention.interventions.writing import (",
        "    Sampling, Writing, next_chances, whole_text, write",
        ")",
        imported,
    ]
    return of_view(chosen, imports, [
        f"sampling = {sampling}",
        f"chances = next_chances(trace.next_logits, sampling, {NEXT_SHOWN})",
        "data = next_frame(chances.changes, model.label, 0)",
        *drawing,
        "best = model.label(chances.changes[0].id)",
        "print(chances.sentence(best, sampling.top_k))",
        "written = Writing(model.name, trace.text)",
        f"*_, text = write(written, model, sampling, {count})",
        "print(text)  # what “Write” makes of it",
    ])  # fmt: skip


def _sampling() -> Sampling:
    temperature = inputs.slider(
        "Temperature", 0.0, 2.0, 1.0, 0.1, key="heat",
        help="The logits are divided by it: below 1 the likely tokens gain, above 1 the rest. "
        "0 always takes the most probable one.",
    )  # fmt: skip
    top_k = inputs.slider(
        "Top k", 1, 100, 50, key="top_k",
        help="Only the k most probable tokens can be chosen.",
    )  # fmt: skip
    return Sampling(temperature, top_k, inputs.slider("Seed", 0, 20, 0, key="dice"))


def _write(
    chosen: Reading, model: CausalModel, sampling: Sampling, count: int, place: DeltaGenerator
) -> None:
    """Write token by token; any click stops, and what is written stays."""
    st.session_state[_WRITTEN] = written = Writing(chosen.model_name, chosen.text)
    for text in writing.write(written, model, sampling, count):
        place.text(text)


def _show(chosen: Reading, model: CausalModel, place: DeltaGenerator) -> None:
    written: Writing | None = st.session_state.get(_WRITTEN)
    here = chosen.model_name, chosen.text
    if not written or not written.steps or (written.model, written.start) != here:
        place.info("“Write” lets the model go on with the sentence, one token after the other.")
        return
    with place.container(border=True):
        st.text(writing.whole_text(written, model))
        st.caption(escape_markdown(writing.writing_sentence(written, model)))


def _chances(chosen: Reading, model: CausalModel, sampling: Sampling) -> None:
    chances = writing.next_chances(logits_of(chosen.trace), sampling, NEXT_SHOWN)
    notice(chances.sentence(model.label(chances.changes[0].id), sampling.top_k))
    tokens = draw_changes(
        model, chances.changes, key=_CHANCES, title="probability (mark: temperature 1, no top k)"
    )
    signs_note(tokens)
    st.latex(r"p_i = \frac{e^{l_i / \tau}}{\sum_{j \in \text{top } k} e^{l_j / \tau}}")
