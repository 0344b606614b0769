"""The heads page's map of heads: which do alike on this text, and whether they do on others."""

from __future__ import annotations

from functools import partial
from typing import NamedTuple

import numpy as np
import streamlit as st

from attention import wording
from attention.analysis import head_map
from attention.analysis.words import view
from attention.arrays import Array
from attention.charts.head_map import head_plane, ordered_table
from attention.charts.head_map_frames import nearest_frame, ordered_picture, place_frame
from attention.presets import PRESETS
from attention.runtime.threads import one_blas_thread
from attention.runtime.timing import Progress
from attention.ui import inputs
from attention.ui.code_lines import of_view
from attention.ui.heads.grid import add_or_remove
from attention.ui.progress import kept
from attention.ui.readings import Reading, loaded, trace
from attention.ui.show import draw, notice
from attention.ui.view_code import ViewCode, drawn_last, offer
from attention.wording import Head

_NEAREST = 5
_WIDE = 430  # pixels
_PLANE, _PAIRS = "plane", "all_pairs"  # how the keys of charts begin


class _Map(NamedTuple):
    distances: Array  # (N, N)
    order: list[int]
    places: Array  # (N, 2)
    share: float  # of the distances that the plane shows


def map_of_heads(chosen: Reading, heads: list[Head]) -> None:
    """Draw all heads in a plane, alike ones near, a head's nearest, and the ordered table."""
    if chosen.view.weights[..., 0, 0].size < 3:
        st.info("A map needs three heads or more; this model has fewer.")
        return
    found = kept("Comparing all heads", partial(_mapped, chosen), *_key(chosen))
    common = kept(
        "Comparing all heads on other texts", partial(_common, chosen, found), *_key(chosen)
    )
    names = wording.all_heads(*chosen.roles.main.shape)
    with st.container(horizontal=True, gap="medium"):
        plane, near = st.container(width=_WIDE), st.container(width=_WIDE)
    with plane:
        _plane(chosen, found, heads)
    with near:
        at = inputs.select(
            "Nearest to", list(names), wording.head_name(heads[0] if heads else (0, 0)),
            key="near", code=lambda name: name.replace(" ", ""), width=140,
            of=(chosen.model_name, *map(wording.head_name, heads[:1])),
        )  # fmt: skip
        _nearest(chosen, found, common, names[at])
        box = inputs.expander("The table of all pairs", icon=":material/grid_on:", key="pairs")
        with box:
            if box.open:
                _table(chosen, found)


def _key(chosen: Reading) -> tuple[str, str, bool, bool]:
    return chosen.model_name, chosen.text, chosen.words, chosen.special


def _mapped(chosen: Reading, progress: Progress) -> _Map:
    distances = head_map.head_distances(chosen.view, on_progress=progress)
    return _Map(distances, head_map.leaf_order(distances), *head_map.layout(distances))


def _common(chosen: Reading, found: _Map, progress: object) -> Array:
    """Return how many of each head's nearest are its nearest on the built-in texts, too."""
    texts = [one.text for one in PRESETS if one.text != chosen.text and _fits(chosen, one.text)]
    with one_blas_thread():  # short texts: a second thread would only wait
        others = [
            view(trace(chosen.model_name, text), words=chosen.words, special=chosen.special)
            for text in texts
        ]
    return head_map.in_common(found.distances, list(map(head_map.head_distances, others)), _NEAREST)


def _fits(chosen: Reading, text: str) -> bool:
    model = loaded(chosen.model_name)
    return len(model.tokenizer.encode(text).ids) <= model.longest_trace


def _plane(chosen: Reading, found: _Map, heads: list[Head]) -> None:
    key = f"{_PLANE} {' '.join(map(wording.head_name, heads))}"  # new after every click
    st.markdown("**All heads: those that do alike are near**")
    draw(
        head_plane,
        place_frame(found.places, chosen.roles, heads),
        key=key,
        alt_text=f"All {len(found.places)} heads in a plane, alike ones near each other",
        on_select=partial(_click, key),
        selection="head",
        layers=len(chosen.roles.main),
    )
    st.caption(
        f"Click a head to add or remove it. The plane shows {100 * found.share:.0f} % of how far "
        "heads are apart (classical scaling of the Jensen-Shannon divergence): two marks may be "
        "near here and not be alike; the table has the bits."
    )
    offer(ViewCode(partial(_plane_code, chosen, heads), _PLANE, chosen.trace, chosen.text))


def _plane_code(chosen: Reading, heads: list[Head]) -> str:
    imported, drawing = drawn_last(_PLANE).code()
    imports = [
        "from attention.analysis.head_map import head_distances, layout",
        "from attention.analysis.roles import head_roles",
        "from attention.charts.head_map_frames import place_frame",
        imported,
    ]
    return of_view(chosen, imports, [
        "places, share = layout(head_distances(view))",
        f"data = place_frame(places, head_roles(view), {heads})",
        *drawing,
        'print(f"{100 * share:.0f} % of how far heads are apart")',
    ])  # fmt: skip


def _pairs_code(chosen: Reading) -> str:
    imported, drawing = drawn_last(_PAIRS).code()
    imports = [
        "from attention.analysis.head_map import head_distances, leaf_order",
        "from attention.charts.head_map_frames import ordered_picture",
        imported,
    ]
    return of_view(chosen, imports, [
        "distances = head_distances(view)",
        "data = ordered_picture(distances, leaf_order(distances))",
        *drawing,
        'print(f"from {distances.max():.2f} bits apart to 0")',
    ])  # fmt: skip


def _click(key: str) -> None:
    for cell in st.session_state[key]["selection"]["head"]:
        add_or_remove(wording.head_name((cell["layer"], cell["head"])))


def _nearest(chosen: Reading, found: _Map, common: Array, head: Head) -> None:
    table = nearest_frame(found.distances, head, chosen.roles, common, _NEAREST)
    said = (
        f"{wording.head_name(head)} is nearest to {table['Head'].iloc[0]}, "
        f"{table['Bits apart'].iloc[0]:.3f} bits apart."
    )
    if not np.isnan(common).any():
        own = float(common[head[0] * chosen.roles.main.shape[1] + head[1]])
        said += (
            f" Of its {len(table)} nearest here {own:.1f} are among its {len(table)} nearest on "
            f"another text, the mean over built-in sentences (mean of all heads "
            f"{common.mean():.1f}, by chance {len(table) ** 2 / (len(common) - 1):.1f})."
        )
    notice(said)
    st.dataframe(
        table,
        hide_index=True,
        column_config={
            "Bits apart": st.column_config.NumberColumn(format="%.3f"),
            "In common": st.column_config.NumberColumn(
                format="%.1f", help="How many of its own nearest stay so on another text"
            ),
        },
        alt=f"The heads nearest to {wording.head_name(head)}",
    )


def _table(chosen: Reading, found: _Map) -> None:
    draw(
        ordered_table,
        ordered_picture(found.distances, found.order, dark=st.context.theme.type == "dark"),
        in_light=partial(ordered_picture, found.distances, found.order),
        key=_PAIRS,
        alt_text="How alike any two heads are, ordered by clustering",
    )
    st.caption(
        f"All pairs of {len(found.order)} heads, ordered by average linkage: the stronger, the "
        f"more alike, from {found.distances.max():.2f} bits apart to 0. Blocks along the diagonal "
        "are heads that do alike."
    )
    offer(ViewCode(partial(_pairs_code, chosen), _PAIRS, chosen.trace, chosen.text))
