"""Are all heads needed? Heads are silenced in the real forward pass, and compared row by row.

What moves is the sentence vector: the mean over all tokens, special ones included, of the last
layer. That is how sentence-transformers makes a vector of this model's output (its config
`1_Pooling`), up to its length, which a cosine does not see.

Source: Michel et al. 2019, "Are sixteen heads really better than one?".
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from itertools import combinations, takewhile
from typing import TYPE_CHECKING

import numpy as np

from attention import metrics, threads
from attention.core import Array
from attention.edits import CutHeads, Edits, Head

if TYPE_CHECKING:
    from attention.models.bert import Bert
    from attention.words import View

Progress = Callable[[float], object]

TEXTS = (
    "The kettle whistled while she looked for her glasses",
    "Our train was late, so we missed the first act",
    "A small dog guards the yard of the bakery",
    "Interest rates rose again after the bank meeting",
    "He forgot the recipe and cooked the rice for an hour",
    "The glacier has lost half of its length in a century",
    "Could you send me the report before Friday?",
    "Nobody believed the witness until the letter was found",
    "They painted the old boat blue and gave it a new name",
    "The vaccine protects most adults for about ten years",
    "When the music stopped, the children ran to the garden",
    "My neighbour repairs clocks that nobody else will touch",
)
LEAST, MOST, RANDOM = "least effect first", "most effect first", "random order"
ORDERS = (LEAST, MOST, RANDOM)
MOST_ROWS = 32  # of the words whose rows are compared; more than these say little new


def sentence_vector(hidden: Array) -> Array:
    """Return the mean over the tokens of the last layer, `(L + 1, T, D)` -> `(D,)`.

    >>> sentence_vector(np.array([[[9.0, 9.0]] * 2, [[1.0, 0.0], [3.0, 2.0]]]))
    array([2., 1.])
    """
    return hidden[-1].mean(axis=0)


def cosine_distance(one: Array, other: Array) -> float:
    """Return `1 - cos(one, other)`: 0 for one direction, 1 at right angles, 2 for opposites.

    >>> cosine_distance(np.array([2.0, 0.0]), np.array([0.0, 1.0]))
    1.0
    """
    lengths = float(np.linalg.norm(one)) * float(np.linalg.norm(other))
    return max(0.0, 1 - float(one @ other) / lengths)


def single_shifts(
    model: Bert, texts: Sequence[str], on_progress: Progress = lambda share: None
) -> Array:
    """Return how far the sentence vector moves when one head alone is silent, `(L, H)`.

    The mean over the texts, as a cosine distance.
    """
    removals = [frozenset({head}) for head in heads_of(model)]
    shape = model.config.num_hidden_layers, model.config.num_attention_heads
    return _shifts(model, texts, removals, on_progress).reshape(shape)


def removal_orders(singles: Array, seeds: int) -> list[tuple[str, int, list[Head]]]:
    """Return `(name, run, heads)`: by least effect, by most effect, and `seeds` random orders.

    Parameters
    ----------
    singles : (L, H) as from `single_shifts`

    >>> removal_orders(np.array([[0.3, 0.1]]), seeds=0)
    [('least effect first', 0, [(0, 1), (0, 0)]), ('most effect first', 0, [(0, 0), (0, 1)])]
    """
    by_effect = np.argsort(singles, axis=None, kind="stable")
    shuffled = (np.random.default_rng(seed).permutation(singles.size) for seed in range(seeds))
    orders = [(LEAST, 0, by_effect), (MOST, 0, by_effect[::-1])]
    orders += [(RANDOM, run, order) for run, order in enumerate(shuffled)]
    width = singles.shape[1]
    return [(name, run, [divmod(int(i), width) for i in order]) for name, run, order in orders]


def growing_shifts(
    model: Bert,
    texts: Sequence[str],
    orders: Sequence[tuple[str, int, list[Head]]],
    counts: Sequence[int],
    on_progress: Progress = lambda share: None,
) -> Array:
    """Return how far the sentence vector moves without the first n heads of each order.

    `(orders, counts)`, the mean over the texts, as a cosine distance.
    """
    removals = [frozenset(order[:count]) for _, _, order in orders for count in counts]
    return _shifts(model, texts, removals, on_progress).reshape(len(orders), len(counts))


def removal_counts(heads: int) -> tuple[int, ...]:
    """Return how many heads to remove, from none to all.

    >>> removal_counts(72)
    (0, 1, 2, 4, 6, 12, 18, 24, 36, 48, 60, 72)
    """
    few = [n for n in (0, 1, 2, 4) if n < heads / 12]
    shares = [round(heads * share) for share in (1 / 12, 1 / 6, 1 / 4, 1 / 3, 1 / 2, 2 / 3, 5 / 6)]
    return tuple(sorted({*few, 0, *shares, heads}))


def removable(shifts: Sequence[float], counts: Sequence[int], most: float) -> int:
    """Return the largest tried number of heads up to which the vector never moves beyond `most`.

    >>> removable([0.0, 0.2, 0.9, 0.3], [0, 1, 2, 3], most=0.5)
    1
    """
    within = takewhile(lambda pair: pair[1] <= most, zip(counts, shifts, strict=True))
    return max(count for count, _ in within)


def typical_distance(model: Bert, texts: Sequence[str] = TEXTS) -> float:
    """Return the mean cosine distance between the vectors of two different texts: a yardstick."""
    vectors = [sentence_vector(model.hidden(text)) for text in texts]
    return float(np.mean([cosine_distance(a, b) for a, b in combinations(vectors, 2)]))


def head_divergence(view: View) -> Array:
    """Return how differently any two heads read, in bits, `(L * H, L * H)`: 0 is the same.

    The Jensen-Shannon divergence of their rows, the mean over ordinary words, or over `MOST_ROWS`
    of them, evenly spread, in a longer text.

    Source: Clark et al. 2019, "What does BERT look at?", section 6.
    """
    ordinary = [i for i, unit in enumerate(view.units) if not unit.special]
    spread = np.linspace(0, len(ordinary) - 1, min(MOST_ROWS, len(ordinary))).round().astype(int)
    layers, heads, _, keys = view.weights.shape
    chosen = view.weights[:, :, [ordinary[i] for i in spread]]
    rows = chosen.reshape(layers * heads, -1, keys)  # (heads, rows, K)
    grid = np.zeros((len(rows), len(rows)))
    for i in range(1, len(rows)):
        apart = metrics.jensen_shannon(rows[i], rows[:i]).mean(axis=-1)
        grid[i, :i] = grid[:i, i] = apart
    return grid


def most_alike(grid: Array, count: int) -> list[tuple[int, int, float]]:
    """Return the pairs with the smallest divergence, `(i, j, divergence)` with i < j.

    >>> most_alike(np.array([[0.0, 0.5, 0.2], [0.5, 0.0, 0.1], [0.2, 0.1, 0.0]]), 2)
    [(1, 2, 0.1), (0, 2, 0.2)]
    """
    i, j = np.triu_indices(len(grid), k=1)
    best = np.argsort(grid[i, j], kind="stable")[:count]
    return [(int(i[b]), int(j[b]), float(grid[i[b], j[b]])) for b in best]


def heads_of(model: Bert) -> list[Head]:
    """Return every head of the model, in order."""
    c = model.config
    return [(i, j) for i in range(c.num_hidden_layers) for j in range(c.num_attention_heads)]


def silence(heads: Collection[Head]) -> Edits:
    """Return the edits that silence these heads; none where there are none.

    >>> silence({(5, 11)})
    (CutHeads(pairs=((5, 11),)),)
    """
    return (CutHeads(tuple(heads)),) if heads else ()


def _shifts(
    model: Bert, texts: Sequence[str], removals: Sequence[frozenset[Head]], on_progress: Progress
) -> Array:
    """Return the mean shift over the texts for each removal; equal removals are run once."""
    whole = [sentence_vector(model.hidden(text)) for text in texts]
    known: dict[frozenset[Head], float] = {}
    for done, without in enumerate(removals):
        if without not in known:
            with threads.one_blas_thread():  # short texts gain little from more
                vectors = [sentence_vector(model.hidden(text, silence(without))) for text in texts]
            known[without] = float(np.mean([*map(cosine_distance, whole, vectors)]))
        on_progress((done + 1) / len(removals))
    return np.array([known[without] for without in removals])
