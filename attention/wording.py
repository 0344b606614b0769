"""What is said of figures: who leads, and where nobody does."""

from __future__ import annotations

from collections.abc import Sequence

from attention.core import Array

_EQUAL = 1e-6  # of the largest: rounding in float32
_MOST_NAMES = 3


def leaders(values: Array) -> list[int]:
    """Return the positions of the largest value: more than one where several are equal.

    >>> import numpy as np
    >>> leaders(np.array([0.1, 0.5, 0.4])), leaders(np.array([0.5, 0.5]))
    ([1], [0, 1])
    """
    most = float(values.max())
    return [i for i, value in enumerate(values.tolist()) if value >= most - _EQUAL * abs(most)]


def most(labels: Sequence[str], values: Array, figure: str, verb: str, noun: str = "word") -> str:
    """Say which word has most, or that several or all have the same.

    Parameters
    ----------
    figure : how large the largest value is, in words
    verb, noun : as of many and of one: they "weigh", each is a "word"

    >>> import numpy as np
    >>> most(["a", "b", "c"], np.array([0.2, 0.5, 0.3]), "50 %", "weigh")
    '“b” weighs most (50 %)'
    >>> most(["a", "b", "c"], np.array([0.4, 0.4, 0.2]), "40 %", "weigh")
    '“a” and “b” weigh most (40 % each)'
    >>> most(["a", "b", "c", "d"], np.full(4, 0.25), "25 %", "weigh")
    'all 4 words weigh the same (25 % each)'
    >>> most(["a"], np.ones(1), "100 %", "weigh")
    '“a” is the only word (100 %)'
    """
    first = leaders(values)
    if len(labels) == 1:
        return f"“{labels[0]}” is the only {noun} ({figure})"
    if len(first) == len(labels):
        return f"all {len(labels)} {noun}s {verb} the same ({figure} each)"
    if len(first) == 1:
        return f"“{labels[first[0]]}” {verb}s most ({figure})"
    names = [f"“{labels[i]}”" for i in first]
    told = f"{', '.join(names[:-1])} and {names[-1]}"
    if len(names) > _MOST_NAMES:
        told = f"{len(names)} {noun}s"
    return f"{told} {verb} most ({figure} each)"


def change(before: str, after: str) -> str:
    """Say what becomes of a figure, in words; one that is shown alike stays.

    >>> change("23.7 %", "14.2 %"), change("23.7 %", "23.7 %")
    ('goes from 23.7 % to 14.2 %', 'stays at 23.7 %')
    """
    return f"stays at {before}" if before == after else f"goes from {before} to {after}"
