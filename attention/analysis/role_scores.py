"""One role in all heads: how much weight goes to its keys, and how much by chance."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from attention.analysis import relations
from attention.analysis.metrics import entropy
from attention.analysis.relations import Text
from attention.analysis.role_kinds import LEAST_ROWS, SHIFTED
from attention.analysis.telling import LARGE
from attention.arrays import Array
from attention.runtime.threads import each

_MOST_SHIFTS = 200
_AT_ONCE = 8_000_000  # cells of some draws, 8 MB


@dataclass(frozen=True, eq=False)
class Measured:
    """A role in all heads, `(L * H,)` each."""

    score: Array
    mean: Array
    spread: Array
    rows: int
    distance: Array | None = None


_Shares = tuple[Array, Array]  # (D, L * H), and how many queries each is the mean over (D,)


def measure_role(
    name: str, text: Text, table: Array, draws: int, rng: np.random.Generator
) -> Measured | None:
    """Return the score of one role and what it is by chance; None where it cannot be measured."""
    if not text.queries.any() or not _applies(name, text):
        return None
    if name == "broad":
        return _broad(text, draws, rng)
    movable = text.queries if name in _BY_WORD else np.ones_like(text.queries)
    kept = np.arange(len(movable))[None]
    shuffled = _shifts(movable) if name in SHIFTED else _orders(movable, draws, rng)
    if name == "distance":
        return _farther(text, table, kept, shuffled)
    score, rows = _shares(name, text, table, kept)
    if not rows[0]:
        return None
    null, _ = _shares(name, text, table, shuffled)
    return Measured(score[0], *_moments(null), int(rows[0]))


def _applies(name: str, text: Text) -> bool:
    """Whether a role can be there at all: a decoder attends to nothing later, for one."""
    causal, special = text.view.is_causal, text.view.units[-1].special
    return {
        "next": not causal,
        "separator": special and not causal,
        "induction": causal,
        "pronoun": bool(text.pronouns),
        "punctuation": bool(text.marks.any()),
    }.get(name, True)


def _shares(name: str, text: Text, table: Array, orders: Array) -> _Shares:
    """Return the mean weight on the keys of a role, for each order of keys or words `(D, W)`."""
    if name in _BY_POSITION:
        return _single(table, _BY_POSITION[name](text, orders))
    return _several(table, partial(_BY_WORD[name], text), orders)


_BY_POSITION: dict[str, Callable[[Text, Array], Array]] = {
    "previous": lambda text, order: relations.neighbours(text, -1, order),
    "next": lambda text, order: relations.neighbours(text, 1, order),
    "same": lambda text, order: relations.neighbours(text, 0, order),
    "first": lambda text, order: relations.column(text, 0, order),
    "separator": lambda text, order: relations.column(text, len(text.view.units) - 1, order),
}
_BY_WORD: dict[str, Callable[[Text, Array], Array]] = {
    "duplicate": lambda text, order: relations.same_word(text, text.words[order]),
    "induction": lambda text, order: relations.followers(text, text.words[order]),
    "punctuation": lambda text, order: relations.punctuation(text, text.marks[order]),
    "pronoun": relations.nouns,
}


def _orders(movable: Array, draws: int, rng: np.random.Generator) -> Array:
    """Return shuffled orders of the positions `(D, W)`; those that are not movable stay."""
    orders = np.tile(np.arange(len(movable)), (draws, 1))
    orders[:, movable] = rng.permuted(orders[:, movable], axis=1)
    return orders


def _shifts(movable: Array) -> Array:
    """Return the positions shifted round by each number of places `(D, W)`; some stay.

    A head that rests on one position would by chance be met in few draws or none: here each
    position is met as often as the others. At most 200 shifts, evenly spread.
    """
    places = np.flatnonzero(movable)
    orders = np.tile(np.arange(len(movable)), (min(len(places), _MOST_SHIFTS), 1))
    for order, by in zip(
        orders, np.linspace(0, len(places), len(orders), endpoint=False), strict=True
    ):
        order[places] = np.roll(places, int(by))
    return orders


def _single(table: Array, keys: Array) -> _Shares:
    """Return the mean weight of one key a query, `(D, W)` positions or -1: `(D, L * H)`."""
    size = keys.shape[-1]
    cells = np.where(keys >= 0, np.arange(size) * size + keys, -1)
    sums = _totals(table, [own[own >= 0] for own in cells])
    return _means(np.stack(sums), (keys >= 0).sum(axis=-1))


def _several(table: Array, relation: Callable[[Array], Array], orders: Array) -> _Shares:
    """Return the mean weight of any number of keys a query, for each order: `(D, L * H)`."""
    step = max(1, _AT_ONCE // len(table))
    sums, rows = [], []
    for start in range(0, len(orders), step):
        cells = relation(orders[start : start + step])  # (D, W, W)
        sums += _totals(table, cells.reshape(len(cells), -1))
        rows.append(cells.any(axis=-1).sum(axis=-1))
    return _means(np.stack(sums), np.concatenate(rows))


def _totals(table: Array, cells: Array | Sequence[Array]) -> list[Array]:
    """Return the sum of some cells in each head, `(L * H,)`, for each choice of cells.

    Parameters
    ----------
    cells : of each draw, by number or as bool `(W * W,)`
    """

    def total(draw: int) -> Array:
        chosen = table[cells[draw]]
        found: Array = np.ones(len(chosen), table.dtype) @ chosen
        return found

    return each(total, len(cells), large=table.size > LARGE)


def _means(sums: Array, rows: Array) -> _Shares:
    """Divide sums over rows by how many there are; NaN where there are none."""
    counts = np.broadcast_to(rows[:, None], sums.shape)
    none = np.full(sums.shape, np.nan)
    return np.divide(sums, counts, out=none, where=counts > 0), rows


def _moments(null: Array) -> tuple[Array, Array]:
    """Return mean and standard deviation over the draws that have such a key: `(L * H,)` each."""
    kept = null[~np.isnan(null).any(axis=1)]
    if len(kept) < 2:
        return np.full(null.shape[1], np.nan), np.full(null.shape[1], np.nan)
    return kept.mean(axis=0), kept.std(axis=0)


def _farther(text: Text, table: Array, kept: Array, shuffled: Array) -> Measured | None:
    """Return the role of a fixed distance: the best of several, and by chance the best, too."""
    own, rows, null = [], [], []
    offsets = [d for d in text.offsets if _counted(relations.neighbours(text, d, kept))]
    for offset in offsets:
        score, count = _single(table, relations.neighbours(text, offset, kept))
        own.append(score[0])
        rows.append(int(count[0]))
        null.append(_single(table, relations.neighbours(text, offset, shuffled))[0])
    if not offsets:
        return None
    best = np.argmax(own, axis=0)
    highest = _largest(null)
    return Measured(np.max(own, axis=0), *_moments(highest), min(rows), np.array(offsets)[best])


def _largest(shares: Iterable[Array]) -> Array:
    """Return the largest of several shares of each draw, those without a key left out."""
    every = np.stack([np.where(np.isnan(one), -np.inf, one) for one in shares])
    found = every.max(axis=0)
    return np.where(np.isinf(found), np.nan, found)


def _counted(keys: Array) -> bool:
    return int((keys >= 0).sum()) >= LEAST_ROWS


def _broad(text: Text, draws: int, rng: np.random.Generator) -> Measured | None:
    """Return how even the rows are; by chance, those of a head put together from all heads' rows.

    Rows with fewer than 3 keys say nothing, and are left out.
    """
    keys = text.seen.sum(axis=-1)
    counted = np.flatnonzero(text.queries & (keys >= 3))
    if not len(counted):
        return None
    layers, large = text.view.weights, text.view.weights.size > LARGE
    bits = np.concatenate(
        each(lambda layer: entropy(layers[layer][:, counted]), len(layers), large=large)
    )  # (L H, rows)
    even = bits.astype(np.float64) / np.log2(keys[counted])
    drawn = even[rng.integers(len(even), size=(draws, len(counted))), np.arange(len(counted))]
    mean, spread = _moments(drawn.mean(axis=1)[:, None])
    whole = np.ones(len(even))
    return Measured(even.mean(axis=1), mean * whole, spread * whole, len(counted), None)
