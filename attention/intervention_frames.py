"""What a change to the forward pass does, as tidy tables and in words."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd

from attention import words
from attention.core import Array
from attention.edits import Add, Cut, CutHeads, Edit, Numbers, SetRow
from attention.effects import NextToken
from attention.frames import head_name
from attention.models.trace import Tokens
from attention.pruning import RANDOM, Order
from attention.words import Unit, View


def next_frame(
    changes: Sequence[NextToken], label: Callable[[int], str], pinned: int
) -> pd.DataFrame:
    """Return next tokens before and after: `i, token, before, after, pinned`, in this order.

    Parameters
    ----------
    pinned : how many of the first rows are words that the reader asked for
    """
    return pd.DataFrame(
        {
            "i": range(len(changes)),
            "token": [label(change.id) for change in changes],
            "before": [change.before for change in changes],
            "after": [change.after for change in changes],
            "pinned": [i < pinned for i in range(len(changes))],
        }
    )


def moved_frame(labels: Sequence[str], moved: Array) -> pd.DataFrame:
    """Return how far each word's vector moves: `k, word, moved`."""
    return pd.DataFrame({"k": range(len(labels)), "word": labels, "moved": moved})


def curve_frame(strengths: Sequence[float], series: Sequence[str], values: Array) -> pd.DataFrame:
    """Return `strength, series, value`, a row per point.

    Parameters
    ----------
    values : (strengths, series)
    """
    return pd.DataFrame(
        {
            "strength": np.repeat(np.array(strengths, float), len(series)),
            "series": np.tile(np.array(series, dtype=object), len(strengths)),
            "value": np.asarray(values, float).ravel(),
        }
    )


def cut_frame(
    view: View, weights: Array, shown: Sequence[int], cut: set[tuple[int, int]]
) -> pd.DataFrame:
    """Return one head's map: `q, k, query, key, weight, cut`; cells that a mask hides are absent.

    Parameters
    ----------
    weights : (W, W) to draw, over the view's units
    cut : the pairs of words that are cut
    """
    rows = [
        (q, k, view.labels[q], view.labels[k], float(weights[q, k]), (q, k) in cut)
        for q in shown
        for k in shown
        if k <= q or not view.is_causal
    ]
    return pd.DataFrame(rows, columns=["q", "k", "query", "key", "weight", "cut"]).astype(
        {"q": "int64", "k": "int64", "weight": "float64", "cut": "bool"}
    )


def band_frame(orders: Sequence[Order], counts: Sequence[int], effects: Array) -> pd.DataFrame:
    """Return `order, removed, effect, low, high`: random orders as one, with their ends.

    Parameters
    ----------
    effects : (orders, counts)
    """
    rows = []
    for name in dict.fromkeys(order.name for order in orders):
        runs = effects[[order.name == name for order in orders]]
        ends = runs.min(axis=0), runs.max(axis=0)
        middle = np.median(runs, axis=0)
        rows += [
            (name, count, *numbers)
            for count, *numbers in zip(counts, middle, *ends, strict=True)
            if not np.isnan(numbers[0])
        ]
    frame = pd.DataFrame(rows, columns=["order", "removed", "effect", "low", "high"])
    return frame.astype({"removed": "int64", "effect": "float64", "low": "f8", "high": "f8"})


def random_runs(orders: Sequence[Order]) -> int:
    """Return how many of the orders are random."""
    return sum(order.name == RANDOM for order in orders)


def edit_text(edit: Edit, units: Sequence[Unit], tokens: Tokens) -> str:
    """Return what an edit does, in words, numbered as the units that are shown.

    >>> shown = (Unit("a", (0,), False), Unit("bc", (1, 2), False))
    >>> spans, special = ((0, 1), (2, 3), (3, 4)), (False, False, False)
    >>> text = Tokens("a bc", np.arange(3), ("a", "b", "##c"), spans, special)
    >>> edit_text(Cut(queries=(1, 2), keys=(0,), layers=(5,), heads=(11,)), shown, text)
    '1 bc reads nothing from 0 a, in L5 H11'
    >>> edit_text(Cut(queries=(2,), keys=(0,)), shown, text)
    '##c of 1 bc reads nothing from 0 a, in every head'
    """
    if isinstance(edit, CutHeads):
        return f"{', '.join(head_name(pair) for pair in edit.pairs)} silent"
    every = "every token"
    asks, place = _named(edit.queries, units, tokens, every), _place(edit)
    if isinstance(edit, Cut):
        rest = "" if edit.renormalise else ", the rest of the row as it was"
        read = _named(edit.keys, units, tokens, "any")
        return f"{asks} reads nothing from {read}, {place}{rest}"
    if isinstance(edit, Add):
        read = _named(edit.keys, units, tokens, every)
        return f"{edit.amount:+g} on the score of {read} when {asks} asks, {place}"
    return f"a row of weights set for {asks}, {place}"


def _place(edit: Cut | Add | SetRow) -> str:
    if edit.layers is None and edit.heads is None:
        return "in every head"
    if edit.layers is None:
        return f"in head {_numbers(edit.heads)} of every layer"
    if edit.heads is None:
        return f"in every head of layer {_numbers(edit.layers)}"
    if len(edit.layers) == 1:
        return f"in {', '.join(head_name((edit.layers[0], head)) for head in edit.heads)}"
    return f"in heads {_numbers(edit.heads)} of layers {_numbers(edit.layers)}"


def _named(positions: Numbers, units: Sequence[Unit], tokens: Tokens, whole: str) -> str:
    """Name the units that tokens make up; those that are not shown are named without a number."""
    if positions is None:
        return whole
    pieces, chosen = words.pieces(tokens), set(positions)
    found = [
        (own[0], _part(own, f"{i} {unit.label}", unit, pieces))
        for i, unit in enumerate(units)
        if (own := [position for position in unit.positions if position in chosen])
    ]
    shown = {position for unit in units for position in unit.positions}
    found += [(position, pieces[position].label) for position in chosen - shown]
    named = [name for _, name in sorted(found)]
    more = f" and {len(named) - 4} more" if len(named) > 4 else ""
    return ", ".join(named[:4]) + more


def _part(own: Sequence[int], name: str, unit: Unit, pieces: Sequence[Unit]) -> str:
    """Name a unit, or the tokens of it that are meant."""
    if len(own) == len(unit.positions):
        return name
    return f"{', '.join(pieces[position].label for position in own)} of {name}"


def _numbers(numbers: Numbers) -> str:
    return ", ".join(map(str, numbers or ()))
