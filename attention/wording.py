"""Numbers, heads and words as people read them: three figures and a unit, who leads, who ties."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from attention.arrays import Array

Head = tuple[int, int]  # (layer, head)

_WRITTEN_OUT = 1e9  # larger numbers are powers of ten
_ALIKE = 5e-5  # weights that four decimals cannot tell apart
_MOST_NAMES = 3


def head_name(head: Head) -> str:
    """Return the usual short name, counting from 0.

    >>> head_name((3, 1))
    'L3 H1'
    """
    return f"L{head[0]} H{head[1]}"


def all_heads(layers: int, heads: int) -> dict[str, Head]:
    """Return every head by its short name, in order.

    >>> all_heads(1, 2)
    {'L0 H0': (0, 0), 'L0 H1': (0, 1)}
    """
    pairs = ((layer, head) for layer in range(layers) for head in range(heads))
    return {head_name(pair): pair for pair in pairs}


def spelled(labels: Sequence[str], position: int) -> str:
    """Return a word in quotes, with its position where the text has it more than once.

    >>> spelled(["the", "cat", "the"], 1), spelled(["the", "cat", "the"], 2)
    ('“cat”', '“the” at position 2')
    """
    word = f"“{labels[position]}”"
    return f"{word} at position {position}" if labels.count(labels[position]) > 1 else word


def most(row: Array) -> list[int]:
    """Return the positions of the largest weight: several where they cannot be told apart.

    >>> most(np.array([0.2, 0.6, 0.2])), most(np.array([0.4, 0.2, 0.4]))
    ([1], [0, 2])
    """
    return np.flatnonzero(row >= row.max() - _ALIKE).tolist()


def leads(names: Sequence[str], values: Array, figure: str, verb: str, noun: str = "word") -> str:
    """Say which word has most, or that several or all have the same.

    Parameters
    ----------
    names : of the words, in quotes
    figure : how large the largest value is, in words
    verb, noun : as of many and of one: they "weigh", each is a "word"

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
    listed = f"{', '.join(others)} and {last}"
    if len(first) > _MOST_NAMES:
        listed = f"{len(first)} {noun}s"
    return f"{listed} {verb} most ({figure} each)"


def percent(share: float) -> str:
    """Return a share as people read it.

    >>> percent(0.3456)
    '34.6 %'
    """
    return f"{100 * share:.1f} %"


def change(before: str, after: str) -> str:
    """Say what becomes of a figure, in words; one that is shown alike stays.

    >>> change("23.7 %", "14.2 %"), change("23.7 %", "23.7 %")
    ('goes from 23.7 % to 14.2 %', 'stays at 23.7 %')
    """
    return f"stays at {before}" if before == after else f"goes from {before} to {after}"


def human_bytes(size: float) -> str:
    """Return a size in decimal units with three figures.

    >>> human_bytes(67_108_864), human_bytes(4e12)
    ('67.1 MB', '4 TB')
    """
    steps = ((1e12, "TB"), (1e9, "GB"), (1e6, "MB"), (1e3, "kB"))
    return _three_figures(size, next((s for s in steps if size >= s[0] * 0.9995), (1.0, "bytes")))


def human_seconds(seconds: float) -> str:
    """Return a duration in the unit that suits it with three figures.

    >>> human_seconds(0.0449), human_seconds(5400)
    ('44.9 ms', '1.5 hours')
    """
    steps = (
        (63_115_200.0, 31_557_600.0, "years"),
        (172_800.0, 86_400.0, "days"),
        (5_400.0, 3_600.0, "hours"),
        (90.0, 60.0, "minutes"),
    )
    small = ((0.9995, 1.0, "s"), (0.9995e-3, 1e-3, "ms"), (0.0, 1e-6, "µs"))
    return _three_figures(seconds, next(s[1:] for s in (*steps, *small) if seconds >= s[0]))


def human_count(number: float) -> str:
    """Return a large number in words with three figures.

    >>> human_count(123_000_000), human_count(1.5e15)
    ('123 million', '1,500 trillion')
    """
    steps = ((1e12, "trillion"), (1e9, "billion"), (1e6, "million"), (1e3, "thousand"))
    unit = next((s for s in steps if number >= s[0] * 0.9995), None)
    return _three_figures(number, unit) if unit else f"{number:.3g}"


def figures(number: float, count: int) -> str:
    """Return a number with so many figures, a large one written out.

    >>> figures(1234.5, 3), figures(0.01234, 3), figures(-20_000.4, 2)
    ('1,230', '0.0123', '-20,000')
    """
    text = f"{number:.{count}g}"
    return f"{float(text):,.0f}" if "e+" in text and abs(number) < _WRITTEN_OUT else text


def _three_figures(number: float, unit: tuple[float, str]) -> str:
    size, name = unit
    value = number / size
    return f"{value:,.0f} {name}" if value >= 100 else f"{value:.3g} {name}"
