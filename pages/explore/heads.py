"""Heads: compare heads side by side."""

from functools import partial
from typing import Any

import numpy as np
import streamlit as st

from attention import presets, ui, wording
from attention.analysis import frames, links, metrics, questions
from attention.analysis.grouped_heads import sharing
from attention.analysis.sentences import attends_to, describe
from attention.analysis.telling import telling_heads
from attention.charts.maps import head_grid, head_maps, row_bars
from attention.ui.alignment import maps_beside
from attention.ui.heads import more
from attention.wording import spelled

TABS = {
    "row": "One row, head by head",
    "beside": "Beside another model",
    "shared": "Shared keys and values",
    "rotation": "Rotation",
    "figures": "Figures",
}
NONE = "No head is chosen. Click one in the grid."
MOST_HEADS = 6
MOST_WORDS = 40  # of a map: 6 maps of 40 x 40 are 9,600 marks, about what a browser draws smoothly

st.title("Heads")
st.markdown(
    "**Do all heads look at the same thing?** Every head has weights of its own. The grid gives "
    "one figure for each; pick 2 to 6 of them and compare. Rows ask, columns are read."
)
chosen = ui.reading(presets.CAT.text)
view = chosen.view
focus = ui.focus(chosen)
names = wording.all_heads(*view.weights.shape[:2])


def click(grid: str) -> None:
    """Add the clicked head to the chosen ones, or take it away; say so where there is no room."""
    for cell in st.session_state[grid]["selection"]["head"]:
        name, before = wording.head_name((cell["layer"], cell["head"])), st.session_state["heads"]
        st.session_state["heads"] = ui.toggled(before, name, MOST_HEADS)
        st.session_state["_no_room"] = name if st.session_state["heads"] == before else None


with st.container(horizontal=True, vertical_alignment="bottom"):
    query = ui.word("Word whose row is compared", view, focus.query)
    default = telling_heads(view, focus.query, focus.key, 3)
    picked = ui.several(
        "Heads to compare",
        list(names),
        [wording.head_name(head) for head in default],
        key="heads",
        code=ui.head_code,
        of=(chosen.model_name,),
        most=MOST_HEADS,
        max_selections=MOST_HEADS,
    )
heads = [names[name] for name in picked]
asks = view.labels[query]
if heads:
    told = [
        f"{name} {attends_to(view, head, query)}" for name, head in zip(picked, heads, strict=True)
    ]
    ui.notice(f"When {spelled(view.labels, query)} asks: " + ", ".join(told) + ".")

left, right = st.columns(2, gap="large")
with left:
    st.subheader("All heads at a glance")
    figures = metrics.figures_for(view)
    names_of = {name: figure.label for name, figure in figures.items()}
    metric = figures[
        ui.select("Figure", list(figures), "entropy", key="figure", text=names_of.__getitem__)
    ]
    figure = chosen.figures[metric.label]
    each = sharing(chosen.trace).each
    refused = st.session_state.pop("_no_room", None)
    grid = f"grid {' '.join(picked)} {refused}"  # new after every click: any can be clicked again
    ui.draw(
        head_grid,
        frames.head_frame(figure, heads),
        key=grid,
        alt_text=f"{metric.label} of all {figure.size} heads",
        on_select=partial(click, grid),
        title=f"{metric.label} ({metric.unit})" if metric.unit else metric.label,
        domain=(0.0, float(np.ceil(figure.max())) if metric.unit else 1.0),
        layers=len(figure),
        sharing=each,
    )
    if refused:
        st.warning(f"{MOST_HEADS} heads are compared at most: take one away to add {refused}.")
    unit = f" ({metric.unit})" if metric.unit else ""
    st.caption(
        f"{metric.label}{unit}: {metric.meaning}. Click a head to add or remove it."
        + (" Lines part heads that share keys and values from the next." if each > 1 else "")
    )
with right:
    st.subheader("What the chosen ones do")
    if not heads:
        st.info(NONE)
    for name, head in zip(picked, heads, strict=True):
        st.markdown(f"**{name}** {ui.escape_markdown(describe(view, *head, query))}")
    ui.special_tokens_note(chosen, heads)

# The maps: the whole text, or the words around the one that asks, and those that it reads most.
if heads:
    st.subheader("Their maps")
    most = [int(view.weights[head][query].argmax()) for head in heads]
    shown = links.shown_words(len(view.units), query, most, MOST_WORDS)
    if len(shown) < len(view.units):
        st.warning(
            f"The text has {len(view.units)} words; the maps show {len(shown)} of them, number "
            f"{links.shown_text(shown)}: those around the word whose row is compared, and what it "
            "reads most."
        )
    per_row, three = {"3": "3", "2": "2", "1": "1"}, "1" if ui.on_phone() else "3"
    columns = int(ui.choice("Maps in a row", per_row, key="row", default=three))
    data = frames.map_frame(view, heads, shown)
    options: dict[str, Any] = {
        "labels": view.labels, "first": 0, "names": tuple(picked), "columns": columns,
    }  # fmt: skip
    described = f"Maps of {', '.join(picked)}"
    ui.draw(head_maps, data, key="maps", alt_text=described, size=220, **options)
row, beside, shared, rotation, table = ui.tabs(TABS, key="more")
with row:
    if row.open and not heads:
        st.caption(NONE)
    elif row.open:
        rows_of_query = data[data["q"] == query]
        ui.draw(row_bars, rows_of_query, key="rows", alt_text=f"Row of {asks}", size=180, **options)
with beside:
    if beside.open:
        maps_beside(chosen, query)
with shared:
    if shared.open:
        more.shared_keys(chosen, heads)
with rotation:
    if rotation.open:
        more.rotation_distance(chosen, query)
with table:
    if table.open and not heads:
        st.caption(NONE)
    elif table.open:
        st.dataframe(
            frames.figures_frame(view, heads, query, chosen.figures),
            hide_index=True,
            column_config={
                label: st.column_config.NumberColumn(format="%.2f") for label in chosen.figures
            },
            alt="The figures of each chosen head on this text",
        )
ui.predict(questions.previous_word_head(view))
ui.saving_hint()
