"""Predict, then reveal: a question that is answered before its answer is shown."""

from __future__ import annotations

import zlib

import streamlit as st

from attention.question import Question
from attention.ui.show import escape_markdown

_FIRST = "_predictions"  # mark of each question -> the first answer, and whether it was right


def predict(question: Question) -> None:
    """Draw a question, closed until the reader opens it; the first answer is the one that counts.

    The same question about another sentence is another question: its answer is computed anew.
    """
    mark = zlib.crc32(f"{question.text}{question.options}".encode())
    key = f"predict-{question.key}-{mark:x}"
    first: dict[str, tuple[str, bool]] = st.session_state.setdefault(_FIRST, {})
    closed = st.expander(
        f"{escape_markdown(question.text)} Predict first, then see",
        icon=":material/psychology_alt:",
        key=f"ask-{question.key}",
        on_change="rerun",  # what is inside is sent when it is opened: pages load sooner
    )
    if not closed.open:
        return
    with closed:
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
        right = picked == question.answer
        answered, _ = first.setdefault(key, (picked, right))
        reveal = st.success if right else st.warning
        reveal(escape_markdown(f"{_verdict(question, picked, answered)} {question.because}"))
        count = sum(counted for _, counted in first.values())
        st.caption(f"Right at the first answer so far on this visit: {count} of {len(first)}.")


def _verdict(question: Question, picked: str, answered: str) -> str:
    """Say whether the answer that is picked is right; the first one is the one that counts."""
    answer = question.answer.removesuffix(".")  # a sentence may be one
    if picked == answered:
        return "Right." if picked == question.answer else f"Not this time: {answer}."
    if answered == question.answer:
        return f"No: {answer}, as you first answered."
    whose = f"your first answer was {answered.removesuffix('.')}"
    return f"Yes; {whose}." if picked == question.answer else f"No: {answer}; {whose}."
