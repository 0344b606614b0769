"""Predict, then reveal: a question that is answered before its answer is shown."""

from __future__ import annotations

import zlib

import streamlit as st

from attention.questions import Question
from attention.ui.show import escape_markdown

_SCORE = "_predictions"  # mark of each question asked so far -> whether the first answer was right


def predict(question: Question) -> None:
    """Draw a question, closed until the reader opens it; the first answer is the one that counts.

    The same question about another sentence is another question: its answer is computed anew.
    """
    mark = zlib.crc32(f"{question.text}{question.options}".encode())
    key = f"predict-{question.key}-{mark:x}"
    score: dict[str, bool] = st.session_state.setdefault(_SCORE, {})
    closed = st.expander(
        "Predict first, then see",
        icon=":material/psychology_alt:",
        key=f"ask-{question.key}",
        on_change="rerun",  # what is inside is sent when it is opened: pages load sooner
    )
    if not closed.open:
        return
    with closed:
        st.markdown(escape_markdown(question.text))
        picked = st.radio(
            "Your prediction",
            question.options,
            index=None,
            format_func=escape_markdown,
            key=key,
            persist_state="session",
            label_visibility="collapsed",
        )
        if picked is None:
            st.caption("The answer is computed when you have made yours.")
            return
        right = score.setdefault(key, picked == question.answer)
        reveal = st.success if right else st.warning
        verdict = "Right" if right else f"Not this time: {question.answer}"
        reveal(escape_markdown(f"{verdict}. {question.because}"))
        st.caption(f"Right so far on this visit: {sum(score.values())} of {len(score)}.")
