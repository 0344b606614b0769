"""The heads page's grid of all heads, one of which a click adds to the chosen ones."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import numpy as np
import streamlit as st

from attention import wording
from attention.analysis import frames, metrics
from attention.analysis.grouped_heads import sharing
from attention.analysis.metrics import Metric
from attention.analysis.role_kinds import ROLES
from attention.analysis.role_sentences import present, role_meaning, roles_sentence
from attention.arrays import Array
from attention.charts.maps import head_grid
from attention.charts.miniature_frames import picture_urls, roles_frame
from attention.ui import inputs
from attention.ui.code_lines import of_view
from attention.ui.controls import on_phone, toggled
from attention.ui.readings import Reading
from attention.ui.show import draw, escape_markdown
from attention.ui.view_code import ViewCode, drawn_last, offer
from attention.wording import Head

MOST_HEADS = 6
PICKER = "heads"  # the key of the picker that a click changes
FIGURE, MAPS = "figure", "maps"
KINDS = {FIGURE: "Figure", MAPS: "Maps"}
WIDTH = {FIGURE: 320, MAPS: 420}  # pixels
_FIGURES_NAME = "The figures of each chosen head on this text"
_GRID, _FIGURES = "grid", "figures"  # how the key of the chart begins; a view without a chart
_ANY, _NONE = "any", "none"
_NO_ROOM = "_no_room"
_FEW_LAYERS, _ROW, _LOW_ROW = 12, 22, 12  # pixels that a layer takes in the grid
_BESIDE, _GAP, _LARGEST = 46, 5, 44  # pixels of labels, between pictures, and of a picture
_HIGHEST = 5


def clickable_grid(chosen: Reading, heads: list[Head], kind: str) -> None:
    """Draw a figure or the map of every head, with a picker for a role; a click adds a head.

    Parameters
    ----------
    kind : "figure" or "maps"
    """
    with st.container(horizontal=True):
        metric = _metric(chosen) if kind == FIGURE else None
        role = _role(chosen)
    shown = heads_with(chosen, role)
    refused = st.session_state.pop(_NO_ROOM, None)
    _say_what(chosen, metric)
    _draw_grid(chosen, heads, metric, shown, refused)
    code = partial(_grid_code, chosen, heads, metric, role)
    offer(ViewCode(code, _GRID, chosen.trace, chosen.text))
    if refused:
        st.warning(f"{MOST_HEADS} heads are compared at most: take one away to add {refused}.")
    _say_roles(chosen, role)
    if role in ROLES:
        of_role = chosen.roles.scores[chosen.roles.names.index(role)]
        _highest(of_role, heads, f"score for “{ROLES[role].label}”", shown)
    elif metric is not None:
        _highest(chosen.figures[metric.label], heads, metric.label.lower(), shown)


def heads_with(chosen: Reading, role: str) -> list[Head]:
    """Return the heads that have a role, or none, or all heads."""
    found = chosen.roles
    if role == _ANY:
        here = np.ones(found.main.shape, bool)
    else:
        here = found.main < 0 if role == _NONE else found.has[found.names.index(role)]
    return [(layer, head) for layer, head in np.argwhere(here).tolist()]


def _draw_grid(
    chosen: Reading,
    heads: list[Head],
    metric: Metric | None,
    shown: list[Head],
    refused: str | None,
) -> None:
    figure = chosen.figures[(metric or metrics.METRICS["entropy"]).label]
    picked = " ".join(map(wording.head_name, heads))
    grid = f"{_GRID} {picked} {refused}"  # new after every click: any can be clicked again
    data = roles_frame(figure, heads, chosen.roles, shown)
    layers, of_layer = figure.shape
    row = side = 0
    if metric is None:
        unit, label = "bits", "Entropy (bits)"
        side = _side(of_layer)
        row = side + _GAP
    else:
        unit, label = metric.unit, _titled(metric)
        row = _ROW if layers <= _FEW_LAYERS else _LOW_ROW
    draw(
        head_grid,
        data if metric else data.assign(url=_pictures(chosen, st.context.theme.type == "dark")),
        in_light=None if metric else lambda: data.assign(url=_pictures(chosen, dark=False)),
        key=grid,
        row=row,
        alt_text=f"{metric.label if metric else 'Maps'} of all {figure.size} heads",
        on_select=partial(_click, grid),
        title=label,
        domain=(0.0, float(np.ceil(figure.max())) if unit else 1.0),
        layers=layers,
        sharing=sharing(chosen.trace).each,
        roles=True,
        pictures=side,
    )


def _grid_code(chosen: Reading, heads: list[Head], metric: Metric | None, role: str) -> str:
    imported, drawing = drawn_last(_GRID).code()
    shown = {_ANY: "found.main == found.main", _NONE: "found.main < 0"}.get(
        role, f"found.has[found.names.index({role!r})]"
    )
    imports = [
        "from attention.analysis.metrics import figures_for",
        "from attention.analysis.role_sentences import role_meaning, roles_sentence",
        "from attention.analysis.roles import head_roles",
        "from attention.charts.miniature_frames import picture_urls, roles_frame",
        imported,
    ]
    figures = metrics.figures_for(chosen.view).items()
    name = next((name for name, one in figures if one == metric), "entropy")
    return of_view(chosen, imports, [
        f"figure = figures_for(view)[{name!r}].per_head(view)",
        "found = head_roles(view)",
        f"shown = list(zip(*({shown}).nonzero()))",
        f"data = roles_frame(figure, {heads}, found, shown)",
        *([] if metric else ["data = data.assign(url=picture_urls(view))"]),
        *drawing,
        _told_code(role),
    ])  # fmt: skip


def _told_code(role: str) -> str:
    if role not in ROLES:
        return "print(roles_sentence(found))"
    rows = f"found.rows[found.names.index({role!r})]"
    return f"print(role_meaning({role!r}, {rows}, found.draws))"


def _side(heads: int) -> int:
    """Return the side of a picture in pixels, so that those of a layer fill the width."""
    width = WIDTH[FIGURE] if on_phone() else WIDTH[MAPS]
    return max(6, min(_LARGEST, (width - _BESIDE) // heads - _GAP))


def _pictures(chosen: Reading, dark: bool) -> Sequence[str]:
    """Return the map of every head; a picture cannot take its colours from the theme."""
    return _drawn(chosen.model_name, chosen.text, chosen.words, chosen.special, dark)


@st.cache_resource(max_entries=12, show_spinner=False)  # up to a megabyte each
def _drawn(model: str, text: str, merged: bool, special: bool, dark: bool) -> Sequence[str]:
    return picture_urls(Reading(model, text, merged, special).view, dark=dark)


def _say_what(chosen: Reading, metric: Metric | None) -> None:
    each = sharing(chosen.trace).each
    what = (
        "Rows are queries, columns keys; colour follows the root of the weight."
        if metric is None
        else f"{_titled(metric)}: {metric.meaning}."
    )
    parted = " Lines part heads that share keys and values from the next." if each > 1 else ""
    st.caption(f"{what} Click a head to add or remove it.{parted}")


def _say_roles(chosen: Reading, role: str) -> None:
    """Say how many heads have which role or, of the chosen role, what it is."""
    found = chosen.roles
    if role in ROLES:
        rows = found.rows[found.names.index(role)]
        st.caption(escape_markdown(role_meaning(role, rows, found.draws)))
    else:
        st.caption(escape_markdown(roles_sentence(found)))


def _titled(metric: Metric) -> str:
    return f"{metric.label} ({metric.unit})" if metric.unit else metric.label


def _highest(figure: Array, heads: list[Head], label: str, shown: list[Head]) -> None:
    """Draw a button for each of the heads in which the figure is highest, to add or remove it."""
    if not shown:
        return
    st.markdown(f"**Highest {label} here**")
    order = sorted(shown, key=lambda head: -figure[head])[:_HIGHEST]
    with st.container(horizontal=True, gap="small"):
        for place, head in enumerate(order):
            name, has = wording.head_name(head), head in heads
            st.button(
                f"{name} · {figure[head]:.2f}",
                key=f"highest{place}",
                icon=":material/check:" if has else ":material/add:",
                help=f"{'Take away' if has else 'Add'} {name}",
                on_click=add_or_remove,
                args=(name,),
            )


def _metric(chosen: Reading) -> Metric:
    figures = metrics.figures_for(chosen.view)
    labels = {name: figure.label for name, figure in figures.items()}
    text = labels.__getitem__
    return figures[
        inputs.select("Figure", list(figures), "entropy", key="figure", text=text, width=128)
    ]


def _role(chosen: Reading) -> str:
    """Draw the picker for a role and return its name, or that any or none will do."""
    found = chosen.roles
    counts, every = present(found), found.main.size
    said = {name: f"{ROLES[name].label} · {n}" for name, n in counts.items() if n < every}
    if none := int((found.main < 0).sum()):
        said |= {_NONE: f"no role · {none}"} if none < every else {}
    if not said:  # nothing to choose: all heads are alike in this
        return _ANY
    said = {_ANY: "any role", **said}
    return inputs.select(
        "Heads with the role", list(said), _ANY, key="role", text=said.__getitem__, width=175
    )


def _click(grid: str) -> None:
    """Add the clicked head to the chosen ones, or take it away; say so where there is no room."""
    for cell in st.session_state[grid]["selection"]["head"]:
        add_or_remove(wording.head_name((cell["layer"], cell["head"])))


def add_or_remove(name: str) -> None:
    """Add a head to the chosen ones, or take it away; note where there is no room."""
    before = st.session_state[PICKER]
    st.session_state[PICKER] = toggled(before, name, MOST_HEADS)
    st.session_state[_NO_ROOM] = name if st.session_state[PICKER] == before else None


def figures_table(chosen: Reading, heads: list[Head], query: int) -> None:
    """Show every figure of the chosen heads."""
    st.dataframe(
        frames.figures_frame(chosen.view, heads, query, chosen.figures),
        hide_index=True,
        column_config={
            label: st.column_config.NumberColumn(format="%.2f") for label in chosen.figures
        },
        alt=_FIGURES_NAME,
    )
    code = partial(_figures_code, chosen, heads, query)
    offer(ViewCode(code, _FIGURES, chosen.trace, chosen.text, _FIGURES_NAME))


def _figures_code(chosen: Reading, heads: list[Head], query: int) -> str:
    imports = [
        "from attention.analysis.frames import figures_frame",
        "from attention.analysis.metrics import figures_for",
    ]
    return of_view(chosen, imports, [
        "figures = {one.label: one.per_head(view) for one in figures_for(view).values()}",
        f"data = figures_frame(view, {heads}, {query}, figures)",
        "print(data.round(2).to_csv(index=False))",
    ])  # fmt: skip
