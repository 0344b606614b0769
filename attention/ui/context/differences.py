"""The context page's tab on two texts as a whole: heads that differ, and words that move."""

from __future__ import annotations

from functools import partial

import streamlit as st

from attention import wording
from attention.analysis import frames
from attention.charts.maps import head_grid
from attention.context.difference_charts import difference_map, moved_layers
from attention.context.difference_frames import difference_frame, moved_layers_frame
from attention.context.differences import Differences
from attention.context.two_texts import refusal_of_text
from attention.ui.cells import AS_WRITTEN, cell_note, cell_picker, cells_of
from attention.ui.context.both import BothTexts, both_texts
from attention.ui.controls import head_picker
from attention.ui.readings import Reading
from attention.ui.short_text import short_text
from attention.ui.show import draw, notice
from attention.ui.view_code import ViewCode, drawn_last, offer
from attention.wording import Head

_TEXTS = (
    "The cat sat on the mat because it was tired",
    "The cat sat on the old mat because it was soft",
)
_PICKER, _FIGURE = "changed_head", "changed-map"
_HIGHEST = 5
_FEW_LAYERS, _ROW, _LOW_ROW = 12, 22, 12  # pixels that a layer takes in the grid
_ENDS = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0)  # of a scale, so that it moves seldom


def whole_texts(chosen: Reading) -> None:
    """Draw which heads attend otherwise in the other text, where, and how far words move."""
    texts = _texts(chosen)
    if texts is None:
        return
    with st.container(horizontal=True, vertical_alignment="bottom"):
        shown = both_texts(chosen, texts)
        what = cell_picker()
    both = _compared(shown, what)
    if both is None:
        return
    cell_note(what, "All here is of these shares but how far words move.")
    left, right = st.columns((2, 3), gap="medium")
    with left:
        head = head_picker(
            "Head", chosen.model, both.ranked[0], key=_PICKER, of=(chosen.model_name, *texts)
        )
        _grid(both, head)
    with right:
        notice(both.sentence(head))
        _map(both, head, what)
    offer(ViewCode(partial(_code, shown, head, what), _FIGURE, text=texts[1]))
    _moved(both)


def _texts(chosen: Reading) -> tuple[str, str] | None:
    """Draw the fields for both texts; None where the model can read neither them nor examples."""
    refusal = partial(refusal_of_text, chosen.model)
    with st.container(horizontal=True):
        one, other = (
            short_text(label, example, refusal, key=key, width=420)
            for label, example, key in zip(
                ("First text", "Second text"), _TEXTS, ("first", "second"), strict=True
            )
        )
    return None if one is None or other is None else (one, other)


def _compared(shown: BothTexts, what: str) -> Differences | None:
    """Return the two texts side by side; None, with a sentence, where they share no word."""
    one, other = shown.readings
    both = Differences((one.trace, other.trace), (cells_of(one, what), cells_of(other, what)))
    if both.kept:
        return both
    st.info("The two texts have no word in common in the same order. Use the same word in both.")
    return None


def _code(shown: BothTexts, head: Head, what: str) -> str:
    imported, drawing = drawn_last(_FIGURE).code(labels="both.labels")
    imports = [
        "from attention.context.difference_frames import difference_frame",
        "from attention.context.differences import Differences",
        imported,
    ]
    return shown.code(imports, [
        "both = Differences(traces, views)",
        f"data = difference_frame(both, {head})",
        *drawing,
        f"print(both.sentence({head}))",
    ], written=what == AS_WRITTEN)  # fmt: skip


def _grid(both: Differences, head: Head) -> None:
    """Draw how far apart the rows of every head are; a click picks one."""
    grid = f"changed grid {wording.head_name(head)}"  # new after every click

    def pick(name: str) -> None:
        st.session_state[_PICKER] = name

    def click() -> None:
        for cell in st.session_state[grid]["selection"]["head"]:
            pick(wording.head_name((cell["layer"], cell["head"])))

    st.markdown("**Bits apart in the two texts**: click a head")
    draw(
        head_grid,
        frames.head_frame(both.apart, [head]),
        key=grid,
        alt_text=f"How far apart the rows of each of {both.apart.size} heads are",
        on_select=click,
        title="bits apart",
        domain=(0.0, _end(float(both.apart.max()))),
        layers=len(both.apart),
        row=_ROW if len(both.apart) <= _FEW_LAYERS else _LOW_ROW,
    )
    st.markdown("**Furthest apart**")
    with st.container(horizontal=True, gap="small"):
        for place, each in enumerate(both.ranked[:_HIGHEST]):
            name = wording.head_name(each)
            st.button(
                f"{name} · {both.apart[each]:.2f}",
                key=f"furthest{place}",
                on_click=pick,
                args=(name,),
            )


def _map(both: Differences, head: Head, what: str) -> None:
    data = difference_frame(both, head)
    draw(
        difference_map,
        data,
        key=_FIGURE,
        alt_text=f"What the weights of {wording.head_name(head)} gain and lose in the second text",
        labels=both.labels,
        limit=_end(float(data["change"].abs().max())),
        figure=what,
    )
    st.caption(
        f"The {what} in the second text less that in the first. Words stand side by side: “a → b” "
        "is a word replaced, “+ b” is in the second text only, “− a” in the first only. Both rows "
        "of a word sum to 1, so a row of changes sums to 0."
        + (
            " This model is a decoder: up to the first word that differs, nothing does."
            if both.views[0].is_causal
            else ""
        )
    )


def _moved(both: Differences) -> None:
    st.subheader("How far the words that both have move, layer by layer")
    after = (f"after L{layer}" for layer in range(len(both.moved) - 1))
    draw(
        moved_layers,
        moved_layers_frame(both),
        key="moved-layers",
        alt_text="Cosine distance between a word's vectors in the two texts, layer by layer",
        labels=both.labels,
        stages=("input", *after),
        highest=_end(float(both.moved.max())),
        words=len(both.kept),
    )
    st.latex(
        r"\mathrm{JSD}(p, q) = H\!\left(\tfrac{p + q}{2}\right) - \tfrac{H(p) + H(q)}{2} \qquad "
        r"\text{moved} = 1 - \cos(x, x')"
    )
    st.caption(
        "Bits apart: Jensen-Shannon divergence of the two rows of a word, 0 is the same and 1 has "
        "nothing in common; the mean over the words that both texts have. At the input a word "
        "differs only where it is spelled by other tokens, or stands at another position in a "
        "model that adds a vector for positions."
    )


def _end(value: float) -> float:
    """Return where a scale ends.

    >>> _end(0.03), _end(0.0), _end(1.3)
    (0.05, 0.01, 2.0)
    """
    return next((end for end in (*_ENDS, 2.0) if end >= value), 2.0)
