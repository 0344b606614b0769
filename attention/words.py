"""Word pieces and whole words: how a trace is shown."""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from attention.core import Array
from attention.models.trace import Tokens, Trace

# A word is a run of letters and digits with inner apostrophes ("wouldn't"); Chinese, Japanese and
# Korean characters and everything else that is not a space stand alone.
_ALONE = r"぀-ヿ㐀-䶿一-鿿가-힯豈-﫿"
_WORD = re.compile(rf"(?:(?![{_ALONE}])\w)+(?:['’](?:(?![{_ALONE}])\w)+)*|\S")


@dataclass(frozen=True)
class Unit:
    """What one row and one column of a map stand for: a word, a piece or a special token."""

    label: str
    positions: tuple[int, ...]  # of its tokens
    special: bool


@dataclass(frozen=True, eq=False)
class View:
    """The weights of a trace over the units that are shown, `W` of them. Rows still sum to 1."""

    units: tuple[Unit, ...]
    weights: Array  # (L, H, W, W), read-only
    removed: Array  # (L, H, W), the share each row gave to special tokens that are not shown

    @property
    def labels(self) -> tuple[str, ...]:
        """The text of each unit."""
        return tuple(unit.label for unit in self.units)

    def find(self, label: str) -> int | None:
        """Return the position of the first unit spelled `label`, ignoring case."""
        wanted = label.casefold()
        matches = (i for i, unit in enumerate(self.units) if unit.label.casefold() == wanted)
        return next(matches, None)


def pieces(tokens: Tokens) -> tuple[Unit, ...]:
    """Return every token as a unit of its own."""
    rows = zip(tokens.pieces, tokens.special, strict=True)
    return tuple(Unit(piece, (i,), special) for i, (piece, special) in enumerate(rows))


def whole_words(tokens: Tokens) -> tuple[Unit, ...]:
    """Join the pieces of each word, spelled as in the text; special tokens stay apart."""
    ends = [match.end() for match in _WORD.finditer(tokens.text)]
    word_of = np.searchsorted(ends, [max(start, end - 1) for start, end in tokens.spans], "right")
    starts = [
        i
        for i in range(len(tokens))
        if i == 0
        or tokens.special[i]
        or tokens.special[i - 1]
        or word_of[i] != word_of[i - 1]
    ]
    return tuple(_word(tokens, range(a, b)) for a, b in pairwise([*starts, len(tokens)]))


def merge(weights: Array, units: tuple[Unit, ...]) -> Array:
    """Merge pieces: a unit reads the mean of what its pieces read, and is read the sum.

    Parameters
    ----------
    weights : (..., Q, K) over tokens

    Returns
    -------
    (..., W, W) over units; row sums are kept

    Source: Clark et al. 2019, "What does BERT look at?", section 4.1.

    >>> two = (Unit("ab", (0, 1), False), Unit("c", (2,), False))
    >>> merge(np.array([[0.2, 0.2, 0.6], [0.4, 0.4, 0.2], [0.0, 0.0, 1.0]]), two)
    array([[0.6, 0.4],
           [0. , 1. ]])
    """
    if all(len(unit.positions) == 1 for unit in units):
        return weights
    belongs = np.zeros((len(units), weights.shape[-1]), weights.dtype)  # (W, T)
    for row, unit in zip(belongs, units, strict=True):
        row[list(unit.positions)] = 1
    return (belongs / belongs.sum(axis=1, keepdims=True)) @ weights @ belongs.T


def view(trace: Trace, *, words: bool = True, special: bool = True) -> View:
    """Return the trace's weights over whole words or pieces, with or without special tokens.

    Without special tokens each row is divided by what it keeps, so that it sums to 1 again; what
    it lost is in `removed`. A row that read special tokens only becomes zeros.
    """
    units = whole_words(trace.input) if words else pieces(trace.input)
    weights = merge(trace.weights, units)
    removed = np.zeros(weights.shape[:-1], weights.dtype)
    if not special:
        keep = [i for i, unit in enumerate(units) if not unit.special]
        units = tuple(units[i] for i in keep)
        kept = weights[..., keep, :][..., keep]
        total = kept.sum(axis=-1, keepdims=True)  # (L, H, W, 1)
        weights = np.divide(kept, total, out=np.zeros_like(kept), where=total > 0)
        removed = np.clip(1 - total[..., 0], 0, 1)
    weights.flags.writeable = removed.flags.writeable = False
    return View(units, weights, removed)


def _word(tokens: Tokens, span: range) -> Unit:
    first, last = tokens.spans[span[0]], tokens.spans[span[-1]]
    inside = not tokens.special[span[0]] and last[1] > first[0]
    label = tokens.text[first[0] : last[1]].strip() if inside else ""
    return Unit(label or tokens.pieces[span[0]], tuple(span), tokens.special[span[0]])
