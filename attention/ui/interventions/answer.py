"""The reader's own answer, by which every change to a decoder is measured, and who is asked."""

from __future__ import annotations

import streamlit as st

from attention.analysis.telling import telling_heads, telling_link
from attention.interventions import steering
from attention.interventions.sentences import answer_sentence
from attention.interventions.steering import Interests
from attention.models.decoder import CausalModel
from attention.models.trace import Trace
from attention.ui import inputs
from attention.ui.controls import focus
from attention.ui.interventions.edited import logits_of
from attention.ui.readings import Focus, Reading
from attention.ui.show import escape_markdown


def asked(chosen: Reading) -> Focus:
    """Return the link that the page opens on: in a decoder one of the last word.

    It is the last word's vector from which the next one is predicted.
    """
    if not chosen.view.is_causal:
        return focus(chosen)
    return _asked(chosen.model_name, chosen.text, chosen)


@st.cache_resource(max_entries=64, show_spinner=False, hash_funcs={Reading: repr})
def _asked(model: str, text: str, chosen: Reading) -> Focus:
    view, preset = chosen.view, chosen.preset
    last = max(i for i, unit in enumerate(view.units) if not unit.special)
    key = view.find(preset.key) if preset else None
    if key is None or key == last or not view.seen[..., last, key].any():
        return Focus(*telling_link(view, query=last))
    return Focus(last, key, *telling_heads(view, last, key, 1)[0])


def answer(chosen: Reading, model: CausalModel) -> Interests:
    """Draw the field for the answer and what it is against, and return them.

    At first these are the lesson's for its own sentence, else what the model finds most probable;
    where there is no such word, the most probable token is followed.
    """
    logits = logits_of(chosen.trace)
    own = chosen.preset.interests if chosen.preset else ""
    own = own or steering.likely_words(model, logits)
    typed = inputs.text(
        "Your answer | another one", own, key="interests", of=(chosen.source,), max_chars=200,
        help="The next word that is followed, and after a bar the one that it is held against. "
        "Commas part words that count as one answer; of a word in several tokens the first one "
        "counts. At first: the two most probable next words, where there are any.",
    )  # fmt: skip
    try:
        return steering.interests_or_best(model, typed, logits)
    except ValueError as refusal:
        st.warning(f"{escape_markdown(str(refusal))}. Here is what the page opened with.")
        return steering.interests_or_best(model, own, logits)


def said_of(followed: Interests, before: Trace, after: Trace, change: str) -> str:
    """Say what a change does to the answer; nothing is changed yet where there is no change."""
    one, other = (steering.shares(logits_of(t), followed.ids).tolist() for t in (before, after))
    return answer_sentence(followed, one, other, change)
