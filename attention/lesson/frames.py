"""What the lesson measures as tidy tables: one row per mark, positions as keys."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from attention.analysis.link_frames import link_frame
from attention.analysis.telling import base_rate, ordinary
from attention.analysis.words import View
from attention.arrays import Array
from attention.lesson.minimal_pairs import outcomes
from attention.wording import Head, all_heads, head_name


def hero_frame(view: View, head: Head, shown: Sequence[int], query: int) -> pd.DataFrame:
    """Return `link_frame` of one head with `base`: what the other words give the same key.

    NaN where no other word may attend to it.
    """
    layer, column = head
    frame = link_frame(view, layer, [column], shown, query=query, several=False)
    base = base_rate(view.weights[head], ordinary(view), seen=view.seen_in(head[0]))
    return frame.assign(base=base[frame["q"], frame["k"]])


def candidate_frame(weights: Array, head: Head, names: Sequence[str]) -> pd.DataFrame:
    """Return the weights of both candidates in both sentences, a row for each of four.

    `i, sentence, c, word, meant, weight, mean`: `weight` in one head, `mean` over all heads.

    Parameters
    ----------
    weights : (2, 2, L, H) as from `minimal_pairs.preferences`
    names : of the candidates
    """
    sentences, candidates = np.repeat(range(2), 2), np.tile(range(2), 2)
    return pd.DataFrame(
        {
            "i": range(4),
            "sentence": sentences + 1,
            "c": candidates,
            "word": [names[c] for c in candidates],
            "meant": sentences == candidates,
            "weight": weights[..., head[0], head[1]].ravel(),
            "mean": weights.mean(axis=(-2, -1)).ravel(),
        }
    )


def outcome_frame(weights: Array, chosen: Head) -> pd.DataFrame:
    """Return what each head does with a pair: `layer, head, name, outcome, w11, w12, w21, w22`.

    `w12` is the weight in the first sentence of the second candidate; `chosen` marks one head.
    """
    kinds = outcomes(weights)
    names = all_heads(*kinds.shape)
    table = {
        "layer": [layer for layer, _ in names.values()],
        "head": [head for _, head in names.values()],
        "name": list(names),
        "outcome": kinds.ravel(),
        "chosen": [head == chosen for head in names.values()],
    }
    cells = {f"w{s + 1}{c + 1}": weights[s, c].ravel() for s in range(2) for c in range(2)}
    return pd.DataFrame({**table, **cells})


def score_frame(rows: Mapping[str, tuple[float, float]]) -> pd.DataFrame:
    """Return who gets how many sentences, and how many whole pairs, right; for people."""
    return pd.DataFrame(
        {
            "Who chooses": list(rows),
            "Sentences right": [100 * single for single, _ in rows.values()],
            "Both right": [100 * both for _, both in rows.values()],
        }
    )


def removal_frame(
    orders: Sequence[tuple[str, int, list[Head]]], counts: Sequence[int], shifts: Array
) -> pd.DataFrame:
    """Return how far the vector moves: `order, run, removed, shift`, a row per point.

    Parameters
    ----------
    shifts : (orders, counts)
    """
    return pd.DataFrame(
        {
            "order": np.repeat([name for name, _, _ in orders], len(counts)),
            "run": np.repeat([run for _, run, _ in orders], len(counts)),
            "removed": np.tile(counts, len(orders)),
            "shift": shifts.ravel(),
        }
    )


def alike_frame(grid: Array, heads_per_layer: int) -> pd.DataFrame:
    """Return every pair of heads once: `a, b, one, other, bits` with a > b.

    Parameters
    ----------
    grid : (L * H, L * H) divergences
    """
    a, b = np.tril_indices(len(grid), k=-1)
    names = np.array([head_name(divmod(i, heads_per_layer)) for i in range(len(grid))])
    return pd.DataFrame({"a": a, "b": b, "one": names[a], "other": names[b], "bits": grid[a, b]})
