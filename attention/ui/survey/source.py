"""Which survey the page shows: one that comes with the package, or of a reader's own texts."""

from __future__ import annotations

from collections.abc import Mapping

import streamlit as st

import attention
from attention.commands.surveys import pace_text
from attention.runtime.limits import (
    LONGEST_SURVEYED,
    MOST_SURVEYED,
    MOST_SURVEYED_WORDS,
    check_survey,
)
from attention.runtime.waiting_line import Turnstile
from attention.survey.live import PART_LIVE, LiveSurvey
from attention.survey.measure import OF_DECODER
from attention.survey.running import texts_in
from attention.survey.summary import Summary, load, shipped, summarise
from attention.ui import inputs
from attention.ui.address import end_fragment
from attention.ui.progress import kept
from attention.ui.readers import presence
from attention.ui.show import escape_markdown

Own = Mapping[str, Summary]  # of the reader's texts, by the code of the survey
_FILE, _LIVE = "own", "live"
_LABELS = {_FILE: "your file", _LIVE: "your texts"}
_TOLD_MEGABYTES, _MOST_MEGABYTES = 1, 100  # of texts, and of a survey
_MOST_MEASURED = 4_000_000  # texts times heads: 14,800 texts of SmolLM2; a minute or so
_MOST_WAITING = 8  # on this server, the one that runs included
_JOB = "_live_survey"
_COMMAND = (
    "attention survey TEXTS.txt --model NAME --out survey.parquet",
    "attention survey attention/survey/texts/*.txt --model NAME --out survey.parquet",
)


def brought() -> Own:
    """Draw the fields for a reader's own texts and surveys; return what these say."""
    with st.expander("Your own texts"):
        _live()
        st.markdown("Any number of texts are surveyed in a terminal:")
        st.code(_COMMAND[0], language="sh")
        st.caption(
            "On any number of processors (`--workers`) or machines (`--scheduler`); a run that was "
            "stopped goes on where it was. The surveys that come with this page are of sentences, "
            "some with a pronoun whose noun is known, paragraphs, lists and lines of code written "
            "for it, and made in the same way:"
        )
        st.code(_COMMAND[1], language="sh")
        found = {_FILE: _from_file(), _LIVE: _finished()}
    return {code: summary for code, summary in found.items() if summary}


def _live() -> None:
    """Draw what starts a survey of a reader's texts on this server, and how far it is."""
    file = st.file_uploader(
        f"Texts, a line each: at most {MOST_SURVEYED} with {MOST_SURVEYED_WORDS:,} words in all "
        f"and {LONGEST_SURVEYED} in each",
        "txt", key="survey_texts", max_upload_size=_TOLD_MEGABYTES,
    )  # fmt: skip
    pairs = attention.available_translators()
    models = [*attention.available_models(), *pairs, *(f"{pair}{OF_DECODER}" for pair in pairs)]
    job: LiveSurvey | None = st.session_state.get(_JOB)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        waits = file is None or (job is not None and job.is_running)
        model = inputs.select(
            "In the model", models, models[0], key="survey_model", width=220, disabled=waits
        )
        pressed = st.button("Survey", icon=":material/play_arrow:", key="survey_go", disabled=waits)
        if job and job.file:
            st.download_button(
                "Survey as Parquet", job.file, "survey.parquet", "application/vnd.apache.parquet",
                key="survey_save", icon=":material/download:", on_click="ignore",
            )  # fmt: skip
    if pressed and file is not None:
        try:
            st.session_state[_JOB] = _begun(file.getvalue(), model)
            st.rerun()  # the button is out of use from now on
        except ValueError as refusal:
            st.warning(escape_markdown(f"{file.name}: {refusal}."))
    if job and job.is_running:
        _progress(job)
    elif job and job.refusal:
        st.warning(escape_markdown(f"{job.model}: {job.refusal}"))
    elif job and job.file:
        st.caption(
            f"“{_LABELS[_LIVE]}, {job.model}” is among the surveys above. The file is what "
            f"`attention survey` writes with `--part {PART_LIVE}`."
        )


def _begun(content: bytes, model: str) -> LiveSurvey:
    """Begin a survey of the texts of a file.

    Raises
    ------
    ValueError : the file cannot be read or is too large, or too many surveys wait.
    """
    texts = texts_in(content)
    check_survey(texts)
    if len(_line()) >= _MOST_WAITING:
        raise ValueError(f"{_MOST_WAITING} surveys wait on this server: try again in a while")
    return LiveSurvey(texts, model, _line(), presence())


@st.fragment(run_every=1.0)
def _progress(job: LiveSurvey) -> None:
    """Show how far a survey is, once a second; the page goes on."""
    if not job.is_running:
        st.rerun()
    if job.pace is None:
        st.progress(0.0, f"{len(job.texts)} texts: the first are measured, or others come first")
    else:
        st.progress(job.pace.done / len(job.texts), pace_text(job.pace))
    st.button("Stop", icon=":material/stop:", key="survey_stop", on_click=job.stop)
    end_fragment(rests=False)


def _finished() -> Summary | None:
    job: LiveSurvey | None = st.session_state.get(_JOB)
    return job.summary if job else None


def _from_file() -> Summary | None:
    file = st.file_uploader(
        "The survey that it made", "parquet", key="survey_file", max_upload_size=_MOST_MEGABYTES
    )
    if file is None:
        return None
    try:
        return kept(
            "Reading the survey",
            lambda progress: summarise(file, most=_MOST_MEASURED, on_progress=progress),
            file.file_id,
        )
    except ValueError as refusal:
        st.warning(escape_markdown(f"{file.name}: {refusal}"))
        return None


def picked(own: Own) -> tuple[str, Summary]:
    """Draw the picker for a survey; return its name and what it says."""
    names = surveys(own)
    name = inputs.select(
        "Survey", list(names), next(reversed([next(iter(names)), *own])), key="survey",
        text=names.__getitem__, of=tuple(own), width=220,
    )  # fmt: skip
    return names[name], summary_of(name, own)


def surveys(own: Own) -> dict[str, str]:
    """Return the surveys that can be shown, `{code: text}`."""
    names = {name: name for name in sorted(shipped(), key=_order)}
    return names | {code: f"{_LABELS[code]}, {each.model}" for code, each in own.items()}


def summary_of(code: str, own: Own) -> Summary:
    """Return a survey by its code."""
    return own[code] if code in own else _shipped(code)


@st.cache_resource(show_spinner=False)
def _line() -> Turnstile:
    """Return the server's queue for surveys: one at a time."""
    return Turnstile()


@st.cache_resource(max_entries=8, show_spinner=False)
def _shipped(name: str) -> Summary:
    return load(shipped()[name])


def _order(name: str) -> tuple[bool, str]:
    return name != "minilm", name
