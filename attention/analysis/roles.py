"""What each head does on one text: a score for every role, held against chance.

A score is the mean weight that the queries give to the keys of a role. Chance is the same mean when
the positions of the keys, or the words, are shuffled and the weights stay as they are; for roles of
a few columns it is the mean over all shifts. No role is an answer.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from attention.analysis.relations import Text
from attention.analysis.role_kinds import LEAST_ROWS, ROLES, SPREADS
from attention.analysis.role_scores import Measured, measure_role
from attention.analysis.words import View, view
from attention.arrays import Array
from attention.models.trace import Trace
from attention.runtime.threads import one_blas_thread
from attention.wording import Head

DRAWS = 200
_LONG = 128  # words: of longer texts a quarter of the draws


@dataclass(frozen=True, eq=False)
class HeadRoles:
    """The scores of all heads on one text, beside chance; NaN where a role cannot be measured.

    `R` roles, in the order of `role_kinds.ROLES`. Scores and chance are of the keys that a head may
    attend to: where layers have windows, each is measured with those that see the same.
    """

    names: tuple[str, ...]  # R
    scores: Array  # (R, L, H) float64, 0 to 1
    null_mean: Array  # (R, L, H) what the score is by chance
    null_spread: Array  # (R, L, H) and its standard deviation over the draws
    rows: Array  # (R, L) int: how many queries a score is the mean over
    distances: Array  # (L, H) int: the d of the role "fixed distance"; 0 without one
    draws: int

    @cached_property
    def has(self) -> Array:
        """Which head has which role, `(R, L, H)` bool.

        The score reaches the role's threshold and is more than 2.5 spreads above chance, and it is
        the mean of 3 queries at least.
        """
        least = np.array([ROLES[name].threshold for name in self.names])[:, None, None]
        above = self.scores - self.null_mean > SPREADS * self.null_spread
        return (self.scores >= least) & above & (self.rows >= LEAST_ROWS)[..., None]

    @cached_property
    def main(self) -> Array:
        """The number of each head's role with the highest score, `(L, H)`; -1 where it has none.

        A broad head is one without any other role: its score is no share of weight.
        """
        own = np.where(self.has, self.scores, -1.0)
        own[self.names.index("broad")] -= 0.999  # behind all others
        return np.where(self.has.any(axis=0), own.argmax(axis=0), -1)

    def role_of(self, head: Head) -> str | None:
        """Return the name of a head's role on this text, or None."""
        at = int(self.main[head])
        return None if at < 0 else self.names[at]

    def at(self, name: str, head: Head) -> tuple[float, float, float]:
        """Return the score of a role in a head, and mean and spread of what it is by chance."""
        place = (self.names.index(name), *head)
        return (
            float(self.scores[place]),
            float(self.null_mean[place]),
            float(self.null_spread[place]),
        )


