"""Two models beside each other, shared heads and rotation as tidy tables."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from attention.analysis.grouped_heads import Apart, Sharing
from attention.analysis.words import View
from attention.arrays import Array
from attention.models.layers import kv_head
from attention.wording import Head, head_name


def beside_frame(
    views: Sequence[View],
    heads: Sequence[Head],
    names: Sequence[str],
    pairs: Sequence[tuple[int, int]],
) -> pd.DataFrame:
    """Return both maps over the words in common: `map, name, q, k, query, key, weight`.

    Positions count the aligned words. Cells that a mask hides are absent.
    """
    frames = []
    for at, (view, head, name) in enumerate(zip(views, heads, names, strict=True)):
        own = [pair[at] for pair in pairs]
        weights = view.weights[head][np.ix_(own, own)]
        count, labels = len(own), np.array([view.labels[i] for i in own], dtype=object)
        frame = pd.DataFrame(
            {
                "map": at,
                "name": name,
                "q": np.repeat(range(count), count),
                "k": np.tile(range(count), count),
                "query": np.repeat(labels, count),
                "key": np.tile(labels, count),
                "weight": weights.ravel(),
            }
        )
        frames.append(frame[view.seen_in(head[0])[np.ix_(own, own)].ravel()])
    return pd.concat(frames, ignore_index=True)


def distance_frame(series: dict[str, Array]) -> pd.DataFrame:
    """Return `distance, series, score`, a row per point; every series starts at distance 0."""
    return pd.concat(
        [
            pd.DataFrame({"distance": range(len(scores)), "series": name, "score": scores})
            for name, scores in series.items()
        ],
        ignore_index=True,
    )


def apart_frame(apart: Array, groups: int, layer: int) -> pd.DataFrame:
    """Return every two heads of a layer: `head, other, one, two, shares, bits`; none with itself.

    Parameters
    ----------
    apart : (H, H) how far apart their rows are, in bits
    groups : heads of keys and values in the layer
    """
    heads = len(apart)
    head, other = np.nonzero(~np.eye(heads, dtype=bool))
    names = np.array([head_name((layer, h)) for h in range(heads)], dtype=object)
    same = kv_head(head, heads, groups) == kv_head(other, heads, groups)
    return pd.DataFrame(
        {
            "head": head,
            "other": other,
            "one": names[head],
            "two": names[other],
            "shares": np.where(same, "shared", "of their own"),
            "bits": apart[head, other],
        }
    )


def siblings_frame(heads: Sequence[Head], found: Sharing, apart: Apart) -> pd.DataFrame:
    """Return a row per head: which it shares with, and how far from it they and the others are."""
    return pd.DataFrame(
        {
            "Head": [head_name(head) for head in heads],
            "Shares with": [
                ", ".join(f"H{h}" for h in found.siblings(head) if h != head) for _, head in heads
            ],
            "Bits from these": [float(apart.inside[head]) for head in heads],
            "Bits from others": [float(apart.across[head]) for head in heads],
        }
    )
