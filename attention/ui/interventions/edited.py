"""Passes with edits on the interventions page, and charts of what they change."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

import numpy as np
import streamlit as st

from attention.analysis import words
from attention.arrays import Array
from attention.edits import Edits
from attention.edits.codes import encode
from attention.interventions import effects
from attention.interventions import frames as intervention_frames
from attention.interventions.charts import moved_bars, next_bars
from attention.interventions.effects import Movement, NextToken
from attention.models.decoder import CausalModel
from attention.models.trace import Trace
from attention.runtime.threads import one_blas_thread
from attention.ui.readings import Reading
from attention.ui.show import draw, signs_note
from attention.wording import Head

NEXT_SHOWN = 10  # tokens besides the pinned ones
SMALL, STEP = 0.02, 0.05  # the least axis of cosine distances, and its steps


def changed(chosen: Reading, edits: Edits) -> Trace:
    """Return the pass with these edits, the untouched one for none; its `edits` are these.

    Raises
    ------
    ValueError : the model has no such layer, head or position.
    """
    return _edited(chosen, edits) if edits else chosen.trace


# at most 220 MB each
@st.cache_resource(
    max_entries=6, show_spinner=False, hash_funcs={tuple: encode, Reading: lambda r: r.source}
)
def _edited(chosen: Reading, edits: Edits) -> Trace:
    with one_blas_thread():
        return chosen.model.edited(chosen.trace, edits)


def decoder(chosen: Reading) -> CausalModel | None:
    """Return the model if it predicts the next token."""
    return cast(CausalModel, chosen.model) if chosen.model.predicts else None


def logits_of(trace: Trace) -> Array:
    """Return the logits of the next token; the model is a decoder."""
    if trace.next_logits is None:
        raise TypeError(f"{trace.model} predicts no next token")
    return trace.next_logits


def movement_of(chosen: Reading, after: Trace) -> Movement:
    """Return how far the vectors of the words that are shown move."""
    return effects.movement(chosen.trace, after, chosen.view.units)


def draw_next(
    model: CausalModel, before: Trace, after: Trace, pinned: Sequence[int], *, key: str
) -> None:
    """Draw the next tokens of two passes: the pinned ones first, then the most probable."""
    logits = logits_of(before), logits_of(after)
    changes = effects.next_token_changes(*logits, NEXT_SHOWN, pinned)
    draw_changes(model, changes, len(pinned), key=key)


def draw_changes(
    model: CausalModel, changes: Sequence[NextToken], pinned: int = 0, *, key: str
) -> None:
    """Draw next tokens with their probability before and after, some of them pinned."""
    frame = intervention_frames.next_frame(changes, model.label, pinned)
    highest = max(max(change.before, change.after) for change in changes)
    draw(
        next_bars,
        frame,
        key=key,
        alt_text="Probability of the next token, before and after",
        labels=tuple(f"“{token}”" for token in frame["token"]),
        highest=probability_axis(highest),
    )
    signs_note(frame["token"])


def draw_moved(chosen: Reading, moved: Movement, *, key: str) -> None:
    """Draw how far each word's vector moves."""
    last = moved.words[-1]
    draw(
        moved_bars,
        intervention_frames.moved_frame(chosen.view.labels, last),
        key=key,
        alt_text="How far the vector of each word moves",
        labels=chosen.view.labels,
        highest=round_up(max(1.1 * float(last.max()), SMALL), STEP),
    )


def merged(chosen: Reading, trace: Trace, head: Head) -> Array:
    """Return one head's weights of an edited pass over the words that are shown, `(W, W)`."""
    return words.merge(trace.weights[head], chosen.view.units)


def probability_axis(highest: float) -> float:
    """Return where an axis of probabilities ends that has room for the highest and its label.

    >>> probability_axis(0.24), probability_axis(0.99)
    (0.3, 1.0)
    """
    return min(round_up(1.15 * highest, 0.1), 1.0)


def round_up(value: float, step: float) -> float:
    """Return the next whole number of steps, so that an axis moves seldom."""
    return round(float(np.ceil(value / step)) * step, 6) or step
