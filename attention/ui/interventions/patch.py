"""Patch: the text run with a part of what the model makes of another one."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

import numpy as np
import streamlit as st

from attention import presets
from attention.arrays import Array
from attention.context.two_texts import refusal_of_text
from attention.edits.codes import encode
from attention.edits.patches import MOST_SOURCE
from attention.interventions.frames import patch_frame
from attention.interventions.patch_charts import patch_map
from attention.interventions.patching import Patching
from attention.interventions.sentences import come_back_sentence
from attention.interventions.steering import Interests
from attention.models.transformer import Transformer
from attention.ui import inputs
from attention.ui.code_lines import of_view
from attention.ui.controls import head_picker, index, word
from attention.ui.interventions.answer import answer
from attention.ui.interventions.cut import KEY
from attention.ui.interventions.edited import (
    SIDES,
    changed,
    decoder,
    draw_moved,
    draw_next,
    movement_of,
    row_height,
    two_pictures,
)
from attention.ui.links import link
from attention.ui.progress import is_kept, kept
from attention.ui.readings import Reading, trace
from attention.ui.short_text import short_text
from attention.ui.show import draw, notice, signs_note
from attention.ui.view_code import ViewCode, drawn_last, offer
from attention.wording import head_name, spelled

_OTHER = {presets.GIFT.text: "When Mary and John went to the store, Mary gave a drink to"}
WHAT_PUT = {"heads": "Head outputs", "weights": "Weights", "states": "Hidden states"}
_PARTS = {"heads": "head", "weights": "weights", "states": "stream"}
AT_TOKENS = {"all": "At every word", "last": "At the last word"}
_FEW_LAYERS = 12  # of a model that is measured unasked: a fraction of a second
_MOST_PASSES = 700  # of hidden states: layers times words
_MAP = "patch map"  # how the key of the chart begins
_NAMED = {
    "heads": "head_name((layer, i))",
    "weights": "f'the weights of {head_name((layer, i))}'",
    "states": "f'the state of {spelled(view.labels, i)} that enters L{layer}'",
}
_PAGE = "pages/explore/interventions.py"
_HEAD, _LAYER, _WORD = "patch_head", "patch_layer", "patch_word"


def patch(chosen: Reading) -> None:
    """Draw how much of another text's answer comes back with each part of its pass."""
    left, right = st.columns(SIDES, gap="medium")
    with left:
        other = short_text(
            "The other text",
            _OTHER.get(chosen.text, chosen.text),
            partial(_refusal, chosen.model),
            key="patch_text",
            of=(chosen.source,),
        )
        model = decoder(chosen)
        followed = answer(chosen, model) if model else None
    if other is None:
        return
    ids = followed.ids if followed else ()
    patching = Patching(chosen.model, chosen.trace, trace(chosen.model_name, other), ids)
    if not patching.apart:
        with right:
            st.info("Change a word in the other text: so far both give the same answer.")
        return
    with left:
        what = inputs.choice("What is put in", WHAT_PUT, key="patch_what")
    _drawn(chosen, patching, followed, what, left, right)


def _refusal(model: Transformer, text: str) -> str | None:
    if len(text) > MOST_SOURCE:
        return f"The text has {len(text):,} characters; at most {MOST_SOURCE:,} are put in."
    return refusal_of_text(model, text)


