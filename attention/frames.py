"""Traces and figures as tidy tables: one row per mark, plain columns, positions as keys."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import pandas as pd

from attention.core import Array, Blend
from attention.meanings import cosine_parts
from attention.metrics import describe
from attention.scaling import Measurement, human_bytes, human_seconds, weights_bytes
from attention.trend import Fit
from attention.words import View

Head = tuple[int, int]  # (layer, head)
_Row = tuple[int, str, str, float, float, float]

WHOLE, SCORES, SOFTMAX, OUTPUT, TREND = (
    "whole call",
    "scores Q Kᵀ",
    "softmax",
    "weights × V",
    "fitted line",
)
TIME_SERIES = (WHOLE, SCORES, SOFTMAX, OUTPUT, TREND)
COMPUTED, MEASURED = "weights alone, computed", "whole call, measured"
MEMORY_SERIES = (COMPUTED, MEASURED)


def head_name(head: Head) -> str:
    """Return the usual short name, counting from 0.

    >>> head_name((3, 1))
    'L3 H1'
    """
    return f"L{head[0]} H{head[1]}"


def all_heads(layers: int, heads: int) -> dict[str, Head]:
    """Return every head by its short name, in order.

    >>> all_heads(1, 2)
    {'L0 H0': (0, 0), 'L0 H1': (0, 1)}
    """
    pairs = ((layer, head) for layer in range(layers) for head in range(heads))
    return {head_name(pair): pair for pair in pairs}


def weight_frame(labels: Sequence[str], weights: Array, before: Array) -> pd.DataFrame:
    """Return the weights of one row now and before: `k, word, weight, before`."""
    return pd.DataFrame(
        {"k": range(len(labels)), "word": labels, "weight": weights, "before": before}
    )


def blend_frame(
    labels: Sequence[str], now: Blend, before: Array, meanings: Sequence[str], directions: Array
) -> pd.DataFrame:
    """Return what each word adds to each meaning of the blend: `s, meaning, k, word, part, ...`.

    `total` is the cosine of the blend with the meaning (the sum of its parts), `before` the cosine
    of the earlier blend.

    Parameters
    ----------
    now : the blend, contributions (K, D)
    before : (D,) the earlier blend
    directions : (S, D), one vector per meaning
    """
    parts = cosine_parts(now.contributions, directions)  # (K, S)
    return _stack_frame(labels, parts, cosine_parts(before[None], directions)[0], meanings)


def dimension_frame(labels: Sequence[str], now: Blend, before: Array, count: int) -> pd.DataFrame:
    """Return the `count` raw dimensions that differ most from 0, in the columns of `blend_frame`.

    Parameters
    ----------
    now : the blend, contributions (K, D)
    before : (D,) the earlier blend
    """
    shown = np.sort(np.argsort(-np.maximum(np.abs(now.output), np.abs(before)))[:count])
    names = [f"dim {i}" for i in shown]
    return _stack_frame(labels, now.contributions[:, shown], before[shown], names)


def _stack_frame(
    labels: Sequence[str], parts: Array, before: Array, meanings: Sequence[str]
) -> pd.DataFrame:
    words, bars = parts.shape
    return pd.DataFrame(
        {
            "s": np.repeat(range(bars), words),
            "meaning": np.repeat(np.array(meanings, dtype=object), words),
            "k": np.tile(range(words), bars),
            "word": np.tile(np.array(labels, dtype=object), bars),
            "part": parts.T.ravel(),
            "total": np.repeat(parts.sum(axis=0), words),
            "before": np.repeat(before, words),
        }
    )


def stack_domain(frame: pd.DataFrame, step: float) -> tuple[float, float]:
    """Return a range, in whole steps, that holds every stack and every earlier mark.

    In steps, so that an axis moves seldom while a slider does.
    """
    part, stack = frame["part"], frame["s"]
    low = min(part.clip(upper=0).groupby(stack).sum().min(), frame["before"].min(), 0.0)
    high = max(part.clip(lower=0).groupby(stack).sum().max(), frame["before"].max(), step)
    return float(np.floor(low / step) * step), float(np.ceil(high * 1.08 / step) * step)


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


def map_frame(view: View, chosen: Sequence[Head], shown: range) -> pd.DataFrame:
    """Return the maps of the chosen heads: `map, name, q, k, query, key, weight`.

    Parameters
    ----------
    shown : the positions that are drawn; weights to other positions are left out
    """
    count, size = len(chosen), len(shown)
    labels = np.array([view.labels[i] for i in shown], dtype=object)
    cells = [view.weights[layer, head][np.ix_(shown, shown)] for layer, head in chosen]
    return pd.DataFrame(
        {
            "map": np.repeat(range(count), size * size),
            "name": np.repeat(np.array([head_name(h) for h in chosen], dtype=object), size * size),
            "q": np.tile(np.repeat(shown, size), count),
            "k": np.tile(shown, size * count),
            "query": np.tile(np.repeat(labels, size), count),
            "key": np.tile(labels, size * count),
            "weight": np.concatenate([cell.ravel() for cell in cells]) if count else [],
        }
    )


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
        row = view.weights[head][query]
        best = int(np.argmax(row))
        rows.append(
            {
                "Head": head_name(head),
                "On this text": describe(view, *head),
                "This row reads most": f"{view.labels[best]} ({row[best]:.2f})",
                **{label: float(figure[head]) for label, figure in figures.items()},
            }
        )
    return pd.DataFrame(rows)


def scaling_frame(
    results: Sequence[Measurement], trend: Fit | None = None, *, targets: Sequence[int] = ()
) -> pd.DataFrame:
    """Return one row per point: `n, series, kind, seconds, low, high`.

    `kind` says what `low` and `high` are: of "measured" rows the fastest and the slowest round, of
    the "fit" (at the lengths it uses) and the "extrapolation" (from there to each of the longer
    `targets`) the 95 % prediction interval.
    """
    rows = [*_measured(results), *(() if trend is None else _predicted(trend, targets))]
    frame = pd.DataFrame(rows, columns=["n", "series", "kind", "seconds", "low", "high"])
    numbers = {"n": "int64", "seconds": "float64", "low": "float64", "high": "float64"}
    return frame.astype({"series": "str", "kind": "str", **numbers})


def step_frame(result: Measurement) -> pd.DataFrame:
    """Return what each step takes at one length, in words: `Step, Median, Fastest, Slowest`."""
    timings = (result.total, result.scores, result.softmax, result.output)
    return pd.DataFrame(
        {
            f"At {result.n:,} tokens": series,
            "Median": human_seconds(time.median),
            "Fastest round": human_seconds(time.low),
            "Slowest round": human_seconds(time.high),
        }
        for series, time in zip(TIME_SERIES, timings, strict=False)  # the trend is not measured
    )


def prediction_frame(trend: Fit, targets: Sequence[int], *, heads: int) -> pd.DataFrame:
    """Return time and memory at longer lengths, in words; the times are extrapolated."""
    rows = []
    for n in targets:
        time = trend.predict(n)
        rows.append(
            {
                "Tokens": f"{n:,}",
                "Time of one call (extrapolated)": human_seconds(time.seconds),
                "95 % from": human_seconds(time.low),
                "95 % to": human_seconds(time.high),
                "Memory of the weights": human_bytes(weights_bytes(n, heads=heads)),
            }
        )
    return pd.DataFrame(rows)


def memory_frame(results: Sequence[Measurement]) -> pd.DataFrame:
    """Return two rows per length, the weights as computed and the call as measured.

    The columns are `n, series, bytes`.
    """
    rows = [
        row
        for result in results
        for row in (
            (result.n, COMPUTED, result.weights_bytes),
            (result.n, MEASURED, result.peak_bytes),
        )
    ]
    frame = pd.DataFrame(rows, columns=["n", "series", "bytes"])
    return frame.astype({"n": "int64", "series": "str", "bytes": "int64"})


def _measured(results: Sequence[Measurement]) -> Iterator[_Row]:
    for result in results:
        timings = (result.total, result.scores, result.softmax, result.output)
        for series, time in zip(TIME_SERIES, timings, strict=False):  # the trend is not measured
            yield result.n, series, "measured", time.median, time.low, time.high


def _predicted(trend: Fit, targets: Sequence[int]) -> Iterator[_Row]:
    longest = trend.lengths[-1]
    further = sorted(n for n in targets if n > longest)
    for n in trend.lengths:
        yield n, TREND, "fit", *trend.predict(n)
    for n in (longest, *further) if further else ():
        yield n, TREND, "extrapolation", *trend.predict(n)
