"""Passes with edits on the interventions page, and charts of what they change."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import cast

import numpy as np
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from attention.analysis import words
from attention.analysis.written import written_shares
from attention.arrays import Array
from attention.edits import CutHeads, Edits, Patch
from attention.edits.codes import encode
from attention.interventions import effects
from attention.interventions import frames as intervention_frames
from attention.interventions.charts import moved_bars, next_bars
from attention.interventions.effects import Movement, NextToken
from attention.models.decoder import CausalModel
from attention.models.trace import Trace
from attention.runtime.limits import check_tokens
from attention.runtime.threads import one_blas_thread
from attention.ui.cells import AS_WEIGHT
from attention.ui.code_lines import of_view
from attention.ui.readings import Reading
from attention.ui.show import draw
from attention.wording import Head

NEXT_SHOWN = 8  # tokens
_FEWEST_OTHERS = 3  # besides the pinned ones, however many these are
SIDES = (3, 5)  # the widths of the controls and of what comes of them
_BESIDE = 298  # pixels: two of these are as wide as the latter in a window of 1400
MORE_SHOWN = 16  # tokens, where nothing is below
MOVED_SHOWN = 8  # words
_MOST_CHANGED = 500_000_000  # weights: a few seconds, in which a pass cannot be stopped
_FEW_LAYERS, _ROW, _LOW_ROW = 12, 22, 12  # pixels


def two_pictures() -> tuple[DeltaGenerator, DeltaGenerator]:
    """Return two places for pictures beside each other or, where there is no room, below."""
    with st.container(horizontal=True, gap="small"):
        return st.container(width=_BESIDE), st.container(width=_BESIDE)


def changed(chosen: Reading, edits: Edits) -> Trace:
    """Return the pass with these edits, the untouched one for none; its `edits` are these.

    Raises
    ------
    ValueError : the model has no such layer, head or position; or what is changed is too much.
    """
    _check_size(chosen, edits)
    return _edited(chosen, edits) if edits else chosen.trace


def _check_size(chosen: Reading, edits: Edits) -> None:
    """Refuse edits that take long, or that put in a text which is too long."""
    for source in {edit.source for edit in edits if isinstance(edit, Patch)}:
        check_tokens(len(chosen.model.tokenize(source)))
    every = dict(
        zip(("layers", "heads", "queries", "keys"), chosen.trace.weights.shape, strict=True)
    )
    count = sum(
        prod(size if (own := getattr(edit, name, None)) is None else len(own)
             for name, size in every.items())
        for edit in edits if not isinstance(edit, CutHeads)
    )  # fmt: skip
    if count > _MOST_CHANGED:
        raise ValueError(
            f"they change {count:,} weights, one edit after the other; at most {_MOST_CHANGED:,} "
            "are changed"
        )


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
    chosen: Reading, after: Trace, pinned: Sequence[int], *, key: str, most: int = NEXT_SHOWN
) -> Sequence[str]:
    """Draw a decoder's next tokens, the pinned ones first; return them as they are spelled."""
    model, logits = cast(CausalModel, chosen.model), (logits_of(chosen.trace), logits_of(after))
    others = max(most - len(pinned), _FEWEST_OTHERS)
    changes = effects.next_token_changes(*logits, others, pinned)
    return draw_changes(model, changes, len(pinned), key=key)


def draw_changes(
    model: CausalModel,
    changes: Sequence[NextToken],
    pinned: int = 0,
    *,
    key: str,
    title: str = "probability (mark: untouched)",
) -> Sequence[str]:
    """Draw next tokens before and after, some of them pinned; return them as they are spelled."""
    frame = intervention_frames.next_frame(changes, model.label, pinned)
    highest = max(max(change.before, change.after) for change in changes)
    draw(
        next_bars,
        frame,
        key=key,
        alt_text="Probability of the next token, before and after",
        labels=tuple(f"“{token}”" for token in frame["token"]),
        highest=probability_axis(highest),
        title=title,
    )
    return list(frame["token"])