def _drawn(
    chosen: Reading, patching: Patching, followed: Interests | None, what: str,
    left: st.delta_generator.DeltaGenerator, right: st.delta_generator.DeltaGenerator,
) -> None:  # fmt: skip
    """Draw the map, what is chosen in it, and what that does."""
    layers, states = len(chosen.trace.weights), what == "states"
    if states and layers * len(chosen.view.units) > _MOST_PASSES:
        with right:
            st.info(
                f"{layers} layers times {len(chosen.view.units)} words: hidden states are put in "
                f"for up to {_MOST_PASSES // layers} words. The others take a text of any length."
            )
        return
    with left:
        found = _states(chosen, patching) if states else _heads(chosen, patching, what)
    if found is None:
        with right:
            _promise(patching, what)
        return
    with left:
        shares, names = found
        best = np.unravel_index(int(np.nanargmax(shares)), shares.shape)
        place = _place(chosen, patching, (int(best[0]), int(best[1])), states)
        edits = (
            patching.patch("stream", place[0], tokens=chosen.view.units[place[1]].positions)
            if states
            else patching.patch(_PARTS[what], *place, tokens=_tokens(chosen))
        )
        link(_PAGE, "Open it on “Cut”", {"do": "cut", KEY: encode(edits)})
    after = changed(chosen, edits)
    with right:
        name = names[place[0] * shares.shape[1] + place[1]]
        notice(come_back_sentence(patching, shares, place, name, followed))
        one, beside = two_pictures()
        with one:
            _map(chosen, shares, names, place, states)
        with beside:
            if followed:
                st.markdown("**The next token**")
                signs_note(draw_next(chosen, after, followed.all_ids, key="patch_next"))
            else:
                st.markdown("**How far vectors move**")
                draw_moved(chosen, movement_of(chosen, after), key="patch_moved")
        _note(followed)
    code = partial(_code, chosen, patching, followed, what, place, name)
    offer(ViewCode(code, _MAP, after, chosen.text))


def _code(
    chosen: Reading, patching: Patching, followed: Interests | None, what: str,
    place: tuple[int, int], name: str,
) -> str:  # fmt: skip
    states = what == "states"
    imported, drawing = drawn_last(_MAP).code(**({"labels": "view.labels"} if states else {}))
    part, of = ("states", "[unit.positions for unit in view.units]") if states else (
        what, _tokens(chosen))  # fmt: skip
    imports = [
        "from attention.interventions.frames import patch_frame",
        "from attention.interventions.patching import Patching",
        "from attention.interventions.sentences import come_back_sentence",
        "from attention.interventions.steering import Interests",
        imported,
        "from attention.wording import head_name, spelled"
        if states
        else "from attention.wording import head_name",
    ]
    return of_view(chosen, imports, [
        f"followed = {followed!r}",
        f"other = model.trace({patching.other.input.as_code})",
        f"patching = Patching(model, trace, other, {patching.answer})",
        f"*_, shares = patching.{part}({of})",
        "names = [",
        f"    {_NAMED[what]}",
        "    for layer in range(len(shares))",
        "    for i in range(shares.shape[1])",
        "]",
        f"data = patch_frame(shares, names, {place})",
        *drawing,
        f"print(come_back_sentence(patching, shares, {place}, {name!r}, followed))",
    ])  # fmt: skip


def _promise(patching: Patching, what: str) -> None:
    """Say how far apart the two texts are, and what will be measured."""
    own, other = patching.ends
    part = {"heads": "head's output", "weights": "head's weights", "states": "hidden state"}[what]
    apart = (
        f"The log-odds of the answer are {own:+.2f} in the text and {other:+.2f} in the other. "
        if patching.answer
        else ""
    )
    st.info(
        f"Nothing is patched yet. {apart}“Patch each” puts every {part} of the other text in, one "
        "at a time, and draws how much of the way between the two texts it brings."
    )


def _tokens(chosen: Reading) -> tuple[int, ...] | None:
    """Return the tokens at which outputs are put in; None is all."""
    if not chosen.view.is_causal or st.session_state.get("patch_at", "all") == "all":
        return None
    return (len(chosen.trace.tokens) - 1,)


def _heads(chosen: Reading, patching: Patching, what: str) -> tuple[Array, list[str]] | None:
    """Measure every head; return how much comes back, and their names; None until asked to."""
    if chosen.view.is_causal:
        inputs.choice("They are put in", AT_TOKENS, key="patch_at")
    measure = patching.heads if what == "heads" else patching.weights
    label = f"Patching the {WHAT_PUT[what].lower()} of each head"
    shares = _kept(label, chosen, patching, partial(measure, _tokens(chosen)))
    if shares is None:
        return None
    of = "the weights of " if what == "weights" else ""
    return shares, [of + head_name(divmod(i, shares.shape[1])) for i in range(shares.size)]


