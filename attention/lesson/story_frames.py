"""The pictures of the lesson's story as tidy tables: one row per mark."""

from __future__ import annotations

import numpy as np
import pandas as pd

from attention.arrays import Array
from attention.learning.experiment import Picture
from attention.lesson.story import way
from attention.lesson.takeaways import LessonExample
from attention.models.layers import kv_head

_MOST_STEPS = 16  # of a relay, and of a fan
_MOST_CELLS = 24  # from side to side of a map
_LETTER = 0.058  # of the bar is about what a letter takes


def handed_frame(example: LessonExample, left: Array) -> pd.DataFrame:
    """Return what is left of the first word at some words on the way: `i, word, left`.

    Parameters
    ----------
    left : for every word on the way, 1 at the first
    """
    places = way(example)
    shown = _spread(len(places), _MOST_STEPS)
    return pd.DataFrame(
        {
            "i": range(len(shown)),
            "word": np.array([example.view.labels[places[s]] for s in shown], dtype=object),
            "left": left[shown].astype(float),
        }
    )


def fan_frame(example: LessonExample) -> pd.DataFrame:
    """Return a line from the word to each that it attends to: `at, to, key, weight`, 0 to 1.

    Of a long text the strongest, in order.
    """
    row, count = example.row, len(example.row)
    strongest = np.argsort(-row, kind="stable")[: 2 * _MOST_STEPS]
    shown = np.sort(strongest[row[strongest] > 0])
    return pd.DataFrame(
        {
            "at": example.query / max(count - 1, 1),
            "to": shown / max(count - 1, 1),
            "key": [example.view.labels[k] for k in shown],
            "weight": row[shown].astype(float),
        }
    )


def products_frame(example: LessonExample) -> pd.DataFrame:
    """Return a query, a key and their products, each divided by its largest: `r, e, value, share`.

    Of a word in several pieces, those of the first.
    """
    trace = example.trace
    at_query, at_key = (example.view.units[i].positions[0] for i in (example.query, example.key))
    group = kv_head(example.head, trace.query.shape[1], trace.key.shape[1])
    q = trace.query[example.layer, example.head, at_query].astype(float)
    k = trace.key[example.layer, group, at_key].astype(float)
    rows = np.stack([q, k, q * k])
    largest = np.maximum(np.abs(rows).max(axis=1, keepdims=True), 1e-12)
    return pd.DataFrame(
        {
            "r": np.repeat(range(3), rows.shape[1]),
            "e": np.tile(range(rows.shape[1]), 3),
            "value": rows.ravel(),
            "share": (rows / largest).ravel(),
        }
    )


def average_frame(example: LessonExample) -> pd.DataFrame:
    """Return the weights of a row side by side, largest first: `low, high, key, weight, said`."""
    row = example.row
    order = [int(k) for k in np.argsort(-row, kind="stable") if row[k] > 0][:_MOST_CELLS]
    weights, ends = row[order].astype(float), np.cumsum(row[order], dtype=float)
    labels = [example.view.labels[k] for k in order]
    return pd.DataFrame(
        {
            "low": ends - weights,
            "high": ends,
            "key": labels,
            "weight": weights,
            "said": [
                label if weight >= _LETTER * len(label) else ""
                for label, weight in zip(labels, weights, strict=True)
            ],
        }
    )


def before_after_frame(before: Picture, after: Picture) -> pd.DataFrame:
    """Return the weights before and after learning, one map right of the other: `r, c, weight`.

    `when` says which it is.
    """
    weights = np.stack([picture.weights[:, 0] for picture in (before, after)])  # (2, n, n)
    when, r, k = (axis.ravel() for axis in np.indices(weights.shape))
    return pd.DataFrame(
        {
            "r": r,
            "c": k + when * (weights.shape[-1] + 1),
            "weight": weights.ravel().astype(float),
            "when": np.array(["before", "after"], dtype=object)[when],
        }
    )


def price_frame_of(example: LessonExample) -> pd.DataFrame:
    """Return all weights of the head, of a long text in bins: `r, c, weight`, the mean of each."""
    weights = example.trace.weights[example.layer, example.head]
    count = len(weights)
    edges = np.unique(np.linspace(0, count, min(count, _MOST_CELLS) + 1).astype(int))
    sums = np.add.reduceat(np.add.reduceat(weights, edges[:-1], axis=0), edges[:-1], axis=1)
    means = sums / np.outer(np.diff(edges), np.diff(edges))
    side = len(means)
    return pd.DataFrame(
        {
            "r": np.repeat(range(side), side),
            "c": np.tile(range(side), side),
            "weight": means.ravel().astype(float),
        }
    )


def _spread(count: int, most: int) -> Array:
    """Return up to `most` places from the first of `count` to the last, evenly."""
    return np.unique(np.linspace(0, count - 1, min(count, most)).round().astype(int))
