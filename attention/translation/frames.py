"""What the translation page draws as tidy tables: one row per mark, positions as keys."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from attention.analysis.words import Unit
from attention.arrays import Array
from attention.translation.additive import ScoreCost
from attention.translation.aligned import Sides
from attention.translation.cut_line import CutOutcome
from attention.wording import human_seconds

SOURCE, TARGET = 0, 1  # sides of the picture
UNTOUCHED, WITH_CUTS = "untouched", "with the cuts"
_FAINT_FROM = 0.25  # lines of other words that are weaker are not drawn


def cross_frame(aligned: Sides, step: int, asked: int | None) -> pd.DataFrame:
    """Return `kind, side, i, word, y, y2, top, bottom, weight, asked, later`, a row per mark.

    A "word" has its `weight` where it stands opposite the asked one; a "line" goes from a source
    word at `y` to one of the translation at `y2`, and is `asked` if it is the asked word's.

    Parameters
    ----------
    step : the word of the translation that is written; what comes `later` is not written yet
    asked : the word of the source that is asked for; None: the lines are those of the step
    """
    weights, sizes = aligned.weights, (len(aligned.source), len(aligned.target))
    opposite = weights[step] if asked is None else weights[:, asked]
    words = pd.concat(
        [
            _words(SOURCE, aligned.source, opposite if asked is None else None, asked),
            _words(TARGET, aligned.target, None if asked is None else opposite, step),
        ]
    )
    words["asked"] &= (words["side"] == SOURCE) == (asked is not None)
    words["later"] = (words["side"] == TARGET) & (words["i"] > step) & (asked is None)
    t, s = np.meshgrid(*map(np.arange, weights.shape), indexing="ij")
    own = (t == step) if asked is None else (s == asked)
    drawn = own | (weights >= _FAINT_FROM) & ((t <= step) | (asked is not None))
    t, s = t[drawn], s[drawn]
    lines = pd.DataFrame(
        {
            "kind": "line", "side": -1, "i": -1, "y": (s + 0.5) / sizes[0],
            "y2": (t + 0.5) / sizes[1], "weight": weights[drawn].astype(np.float64),
            "asked": own[drawn], "later": False,
            "word": [_pair(aligned, *pair) for pair in zip(t, s, strict=True)],
        }
    )  # fmt: skip
    return pd.concat([words, lines], ignore_index=True)


def _words(
    side: int, units: Sequence[Unit], weights: Array | None, chosen: int | None
) -> pd.DataFrame:
    place = np.arange(len(units))
    return pd.DataFrame(
        {
            "kind": "word", "side": side, "i": place, "word": [unit.label for unit in units],
            "y": (place + 0.5) / len(units), "y2": 0.0, "top": place / len(units),
            "bottom": (place + 1) / len(units), "asked": place == chosen,
            # float64 as NaN is: pandas 2 does not join an empty column with one of another type
            "weight": np.nan if weights is None else weights.astype(np.float64),
        }
    )  # fmt: skip


def _pair(aligned: Sides, t: int, s: int) -> str:
    return f"{aligned.target[t].label} → {aligned.source[s].label}"


def align_frame(aligned: Sides, step: int, asked: int | None) -> pd.DataFrame:
    """Return the map, `q, k, query, key, weight, chosen`: rows are words of the translation."""
    q, k = np.indices(aligned.weights.shape).reshape(2, -1)
    return pd.DataFrame(
        {
            "q": q,
            "k": k,
            "query": [aligned.target[i].label for i in q],
            "key": [aligned.source[i].label for i in k],
            "weight": aligned.weights.ravel(),
            "chosen": (q == step) if asked is None else (k == asked),
        }
    )


def likeliest_frame(found: Sequence[tuple[str, float]]) -> pd.DataFrame:
    """Return `i, token, probability`: the likeliest next tokens, the best first."""
    return pd.DataFrame(
        {
            "i": range(len(found)),
            "token": [piece_label(token) for token, _ in found],
            "probability": [share for _, share in found],
        }
    )


def piece_label(token: str) -> str:
    """Return a token as it is shown: one that goes on with a word begins with dots.

    >>> piece_label(" margem"), piece_label("gre"), piece_label(" "), piece_label("</s>")
    ('margem', '…gre', '␣', '</s>')
    """
    if token.startswith(" "):
        return token[1:] or "␣"
    return token if token.startswith("<") else f"…{token}"


def phrase_frame(outcome: CutOutcome) -> pd.DataFrame:
    """Return `i, phrase, when, probability`: how probable each phrase is without and with cuts."""
    rows = [
        (i, phrase.text, when, float(chance))
        for i, (phrase, row) in enumerate(zip(outcome.phrases, outcome.chances, strict=True))
        for when, chance in zip((UNTOUCHED, WITH_CUTS), row, strict=True)
    ]
    return pd.DataFrame(rows, columns=["i", "phrase", "when", "probability"])


def row_frame(labels: Sequence[str], rows: Mapping[str, Array]) -> pd.DataFrame:
    """Return one row of weights for each series: `k, word, series, weight`."""
    tables = [
        pd.DataFrame({"k": range(len(labels)), "word": labels, "series": name, "weight": weights})
        for name, weights in rows.items()
    ]
    return pd.concat(tables, ignore_index=True)


def cost_frame(costs: Sequence[ScoreCost]) -> pd.DataFrame:
    """Return what the scores cost: `n, kind, seconds, time`, the time in words too."""
    return pd.DataFrame(
        {
            "n": [cost.n for cost in costs],
            "kind": [cost.kind for cost in costs],
            "seconds": [cost.seconds for cost in costs],
            "time": [human_seconds(cost.seconds) for cost in costs],
        }
    )


def cost_table(
    counts: Mapping[str, tuple[int, int]], costs: Sequence[ScoreCost], n: int
) -> pd.DataFrame:
    """Return what both kinds of scores cost at one length, for people.

    Parameters
    ----------
    counts : as `additive.counted` returns them
    costs : what has been timed, if anything has
    """
    timed = {cost.kind: human_seconds(cost.seconds) for cost in costs if cost.n == n}
    return pd.DataFrame(
        {
            f"Scores of {n:,} tokens": list(counts),
            "Multiplications": [f"{products:,}" for products, _ in counts.values()],
            "tanh": [f"{tanhs:,}" for _, tanhs in counts.values()],
            "Measured": [timed.get(kind, "not yet") for kind in counts],
        }
    )
