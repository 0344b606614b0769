"""The visualizer's lines and tables: one row per mark, positions as keys."""

from __future__ import annotations

import zlib
from collections.abc import Sequence

import numpy as np
import pandas as pd

from attention.analysis.links import difference
from attention.analysis.telling import others_give, telling_heads
from attention.analysis.words import View
from attention.arrays import Array
from attention.wording import head_name, spelled

STRONGEST = 5


def link_frame(
    view: View,
    layer: int,
    heads: Sequence[int],
    shown: Sequence[int],
    *,
    query: int,
    several: bool,
    least: float = 0.0,
    listed: int | None = None,
) -> pd.DataFrame:
    """Return what the chart draws: `kind, h, name, q, k, query, key, weight, ...`.

    `kind` is "word" (one per word, q = k), "row" (what a word attends to, the mean of the heads) or
    "link" (what it attends to in one head). Only `several` heads have links. Weights of 0 are left
    out. A "row" has a `rank`, from 1 over all words of the text. A "word" says in `strongest` what
    it attends to most. `row` counts q among the words that are shown, and `to` says where k is: in
    the same words or, where keys are `listed`, in a list that each query has of its own. Where
    `start` is true, the word is the query before any other is clicked; `pick` is the same number in
    all rows for as long as `query` and the words stay the same.

    Parameters
    ----------
    heads : heads of the layer; the last is drawn in front
    shown : the positions that are drawn, ascending
    query : the position of the word that is the query at first
    least : links below it have no row
    listed : each query has so many keys, those that it attends to most, the strongest first,
        wherever they stand; None: the keys are the words shown
    """
    itself = np.eye(len(view.units), dtype=np.int16)[list(shown)]  # (shown, W)
    at = np.where(itself, np.arange(len(shown))[:, None], -1)
    own = _rows(view, "word", shown, itself[None], [-1], [""], at)
    if not len(heads):
        return _started(view, own, query)
    weights = view.weights[layer, list(heads)][:, shown]  # (N, shown, W)
    names = [head_name((layer, head)) for head in heads]
    mean = weights.mean(axis=0, keepdims=True)
    own["strongest"] = [_listed(view.labels, row) for row in mean[0]]
    place = _places(weights, shown, listed)
    rows = _rows(view, "row", shown, mean, heads[-1:], ["mean"] if several else names, place)
    rows["rank"] = _ranks(mean[0])[rows["row"], rows["k"]]
    parts = [own, rows]
    if several:
        drawn = np.where(weights < least, 0, weights)
        parts.append(_rows(view, "link", shown, drawn, heads, names, place))
    return _started(view, pd.concat(parts, ignore_index=True), query)


def _places(weights: Array, shown: Sequence[int], listed: int | None) -> Array:
    """Return where each key stands for each query, `(shown, W)`; -1 where it does not.

    A list holds what any of the heads attends to most, then what their mean does.

    Parameters
    ----------
    weights : (N, shown, W)
    """
    place = np.full(weights.shape[1:], -1, np.int16)
    if listed is None:
        place[:, list(shown)] = range(len(shown))
        return place
    mean, each = weights.mean(axis=0), np.arange(len(place))
    named = mean.copy()
    for best in weights.argmax(axis=-1):
        named[each, best] += 1
    keys = np.argsort(-named, axis=-1, kind="stable")[:, :listed]  # which, by name and weight
    order = np.argsort(-np.take_along_axis(mean, keys, axis=-1), axis=-1, kind="stable")
    np.put_along_axis(place, np.take_along_axis(keys, order, -1), np.arange(keys.shape[1]), -1)
    return place


def _started(view: View, frame: pd.DataFrame, query: int) -> pd.DataFrame:
    pick = zlib.crc32(f"{query} {view.labels}".encode()) >> 1  # fits in 32 bits with a sign
    return frame.assign(start=frame["q"] == query, pick=np.int32(pick))


def _rows(
    view: View,
    kind: str,
    shown: Sequence[int],
    weights: Array,
    heads: Sequence[int],
    names: Sequence[str],
    place: Array,
) -> pd.DataFrame:
    """Return a row for every weight above 0 of `(N, shown, W)` whose key has a place."""
    n, row, k = np.nonzero(np.where(place >= 0, weights, 0))
    labels = np.array(view.labels, dtype=object)
    small = np.int16  # half of what is sent would be zeros
    q = np.array(shown)[row]
    return pd.DataFrame(
        {
            "kind": kind,
            "h": np.array(heads, small)[n],
            "name": np.array(names, dtype=object)[n],
            "q": q.astype(small),
            "k": k.astype(small),
            "query": labels[q],
            "key": labels[k],
            "weight": weights[n, row, k].astype(np.float32),
            "rank": small(0),
            "strongest": "",
            "row": row.astype(small),
            "to": place[row, k],
        }
    )


def _ranks(weights: Array) -> Array:
    """Return the rank of each weight in its row, 1 for the highest; the first of equals leads."""
    order = np.argsort(-weights, axis=-1, kind="stable")
    return (np.argsort(order, axis=-1) + 1).astype(np.int16)


def _listed(labels: Sequence[str], row: Array) -> str:
    return ", ".join(f"{labels[k]} {row[k]:.4f}" for k in _best(row, STRONGEST))


def _best(row: Array, count: int) -> Array:
    """Return where the largest weights are, the largest first; a hidden word is not among them."""
    order = np.argsort(-row, kind="stable")[:count]
    return order[row[order] > 0]


def differ_frame(view: View, layer: int, heads: Sequence[int], query: int) -> pd.DataFrame:
    """Return a row per head, the most different first: what it attends to most, and its bits."""
    rows = view.weights[layer, list(heads), query]
    found = difference(rows)
    frame = pd.DataFrame(
        {
            "Head": [head_name((layer, head)) for head in heads],
            "Bits apart": found.bits,
            "Weight": rows.max(axis=1).astype(float),
            "Attends most to": [spelled(view.labels, k) for k in found.best],
        }
    )
    return frame.sort_values("Bits apart", ascending=False, ignore_index=True)


def best_heads_frame(
    view: View, query: int, key: int, written: View | None = None, count: int = STRONGEST
) -> pd.DataFrame:
    """Return the heads in which one word is most selective for another: `Head, Weight, Others`.

    The most selective first: the weight less what the other words give the same key.

    Parameters
    ----------
    written : the same rows by the length of what is written; then there is a column `Written`, too
    """
    heads = telling_heads(view, query, key, count)
    frame = pd.DataFrame(
        {
            "Head": [head_name(head) for head in heads],
            "Weight": [float(view.weights[head][query, key]) for head in heads],
            "Others": [float(others_give(view, head, query)[key]) for head in heads],
        }
    )
    if written is None:
        return frame
    return frame.assign(Written=[float(written.weights[head][query, key]) for head in heads])