def draw_moved(chosen: Reading, moved: Movement, *, key: str) -> None:
    """Draw how far the vectors of the words that move most do, in the order of the text."""
    last, labels = moved.words[-1], chosen.view.labels
    shown = sorted(np.argsort(-last, kind="stable")[:MOVED_SHOWN].tolist())
    draw(
        moved_bars,
        intervention_frames.moved_frame(labels, last, shown),
        key=key,
        alt_text="How far the vector of each word moves",
        labels=labels,
        count=len(shown),
        highest=distance_axis(float(last.max())),
    )


def edited_code(chosen: Reading, edits: Edits, pinned: Sequence[int] | None, most: int) -> str:
    """Return the code of what edits change: the next token, or how far vectors move.

    Parameters
    ----------
    pinned : tokens that are shown first; None where the model predicts none
    """
    imports = [
        "from attention.edits.codes import decode",
        "from attention.interventions import charts, effects, frames",
    ]
    after = f"after = model.edited(trace, decode({encode(edits)!r}))" if edits else "after = trace"
    if pinned is None:
        return of_view(chosen, imports, [
            after,
            "last = effects.movement(trace, after, view.units).words[-1]  # of the last layer",
            f"shown = sorted((-last).argsort(kind='stable')[:{most}].tolist())",
            "data = frames.moved_frame(view.labels, last, shown)",
            "chart = plot.drawn(",
            "    charts.moved_bars, data, labels=view.labels, count=len(shown), highest=1.0,",
            ")",
            'print(f"{last.max():.3f}")',
        ])  # fmt: skip
    others = max(most - len(pinned), _FEWEST_OTHERS)
    return of_view(chosen, imports, [
        after,
        f"pinned = {list(pinned)}",
        "changes = effects.next_token_changes(",
        f"    trace.next_logits, after.next_logits, {others}, pinned",
        ")",
        "data = frames.next_frame(changes, model.label, len(pinned))",
        "chart = plot.drawn(",
        "    charts.next_bars, data, labels=data['token'].tolist(), highest=1.0,",
        "    title='probability (mark: untouched)',",
        ")",
        "print(f\"{data['after'].max():.3f}\")",
    ])  # fmt: skip


def merged(chosen: Reading, trace: Trace, head: Head, what: str = AS_WEIGHT) -> Array:
    """Return one head's weights of an edited pass over the words that are shown, `(W, W)`.

    Parameters
    ----------
    what : a cell is, see `ui.cells`
    """
    cells = trace.weights if what == AS_WEIGHT else written_shares(chosen.model, trace)
    return words.merge(cells[head], chosen.view.units)


def distance_axis(highest: float) -> float:
    """Return where an axis of distances ends, so that it moves seldom: at 1, 2 or 5 of a decade.

    >>> distance_axis(0.24), distance_axis(0.046), distance_axis(0.0)
    (0.5, 0.1, 0.001)
    """
    decades = (10.0**power for power in range(-3, 1))
    ends = [round(step * decade, 3) for decade in decades for step in (1, 2, 5)]
    return next((end for end in ends if end >= 1.1 * highest), ends[-1])


def probability_axis(highest: float) -> float:
    """Return where an axis of probabilities ends that has room for the highest and its label.

    >>> probability_axis(0.24), probability_axis(0.99)
    (0.3, 1.0)
    """
    return min(round_up(1.15 * highest, 0.1), 1.0)


def row_height(layers: int, low: int = _LOW_ROW) -> int:
    """Return how many pixels a layer takes in a grid, so that all fit above the fold.

    >>> row_height(6), row_height(30)
    (22, 12)
    """
    return _ROW if layers <= _FEW_LAYERS else low


def round_up(value: float, step: float) -> float:
    """Return the next whole number of steps, so that an axis moves seldom."""
    return round(float(np.ceil(value / step)) * step, 6) or step
