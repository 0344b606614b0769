"""What the scaling page asks before it shows."""

from __future__ import annotations

import numpy as np

from attention.question import Question
from attention.scaling.power_law import Fit


def times_longer(trend: Fit, factor: int = 10) -> Question:
    """Ask how much longer a call takes when the text is several times as long."""
    longer = factor**trend.exponent
    limits = [2 * factor, factor**2 // 2, 2 * factor**2]
    options = (
        f"less than {limits[0]} times",
        f"{limits[0]} to {limits[1]} times",
        f"{limits[1]} to {limits[2]} times",
        f"more than {limits[2]} times",
    )
    return Question(
        key="longer",
        text=f"How much longer does a call take for {factor} times as many words?",
        options=options,
        answer=options[int(np.searchsorted(limits, longer))],
        because=f"Time grows here as n to the power {trend.exponent:.2f}, so it takes "
        f"{longer:.0f} times as long: each of the {factor} times as many words attends to "
        f"{factor} times as many.",
    )