def head_roles(
    text: Trace | View,
    *,
    draws: int | None = None,
    seed: int = 0,
    pronouns: Sequence[tuple[int, int]] = (),
    only: Collection[str] = tuple(ROLES),
) -> HeadRoles:
    """Score every head of a text for every role, each beside chance.

    `score = mean over queries q of the sum of w[q, k] over the keys k of the role`; queries are
    ordinary words that have such a key. `role_kinds.ROLES` has every formula with its source. The
    same seed gives the same numbers.

    Parameters
    ----------
    text : a trace, taken word by word with its special tokens; or a view of it
    draws : how often positions or words are shuffled for chance; by default 200 times, or 50 where
        the text has more than 128 words
    pronouns : positions, in the view, of pronouns and of the nouns that they stand for, if known
    only : the roles that are measured; the others are NaN

    Raises
    ------
    ValueError : fewer than 2 draws, a pronoun or noun that is not there, or keys of another text,
        as in cross-attention.

    >>> from attention import load_model
    >>> found = head_roles(load_model("minilm").trace("The cat sat on the mat and was very tired"))
    >>> found.scores.shape, found.role_of((0, 2))
    ((11, 6, 12), 'previous')
    """
    shown = view(text) if isinstance(text, Trace) else text
    if shown.other is not None:
        raise ValueError("the keys are of another text: these roles are of one text on itself")
    size, shape = len(shown.units), shown.weights.shape[:2]
    draws = (DRAWS if size <= _LONG else DRAWS // 4) if draws is None else draws
    if draws < 2:
        raise ValueError(f"chance needs at least 2 draws, got {draws}")
    if wrong := [p for pair in pronouns for p in pair if not 0 <= p < size]:
        raise ValueError(f"no position {wrong[0]}: the text has {size} words")
    scores, means, spreads = np.full((3, len(ROLES), *shape), np.nan)
    rows, distances = np.zeros((len(ROLES), shape[0]), np.intp), np.zeros(shape, np.intp)
    for layers in shown.layer_groups:
        for at, one in _measured(Text(shown.of_layers(layers), pronouns), draws, seed, only):
            for grids, own in ((scores, one.score), (means, one.mean), (spreads, one.spread)):
                grids[at, layers] = own.reshape(len(layers), -1)
            rows[at, layers] = one.rows
            if one.distance is not None:
                distances[layers] = one.distance.reshape(len(layers), -1)
    return HeadRoles(tuple(ROLES), scores, means, spreads, rows, distances, draws)


def _measured(
    text: Text, draws: int, seed: int, only: Collection[str]
) -> list[tuple[int, Measured]]:
    """Return the roles that can be measured in layers that see the same keys, with their places."""
    layers, heads, size, _ = text.view.weights.shape
    table = np.ascontiguousarray(
        text.view.weights.reshape(layers * heads, size * size).T
    )  # (W * W, L * H)
    with one_blas_thread():  # the same sums in the same order, however many processors
        found = [
            (at, measure_role(name, text, table, draws, np.random.default_rng((seed, at))))
            for at, name in enumerate(ROLES)
            if name in only
        ]
    return [(at, one) for at, one in found if one is not None]


@dataclass(frozen=True, eq=False)
class PooledRole:
    """One role over several texts: the mean score of each head, and what it is by chance."""

    score: Array  # (L, H)
    null_mean: Array  # (L, H)
    null_spread: Array  # (L, H) the standard deviation of the mean
    rows: Array  # (L,) int: how many queries in all

    @property
    def best(self) -> Head:
        """The head with the highest score."""
        layer, head = divmod(int(np.nanargmax(self.score)), self.score.shape[1])
        return layer, head

    def has(self, name: str) -> Array:
        """Return which heads have the role over these texts, `(L, H)` bool; see `HeadRoles.has`."""
        above = self.score - self.null_mean > SPREADS * self.null_spread
        enough = (self.rows >= LEAST_ROWS)[:, None]
        return (self.score >= ROLES[name].threshold) & above & enough


def pooled(texts: Sequence[HeadRoles], name: str) -> PooledRole:
    """Return one role over several texts, each of which counts for as much as it has queries.

    Raises
    ------
    ValueError : it can be measured on none of them.

    >>> from attention import load_model
    >>> model = load_model("minilm")
    >>> texts = ["The cat sat on the mat", "A dog ran after the cat"]
    >>> pooled([head_roles(model.trace(text)) for text in texts], "previous").best
    (0, 2)
    """
    measured = [one for one in texts if one.rows[one.names.index(name)].any()]
    if not measured:
        raise ValueError(f"the role {name!r} can be measured on none of {len(texts)} texts")
    at = measured[0].names.index(name)
    rows = np.array([one.rows[at] for one in measured])[..., None]  # (texts, L, 1)
    share = np.divide(rows, rows.sum(axis=0), out=np.full(rows.shape, np.nan), where=rows > 0)

    def mean(part: str, power: int) -> Array:
        """Return the mean over the texts on which a layer is measured, NaN where there is none."""
        every = np.array([getattr(one, part)[at] for one in measured]) ** power
        found = np.where(rows > 0, share**power * every, 0).sum(axis=0)
        return np.where(rows.any(axis=0), found, np.nan)

    variance = mean("null_spread", 2)
    return PooledRole(
        mean("scores", 1), mean("null_mean", 1), np.sqrt(variance), rows.sum(axis=0)[:, 0]
    )
