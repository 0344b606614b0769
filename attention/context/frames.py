"""The context page's measurements as tidy tables: one row per mark, positions as keys."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from attention.analysis.words import View
from attention.arrays import Array
from attention.context.far_words import FarAttention
from attention.context.layer_costs import LayerTime, Price
from attention.context.reach import Relay, offset_weights, share_text
from attention.wording import Head, human_seconds

_ARC = 25  # points of an arc
_SMALLEST = 1e-300  # a logarithmic axis has no place for 0; the chart draws this at its edge


def reach_frame(labels: Sequence[str], values: Mapping[str, Array]) -> pd.DataFrame:
    """Return how much each word counts at the last one: `k, word, back, series, value, share`.

    `share` is the value divided by the sum over all words, so that norms and weights compare.

    Parameters
    ----------
    values : series -> (T,)
    """
    count = len(labels)
    tables = [
        pd.DataFrame(
            {
                "k": range(count),
                "word": np.array(labels, dtype=object),
                "back": range(count - 1, -1, -1),
                "series": series,
                "value": value.astype(float),
                "share": np.maximum(value / max(float(value.sum()), _SMALLEST), _SMALLEST),
            }
        )
        for series, value in values.items()
    ]
    return pd.concat(tables, ignore_index=True)


def relay_frame(relay: Relay) -> pd.DataFrame:
    """Return what is left of a word's message at each later word: `i, word, series, left, said`."""
    places, labels = relay.places, relay.influence.labels
    tables = [
        pd.DataFrame(
            {
                "i": range(len(places)),
                "word": np.array([labels[k] for k in places], dtype=object),
                "series": name,
                "left": [float(held[k - places[0]]) for k in places],
                "said": [share_text(float(held[k - places[0]])) for k in places],
            }
        )
        for name, held in relay.held.items()
    ]
    return pd.concat(tables, ignore_index=True)


def arc_frame(relay: Relay) -> pd.DataFrame:
    """Return arcs from the last word to those drawn before it: `i, word, x, y, weight, said`.

    A row for each of the points of an arc: `y` in rows, `x` from 0 to 1, the way of the longest.
    """
    places, labels = relay.places, relay.influence.labels
    row, last = list(relay.influence.series.values())[-1], len(places) - 1
    turn = np.linspace(0, np.pi, _ARC)
    tables = [
        pd.DataFrame(
            {
                "i": i,
                "word": labels[places[i]],
                "step": range(_ARC),
                "x": np.sin(turn) * (last - i) / max(last, 1),
                "y": (last + i) / 2 + np.cos(turn) * (last - i) / 2,
                "weight": float(row[places[i]]),
                "said": share_text(float(row[places[i]])),
            }
        )
        for i in range(max(last, 1))
    ]
    return pd.concat(tables, ignore_index=True)


def layer_time_frame(times: Sequence[LayerTime]) -> pd.DataFrame:
    """Return `n, series, seconds, low, high` and the three times in words."""
    return pd.DataFrame(
        {
            "n": [time.n for time in times],
            "series": [time.layer for time in times],
            "seconds": [time.median for time in times],
            "low": [time.low for time in times],
            "high": [time.high for time in times],
            "median_text": [human_seconds(time.median) for time in times],
            "low_text": [human_seconds(time.low) for time in times],
            "high_text": [human_seconds(time.high) for time in times],
        }
    )


