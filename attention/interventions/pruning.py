"""Are all heads needed? Heads are ablated in the real forward pass, and compared row by row.

What counts is the effect on the model's own product, as `effects.effect_on` has it: how far the
sentence vector of an encoder turns, by how much the loss of a decoder rises or, where there is an
answer to follow, by how much the log-odds of that fall.

Source: Michel et al. 2019, "Are sixteen heads really better than one?".
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import combinations, takewhile
from typing import NamedTuple

import numpy as np

from attention.analysis.head_map import head_distances
from attention.analysis.words import View
from attention.arrays import Array
from attention.interventions.ablation import head_effects, removal_effects
from attention.interventions.effects import Answer, cosine_distance, sentence_vector
from attention.models.model import Model
from attention.models.trace import Trace
from attention.runtime.timing import Progress, part_of
from attention.wording import Head

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
LEAST, LARGEST, RANDOM = "least effect first", "most effect first", "random order"
ORDERS = (LEAST, LARGEST, RANDOM)
WIDEST = "highest entropy first"
MOST_ROWS = 32  # of the words whose rows are compared; more than these say little new


class Order(NamedTuple):
    """In which order heads are removed; `run` counts the random ones."""

    name: str
    run: int
    heads: list[Head]


def single_shifts(
    model: Model, texts: Sequence[str], on_progress: Progress = lambda share: None
) -> Array:
    """Return the effect of each head when it alone is ablated, `(L, H)`: the mean over texts."""
    return _mean_over(
        texts, lambda text, report: head_effects(model, model.trace(text), report), on_progress
    )


def removal_orders(singles: Array, seeds: int, entropies: Array | None = None) -> list[Order]:
    """Return the orders: by least effect, by most effect, by entropy, and `seeds` random ones.

    Parameters
    ----------
    singles : (L, H) as from `single_shifts`
    entropies : (L, H) as from `metrics.entropy_per_head`; without them there is no such order

    >>> removal_orders(np.array([[0.3, 0.1]]), seeds=0)[0]
    Order(name='least effect first', run=0, heads=[(0, 1), (0, 0)])
    """
    by_effect = np.argsort(singles, axis=None, kind="stable")
    shuffled = (np.random.default_rng(seed).permutation(singles.size) for seed in range(seeds))
    orders = [(LEAST, 0, by_effect), (LARGEST, 0, by_effect[::-1])]
    if entropies is not None:
        orders += [(WIDEST, 0, np.argsort(-entropies, axis=None, kind="stable"))]
    orders += [(RANDOM, run, order) for run, order in enumerate(shuffled)]
    width = singles.shape[1]
    return [Order(name, run, [divmod(int(i), width) for i in order]) for name, run, order in orders]


def growing_effects(
    model: Model,
    trace: Trace,
    orders: Sequence[Order],
    counts: Sequence[int],
    on_progress: Progress = lambda share: None,
    answer: Answer = (),
) -> Iterator[Array]:
    """Remove the first n heads of each order; yield the effects `(orders, counts)` as they come.

    Raises
    ------
    ValueError : a count that is larger than an order is long.
    """
    shortest = min(len(order.heads) for order in orders)
    if not 0 <= min(counts) <= max(counts) <= shortest:
        raise ValueError(f"counts must be from 0 to {shortest}, got {min(counts)} to {max(counts)}")
    removals = [order.heads[:count] for order in orders for count in counts]
    for effects in removal_effects(model, trace, removals, on_progress, answer):
        yield effects.reshape(len(orders), len(counts))


def growing_shifts(
    model: Model,
    texts: Sequence[str],
    orders: Sequence[Order],
    counts: Sequence[int],
    on_progress: Progress = lambda share: None,
) -> Array:
    """Return the effect without the first n heads of each order, `(orders, counts)`.

    The mean over the texts.
    """
    return _mean_over(
        texts,
        lambda text, report: growing_effects(model, model.trace(text), orders, counts, report),
        on_progress,
    )


def removal_counts(heads: int) -> tuple[int, ...]:
    """Return how many heads to remove, from none to all.

    >>> removal_counts(72)
    (0, 1, 2, 4, 6, 12, 18, 24, 36, 48, 60, 72)
    """
    few = [n for n in (0, 1, 2, 4) if n < heads / 12]
    shares = [round(heads * share) for share in (1 / 12, 1 / 6, 1 / 4, 1 / 3, 1 / 2, 2 / 3, 5 / 6)]
    return tuple(sorted({*few, 0, *shares, heads}))


def removable(shifts: Sequence[float], counts: Sequence[int], most: float) -> int:
    """Return the largest tried number of heads up to which the effect never passes `most`.

    >>> removable([0.0, 0.2, 0.9, 0.3], [0, 1, 2, 3], most=0.5)
    1
    """
    within = takewhile(lambda pair: pair[1] <= most, zip(counts, shifts, strict=True))
    return max(count for count, _ in within)


def spare_heads(
    model: Model,
    trace: Trace,
    order: Order,
    between: tuple[int, int],
    most: float,
    answer: Answer = (),
    on_progress: Progress = lambda share: None,
) -> int:
    """Return how many heads of an order can go until the effect passes `most`, to the head.

    Found by halving: without n heads the effect is within `most`, without n + 1 it is beyond. An
    effect that comes and goes may have crossed the limit elsewhere too.

    Parameters
    ----------
    between : a number of heads that can go and, after it, one that cannot, as in a curve
    on_progress : called after each pass; may raise to stop

    Raises
    ------
    ValueError : the two numbers are not in this order, or the order has fewer heads.
    """
    low, high = between
    if not 0 <= low < high <= len(order.heads):
        raise ValueError(f"cannot search from {low} to {high} heads of {len(order.heads)}")
    while high - low > 1:
        middle = (low + high) // 2
        *_, effects = removal_effects(model, trace, [order.heads[:middle]], answer=answer)
        low, high = (middle, high) if effects[0] <= most else (low, middle)
        on_progress(1 - (high - low - 1) / (between[1] - between[0]))
    return low


def typical_distance(model: Model, texts: Sequence[str] = TEXTS) -> float:
    """Return the mean cosine distance between the vectors of two different texts: a yardstick."""
    vectors = [sentence_vector(model.hidden(text)) for text in texts]
    return float(np.mean([cosine_distance(a, b) for a, b in combinations(vectors, 2)]))


def head_divergence(view: View) -> Array:
    """Return how far apart the rows of any two heads are, in bits, `(L * H, L * H)`.

    The Jensen-Shannon divergence, 0 for the same, the mean over ordinary words, or over `MOST_ROWS`
    of them, evenly spread, in a longer text.

    Source: Clark et al. 2019, "What does BERT look at?", section 6.
    """
    return head_distances(view, MOST_ROWS)


def most_alike(grid: Array, count: int) -> list[tuple[int, int, float]]:
    """Return the pairs with the smallest divergence, `(i, j, divergence)` with i < j.

    >>> most_alike(np.array([[0.0, 0.5, 0.2], [0.5, 0.0, 0.1], [0.2, 0.1, 0.0]]), 2)
    [(1, 2, 0.1), (0, 2, 0.2)]
    """
    i, j = np.triu_indices(len(grid), k=1)
    best = np.argsort(grid[i, j], kind="stable")[:count]
    return [(int(i[b]), int(j[b]), float(grid[i[b], j[b]])) for b in best]


def _mean_over(
    texts: Sequence[str],
    measure: Callable[[str, Progress], Iterator[Array]],
    on_progress: Progress,
) -> Array:
    """Run a measurement on each text to its end; return the mean of the last effects of each."""
    effects = []
    for i, text in enumerate(texts):
        *_, last = measure(text, part_of(on_progress, i / len(texts), (i + 1) / len(texts)))
        effects.append(last)
    return np.mean(effects, axis=0)
