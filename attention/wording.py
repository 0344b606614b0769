"""What is said of figures: who leads, and where nobody does."""

from __future__ import annotations

from collections.abc import Sequence

from attention.core import Array
from attention.sentences import most

_MOST_NAMES = 3


def leads(names: Sequence[str], values: Array, figure: str, verb: str, noun: str = "word") -> str:
    """Say which word has most, or that several or all have the same.

    Parameters
    ----------
    names : of the words, in quotes
    figure : how large the largest value is, in words
    verb, noun : as of many and of one: they "weigh", each is a "word"

    >>> import numpy as np
    >>> leads(["“a”", "“b”", "“c”"], np.array([0.2, 0.5, 0.3]), "50 %", "weigh")
    '“b” weighs most (50 %)'
    >>> leads(["“a”", "“b”", "“c”"], np.array([0.4, 0.4, 0.2]), "40 %", "weigh")
    '“a” and “b” weigh most (40 % each)'
    >>> leads(["“a”", "“b”"], np.full(2, 0.5), "50 %", "weigh")
    'all 2 words weigh the same (50 % each)'
    >>> leads(["“a”"], np.ones(1), "100 %", "weigh")
    '“a” is the only word (100 %)'
    """
    first = most(values)
    if len(names) == 1:
        return f"{names[0]} is the only {noun} ({figure})"
    if len(first) == len(names):
        return f"all {len(names)} {noun}s {verb} the same ({figure} each)"
    if len(first) == 1:
        return f"{names[first[0]]} {verb}s most ({figure})"
    *others, last = (names[i] for i in first)
    told = f"{', '.join(others)} and {last}"
    if len(first) > _MOST_NAMES:
        told = f"{len(first)} {noun}s"
    return f"{told} {verb} most ({figure} each)"


def change(before: str, after: str) -> str:
    """Say what becomes of a figure, in words; one that is shown alike stays.

    >>> change("23.7 %", "14.2 %"), change("23.7 %", "23.7 %")
    ('goes from 23.7 % to 14.2 %', 'stays at 23.7 %')
    """
    return f"stays at {before}" if before == after else f"goes from {before} to {after}"
