"""Heads: compare heads side by side."""

import streamlit as st

from attention import presets, ui, wording
from attention.analysis import questions
from attention.analysis.sentences import attends_to
from attention.analysis.telling import telling_heads
from attention.ui.alignment import maps_beside
from attention.ui.cells import AS_WEIGHT
from attention.ui.heads import alike, grid, maps, more, probes, rollout
from attention.ui.heads.grid import MOST_HEADS

TABS = {
    "row": "One row, head by head",
    "map": "Map of heads",
    "rollout": "All layers together",
    "beside": "Beside another model",
    "shared": "Shared keys and values",
    "rotation": "Rotation",
    "figures": "Figures",
}
NONE = "No head is chosen. Click one in the grid."

bar = ui.opening(
    "Heads",
    "**Do all heads attend to the same words?** Every head has weights of its own: pick 2 to 6 in "
    "the grid and compare. Rows are queries, columns are keys.",
)
chosen = ui.reading(bar, presets.CAT.text)
view = chosen.view
focus = ui.focus(chosen)
names = wording.all_heads(*view.weights.shape[:2])
with st.container(horizontal=True, vertical_alignment="bottom"):
    kind = ui.choice("Grid shows", grid.KINDS, key="grid")
    query = ui.word("Query whose row is compared", view, focus.query, width=200)
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
with st.container(horizontal=True, gap="medium"):  # side by side where there is room
    left = st.container(width=grid.WIDTH[kind])
    right = st.container(width=maps.width_beside(grid.WIDTH[kind]))
with left:
    grid.clickable_grid(chosen, heads, kind)
with right:
    if not heads:
        st.info(NONE)
    else:
        each = [f"in {name} {attends_to(view, names[name], query)}" for name in picked]
        ui.notice(f"{wording.spelled(view.labels, query)} {'; '.join(each)}.")
        drawn_as = maps.chosen_maps(chosen, heads, query, maps.width_beside(grid.WIDTH[kind]))
    probes.elsewhere(chosen, heads)
    ui.special_tokens_note(chosen, heads)

useful = more.useful(chosen, TABS)
tabs = dict(zip(useful, ui.tabs(useful, key="more"), strict=True))
opened = next(code for code, tab in tabs.items() if tab.open)
with tabs[opened]:
    if opened in ("row", "figures") and not heads:
        st.caption(NONE)
    elif opened == "row":
        maps.chosen_rows(chosen, heads, query, drawn_as)
    elif opened == "map":
        alike.map_of_heads(chosen, heads)
    elif opened == "rollout":
        rollout.all_layers(chosen, query)
    elif opened == "beside":
        maps_beside(chosen, query, drawn_as.what if heads else AS_WEIGHT)
    elif opened == "shared":
        more.shared_keys(chosen, heads)
    elif opened == "rotation":
        more.rotation_distance(chosen, query)
    else:
        grid.figures_table(chosen, heads, query)
ui.predict(questions.previous_word_head(view))
ui.closing()
