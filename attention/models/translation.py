"""What a translation leaves behind: both texts as tokens, and what each step looked at."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from attention.arrays import Array
from attention.core import softmax
from attention.edits import Edits
from attention.models.trace import Tokens, Trace


@dataclass(frozen=True, eq=False)
class Translation:
    """A sentence and its translation. The arrays are read-only float32.

    `L` decoder layer, `H` head, `T` step of the translation, `S` token of the source, `V` words. A
    step writes one token; the last one writes `</s>`, where the translation came to an end.
    """

    encoder: Trace  # of the source: weights (L, H, S, S) and so on, with the edits to it
    target: Tokens
    cross_weights: Array  # (L, H, T, S): what each step attends to; rows sum to 1
    states: Array  # (T, D) what each next token is scored by
    cross_edits: Edits
    scored_by: Callable[[Array], Array]  # (..., D) -> (..., V)
    spelling: Callable[[int], str]

    def __post_init__(self) -> None:
        """Freeze the arrays: every reader who asks for the same text shares them."""
        self.cross_weights.flags.writeable = self.states.flags.writeable = False

    def __repr__(self) -> str:
        """Return the model and both sizes on one line."""
        return (
            f"Translation by {self.encoder.model}: {len(self.source)} tokens -> "
            f"{len(self.target)}, {self.text!r:.60}"
        )

    @property
    def text(self) -> str:
        """The translation."""
        return self.target.text

    @property
    def source(self) -> Tokens:
        """The sentence that was translated, as tokens."""
        return self.encoder.input

    @property
    def ended(self) -> bool:
        """Whether it came to an end by itself; else it was stopped for its length."""
        return not len(self.target) or self.target.special[-1]

    def chances(self, step: int) -> Array:
        """Return how probable each token was at a step, `(V,)` float64; `<unk>` never is.

        Raises
        ------
        ValueError : there is no such step; the message has how many there are.
        """
        if not 0 <= step < len(self.target):
            raise ValueError(f"no step {step}: the translation has {len(self.target)} steps")
        return chances_of(self.scored_by(self.states[step]))

    def next_token(self, step: int, k: int = 5) -> list[tuple[str, float]]:
        """Return the k most probable tokens at a step with their probabilities.

        Raises
        ------
        ValueError : there is no such step, or k is not positive.
        """
        if k < 1:
            raise ValueError(f"k must be at least 1, got {k}")
        chances = self.chances(step)
        best = np.argsort(-chances, kind="stable")[:k].tolist()
        return [(self.spelling(i), float(chances[i])) for i in best]


def chances_of(logits: Array) -> Array:
    """Return how probable each token is that scores `(V,)`, float64."""
    return softmax(logits.astype(np.float64))
