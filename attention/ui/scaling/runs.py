"""Saved runs on the scaling page: download, upload, and one laid over another."""

from __future__ import annotations

from functools import partial
from itertools import chain

import streamlit as st

from attention.scaling import frames as scaling_frames
from attention.scaling import runs
from attention.scaling.charts import comparison_chart
from attention.scaling.runs import Run
from attention.scaling.sentences import runs_sentence
from attention.scaling.stored import CORE_KIND, METHODS_KIND, stored_run
from attention.ui.code_lines import script
from attention.ui.shelf import results
from attention.ui.show import draw, escape_markdown, notice
from attention.ui.view_code import ViewCode, drawn_last, offer

MOST_RUNS = 4
_FIGURE, _STORED = "overlay", "stored: {}"
_UPLOADED = "_saved_runs"  # name -> run
_OFFERED = "_offered_runs"


def download(run: Run, *, key: str) -> None:
    """Offer a run as a file, and keep it to be laid over another."""
    box, name = results(), f"run of {run.kind}"
    before: Run | None = box.get(name)
    if before is None or before.points != run.points:
        box[name] = before = run
    st.download_button(
        "Save this run",
        runs.to_json(before),
        file_name=_file_name(run),
        mime="application/json",
        icon=":material/download:",
        key=key,
        on_click="ignore",
        help="JSON with the times, this machine, the versions of its libraries and the settings.",
    )


def overlaid() -> None:
    """Let the reader upload saved runs, and draw any of them over each other."""
    uploaded = _uploaded()
    here = {f"measured here: {run.kind}": run for run in results().values() if isinstance(run, Run)}
    known = (
        {_STORED.format(kind): stored_run(kind) for kind in (METHODS_KIND, CORE_KIND)}
        | here
        | uploaded
    )
    if st.session_state.get(_OFFERED) != list(known):  # a run that has just come is shown
        st.session_state[_OFFERED] = list(known)
        st.session_state["laid"] = _last_two_of_a_kind(known)
    names = st.multiselect(
        "Laid over each other", list(known), max_selections=MOST_RUNS, key="laid"
    )
    if not here and not uploaded:
        st.caption(
            "This is a stored run. Measure on one of the first two tabs, or upload files that were "
            "saved there, and they are laid over each other, with what differs between their "
            "machines, libraries and settings."
        )
    if names:
        _compare({name: known[name] for name in names})


def _last_two_of_a_kind(known: dict[str, Run]) -> list[str]:
    """Return the run that came last, and before it the last one that timed the same, if any."""
    *_, last = known.values()
    return [name for name, run in known.items() if run.kind == last.kind][-2:]


def _uploaded() -> dict[str, Run]:
    """Draw the place for files and return the runs of this visit; say which files are not runs."""
    files = st.file_uploader(
        "Saved runs (JSON)",
        type="json",
        accept_multiple_files=True,
        max_upload_size=1,
        key="runs",
        help="Files that “Save this run” on the other tabs has made, here or elsewhere.",
    )
    uploaded: dict[str, Run] = st.session_state.setdefault(_UPLOADED, {})
    for file in files:
        try:
            uploaded[file.name] = runs.from_json(file.getvalue())
        except ValueError as refusal:
            st.error(f"{escape_markdown(file.name)}: {escape_markdown(str(refusal))}.")
    return uploaded


def _compare(chosen: dict[str, Run]) -> None:
    all_points = [run.points for run in chosen.values()]
    if len(chosen) == 2:
        notice(runs_sentence(*all_points))
    draw(
        comparison_chart,
        scaling_frames.timed_frame(all_points),
        key=_FIGURE,
        alt_text="Times of the chosen runs against the number of tokens",
        series=tuple(dict.fromkeys(point.series for point in chain(*all_points))),
        runs=len(chosen),
    )
    offer(ViewCode(partial(_code, chosen), _FIGURE, text="runs"))
    facts = scaling_frames.facts_frame(chosen)
    st.dataframe(facts, hide_index=True, alt="What is known of each run")


def _code(chosen: dict[str, Run]) -> str:
    imported, drawing = drawn_last(_FIGURE).code()
    imports = [
        "from pathlib import Path",
        "",
        "from attention import plot",
        "from attention.scaling.frames import timed_frame",
        "from attention.scaling.runs import from_json",
        "from attention.scaling.sentences import runs_sentence",
        "from attention.scaling.stored import stored_run",
        imported,
    ]
    return script(imports, [
        "runs = [",
        *(f"    {_source(name, run)}," for name, run in chosen.items()),
        "]",
        "data = timed_frame([run.points for run in runs])",
        *drawing,
        *(["print(runs_sentence(*(run.points for run in runs)))"] if len(chosen) == 2 else []),
    ])  # fmt: skip


def _source(name: str, run: Run) -> str:
    """Return the code that reads a run: of the package, or of its own file."""
    if name == _STORED.format(run.kind):
        return f"stored_run({run.kind!r})"
    file = name if name in st.session_state[_UPLOADED] else _file_name(run)
    return f"from_json(Path({file!r}).read_bytes())"


def _file_name(run: Run) -> str:
    return f"attention-{run.kind.replace(' ', '-')}.json"
