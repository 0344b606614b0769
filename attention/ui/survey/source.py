"""Which survey the page shows: one that comes with the package, or one that a reader brings."""

from __future__ import annotations

from typing import Any

import streamlit as st

from attention.survey.summary import Summary, load, shipped, summarise
from attention.ui import inputs
from attention.ui.show import escape_markdown

OWN = "own"
_MOST_MEGABYTES = 100
_COMMAND = (
    "attention survey TEXTS.txt --model NAME --out survey.parquet",
    "attention survey attention/survey/texts/*.txt --model NAME --out survey.parquet",
)


def brought() -> Summary | None:
    """Draw the field for a survey of the reader's own; return what it says of every head."""
    with st.expander("Your own texts"):
        st.markdown("A line each in a file, measured in a terminal:")
        st.code(_COMMAND[0], language="sh")
        st.caption(
            "Any number of texts, on any number of processors (`--workers`) or machines "
            "(`--scheduler`); a run that was stopped goes on where it was. The surveys that "
            "come with this page are of sentences, paragraphs, lists and lines of code written for "
            "it, and made in the same way:"
        )
        st.code(_COMMAND[1], language="sh")
        file = st.file_uploader(
            "The survey that it made", "parquet", key="survey_file",
            max_upload_size=_MOST_MEGABYTES,
        )  # fmt: skip
        if file is None:
            return None
        try:
            return _summarised(file.file_id, file)
        except ValueError as refusal:
            st.warning(escape_markdown(f"{file.name}: {refusal}"))
            return None


def picked(own: Summary | None) -> tuple[str, Summary]:
    """Draw the picker for a survey; return its name and what it says."""
    names = surveys(own)
    name = inputs.select(
        "Survey", list(names), OWN if own else next(iter(names)), key="survey",
        text=names.__getitem__, of=(own is None,), width=220,
    )  # fmt: skip
    return names[name], summary_of(name, own)


def surveys(own: Summary | None) -> dict[str, str]:
    """Return the surveys that can be shown, `{code: text}`."""
    names = {name: name for name in sorted(shipped(), key=_order)}
    return names | ({OWN: f"your texts, {own.model}"} if own else {})


def summary_of(code: str, own: Summary | None) -> Summary:
    """Return a survey by its code."""
    return own if code == OWN and own else _shipped(code)


@st.cache_resource(max_entries=8, show_spinner=False)
def _shipped(name: str) -> Summary:
    return load(shipped()[name])


@st.cache_resource(max_entries=4, show_spinner="Reading the survey…")
def _summarised(identity: str, _file: Any) -> Summary:
    return summarise(_file)


def _order(name: str) -> tuple[bool, str]:
    return name != "minilm", name
