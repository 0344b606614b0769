"""Traces and figures as tidy tables: one row per mark, plain columns, positions as keys."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from attention.analysis.embeddings import cosine_parts
from attention.analysis.sentences import attends_to, describe
from attention.analysis.words import View
from attention.arrays import Array
from attention.core import Blend
from attention.wording import Head, all_heads, head_name


def blend_frame(
    labels: Sequence[str],
    colours: Sequence[int],
    now: Blend,
    before: Array,
    meanings: Sequence[str],
    directions: Array,
) -> pd.DataFrame:
    """Return what each word adds to each meaning of the blend: `s, meaning, k, word, part, ...`.

    `total` is the cosine of the blend with the meaning (the sum of its parts), `end` where the
    stacked bar ends (the sum of the positive ones), `before` the cosine of the earlier blend.

    Parameters
    ----------
    colours : one number per word, which its part is coloured and stacked by
    now : the blend, contributions (K, D)
    before : (D,) the earlier blend
    directions : (S, D), one vector per meaning
    """
    parts = cosine_parts(now.contributions, directions)  # (K, S)
    return _stack_frame(labels, colours, parts, cosine_parts(before[None], directions)[0], meanings)


def dimension_frame(
    labels: Sequence[str], colours: Sequence[int], now: Blend, before: Array, count: int
) -> pd.DataFrame:
    """Return the `count` raw dimensions that differ most from 0, in the columns of `blend_frame`.

    Parameters
    ----------
    now : the blend, contributions (K, D)
    before : (D,) the earlier blend
    """
    shown = np.sort(np.argsort(-np.maximum(np.abs(now.output), np.abs(before)))[:count])
    names = [f"dim {i}" for i in shown]
    return _stack_frame(labels, colours, now.contributions[:, shown], before[shown], names)


def _stack_frame(
    labels: Sequence[str],
    colours: Sequence[int],
    parts: Array,
    before: Array,
    meanings: Sequence[str],
) -> pd.DataFrame:
    words, bars = parts.shape
    return pd.DataFrame(
        {
            "s": np.repeat(range(bars), words),
            "meaning": np.repeat(np.array(meanings, dtype=object), words),
            "k": np.tile(range(words), bars),
            "colour": np.tile(colours, bars),
            "word": np.tile(np.array(labels, dtype=object), bars),
            "part": parts.T.ravel(),
            "total": np.repeat(parts.sum(axis=0), words),
            "end": np.repeat(parts.clip(min=0).sum(axis=0), words),
            "before": np.repeat(before, words),
        }
    )


def stack_domain(frame: pd.DataFrame, step: float, most: float = np.inf) -> tuple[float, float]:
    """Return a range, in whole steps, that holds every stack and every earlier mark.

    In steps, so that an axis moves seldom while a slider does.

    Parameters
    ----------
    most : no total is larger, as a cosine is never above 1; stacks that outgrow it still fit
    """
    part, stack = frame["part"], frame["s"]
    low = min(part.clip(upper=0).groupby(stack).sum().min(), frame["before"].min(), 0.0)
    high = max(frame["end"].max(), frame["before"].max(), step)
    top = float(np.ceil(high * 1.08 / step) * step)
    return float(np.floor(low / step) * step), min(top, max(most, float(high)))


def leaning_frame(before: float, now: float, name: str) -> pd.DataFrame:
    """Return where a blend stands between two meanings: `when, at, from, said`."""
    return pd.DataFrame(
        {
            "when": ["start", "now"],
            "at": [before, now],
            "from": [before, before],
            "said": [f"at the start {before:+.2f}", f"{name} {now:+.2f}"],
        }
    )


def head_frame(figures: Array, chosen: Sequence[Head]) -> pd.DataFrame:
    """Return one figure per head: `layer, head, name, value, chosen`.

    Parameters
    ----------
    figures : (L, H)
    """
    names = all_heads(*figures.shape)
    return pd.DataFrame(
        {
            "layer": [layer for layer, _ in names.values()],
            "head": [head for _, head in names.values()],
            "name": list(names),
            "value": figures.ravel(),
            "chosen": [head in chosen for head in names.values()],
        }
    )


def map_frame(view: View, chosen: Sequence[Head], shown: Sequence[int]) -> pd.DataFrame:
    """Return the maps of the chosen heads: `map, name, q, k, query, key, weight`.

    Cells that a mask hides are absent.

    Parameters
    ----------
    shown : the positions that are drawn; weights to other positions are left out. Keys of another
        text are all drawn
    """
    keys = shown if view.other is None else range(len(view.other))
    count, rows, columns = len(chosen), len(shown), len(keys)
    labels = np.array([view.labels[i] for i in shown], dtype=object)
    others = np.array([view.key_labels[i] for i in keys], dtype=object)
    cells = [view.weights[layer, head][np.ix_(shown, keys)] for layer, head in chosen]
    names = np.array([head_name(head) for head in chosen], dtype=object)
    frame = pd.DataFrame(
        {
            "map": np.repeat(range(count), rows * columns),
            "name": np.repeat(names, rows * columns),
            "q": np.tile(np.repeat(shown, columns), count),
            "k": np.tile(keys, rows * count),
            "query": np.tile(np.repeat(labels, columns), count),
            "key": np.tile(others, rows * count),
            "weight": np.concatenate([cell.ravel() for cell in cells]) if count else [],
        }
    )
    seen = [view.seen_in(layer)[np.ix_(shown, keys)].ravel() for layer, _ in chosen]
    return frame[np.concatenate(seen)] if count else frame


def binned_frame(view: View, chosen: Sequence[Head], most: int) -> pd.DataFrame:
    """Return maps of a whole text in bins: `map, name, q, to_q, k, to_k, queries, keys, weight`.

    The weight is the largest of a bin. A bin is the words from q to before `to_q`, and so on.
    Bins that a mask hides are absent.

    Parameters
    ----------
    most : how many bins a side has at the most
    """
    size = len(view.units)
    edges = np.unique(np.linspace(0, size, min(most, size) + 1).round().astype(int))
    starts, ends = edges[:-1], edges[1:]
    words = np.array([f"{start} to {end - 1}" for start, end in zip(starts, ends, strict=True)])
    queries, keys = (axis.ravel() for axis in np.indices((len(starts), len(starts))))
    parts = []
    for number, (layer, head) in enumerate(chosen):
        weights, seen = (
            np.maximum.reduceat(np.maximum.reduceat(cells, starts, axis=0), starts, axis=1).ravel()
            for cells in (view.weights[layer, head], view.seen_in(layer))
        )
        part = {
            "map": number, "name": head_name((layer, head)),
            "q": starts[queries], "to_q": ends[queries], "k": starts[keys], "to_k": ends[keys],
            "queries": words[queries], "keys": words[keys],
            "weight": weights,
        }  # fmt: skip
        parts.append(pd.DataFrame(part)[seen])
    return pd.concat(parts)


def figures_frame(
    view: View, chosen: Sequence[Head], query: int, figures: Mapping[str, Array]
) -> pd.DataFrame:
    """Return a row per chosen head: what it does in words, and its figures.

    Parameters
    ----------
    figures : label -> (L, H)
    """
    rows = []
    for head in chosen:
        rows.append(
            {
                "Head": head_name(head),
                "On this text": describe(view, *head),
                "This row": attends_to(view, head, query),
                **{label: float(figure[head]) for label, figure in figures.items()},
            }
        )
    return pd.DataFrame(rows)
