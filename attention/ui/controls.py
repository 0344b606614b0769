"""Controls that pages share, each with its place in the address of the page."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from attention.analysis import embeddings
from attention.analysis.words import View
from attention.models.model import Model
from attention.ui import address, inputs
from attention.ui.address import Of
from attention.ui.readings import Focus, Reading, find_focus
from attention.ui.show import escape_markdown
from attention.wording import Head, all_heads, head_name


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


def _same_word(before: Of, now: Of, chosen: int) -> int | None:
    """Return where the chosen word is when the same text is shown in other units, if anywhere."""
    *text, units = before
    *text_now, units_now = now
    if text != text_now or chosen >= len(units):
        return None
    token = units[chosen].positions[0]
    return next((i for i, unit in enumerate(units_now) if token in unit.positions), None)