def _states(chosen: Reading, patching: Patching) -> tuple[Array, list[str]] | None:
    """Measure every layer and word; return how much comes back, and their names."""
    units = chosen.view.units
    groups = [unit.positions for unit in units]
    run = partial(patching.states, groups)
    shares = _kept("Patching each hidden state", chosen, patching, run)
    if shares is None:
        return None
    labels = chosen.view.labels
    return shares, [
        f"the state of {spelled(labels, i)} that enters L{layer}"
        for layer in range(len(shares))
        for i in range(len(labels))
    ]


def _kept(
    label: str, chosen: Reading, patching: Patching, run: Callable[..., Iterator[Array]]
) -> Array | None:
    """Return the last grid of a run, done once and kept; of a large model only when asked to."""

    def work(progress: Callable[[float], None]) -> Array:
        *_, found = run(on_progress=progress)
        return found

    said = repr((patching.answer, _tokens(chosen), chosen.words, chosen.special))
    key = chosen.model_name, chosen.text, patching.other.text, said
    if len(chosen.trace.weights) <= _FEW_LAYERS or is_kept(label, *key):
        return kept(label, work, *key)
    if not st.button("Patch each, one by one", icon=":material/play_arrow:"):
        return None
    stop = st.empty()  # any press asks for the page anew, where nothing was asked for
    stop.button("Stop", icon=":material/stop:", key="stop_patch")
    found = kept(label, work, *key)
    stop.empty()
    return found


def _place(
    chosen: Reading, patching: Patching, best: tuple[int, int], states: bool
) -> tuple[int, int]:
    """Draw the pickers for one head or one hidden state; at first the one that brings most."""
    of = chosen.source, patching.other.text, patching.answer
    if not states:
        return head_picker("Head", chosen.model, best, key=_HEAD, of=of)
    layer = index("Layer", len(chosen.trace.weights), best[0], key=_LAYER, of=of)
    return layer, word("Word", chosen.view, best[1], key=_WORD)


def _map(
    chosen: Reading, shares: Array, names: list[str], place: tuple[int, int], states: bool
) -> None:
    key = f"{_MAP} {states} {place}"  # new after every click

    def click() -> None:
        for cell in st.session_state[key]["selection"]["cell"]:
            layer, column = int(cell["layer"]), int(cell["column"])
            if states:
                st.session_state[_LAYER], st.session_state[_WORD] = layer, column
            else:
                st.session_state[_HEAD] = head_name((layer, column))

    st.markdown("**How much comes back**: click a cell")
    draw(
        patch_map,
        patch_frame(shares, names, place),
        key=key,
        alt_text=f"How much comes back with each of {shares.size} patches",
        on_select=click,
        labels=chosen.view.labels if states else tuple(map(str, range(shares.shape[1]))),
        layers=len(shares),
        title="word" if states else "head",
        row=row_height(len(shares)),
    )


def _note(followed: Interests | None) -> None:
    st.latex(
        r"\frac{m_\text{patched} - m_\text{text}}{m_\text{other} - m_\text{text}}"
        if followed
        else r"\frac{(v_\text{patched} - v) \cdot (v_\text{other} - v)}"
        r"{\lVert v_\text{other} - v \rVert^2}"
    )
    what = "m are the log-odds of the answer" if followed else "v are the sentence vectors"
    st.caption(
        f"{what}; 0 % is as in the text, 100 % as in the other one, below 0 % away from it. Each "
        "part is put in alone, and all that follows is run again: shares need not add up to 100 %, "
        "and a part that brings nothing back may matter together with others. Tokens stand side by "
        "side by the fewest changes; what only one text has is left as it is."
    )
