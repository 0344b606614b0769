"""The top of the translation page: who looked at what, and the likeliest next words."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import streamlit as st

from attention.models.translation import Translation
from attention.translation.aligned import Aligned
from attention.translation.alignment_role import alignment_role, alignment_sentence
from attention.translation.charts import alignment_map, cross_lines, likeliest_bars
from attention.translation.frames import TARGET, align_frame, cross_frame, likeliest_frame
from attention.ui import address, inputs
from attention.ui.cells import AS_WEIGHT, AS_WRITTEN, cell_note, cell_picker
from attention.ui.code_lines import script
from attention.ui.controls import index
from attention.ui.show import draw, escape_markdown, notice, percent
from attention.ui.translation.bar import written_of
from attention.ui.view_code import ViewCode, drawn_last, offer
from attention.wording import head_name

_STEP, _SOURCE = "written", "looked"
_LINES, _ALL, _LIKELY = "cross", "aligned", "likeliest"  # the first words of keys of charts
_NOBODY = -1  # no word of the source is asked for
_LIKELIEST = 5


def looking(done: Translation) -> None:
    """Draw both texts with their lines, the map, and what could have been written."""
    aligned, step, asked, what = _controls(done)
    cell_note(what, "Sentences are of the weights.")
    shown = aligned if what == AS_WEIGHT else replace(aligned, done=written_of(done))
    lines, heat, following = st.columns([4, 4, 3], gap="medium")
    with lines:
        _lines(shown, step, asked, what)
    with heat:
        _map(shown, step, asked, what)
    with following:
        _tell(aligned, step, asked)
        _likeliest(aligned, step)
    codes = {
        _LIKELY: partial(_likeliest_code, done, aligned.target[step].positions[0]),
        _LINES: partial(_code, aligned, step, asked, what, lines=True),
        _ALL: partial(_code, aligned, step, asked, what),
    }
    for figure, code in codes.items():
        offer(ViewCode(code, figure, done.encoder, done.source.text))


def _likeliest_code(done: Translation, first: int) -> str:
    imported, drawing = drawn_last(_LIKELY).code()
    return script([
        "import attention",
        "from attention import plot",
        "from attention.translation.frames import likeliest_frame",
        "from attention.wording import percent",
        imported,
    ], [
        f"pair = attention.load_translator({done.encoder.model!r})",
        f"found = pair.translate({done.source.text!r}).next_token({first}, {_LIKELIEST})",
        "data = likeliest_frame(found)",
        *drawing,
        "others = max(0.0, 1 - sum(share for _, share in found))",
        "print(f'All others together: {percent(others)}')",
    ])  # fmt: skip


def _code(aligned: Aligned, step: int, asked: int | None, what: str, *, lines: bool = False) -> str:
    done, where = aligned.done, f"{aligned.layer}, {aligned.head}"
    written = what == AS_WRITTEN
    figure = f", figure={what!r}" if written else ""
    source = "" if asked is None else f", source={asked}"
    told = f"looked_sentence({step})" if asked is None else f"looked_at_sentence({asked})"
    return script([
        "import attention",
        "from attention import plot",
        *(["from attention.analysis.written import written_translation"] if written else []),
        "from attention.translation.aligned import Aligned",
    ], [
        f"pair = attention.load_translator({done.encoder.model!r})",
        f"done = pair.translate({done.source.text!r})",
        "chart = plot.alignment(",
        f"    {'written_translation(pair, done)' if written else 'done'},",
        f"    layer={aligned.layer}, head={aligned.head}, query={step}{source}{figure}"
        f"{', lines=True' if lines else ''},",
        ")",
        f"print(Aligned(done, {where}).{told})",
    ])  # fmt: skip


def _controls(done: Translation) -> tuple[Aligned, int, int | None, str]:
    of = address.here()
    with st.container(horizontal=True, vertical_alignment="bottom"):
        layer, head = _heads(done)
        aligned = Aligned(done, layer, head)
        step = index(
            "Word of the translation", len(aligned.target), _first(aligned), key=_STEP, of=of
        )
        source = aligned.source
        asked = inputs.select(
            "Or: who looked at a source word?",
            [_NOBODY, *range(len(source))],
            _NOBODY,
            key=_SOURCE,
            text=lambda s: "none" if s == _NOBODY else f"{s} {source[s].label}",
            of=(*of, source),
            width=230,
        )
        what = cell_picker()
    return aligned, step, None if asked == _NOBODY else asked, what


def _heads(done: Translation) -> tuple[int, int | None]:
    """Draw the picker for a head of the decoder, or a layer's mean; the last layer's first."""
    layers, heads = done.cross_weights.shape[:2]
    options: list[tuple[int, int | None]] = [(layer, None) for layer in reversed(range(layers))]
    options += [(layer, head) for layer in reversed(range(layers)) for head in range(heads)]
    return inputs.select(
        "Decoder head",
        options,
        options[0],
        key="cross",
        code=lambda at: f"L{at[0]}" if at[1] is None else f"L{at[0]}H{at[1]}",
        text=lambda at: f"Layer {at[0]}: mean" if at[1] is None else head_name((at[0], at[1])),
        of=(done.encoder.model,),
        width=150,
    )


def _first(aligned: Aligned) -> int:
    """Return the word that is looked at when the page opens: the second, after the article."""
    return min(1, len(aligned.target) - 1)


def _ask(side: int, i: int) -> None:
    """Make a clicked word the one that the lines are of."""
    if side == TARGET:
        st.session_state[_STEP] = i
    st.session_state[_SOURCE] = _NOBODY if side == TARGET else i


def _lines(aligned: Aligned, step: int, asked: int | None, what: str) -> None:
    chart = (
        f"{_LINES} {step} {asked}"  # new after every click, so that any word can be clicked again
    )

    def click() -> None:
        for word in st.session_state[chart]["selection"]["word"]:
            _ask(int(word["side"]), int(word["i"]))

    st.markdown("**The sentence → its translation.** Click any word.")
    draw(
        cross_lines,
        cross_frame(aligned, step, asked),
        key=chart,
        alt_text="Lines between the sentence and its translation",
        on_select=click,
        selection="word",
        rows=max(len(aligned.source), len(aligned.target)),
        from_source=asked is not None,
        figure=what,
    )


def _map(aligned: Aligned, step: int, asked: int | None, what: str) -> None:
    chart = f"{_ALL} {step} {asked}"

    def click() -> None:
        for cell in st.session_state[chart]["selection"]["cell"]:
            _ask(TARGET, int(cell["q"]))

    st.markdown("**All of it.** Each row sums to 1.")
    draw(
        alignment_map,
        align_frame(aligned, step, asked),
        key=chart,
        alt_text="What each word of the translation attends to in the source",
        on_select=click,
        selection="cell",
        source=tuple(unit.label for unit in aligned.source),
        target=tuple(unit.label for unit in aligned.target),
        figure=what,
    )


def _tell(aligned: Aligned, step: int, asked: int | None) -> None:
    said = aligned.looked_sentence(step) if asked is None else aligned.looked_at_sentence(asked)
    notice(said)
    if told := aligned.backwards_sentence():
        st.caption(escape_markdown(told))
    if aligned.head is not None and (found := alignment_role(aligned.done)):
        st.caption(escape_markdown(alignment_sentence(found, (aligned.layer, aligned.head))))


def _likeliest(aligned: Aligned, step: int) -> None:
    """Draw the five likeliest tokens where a word began, after what was written before it."""
    done, unit = aligned.done, aligned.target[step]
    first = unit.positions[0]
    found = done.next_token(first, _LIKELIEST)
    before = " ".join(other.label for other in aligned.target[:step])
    st.markdown(f"**Likeliest next, after “{escape_markdown(before[-24:] or '(nothing)')}”**")
    data = likeliest_frame(found)
    draw(
        likeliest_bars,
        data,
        key=_LIKELY,
        alt_text="The five likeliest next tokens at this step",
        labels=tuple(data["token"]),
    )
    st.caption(
        f"Of {len(done.chances(first)):,} tokens; the best is written. All others together: "
        f"{percent(max(0.0, 1 - sum(share for _, share in found)))}."
    )
