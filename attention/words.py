"""Word pieces and whole words: how a trace is shown."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from attention.core import Array, scores_for
from attention.models.trace import Tokens, Trace

# A word is a run of letters and digits with inner apostrophes ("wouldn't"); Chinese, Japanese and
# Korean characters and everything else that is not a space stand alone.
_ALONE = r"぀-ヿ㐀-䶿一-鿿가-힯豈-﫿"
_WORD = re.compile(rf"(?:(?![{_ALONE}])\w)+(?:['’](?:(?![{_ALONE}])\w)+)*|\S")

_MARKS = {"Mn", "Mc", "Me"}  # Unicode categories: accents and vowel signs after their letter
_JOINED = {*_MARKS, "Cf"}  # and invisible joiners inside words


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
    is_causal: bool = False  # what comes later is hidden: no cell, not a weight of 0

    @property
    def labels(self) -> tuple[str, ...]:
        """The text of each unit."""
        return tuple(unit.label for unit in self.units)

    def head(self, layer: int, head: int) -> View:
        """Return the view of one head alone, with L = H = 1."""
        here = slice(layer, layer + 1), slice(head, head + 1)
        return View(self.units, self.weights[here], self.removed[here], self.is_causal)

    def find(self, label: str) -> int | None:
        """Return the position of the first unit spelled `label`, ignoring case.

        A piece that byte-level BPE spells with the space before it, as `Ġit`, is found as `it`.
        """
        wanted = label.casefold()
        spelled = (unit.label.removeprefix("Ġ").casefold() for unit in self.units)
        matches = (i for i, name in enumerate(spelled) if name == wanted)
        return next(matches, None)


def pieces(tokens: Tokens) -> tuple[Unit, ...]:
    """Return every token as a unit of its own."""
    rows = zip(tokens.pieces, tokens.special, strict=True)
    return tuple(Unit(piece, (i,), special) for i, (piece, special) in enumerate(rows))


def whole_words(tokens: Tokens) -> tuple[Unit, ...]:
    """Join the pieces of each word, spelled as in the text; special tokens stay apart."""
    ends = [match.end() for match in _WORD.finditer(_letters(tokens.text))]
    word_of = np.searchsorted(ends, [max(start, end - 1) for start, end in tokens.spans], "right")
    starts = [
        i
        for i in range(len(tokens))
        if i == 0 or tokens.special[i] or tokens.special[i - 1] or word_of[i] != word_of[i - 1]
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
    return View(units, weights, removed, trace.is_causal)


def seen_by(view: View, query: int) -> View:
    """Return the view of what one word may read: in a decoder itself and what came before.

    >>> three = tuple(Unit(word, (i,), False) for i, word in enumerate("abc"))
    >>> seen_by(View(three, np.zeros((1, 1, 3, 3)), np.zeros((1, 1, 3)), is_causal=True), 1).labels
    ('a', 'b')
    """
    if not view.is_causal:
        return view
    end = query + 1
    return View(view.units[:end], view.weights[..., :end, :end], view.removed[..., :end], True)


def fold(rows: Array, kept: list[int]) -> Array:
    """Return the kept rows, then, if any are left, one row that is the sum of the others.

    >>> fold(np.array([1.0, 2.0, 3.0]), [1])
    array([2., 4.])
    """
    others = np.delete(rows, kept, axis=0)
    return np.concatenate([rows[kept], others.sum(axis=0, keepdims=True)[: len(others)]])


def row_scores(trace: Trace, view: View, layer: int, head: int, query: int) -> Array:
    """Return the scores `(W,)` whose softmax is one row of the view, in the model's own scale.

    A decoder's view must end with the query, as `seen_by` cuts it: what is hidden has no score.
    Where query and keys are single tokens these are the model's scaled scores themselves. A key of
    several pieces has the log of their summed exponentials; a query of several, their mean row.
    """
    asked = trace.scores[layer, head][list(view.units[query].positions)]  # (pieces, K)
    asked = asked[:, [position for unit in view.units for position in unit.positions]]
    total = np.log(np.exp(asked.astype(np.float64)).sum(axis=-1)).mean()
    return scores_for(view.weights[layer, head, query].astype(np.float64)) + total


def _letters(text: str) -> str:
    """Write vowel signs, combining accents and joiners, which `\\w` leaves out, as letters."""
    return "".join("x" if unicodedata.category(c) in _JOINED else c for c in text)


def _word(tokens: Tokens, span: range) -> Unit:
    start, end = tokens.spans[span[0]][0], tokens.spans[span[-1]][1]
    inside = not tokens.special[span[0]] and end > start
    while inside and unicodedata.category(tokens.text[end : end + 1] or " ") in _MARKS:
        end += 1  # the tokenizer drops the accents that follow a letter; the word keeps them
    label = tokens.text[start:end].strip() if inside else ""
    return Unit(label or tokens.pieces[span[0]], tuple(span), tokens.special[span[0]])
