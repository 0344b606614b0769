"""How often each head prefers what is meant, over many minimal pairs, and what that is worth."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from attention.analysis.pair_sentences import PAIRS, Pair
from attention.arrays import Array
from attention.wording import Head, head_name, percent

Shares = tuple[float, float]  # of sentences, and of whole pairs, that somebody gets right


def right(weights: Array) -> Array:
    """Return whether each head prefers the candidate that is meant, `(..., 2, L, H)`.

    In the first sentence that is the first candidate, in the second the second. No preference at
    all is not right.

    Parameters
    ----------
    weights : (..., 2, 2, L, H) as from `preferences`
    """
    one, other = weights[..., 0, :, :, :], weights[..., 1, :, :, :]  # by sentence
    return np.stack(
        [one[..., 0, :, :] > one[..., 1, :, :], other[..., 1, :, :] > other[..., 0, :, :]], axis=-3
    )


def fixed_choices(chosen: Sequence[Pair] = PAIRS) -> dict[str, Array]:
    """Return which sentences a rule gets right that never uses the meaning: `(P, 2)` each.

    One rule always takes the candidate that comes first in the text, the other always the one
    nearest to the pronoun.
    """
    first, nearest = [], []
    for pair in chosen:
        spelled = pair.texts[0].casefold().split()
        pronoun, one, other = (spelled.index(w) for w in (pair.pronoun, pair.first, pair.second))
        first.append([one < other, other < one])
        near = abs(one - pronoun) < abs(other - pronoun)
        nearest.append([near, not near])
    return {"always the first": np.array(first), "always the nearest": np.array(nearest)}


def held_out(points: Array, splits: int = 200, seed: int = 0) -> Array:
    """Choose the best head on one half of the pairs and score it on the other: `(2 * splits,)`.

    The best of many heads looks better than it is on the pairs it was chosen by; on the other half
    it has no such advantage. Where several are best, their mean counts.

    Parameters
    ----------
    points : (P, L, H) what each head gets for each pair

    >>> held_out(np.array([[[1.0, 0.0]], [[1.0, 0.0]]]), splits=1)
    array([1., 1.])
    """
    table = points.reshape(len(points), -1).astype(float)  # (P, heads)
    rng = np.random.default_rng(seed)
    scores = []
    for _ in range(splits):
        order = rng.permutation(len(table))
        halves = np.array_split(order, 2)
        for chooses, scored in (halves, halves[::-1]):
            totals = table[chooses].sum(axis=0)
            scores.append(table[scored][:, totals == totals.max()].mean())
    return np.array(scores)


@dataclass(frozen=True, eq=False)
class PairScore:
    """The score of every head over some pairs, counted by sentences or by whole pairs."""

    pairs: Sequence[Pair]
    weights: Array  # (P, 2, 2, L, H) as from `minimal_pairs.read_pairs`
    whole_pairs: bool  # both sentences must be right, else each counts

    @cached_property
    def good(self) -> Array:
        """Whether each head is right, `(P, 2, L, H)`."""
        return right(self.weights)

    @cached_property
    def points(self) -> Array:
        """What each head gets for each pair, `(P, L, H)`."""
        return self.good.all(axis=1).astype(float) if self.whole_pairs else self.good.mean(axis=1)

    @cached_property
    def share(self) -> Array:
        """What each head gets of all, `(L, H)`."""
        return self.points.mean(axis=0)

    @property
    def best(self) -> Head:
        """The head that gets most."""
        return divmod(int(self.share.argmax()), self.share.shape[1])

    @property
    def sentence(self) -> str:
        """Say what the best head gets, and how much of that is left on pairs it was not chosen by.

        A rule that never uses the meaning gets one sentence of each pair right.
        """
        rule = 0.0 if self.whole_pairs else 0.5
        return (
            f"{head_name(self.best)}, the best of {self.share.size} heads, gets "
            f"{percent(self.share.max())}, but it was chosen by these very pairs. Chosen on one "
            f"half and scored on the other, the best head gets "
            f"{percent(held_out(self.points).mean())} (mean of 200 splits). A rule that never uses "
            f"the meaning gets {percent(rule)}."
        )

    @property
    def rows(self) -> dict[str, Shares]:
        """What heads, their mean and rules get: `{who chooses: (sentences, whole pairs)}`."""
        single, both = self.good.mean(axis=1), self.good.all(axis=1).astype(float)  # (P, L, H)
        best = divmod(int(single.mean(axis=0).argmax()), single.shape[-1])
        mean = right(self.weights.mean(axis=(-2, -1), keepdims=True))[..., 0, 0]  # (P, 2)
        rules = {"mean of all heads": mean, **fixed_choices(self.pairs)}
        halves = float(held_out(single).mean()), float(held_out(both).mean())
        return {
            f"{head_name(best)}, best on these": _means(single[:, *best], both[:, *best]),
            "best of one half, on the other": halves,
            "a head at random": _means(single, both),
            **{who: _means(r, np.all(r, axis=1)) for who, r in rules.items()},
        }


def _means(single: Array, both: Array) -> Shares:
    return float(single.mean()), float(both.mean())
