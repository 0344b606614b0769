"""The survey page: one role over all heads, one head over all roles, and models compared."""

from __future__ import annotations

from functools import partial

import numpy as np
import streamlit as st

from attention import wording
from attention.analysis import frames
from attention.arrays import Array
from attention.charts.maps import head_grid
from attention.survey.charts import ranked_heads, role_bars
from attention.survey.frames import head_roles_frame, ranked_frame
from attention.survey.measure import SURVEY_COLUMNS
from attention.survey.sentences import (
    column_label,
    column_meaning,
    column_sentence,
    head_sentence,
    highest_head,
)
from attention.survey.summary import Summary, shipped
from attention.ui import inputs
from attention.ui.code_lines import script
from attention.ui.show import draw, escape_markdown, notice, table
from attention.ui.survey import source
from attention.ui.view_code import ViewCode, offer
from attention.wording import Head, all_heads

_PICKER = "survey_head"
_FEW_LAYERS, _ROW, _LOW_ROW = 12, 22, 12  # pixels that a layer takes in the grid


def column_picker(summary: Summary) -> str:
    """Draw the picker for a role or figure; those that were not measured are not offered."""
    names = [name for name in SURVEY_COLUMNS if summary.of(name, "counts").any()]
    return inputs.select(
        "Role or figure", names, names[0], key="role", text=column_label, width=220
    )


def one_column(title: str, summary: Summary, column: str) -> Head:
    """Draw one role in all heads; a click picks one. Return the head that is picked."""
    values = summary.of(column)
    names = all_heads(*values.shape)
    best = wording.head_name(highest_head(values))
    head = names[
        inputs.select(
            "Head", list(names), best, key=_PICKER, code=lambda name: name.replace(" ", ""),
            of=(title, column), width=140,
        )
    ]  # fmt: skip
    grid = f"survey grid {title} {head}"  # new after every click

    def click() -> None:
        for cell in st.session_state[grid]["selection"]["head"]:
            st.session_state[_PICKER] = wording.head_name((cell["layer"], cell["head"]))

    st.caption(f"{column_label(column)}: {column_meaning(column)}. Click a head.")
    draw(
        head_grid,
        frames.head_frame(values, [head]),
        key=grid,
        alt_text=f"{column_label(column)} of all {values.size} heads",
        on_select=click,
        title=column_label(column),
        domain=(0.0, highest(values)),
        layers=len(values),
        row=_ROW if len(values) <= _FEW_LAYERS else _LOW_ROW,
    )
    return head


def one_head(title: str, summary: Summary, column: str, head: Head) -> None:
    """Draw one head's roles, and name the texts in which it is most active."""
    notice(column_sentence(summary, column))
    data = head_roles_frame(summary, head)
    st.markdown(f"**{wording.head_name(head)} and every role**")
    draw(
        role_bars,
        data,
        key="survey-roles",
        alt_text=f"Roles of {wording.head_name(head)} beside chance",
        labels=tuple(data["role"]),
    )
    st.caption(escape_markdown(head_sentence(summary, head)))
    offer(ViewCode(partial(_code, title, column, head), "survey-roles", text=title))


def _code(title: str, column: str, head: Head) -> str:
    own = title not in shipped()
    made = "summarise('survey.parquet')  # your own" if own else f"load(shipped()[{title!r}])"
    return script([
        "from attention import plot",
        "from attention.survey.charts import role_bars",
        "from attention.survey.frames import head_roles_frame",
        "from attention.survey.sentences import column_sentence, head_sentence",
        f"from attention.survey.summary import {'summarise' if own else 'load, shipped'}",
    ], [
        f"summary = {made}",
        f"data = head_roles_frame(summary, {head})",
        "chart = plot.drawn(role_bars, data, labels=tuple(data['role']))",
        f"print(column_sentence(summary, {column!r}))",
        f"print(head_sentence(summary, {head}))",
    ])  # fmt: skip


def active_texts(summary: Summary, head: Head) -> None:
    """Show the texts in which a head gives most weight to words other than the first token.

    Nothing where that was not measured, as of a decoder that looks at another text.
    """
    if not summary.said:
        return
    st.subheader(f"The texts in which {wording.head_name(head)} is most active")
    shares = summary.active[head].tolist()
    rows = [
        (summary.said[number], f"{100 * share:.0f} %")
        for number, share in zip(summary.top[head].tolist(), shares, strict=True)
        if number in summary.said
    ]
    table(("Text", "weight on words other than the first token"), rows)
    median = float(summary.of("active", "middle")[head])
    st.caption(
        "Of queries from the third token on; the median of "
        f"{summary.texts} texts is {100 * median:.0f} %."
    )


def two_models(name: str, summary: Summary, column: str, own: source.Own) -> None:
    """Draw the heads of this model and of another from the highest to the lowest.

    Only models in which the role or figure was measured are offered.
    """
    names = source.surveys(own)
    others = {
        code: found
        for code, text in names.items()
        if text != name and (found := source.summary_of(code, own)).of(column, "counts").any()
    }
    if not others:
        st.caption(f"“{column_label(column)}” is measured in no other survey here.")
        return
    against = inputs.select(
        "Compared with", list(others), next(iter(others)), key="survey_with",
        text=names.__getitem__, of=(name, column), width=220,
    )  # fmt: skip
    shown = {name: summary, names[against]: others[against]}
    draw(
        ranked_heads,
        ranked_frame(shown, column),
        key="survey-ranked",
        alt_text=f"{column_label(column)}: the heads of {' and '.join(shown)} in order",
        models=tuple(shown),
        title=column_label(column),
        highest=max(highest(each.of(column)) for each in shown.values()),
    )


def highest(values: Array) -> float:
    """Return where a scale of such values ends."""
    top = float(np.nanmax(values))
    return 1.0 if top <= 1 else float(np.ceil(top))
