"""What a change to the forward pass does, as tidy tables and in words."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd

from attention.analysis.frames import head_frame
from attention.analysis.words import View
from attention.arrays import Array
from attention.interventions.effects import NextToken
from attention.interventions.pruning import Order
from attention.wording import Head


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


def moved_frame(labels: Sequence[str], moved: Array, shown: Sequence[int]) -> pd.DataFrame:
    """Return how far the vectors of some words move: `k, word, moved`.

    Parameters
    ----------
    labels, moved : of every word
    shown : positions of those in the table
    """
    words = [labels[k] for k in shown]
    return pd.DataFrame({"k": shown, "word": words, "moved": moved[list(shown)]})


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
    view: View, layer: int, weights: Array, shown: Sequence[int], cut: set[tuple[int, int]]
) -> pd.DataFrame:
    """Return one head's map: `q, k, query, key, weight, cut`; cells that a mask hides are absent.

    Parameters
    ----------
    layer : of the head
    weights : (W, W) to draw, over the view's units
    cut : the pairs of words that are cut
    """
    seen = view.seen_in(layer)
    rows = [
        (q, k, view.labels[q], view.labels[k], float(weights[q, k]), (q, k) in cut)
        for q in shown
        for k in shown
        if seen[q, k]
    ]
    return pd.DataFrame(rows, columns=["q", "k", "query", "key", "weight", "cut"]).astype(
        {"q": "int64", "k": "int64", "weight": "float64", "cut": "bool"}
    )


def effect_frame(effects: Array, measured: Array, chosen: Sequence[Head]) -> pd.DataFrame:
    """Return the effect of each head: `layer, head, name, value, chosen, how`.

    Parameters
    ----------
    effects : (L, H)
    measured : (L, H) bool, those that were ablated; the others are estimated
    """
    how = np.where(measured.ravel(), "ablated", "estimated").astype(object)
    return head_frame(effects, chosen).assign(how=how)


def patch_frame(shares: Array, names: Sequence[str], chosen: tuple[int, int]) -> pd.DataFrame:
    """Return how much comes back: `layer, column, name, share, chosen`.

    Parameters
    ----------
    shares : (L, columns), a column for each head or word
    names : of what is put in, `(L * columns)` of them, layer by layer
    chosen : its layer and column
    """
    layers, columns = (axis.ravel() for axis in np.indices(shares.shape))
    return pd.DataFrame(
        {
            "layer": layers,
            "column": columns,
            "name": np.array(names, dtype=object),
            "share": shares.ravel().astype(float),
            "chosen": (layers == chosen[0]) & (columns == chosen[1]),
        }
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
