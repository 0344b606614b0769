"""“More heads are always better”: what a vector loses with them, and how alike they are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from attention.analysis.words import View
from attention.arrays import Array
from attention.interventions import pruning
from attention.models.model import Model
from attention.runtime.timing import Progress
from attention.wording import Head, head_name

HARDLY = 0.05  # cosine distance; the sentence says how far two different texts are apart
RANDOM_RUNS = 3


@dataclass(frozen=True, eq=False)
class Removal:
    """How far the sentence vector moves without one head, and without more and more of them."""

    singles: Array  # (L, H)
    orders: list[pruning.Order]
    counts: tuple[int, ...]
    shifts: Array  # (orders, counts)
    typical: float  # between two different texts

    @property
    def worst(self) -> Head:
        """The head whose ablation alone moves the vector furthest."""
        return divmod(int(self.singles.argmax()), self.singles.shape[1])

    @property
    def sentence(self) -> str:
        """Say how many heads can be ablated with hardly an effect, and what one head alone does."""
        spare = pruning.removable(self.shifts[0].tolist(), self.counts, HARDLY)
        return (
            f"{spare} of {self.singles.size} heads can be ablated, least effect first, and the "
            f"sentence vector moves by no more than {HARDLY} (two different sentences are "
            f"{self.typical:.2f} apart). One head alone, {head_name(self.worst)}, moves it by "
            f"{self.singles[self.worst]:.3f}: how many heads there are says little, which ones "
            "says much."
        )


def measure_removal(
    model: Model, texts: Sequence[str], on_progress: Progress = lambda share: None
) -> Removal:
    """Ablate heads in the forward pass of each text: each alone, then more and more of them."""
    singles = pruning.single_shifts(model, texts, lambda share: on_progress(share / 3))
    orders = pruning.removal_orders(singles, RANDOM_RUNS)
    counts = pruning.removal_counts(singles.size)
    shifts = pruning.growing_shifts(
        model, texts, orders, counts, lambda share: on_progress((1 + 2 * share) / 3)
    )
    return Removal(singles, orders, counts, shifts, pruning.typical_distance(model))


@dataclass(frozen=True, eq=False)
class HeadLikeness:
    """How differently any two heads attend to one text."""

    view: View
    grid: Array  # (L * H, L * H) in bits, as from `pruning.head_divergence`

    @property
    def heads_per_layer(self) -> int:
        """How many heads a layer has."""
        return self.view.weights.shape[1]

    @cached_property
    def median(self) -> float:
        """Half of all pairs of heads differ by more bits than this."""
        return float(np.median(self.grid[np.triu_indices(len(self.grid), k=1)]))

    @property
    def rows(self) -> str:
        """Say over which rows the figures are means."""
        many = sum(unit.ordinary for unit in self.view.units) > pruning.MOST_ROWS
        counted = f", {pruning.MOST_ROWS} of them" if many else ""
        return f"Mean over the rows of ordinary words of your sentence{counted}."

    def most_alike(self, count: int) -> list[tuple[Head, Head, float]]:
        """Return the pairs of heads that differ least, and by how many bits."""
        width = self.heads_per_layer
        return [
            (divmod(one, width), divmod(other, width), bits)
            for one, other, bits in pruning.most_alike(self.grid, count)
        ]
