"""What stands above the translation page: the text in English, examples, and the translator."""

from __future__ import annotations

from functools import partial
from typing import cast

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

import attention
from attention.analysis.written import written_translation
from attention.edits import Edits
from attention.edits.codes import encode
from attention.models.marian import Marian
from attention.models.translation import Translation
from attention.runtime.limits import check_tokens
from attention.translation.examples import (
    SOURCE_EXAMPLES,
    STEEP_BANK,
    looks_english,
    source_example,
)
from attention.ui import address, inputs
from attention.ui.bar import accepted, example_picker, sentence_field
from attention.ui.readings import Reading, loaded
from attention.ui.show import unknown_words

_MOST_WORDS, _MOST_TOKENS = 60, 200


def source_reading(bar: DeltaGenerator) -> Reading:
    """Draw the text and the translator into a bar; return its encoder's reading of the text.

    Stops the page with a sentence where there is nothing to translate.
    """
    with bar:
        with st.container(horizontal=True, vertical_alignment="center"):
            own = len(attention.available_translators()) > 1
            language = "the translator's language" if own else "English"
            text = sentence_field(
                STEEP_BANK.text, f"a sentence in {language} of up to {_MOST_WORDS} words"
            )
            example_picker(text, [example.text for example in SOURCE_EXAMPLES])
            pair = _pair_picker()
        read = accepted(text, STEEP_BANK.text, partial(_refusal, pair))
        chosen = Reading(pair, read, words=True, special=True)
        address.about(chosen.source)
        if not any(unit.ordinary for unit in chosen.view.units):
            st.info("There is no word yet. Type a sentence above, or pick one.")
            address.stop()
        if pair.startswith("en-") and not looks_english(read):
            st.warning(
                "This does not look like English, the only language that this model has learned "
                "to read: what it makes of it means little."
            )
        if not pair.startswith("en-") and source_example(read):
            st.warning(f"The examples are in English, which {pair} does not read: type a text.")
        unknown_words(pair, chosen.view.units)
    return chosen


def translator(chosen: Reading) -> Marian:
    """Return the model as the translator that it is."""
    return cast(Marian, loaded(chosen.model_name))


def translation_of(chosen: Reading, edits: Edits = (), cross_edits: Edits = ()) -> Translation:
    """Return the translation with changes to the encoder's or to cross-attention.

    Raises
    ------
    ValueError : there is no such layer, head or position.
    """
    return _translated(chosen.model_name, chosen.text, edits, cross_edits)


def written_of(done: Translation) -> Translation:
    """Return an untouched translation with its cross-attention by what is written."""
    return _written(done.encoder.model, done.source.text)


@st.cache_resource(max_entries=4, show_spinner=False)
def _written(pair: str, text: str) -> Translation:
    return written_translation(cast(Marian, loaded(pair)), _translated(pair, text, (), ()))


@st.cache_resource(max_entries=48, show_spinner=False, hash_funcs={tuple: encode})
def _translated(pair: str, text: str, edits: Edits, cross_edits: Edits) -> Translation:
    return cast(Marian, loaded(pair)).translate(text, edits, cross_edits)


def _pair_picker() -> str:
    pairs = attention.available_translators()
    return inputs.select(
        "Translator",
        pairs,
        pairs[0],
        key="translator",
        stays=True,
        label_visibility="collapsed",
        disabled=len(pairs) == 1,
        width=120,
    )


def _refusal(pair: str, text: str) -> str | None:
    words = len(text.split())
    if words > _MOST_WORDS:
        return f"The text has {words} words; {_MOST_WORDS} at most are translated here."
    try:
        tokens = len(loaded(pair).tokenize(text))
        check_tokens(tokens)
    except ValueError as refusal:
        return str(refusal)
    if tokens > _MOST_TOKENS:
        return f"The text has {tokens} tokens; {_MOST_TOKENS} at most are translated here."
    return None
