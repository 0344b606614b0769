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
) -> pd.DataFrame:
    """Return what the chart draws: `kind, h, name, q, k, query, key, weight, ...`.

    `kind` is "word" (one per word, q = k), "row" (what a word attends to, the mean of the heads) or
    "link" (what it attends to in one head). One head has all its rows and no links; `several` heads
    have links, and rows for the strongest only. Weights of 0 are left out. A "row" has a `rank`,
    from 1 over all words of the text; the strongest are there even where they are not shown. A
    "word" says in `strongest` what it attends to most. `row` and `to` count q and k among the words
    that are shown; -1 is not shown. Where `start` is true, the word is the query before any other
    is clicked; `pick` is the same number in all rows for as long as `query` and the words stay the
    same.

    Parameters
    ----------
    heads : heads of the layer; the last is drawn in front
    shown : the positions that are drawn, ascending
    query : the position of the word that is the query at first
    least : links below it have no row
    """
    own = _rows(view, "word", shown, np.eye(len(shown))[None], [-1], [""])
    if not len(heads):
        return _started(view, own, query)
    weights = view.weights[layer, list(heads)][:, shown]  # (N, shown, W)
    names = [head_name((layer, head)) for head in heads]
    mean = weights.mean(axis=0, keepdims=True)
    own["strongest"] = [_listed(view.labels, row) for row in mean[0]]
    every = range(len(view.units))
    rows = _rows(view, "row", shown, mean, heads[-1:], ["mean"] if several else names, every)
    rows["rank"] = _ranks(mean[0])[rows["row"], rows["k"]]
    drawn = (rows["to"] >= 0) & (not several) | (rows["rank"] <= STRONGEST)
    links = _rows(view, "link", shown, weights[..., shown], heads, names)
    enough = (links["weight"] >= least) & several
    return _started(view, pd.concat([own, rows[drawn], links[enough]], ignore_index=True), query)


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
    keys: Sequence[int] | None = None,
) -> pd.DataFrame:
    """Return a row for every weight above 0 of `(N, shown, keys)`; the keys are those shown."""
    n, row, column = np.nonzero(weights)
    labels = np.array(view.labels, dtype=object)
    small = np.int16  # half of what is sent would be zeros
    place = np.full(len(labels), -1, small)
    place[list(shown)] = range(len(shown))
    q, k = np.array(shown)[row], np.array(shown if keys is None else keys)[column]
    return pd.DataFrame(
        {
            "kind": kind,
            "h": np.array(heads, small)[n],
            "name": np.array(names, dtype=object)[n],
            "q": q.astype(small),
            "k": k.astype(small),
            "query": labels[q],
            "key": labels[k],
            "weight": weights[n, row, column].astype(np.float32),
            "rank": small(0),
            "strongest": "",
            "row": row.astype(small),
            "to": place[k],
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


def strongest_frame(view: View, row: Array, count: int = STRONGEST) -> pd.DataFrame:
    """Return the words that one row attends to most, strongest first: `Key, Position, Weight`.

    Words that it gives nothing, as a decoder's later ones, are absent.
    """
    best = _best(row, count)
    return pd.DataFrame(
        {
            "Key": [view.labels[k] for k in best],
            "Position": best,
            "Weight": row[best].astype(float),
        }
    )


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


def best_heads_frame(view: View, query: int, key: int, count: int = STRONGEST) -> pd.DataFrame:
    """Return the heads in which one word is most selective for another: `Head, Weight, Others`.

    The most selective first: the weight less what the other words give the same key.
    """
    heads = telling_heads(view, query, key, count)
    return pd.DataFrame(
        {
            "Head": [head_name(head) for head in heads],
            "Weight": [float(view.weights[head][query, key]) for head in heads],
            "Others": [float(others_give(view, head, query)[key]) for head in heads],
        }
    )
