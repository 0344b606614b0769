"""Heads: compare heads side by side."""

from typing import Any

import streamlit as st

from attention import presets, ui, wording
from attention.analysis import frames, links, questions
from attention.analysis.sentences import attends_to, describe
from attention.analysis.telling import telling_heads
from attention.charts.maps import head_maps, row_bars
from attention.ui.alignment import maps_beside
from attention.ui.heads import grid, more
from attention.ui.heads.grid import MOST_HEADS

TABS = {
    "row": "One row, head by head",
    "beside": "Beside another model",
    "shared": "Shared keys and values",
    "rotation": "Rotation",
    "figures": "Figures",
}
NONE = "No head is chosen. Click one in the grid."
MOST_WORDS = 40  # of a map: 6 maps of 40 x 40 are 9,600 marks, about what a browser draws smoothly

bar = ui.opening(
    "Heads",
    "**Do all heads attend to the same words?** Every head has weights of its own. The grid gives "
    "one figure for each; pick 2 to 6 of them and compare. Rows are queries, columns are keys.",
)
chosen = ui.reading(bar, presets.CAT.text)
view = chosen.view
focus = ui.focus(chosen)
names = wording.all_heads(*view.weights.shape[:2])

with st.container(horizontal=True, vertical_alignment="bottom"):
    query = ui.word("Query whose row is compared", view, focus.query)
    default = telling_heads(view, focus.query, focus.key, 3)
    picked = ui.several(
        "Heads to compare",
        list(names),
        [wording.head_name(head) for head in default],
        key=grid.PICKER,
        code=ui.head_code,
        of=(chosen.model_name,),
        most=MOST_HEADS,
        max_selections=MOST_HEADS,
    )
heads = [names[name] for name in picked]
if heads:
    each = [f"in {name} {attends_to(view, names[name], query)}" for name in picked]
    ui.notice(f"{wording.spelled(view.labels, query)} {'; '.join(each)}.")

left, right = st.columns(2, gap="large")
with left:
    st.subheader("All heads at a glance")
    grid.clickable_grid(chosen, heads)
with right:
    st.subheader("What the chosen ones do")
    if not heads:
        st.info(NONE)
    for name, head in zip(picked, heads, strict=True):
        st.markdown(f"**{name}** {ui.escape_markdown(describe(view, *head, query))}")
    ui.special_tokens_note(chosen, heads)

# The maps: the whole text, or the words around the query, and those that it attends to most.
if heads:
    st.subheader("Their maps")
    most = [int(view.weights[head][query].argmax()) for head in heads]
    shown = links.shown_words(len(view.units), query, most, MOST_WORDS)
    if warning := links.left_out_sentence("The text has", "the maps show", len(view.units), shown):
        st.warning(warning)
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
        own, described = data[data["q"] == query], f"Row of {view.labels[query]}"
        ui.draw(row_bars, own, key="rows", alt_text=described, size=180, **options)
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
        grid.figures_table(chosen, heads, query)
ui.predict(questions.previous_word_head(view))
ui.closing()
