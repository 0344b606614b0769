"""Word pieces and whole words: how a trace is shown."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import pairwise

import numpy as np
from numpy.typing import DTypeLike

from attention.arrays import Array
from attention.characters import SPACE, Segments, drawn, segments, shown
from attention.core import scores_for
from attention.models.trace import Tokens, Trace

SECOND_TEXT = "₂"  # put before what is of the second of two texts


@dataclass(frozen=True)
class Unit:
    """What one row and one column of a map stand for: a word, a piece or a special token."""

    word: str
    positions: tuple[int, ...]  # of its tokens
    special: bool
    mark: str = ""  # put before the word: `SECOND_TEXT`, a space, what it is read as
    unknown: str = ""  # the part of the text that the model has no token for
    blank: bool = False  # white space only

    @property
    def label(self) -> str:
        """The text of the unit, with all that cannot be seen made visible."""
        return self.mark + self.word

    @property
    def ordinary(self) -> bool:
        """Whether it is a word of the text, or a part of one."""
        return not self.special and not self.blank


@dataclass(frozen=True, eq=False)
class View:
    """The weights of a trace over the units that are shown, `W` of them. Rows still sum to 1.

    Of cross-attention the `units` are the queries; the keys are `other`, units of another text.
    """

    units: tuple[Unit, ...]
    weights: Array  # (L, H, W, W), read-only
    removed: Array  # (L, H, W), the share each row gave to special tokens that are not shown
    is_causal: bool = False  # what comes later is hidden: no cell, not a weight of 0; see `seen`
    other: tuple[Unit, ...] | None = None
    windows: tuple[int | None, ...] = ()  # of each layer: how many tokens back it sees, itself one

    @cached_property
    def labels(self) -> tuple[str, ...]:
        """The text of each unit."""
        return tuple(unit.label for unit in self.units)

    @property
    def keys(self) -> tuple[Unit, ...]:
        """What the columns stand for: the units themselves, or those of another text."""
        return self.units if self.other is None else self.other

    @cached_property
    def key_labels(self) -> tuple[str, ...]:
        """The text of each key."""
        return tuple(unit.label for unit in self.keys)

    @cached_property
    def seen(self) -> Array:
        """Which keys a query may attend to: `(1, 1, W, W)` bool, or `(L, 1, W, W)` with windows.

        A word may where any token of it may attend to any token of the other.
        """
        first, last = (
            np.array([unit.positions[end] for unit in self.units], np.intp) for end in (0, -1)
        )
        if self.other is not None:
            return np.ones((1, 1, len(self.units), len(self.other)), bool)
        nearest, farthest = first[:, None] - last, last[:, None] - first  # from key to query
        allowed = (farthest >= 0) | (not self.is_causal)
        windows = self.windows if any(self.windows) else (None,)
        masks = [allowed if size is None else allowed & (nearest < size) for size in windows]
        return np.stack(masks)[:, None]

    def seen_in(self, layer: int) -> Array:
        """Return which keys a query of one layer may attend to, `(W, W)` bool; else no cell."""
        return np.asarray(self.seen[layer if len(self.seen) > 1 else 0, 0])

    @cached_property
    def layer_groups(self) -> list[list[int]]:
        """The layers in groups: in those of one group a query may attend to the same keys."""
        if len(self.seen) == 1:
            return [[*range(len(self.weights))]]
        groups: dict[bytes, list[int]] = {}
        for layer, mask in enumerate(self.seen):
            groups.setdefault(mask.tobytes(), []).append(layer)
        return list(groups.values())

    def of_layers(self, layers: Sequence[int]) -> View:
        """Return the view of some layers, ascending; the view itself where these are all."""
        own = list(layers)
        if len(own) == len(self.weights):
            return self
        windows = tuple(self.windows[layer] for layer in own) if self.windows else ()
        weights, removed = self.weights[own], self.removed[own]
        return replace(self, weights=weights, removed=removed, windows=windows)

    @property
    def words(self) -> tuple[str, ...]:
        """The word of each unit, without marks."""
        return tuple(unit.word for unit in self.units)

    def head(self, layer: int, head: int) -> View:
        """Return the view of one head alone, with L = H = 1."""
        here = slice(layer, layer + 1), slice(head, head + 1)
        own = self.weights[here], self.removed[here], self.windows[here[0]]
        return replace(self, weights=own[0], removed=own[1], windows=own[2])

    def find(self, label: str) -> int | None:
        """Return the position of the first unit whose word is `label`, ignoring case and marks."""
        wanted = label.casefold()
        matches = (i for i, unit in enumerate(self.units) if unit.word.casefold() == wanted)
        return next(matches, None)


def pieces(tokens: Tokens) -> tuple[Unit, ...]:
    """Return every token as a unit of its own; a space before it is marked.

    As everywhere, what is of the second of two texts is marked, too.
    """
    return _told_apart(tokens, (_piece(tokens, i) for i in range(len(tokens))))


def whole_words(tokens: Tokens) -> tuple[Unit, ...]:
    """Join the pieces of each word, spelled as in the text.

    What people see as one character stays together. Special tokens and white space stay apart, so
    that a row or a column of a word is that of the word alone.
    """
    found = segments(tokens.text)
    spans = [_span(tokens, i) for i in range(len(tokens))]
    starts = [i for i in range(len(tokens)) if i == 0 or not _goes_on(tokens, spans, found, i)]
    groups = (range(a, b) for a, b in pairwise([*starts, len(tokens)]))
    return _told_apart(tokens, (_word(tokens, spans, found, group) for group in groups))


def merge(weights: Array, units: tuple[Unit, ...], keys: tuple[Unit, ...] | None = None) -> Array:
    """Merge pieces: a unit gives the mean of what its pieces give, and gets the sum of what they
    get.

    Parameters
    ----------
    weights : (..., Q, K) over tokens
    units : of the queries
    keys : of the keys, where these are another text's

    Returns
    -------
    (..., W, W) over units; row sums are kept

    Source: Clark et al. 2019, "What does BERT look at?", section 4.1.

    >>> two = (Unit("ab", (0, 1), False), Unit("c", (2,), False))
    >>> merge(np.array([[0.2, 0.2, 0.6], [0.4, 0.4, 0.2], [0.0, 0.0, 1.0]]), two)
    array([[0.6, 0.4],
           [0. , 1. ]])
    """
    asked = units if keys is None else keys
    if all(len(unit.positions) == 1 for unit in (*units, *asked)):
        return weights
    gives = _belongs(units, weights.shape[-2], weights.dtype)
    gets = gives if keys is None else _belongs(keys, weights.shape[-1], weights.dtype)
    return (gives / gives.sum(axis=1, keepdims=True)) @ weights @ gets.T


def _belongs(units: tuple[Unit, ...], tokens: int, dtype: DTypeLike) -> Array:
    """Return which tokens are of which unit, `(W, T)` of 0 and 1."""
    belongs = np.zeros((len(units), tokens), dtype)
    for row, unit in zip(belongs, units, strict=True):
        row[list(unit.positions)] = 1
    return belongs


def view(trace: Trace, *, words: bool = True, special: bool = True) -> View:
    """Return the trace's weights over whole words or pieces, with or without special tokens.

    Without special tokens each row is divided by what it keeps, so that it sums to 1 again; what
    it lost is in `removed`. A row that attended to special tokens only becomes zeros.
    """
    made = whole_words if words else pieces
    units, other = made(trace.input), None if trace.keys is None else made(trace.keys)
    weights = merge(trace.weights, units, other)
    removed = np.zeros(weights.shape[:-1], weights.dtype)
    if not special:
        keep = [i for i, unit in enumerate(units) if not unit.special]
        seen = [k for k, unit in enumerate(units if other is None else other) if not unit.special]
        units = tuple(units[i] for i in keep)
        other = None if other is None else tuple(other[k] for k in seen)
        rest = weights[..., keep, :][..., seen]
        total = rest.sum(axis=-1, keepdims=True)  # (L, H, W, 1)
        weights = np.divide(rest, total, out=np.zeros_like(rest), where=total > 0)
        removed = np.clip(1 - total[..., 0], 0, 1)
    weights.flags.writeable = removed.flags.writeable = False
    windows = () if trace.scoring is None else trace.scoring.windows
    return View(units, weights, removed, trace.is_causal, other, windows)


def seen_by(view: View, layer: int, query: int) -> View:
    """Return the view of what one word may attend to in a layer: in a decoder nothing later.

    >>> three = tuple(Unit(word, (i,), False) for i, word in enumerate("abc"))
    >>> decoder = View(three, np.zeros((1, 1, 3, 3)), np.zeros((1, 1, 3)), is_causal=True)
    >>> seen_by(decoder, 0, 1).labels
    ('a', 'b')
    """
    keys = np.flatnonzero(view.seen_in(layer)[query])
    if len(keys) == len(view.units):
        return view
    own = slice(keys[0], keys[-1] + 1)
    rows = view.weights[..., own, own], view.removed[..., own]
    return replace(view, units=view.units[own], weights=rows[0], removed=rows[1])


def fold(rows: Array, kept: list[int]) -> Array:
    """Return the kept rows, then, if any are left, one row that is the sum of the others.

    >>> fold(np.array([1.0, 2.0, 3.0]), [1])
    array([2., 4.])
    """
    others = np.delete(rows, kept, axis=0)
    return np.concatenate([rows[kept], others.sum(axis=0, keepdims=True)[: len(others)]])


def row_scores(trace: Trace, view: View, layer: int, head: int, query: int) -> Array:
    """Return the scores whose softmax is one row of the view, in the model's own scale.

    Of the keys that the query may attend to, as `seen_by` cuts them: what is hidden has no score.
    Where query and keys are single tokens these are the model's scaled scores themselves. A key of
    several pieces has the log of their summed exponentials; a query of several, their mean row.
    """
    keys = np.flatnonzero(view.seen_in(layer)[query])
    scores = trace.scores[layer, head][list(view.units[query].positions)]  # (pieces, K)
    scores = scores[:, [position for k in keys for position in view.units[k].positions]]
    total = np.log(np.exp(scores.astype(np.float64)).sum(axis=-1)).mean()
    return scores_for(view.weights[layer, head, query, keys].astype(np.float64)) + total


def _told_apart(tokens: Tokens, units: Iterable[Unit]) -> tuple[Unit, ...]:
    """Mark the units of the second of two texts: both may have the same words, and [SEP]."""
    second = tokens.of_second
    return tuple(
        replace(unit, mark=SECOND_TEXT + unit.mark) if unit.positions[0] >= second else unit
        for unit in units
    )


def _piece(tokens: Tokens, i: int) -> Unit:
    text, name = tokens.texts[i], tokens.unknown[i]
    if tokens.special[i]:
        return Unit(tokens.pieces[i], (i,), True)
    if name:
        return _unknown(tokens, (i,), tokens.text[slice(*tokens.spans[i])] or name)
    space = text.startswith(" ") and not text.isspace()
    word, mark = shown(text.removeprefix(" ") if space else text), SPACE if space else ""
    return Unit(word, (i,), False, mark, blank=text.isspace())


def _span(tokens: Tokens, i: int) -> tuple[int, int]:
    """Return where a token stands in the text; an empty span where it does not.

    A tokenizer that puts a space before every text may say that it stands on the first character,
    where the next token stands, too. One that is read instead of a joiner stands there alone.
    """
    start, end = tokens.spans[i]
    others = tokens.texts[i].isspace() and tokens.texts[i] != tokens.text[start:end]
    added = others and any(first < end for first, _ in tokens.spans[i + 1 : i + 2])
    return (start, start) if added or tokens.special[i] else (start, end)


def _goes_on(tokens: Tokens, spans: list[tuple[int, int]], found: Segments, i: int) -> bool:
    """Whether a token belongs to the unit of the one before it."""
    (start, end), (before, last) = spans[i], spans[i - 1]
    if start == end or before == last:
        return False
    shared = found.cluster[start] == found.cluster[last - 1]
    if tokens.texts[i].isspace() or tokens.texts[i - 1].isspace():
        return shared and start >= last  # a space that carries an accent
    return shared or found.word[start] == found.word[last - 1] >= 0


def _word(tokens: Tokens, spans: list[tuple[int, int]], found: Segments, group: range) -> Unit:
    """Return the unit of some tokens: the text that they stand for, to the ends of characters."""
    if len(group) == 1 and spans[group[0]][0] == spans[group[0]][1]:
        return _piece(tokens, group[0])
    start = found.starts[found.cluster[spans[group[0]][0]]]
    end = found.starts[found.cluster[spans[group[-1]][1] - 1] + 1]
    text = tokens.text[start:end]
    if any(tokens.unknown[i] for i in group):
        return _unknown(tokens, tuple(group), text)
    return Unit(drawn(text), tuple(group), False, blank=text.isspace())


def _unknown(tokens: Tokens, positions: tuple[int, ...], text: str) -> Unit:
    """Return a unit that shows what the model reads instead of all or a part of a text."""
    own = [i for i in positions if tokens.unknown[i]]
    parts = dict.fromkeys(drawn(tokens.text[slice(*tokens.spans[i])]) for i in own)
    mark, unknown = f"{tokens.unknown[own[0]]} ", " ".join(parts).strip() or drawn(text)
    return Unit(drawn(text), positions, False, mark, unknown, text.isspace())
