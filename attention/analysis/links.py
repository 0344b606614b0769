"""What the lines from one word to the others say: which are drawn, and how heads differ."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from attention.analysis.metrics import jensen_shannon
from attention.analysis.sentences import attends_to
from attention.analysis.telling import telling_link
from attention.analysis.words import View
from attention.arrays import Array
from attention.question import Question
from attention.wording import spelled

MOST_WORDS = 40  # of one picture or map: 6 maps of 40 x 40 are 9,600 marks
MOST_QUERIES, MOST_KEYS = 24, 20  # of the lists
_APART = 0.005  # bits: less cannot be told in two decimals
MOST_LINES = 10_000  # sent to the browser: all heads of 100 words would be 120,000


def shown_window(size: int, around: int, most: int = MOST_WORDS) -> range:
    """Return the positions that are shown of `size`: `most` at the most, `around` among them.

    >>> shown_window(5, 4), shown_window(9, 4, most=4), shown_window(9, 8, most=4)
    (range(0, 5), range(2, 6), range(5, 9))
    """
    start = max(0, min(around - most // 2, size - most))
    return range(start, min(start + most, size))


def shown_words(size: int, around: int, named: Iterable[int], most: int = MOST_WORDS) -> list[int]:
    """Return the positions that are shown of `size`, ascending: a window, and all that is named.

    Parameters
    ----------
    around : in the window
    named : what a sentence speaks of, drawn wherever it stands

    >>> shown_words(5, 4, [0]), shown_words(9, 8, [0, 7], most=4)
    ([0, 1, 2, 3, 4], [0, 6, 7, 8])
    """
    if size <= most:
        return list(range(size))
    wanted = set(named) | {around}
    window = shown_window(size, around, most)
    while len(wanted - set(window)) + len(window) > most and len(window) > 1:
        window = shown_window(size, around, len(window) - 1)
    return sorted({*window, *wanted})


def listed_sentence(size: int, shown: Sequence[int]) -> str:
    """Say which words the two lists of a long text hold; empty where all are drawn.

    >>> listed_sentence(300, range(10, 34))
    'The text has 300 words. Left are 24 around the query, number 10 to 33; right the 20 that the \
query attends to most, wherever they stand.'
    """
    if len(shown) == size:
        return ""
    return (
        f"The text has {size} words. Left are {len(shown)} around the query, number "
        f"{shown_text(shown)}; right the {MOST_KEYS} that the query attends to most, wherever they "
        "stand."
    )


def shown_text(shown: Sequence[int]) -> str:
    """Return which positions are shown, runs as such.

    >>> shown_text([2, 3, 4, 9]), shown_text([0])
    ('2 to 4 and 9', '0')
    """
    runs: list[list[int]] = []
    for position in shown:
        if runs and position == runs[-1][-1] + 1:
            runs[-1].append(position)
        else:
            runs.append([position])
    parts = [f"{run[0]} to {run[-1]}" if len(run) > 1 else str(run[0]) for run in runs]
    return ", ".join(parts[:-1]) + (" and " if len(parts) > 1 else "") + parts[-1]


def smallest_drawn(weights: Array, most: int = MOST_LINES) -> float:
    """Return the weight below which lines are left out, so that no more than `most` are sent.

    0 where all may be drawn, else a whole number of thousandths.

    >>> smallest_drawn(np.array([0.9, 0.05, 0.0312, 0.01]), most=2)
    0.032
    """
    if weights.size <= most:
        return 0.0
    first_left_out = np.partition(weights, weights.size - most - 1, axis=None)[-most - 1]
    return float(np.floor(1000 * first_left_out) + 1) / 1000


def left_out(weights: Array, least: float) -> float:
    """Return the share of all weight that is in lines below `least`.

    >>> left_out(np.array([0.5, 0.25, 0.25]), 0.3)
    0.5
    """
    return float(weights[weights < least].sum() / weights.sum())


@dataclass(frozen=True, eq=False)
class Difference:
    """How the rows of several heads differ, all of one query."""

    mean: Array  # (K,)
    bits: Array  # (N,) Jensen-Shannon divergence of each head's row from the mean
    best: Array  # (N,) the position that each head attends to most


def difference(rows: Array) -> Difference:
    """Return how the rows of several heads `(N, K)` differ from their mean.

    >>> difference(np.array([[1.0, 0.0], [0.0, 1.0]])).mean
    array([0.5, 0.5])
    """
    mean = rows.mean(axis=0)
    return Difference(mean, jensen_shannon(rows, mean), rows.argmax(axis=1))


def most_different(view: View, layer: int, query: int, count: int = 3) -> list[int]:
    """Return the heads of a layer whose rows for one query are furthest from their mean, by number.

    In bits, as `difference` measures them.
    """
    bits = difference(view.weights[layer, :, query]).bits
    return sorted(np.argsort(-bits, kind="stable")[:count].tolist())


def differ_sentence(view: View, layer: int, heads: Sequence[int], query: int) -> str:
    """Return in one sentence what most of the heads attend to, and which of them stands out."""
    rows = view.weights[layer, list(heads), query]
    found = difference(rows)
    counts = Counter(found.best.tolist()).most_common()
    named = counts if len(counts) <= 4 else counts[:3]
    parts = [f"{n} {spelled(view.labels, k)}" for k, n in named]
    if len(named) < len(counts):
        parts.append(f"{len(rows) - sum(n for _, n in named)} something else")
    far, usual = int(found.bits.argmax()), float(np.median(found.bits))
    sentence = (
        f"What {spelled(view.labels, query)} attends to most in {len(rows)} heads of layer "
        f"{layer}: {', '.join(parts)}. "
    )
    if found.bits[far] - usual < _APART:
        return f"{sentence}None stands out: all are about as far from their mean."
    head = layer, heads[far]
    return (
        f"{sentence}L{layer} H{heads[far]} stands out: it {attends_to(view, head, query)} and is "
        f"{found.bits[far]:.2f} bits from the mean of these heads (median {usual:.2f})."
    )


def most_question(view: View, layer: int, head: int, query: int) -> Question | None:
    """Ask what another word, the most selective of them, attends to most in this head."""
    other = telling_link(view.head(layer, head), 1, but=query)[0]
    if other == query or other < 2 * view.is_causal or len(view.units) < 3:
        return None
    row = view.weights[layer, head, other]
    ranked = np.argsort(-row, kind="stable").tolist()
    near = [i for i in (other, other - 1, other + 1) if 0 <= i < len(row)]
    options = sorted(list(dict.fromkeys([ranked[0], *near, *ranked]))[:4])
    second = ranked[1]
    return Question(
        key="most",
        text=f"Which word does {spelled(view.labels, other)} attend to most in L{layer} H{head}?",
        options=tuple(spelled(view.labels, i) for i in options),
        answer=spelled(view.labels, ranked[0]),
        because=f"It attends to {spelled(view.labels, ranked[0])} with {row[ranked[0]]:.2f}, then "
        f"{spelled(view.labels, second)} with {row[second]:.2f}.",
    )


def back_question(view: View, layer: int, head: int, query: int) -> Question | None:
    """Ask whether the word that gets most, itself apart, gives back as much."""
    weights = view.weights[layer, head]
    others = [i for i, unit in enumerate(view.units) if unit.ordinary and i != query]
    if not others or (view.is_causal and query == 0):
        return None
    key = max(others, key=lambda i: weights[query, i])
    there, back = float(weights[query, key]), float(weights[key, query])
    one, other = spelled(view.labels, query), spelled(view.labels, key)
    bins = {"less than half as much": 0.5, "a little less": 0.9, "as much": 1.1, "more": np.inf}
    return Question(
        key="back",
        text=f"In L{layer} H{head} {one} attends to {other} with {there:.2f}. How much does "
        f"{other} attend to {one}?",
        options=tuple(bins),
        answer=next(name for name, most in bins.items() if back <= most * there),
        because=f"{other} attends to {one} with {back:.2f}. "
        + (
            "It comes first, and the mask of a decoder hides what comes later."
            if view.is_causal
            else "One takes part with its query, the other with its key, and these are different "
            "projections: attention is not symmetric."
        ),
    )


def left_out_sentence(whole: str, picture: str, size: int, shown: Sequence[int]) -> str:
    """Say which words are shown of a text that is too long; empty where all are.

    Parameters
    ----------
    whole, picture : how the two halves begin
    size : words in all
    shown : their positions, as from `shown_words`

    >>> left_out_sentence("The text has", "the maps show", 5, [2, 3])[:60]
    'The text has 5 words; the maps show 2 of them, number 2 to 3'
    >>> left_out_sentence("The text has", "the maps show", 2, [0, 1])
    ''
    """
    if len(shown) == size:
        return ""
    return (
        f"{whole} {size} words; {picture} {len(shown)} of them, number {shown_text(shown)}: those "
        "around the query, and what it attends to most."
    )