def cone_frame(
    reached: Array, dilated: Sequence[int], kernel: int, shown: range, labels: Sequence[str]
) -> pd.DataFrame:
    """Return the nodes and links of a stack of convolutions: `kind, layer, k, to, word, inside`.

    A link goes from `k` of the layer below to `to`; only links that reach the output are there.

    Parameters
    ----------
    reached : (layers + 1, T) as `rnn_cnn.cone` returns it
    shown : the positions that are drawn
    labels : the words of all positions
    """
    nodes = [
        ("node", layer, k, k, labels[k], bool(row[k]))
        for layer, row in enumerate(reached)
        for k in shown
    ]
    offsets = range(-(kernel // 2), kernel // 2 + 1)
    links = [
        ("link", layer, to + d * step, to, labels[to + d * step], True)
        for layer, step in enumerate(dilated)
        for to in shown
        if reached[layer + 1, to]
        for d in offsets
        if to + d * step in shown
    ]
    return _cone([*nodes, *links])


def attention_cone_frame(
    output: int, layers: int, shown: range, labels: Sequence[str], *, is_causal: bool
) -> pd.DataFrame:
    """Return the same for layers of attention: the output is made from all words in one layer.

    Links into the output are there, and in the layers below those of each word to itself.

    Parameters
    ----------
    is_causal : a decoder's output is made from the words up to its own
    """
    seen = [k for k in shown if k <= output or not is_causal]
    nodes = [
        ("node", layer, k, k, labels[k], k == output if layer == layers else k in seen)
        for layer in range(layers + 1)
        for k in shown
    ]
    top = [("link", layers - 1, k, output, labels[k], True) for k in seen]
    below = [("link", layer, k, k, labels[k], True) for layer in range(layers - 1) for k in seen]
    return _cone([*nodes, *top, *below])


def _cone(rows: Sequence[tuple[str, int, int, int, str, bool]]) -> pd.DataFrame:
    frame = pd.DataFrame(rows, columns=["kind", "layer", "k", "to", "word", "inside"])
    frame["above"] = frame["layer"] + (frame["kind"] == "link")
    return frame


def offset_frame(
    side: int, panels: Sequence[Sequence[Array]], words: Sequence[Sequence[str]]
) -> pd.DataFrame:
    """Return weights by distance: `panel, place, offset, weight, word`; none beyond the ends.

    Parameters
    ----------
    panels : for each panel and place weights (2 side + 1,), NaN where the text has ended
    words : for each place the words that stand at the offsets
    """
    rows = [
        (panel, place, offset, float(weight), word)
        for panel, places in enumerate(panels)
        for place, weights in enumerate(places)
        for offset, weight, word in zip(range(-side, side + 1), weights, words[place], strict=True)
        if not np.isnan(weight)
    ]
    return pd.DataFrame(rows, columns=["panel", "place", "offset", "weight", "word"])


def kernel_and_attention_frame(
    view: View, head: Head, places: Sequence[int], shares: Array
) -> pd.DataFrame:
    """Return a kernel's weights (panel 0) and a head's (panel 1) around some words.

    Parameters
    ----------
    shares : (2 side + 1,) of the kernel, the same around every word
    """
    side = len(shares) // 2
    rows = [offset_weights(view.weights[head][q], q, side) for q in places]
    kernels = [np.where(np.isnan(row), np.nan, shares) for row in rows]
    padded = ("",) * side + view.labels + ("",) * side
    around = [padded[q : q + 2 * side + 1] for q in places]
    return offset_frame(side, [kernels, rows], around)


def far_frame(series: Mapping[str, tuple[Sequence[FarAttention], Head]]) -> pd.DataFrame:
    """Return weight and rank against distance: `distance, tokens, series, weight, rank, even`.

    `even` is what each token would get if all got the same. Weight and rank are absent where a
    window hides the word.
    """
    rows = [
        (far.distance, far.tokens, name, *_far_point(far, head), 1 / far.tokens)
        for name, (measured, head) in series.items()
        for far in measured
    ]
    columns = ["distance", "tokens", "series", "weight", "rank", "even"]
    types = {"distance": "int64", "tokens": "int64", "series": "str", "rank": "Int64"}
    frame = pd.DataFrame(rows, columns=columns)
    return frame.astype({**types, "weight": "float64", "even": "float64"})


def _far_point(far: FarAttention, head: Head) -> tuple[float | None, int | None]:
    """Return the weight and the rank of the far word, if a head may attend to it."""
    return (far.weight[head], far.rank[head]) if far.rank[head] else (None, None)


def most_attended_frame(
    far: FarAttention, head: Head, tokens: Sequence[str], count: int
) -> pd.DataFrame:
    """Return the tokens with the largest weights, best first: `Rank, Token, Number, Weight`."""
    row = far.row[head]
    best = np.argsort(-row, kind="stable")[:count]
    return pd.DataFrame(
        {
            "Rank": range(1, len(best) + 1),
            "Token": [tokens[k] for k in best],
            "Number": best,
            "Weight": row[best].astype(float),
        }
    )


def pair_row_frame(view: View, query: int, head: Head) -> pd.DataFrame:
    """Return one word's row: `k, word, weight, is_query`."""
    return pd.DataFrame(
        {
            "k": range(len(view.units)),
            "word": np.array(view.labels, dtype=object),
            "weight": view.weights[head][query].astype(float),
            "is_query": [k == query for k in range(len(view.units))],
        }
    )


def similarity_frame(bare: float, series: Mapping[str, Array]) -> pd.DataFrame:
    """Return cosines by stage: `stage, series, cosine`.

    Stage 0 is the bare word vector (which only the first series has), stage 1 the input of the
    first layer, and the others the output of each layer.
    """
    names = list(series)
    rows = [(0, names[0], bare)]
    rows += [
        (stage, name, float(value))
        for name, values in series.items()
        for stage, value in enumerate(values, start=1)
        if not np.isnan(value)
    ]
    return pd.DataFrame(rows, columns=["stage", "series", "cosine"])


def price_frame(prices: Sequence[Price], times: Sequence[LayerTime], n: int) -> pd.DataFrame:
    """Return table 1 of Vaswani et al. for the reader's numbers, with the measured time."""
    formulas = {
        "recurrent": ("O(n)", "O(n)", "O(n · d²)"),
        "convolution": ("O(log n), dilated", "O(1)", "O(k · n · d²)"),
        "self-attention": ("O(1)", "O(1)", "O(n² · d)"),
    }
    measured = {time.layer: human_seconds(time.median) for time in times if time.n == n}
    rows = []
    for price in prices:
        path, steps, cost = formulas[price.layer]
        rows.append(
            {
                "Layer": price.layer,
                "Longest path": path,
                "computed": f"{price.path:,}",
                "Sequential steps": steps,
                "computed ": f"{price.steps:,}",
                "Cost": cost,
                "multiplications": f"{price.operations:,}",
                "Measured": measured.get(price.layer, "not measured"),
            }
        )
    return pd.DataFrame(rows)
