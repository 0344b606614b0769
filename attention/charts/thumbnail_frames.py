"""All heads as small pictures: a row a head, and its weights as letters."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import pandas as pd

from attention.analysis.metrics import entropy_per_head
from attention.analysis.sentences import role
from attention.analysis.words import View
from attention.arrays import Array
from attention.charts.miniature_frames import CELLS, picture_urls
from attention.charts.thumbnails import LETTERS, NO_CELL, STEPS
from attention.pictures import bin_starts, binned
from attention.wording import all_heads


def thumbnail_frame(view: View) -> pd.DataFrame:
    """Return `i, layer, head, name, url, does, entropy, largest`, a row per head."""
    names = all_heads(*view.weights.shape[:2])
    spread = entropy_per_head(view)
    related = view.other is None
    return pd.DataFrame(
        {
            "i": range(len(names)),
            "layer": [layer for layer, _ in names.values()],
            "head": [head for _, head in names.values()],
            "name": list(names),
            "url": picture_urls(view),
            "does": [role(view, *head) if related else "" for head in names.values()],
            "entropy": spread.ravel().astype(float),
            "largest": view.weights.max(axis=(-2, -1)).ravel().astype(float),
        }
    )


def thumbnail_labels(view: View) -> tuple[list[str], list[str]]:
    """Return the words of the rows and of the columns; of bins, which words they hold."""
    return _binned_labels(view.labels), _binned_labels(view.key_labels)


def _binned_labels(labels: Sequence[str]) -> list[str]:
    starts = [*bin_starts(len(labels), CELLS).tolist(), len(labels)]
    return [
        labels[start] if end - start == 1 else f"{start} to {end - 1}"
        for start, end in pairwise(starts)
    ]


def map_letters(view: View) -> list[str]:
    """Return the weights of each head, row by row, a letter for each: thousandths.

    A bin of a long text has its largest weight. A cell that a mask hides has no such letter.
    """
    return lettered(binned(view.weights, CELLS), binned(view.seen, CELLS))


def lettered(weights: Array, seen: Array) -> list[str]:
    """Return maps `(L, H, Q, K)` as one text a head; cells that are not `seen` are `NO_CELL`.

    >>> lettered(np.array([[[[0.0, 0.002, 0.0]]]]), np.array([True, True, False]))
    ['#% ']
    """
    steps = np.rint(STEPS * np.clip(weights, 0, 1)).astype(int)
    letters = np.where(seen, np.array(list(LETTERS))[steps], NO_CELL)
    return ["".join(one.ravel()) for layer in letters for one in layer]
