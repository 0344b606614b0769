"""What the explorer asks before it shows."""

from __future__ import annotations

from collections.abc import Sequence

from attention.arrays import Array
from attention.core import softmax
from attention.question import Question


def flattened(labels: Sequence[str], scores: Array, temperature: float = 5.0) -> Question:
    """Ask what a high temperature makes of the largest weight."""
    weights, flat = softmax(scores), softmax(scores, temperature=temperature)
    top = int(weights.argmax())
    share = float(weights[top])
    guesses = {flat[top], share, share / temperature, min(1.0, 2 * share)}
    options = dict.fromkeys(f"{guess:.1%}" for guess in sorted(guesses))
    return Question(
        key="temperature",
        text=f"At the start “{labels[top]}” weighs {share:.1%}, at a temperature of 1. What does "
        f"it weigh at {temperature:g}?",
        options=tuple(options),
        answer=f"{flat[top]:.1%}",
        because=f"Every score is divided by {temperature:g} before the exponential: differences "
        f"shrink, and the weights move towards {1 / len(labels):.1%} each.",
    )
