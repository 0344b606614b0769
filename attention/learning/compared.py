"""What is said of networks that were trained on the same task, over several seeds."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import fmean

from attention.learning.measure import AccuracyPoint
from attention.wording import percent

_ENOUGH = 0.9  # of the answers
_ATTENTION = "attention"


def told_accuracy(point: AccuracyPoint) -> str:
    """Return a point's accuracy with its spread.

    >>> told_accuracy(AccuracyPoint("library", "GRU", 2, 1, 0.1, (0.5, 0.75), (9, 9)))
    '62.5 % (50.0 to 75.0 %)'
    """
    mean, worst, best = fmean(point.accuracies), min(point.accuracies), max(point.accuracies)
    if worst == best:
        return percent(mean)
    return f"{percent(mean)} ({percent(worst).removesuffix(' %')} to {percent(best)})"


def told_books(points: Sequence[AccuracyPoint], n: int) -> str:
    """Say how attention and the best of the others do at a number of books."""
    here = [point for point in points if point.n == n]
    own = next(point for point in here if point.series.startswith(_ATTENTION))
    best = max((p for p in here if p is not own), key=lambda p: fmean(p.accuracies))
    seeds = len(own.accuracies)
    over = f"mean of {seeds} seeds, worst to best" if seeds > 1 else "one seed"
    asked = "the only book" if n == 1 else f"one of {n} books"
    return (
        f"Asked for {asked}: attention gets {told_accuracy(own)} right after {_steps(own)}; the "
        f"best of the others, {best.series}, {told_accuracy(best)} after {_steps(best)} ({over})."
    )


def told_limits(points: Sequence[AccuracyPoint]) -> str:
    """Say up to how many books each network gets nine of ten right."""
    names = dict.fromkeys(point.series for point in points)
    most = {name: most_books(points, name) for name in names}
    listed = "; ".join(f"{name}: {n or 'none'}" for name, n in most.items())
    return f"Most books with at least {100 * _ENOUGH:.0f} % right, mean of the seeds: {listed}."


def told_marked(points: Sequence[AccuracyPoint]) -> str:
    """Say how networks do that are asked for one marked word."""
    listed = "; ".join(f"{p.series}: {told_accuracy(p)}, after {_steps(p)}" for p in points)
    return (
        f"Recurrent networks are not bad at remembering one thing. One word among "
        f"{points[0].n} is marked and asked for at the end: {listed}."
    )


def most_books(points: Sequence[AccuracyPoint], name: str) -> int:
    """Return the largest number of books up to which a network gets nine of ten right; 0 if none.

    >>> point = AccuracyPoint("library", "GRU", 2, 1, 0.1, (0.5, 0.75), (9, 9))
    >>> most_books([point], "GRU")
    0
    """
    most = 0
    for point in sorted((p for p in points if p.series == name), key=lambda p: p.n):
        if fmean(point.accuracies) < _ENOUGH:
            break
        most = point.n
    return most


def figure_rows(points: Sequence[AccuracyPoint]) -> tuple[list[str], list[list[str]]]:
    """Return a table, its header first: each network, its size and rate, and how it did at each n.

    >>> figure_rows([AccuracyPoint("library", "GRU", 2, 1500, 0.01, (0.5, 0.75), (9, 9))])[1]
    [['GRU', '1,500', '0.01', '62.5 % (50.0 to 75.0 %)']]
    """
    lengths = sorted({point.n for point in points})
    header = ["network", "numbers learned", "learning rate", *(f"n = {n}" for n in lengths)]
    rows = []
    for name in dict.fromkeys(point.series for point in points):
        own = {point.n: point for point in points if point.series == name}
        first = next(iter(own.values()))
        told = [told_accuracy(own[n]) if n in own else "" for n in lengths]
        rows.append([name, f"{first.parameters:,}", f"{first.rate:g}", *told])
    return header, rows


def told_two(points: Sequence[AccuracyPoint], chance: float) -> str:
    """Say how two or more networks do, one after the other, beside a guess."""
    listed = "; ".join(f"{p.series}: {told_accuracy(p)}, {_steps(p)}" for p in points)
    return f"Right answers: {listed}. A guess: {percent(chance)}."


def _steps(point: AccuracyPoint) -> str:
    steps = {*point.steps}
    return f"{fmean(point.steps):,.0f} steps" + ("" if len(steps) == 1 else " on average")
