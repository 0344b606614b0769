"""Saved runs on the scaling page: download, upload, and one laid over another."""

from __future__ import annotations

from itertools import chain

import pandas as pd
import streamlit as st

from attention.scaling import frames as scaling_frames
from attention.scaling import runs
from attention.scaling.charts import comparison_chart
from attention.scaling.runs import Run
from attention.ui.measuring import legend_columns
from attention.ui.shelf import results
from attention.ui.show import draw, escape_markdown, notice

MOST_RUNS = 4
_KEPT = "_saved_runs"  # name -> run, uploaded
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
        file_name=f"attention-{run.kind.replace(' ', '-')}.json",
        mime="application/json",
        icon=":material/download:",
        key=key,
        on_click="ignore",
        help="JSON with the times, this machine, the versions of its libraries and the settings.",
    )


def overlaid() -> None:
    """Let the reader upload saved runs, and draw any of them over each other."""
    uploaded = st.file_uploader(
        "Saved runs (JSON)",
        type="json",
        accept_multiple_files=True,
        max_upload_size=1,
        key="runs",
        help="Files that “Save this run” on the other tabs has made, here or elsewhere.",
    )
    kept: dict[str, Run] = st.session_state.setdefault(_KEPT, {})
    for file in uploaded:
        try:
            kept[file.name] = runs.from_json(file.getvalue())
        except ValueError as refusal:
            st.error(f"{escape_markdown(file.name)}: {escape_markdown(str(refusal))}.")
    here = {f"measured here: {run.kind}": run for run in results().values() if isinstance(run, Run)}
    found = here | kept
    if not found:
        st.info(
            "There is no run yet. Measure on one of the first two tabs, or upload files that were "
            "saved there: two of them can be laid over each other, with what differs between "
            "their machines, libraries and settings."
        )
        return
    if st.session_state.get(_OFFERED) != list(found):  # a run that has just come is shown
        st.session_state[_OFFERED] = list(found)
        st.session_state["laid"] = list(found)[-2:]
    names = st.multiselect(
        "Laid over each other", list(found), max_selections=MOST_RUNS, key="laid"
    )
    if names:
        _compare({name: found[name] for name in names})


def _compare(chosen: dict[str, Run]) -> None:
    all_points = [run.points for run in chosen.values()]
    series = tuple(dict.fromkeys(point.series for point in chain(*all_points)))
    if len(chosen) == 2:
        _tell(*chosen.values())
    draw(
        comparison_chart,
        scaling_frames.timed_frame(all_points),
        key="overlay",
        alt_text="Times of the chosen runs against the number of tokens",
        series=series,
        legend_columns=legend_columns(),
        runs=len(chosen),
    )
    st.dataframe(_facts(chosen), hide_index=True, alt="What is known of each run")


def _tell(first: Run, second: Run) -> None:
    ratios = scaling_frames.run_ratios(first.points, second.points)
    if not ratios:
        notice("These two runs have no method and length in common.")
        return
    told = ", ".join(f"{series} {ratio:.2f} (n = {n:,})" for series, (n, ratio) in ratios.items())
    notice(f"Time in run 2 for 1 in run 1, at the longest common length: {told}.")


def _facts(chosen: dict[str, Run]) -> pd.DataFrame:
    """Return one column per run and one row per fact; those that differ come first."""
    columns = {
        f"{number}: {name}": {"what was timed": run.kind, "made": run.made}
        | {
            fact: str(value)
            for group in (run.machine, run.libraries, run.settings)
            for fact, value in group.items()
        }
        for number, (name, run) in enumerate(chosen.items(), start=1)
    }
    table = pd.DataFrame(columns).fillna("").rename_axis("Fact").reset_index()
    differs = table.iloc[:, 1:].nunique(axis=1) > 1
    return pd.concat([table[differs], table[~differs]])
