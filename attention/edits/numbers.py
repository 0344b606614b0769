"""Layers, heads and positions as edits keep them: sorted, each once, within limits."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from numbers import Number

Numbers = tuple[int, ...] | None  # sorted, each once; None is all there are

MOST_NUMBER = 4095  # of a layer, a head or a position: links can be typed by anybody


def make_canonical(edit: object, *names: str) -> None:
    """Sort the numbers in these fields, each once, so that equal edits are equal objects."""
    for name in names:
        numbers = getattr(edit, name)
        if numbers is not None:
            check_numbers(name, numbers)
            object.__setattr__(edit, name, tuple(sorted({int(number) for number in numbers})))


def check_numbers(name: str, numbers: Sequence[int]) -> None:
    """Refuse what is no tuple of whole numbers from 0 to the limit, with `ValueError`."""
    if not isinstance(numbers, Collection) or not all(isinstance(n, Number) for n in numbers):
        raise ValueError(f"{name} must be a tuple of whole numbers, got {numbers!r:.100}")
    if not len(numbers):
        raise ValueError(f"{name}: no number given; None means all")
    bad = [n for n in numbers if not (0 <= n <= MOST_NUMBER and n == int(n))]
    if bad:
        raise ValueError(f"{name} must be whole numbers from 0 to {MOST_NUMBER}, got {bad[0]}")
