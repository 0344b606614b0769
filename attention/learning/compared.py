"""What is said of networks that were trained on the same task, over several seeds."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import fmean

from attention.learning.measure import NEAR, AccuracyPoint
from attention.wording import percent

_ENOUGH = 0.9  # of the answers
_ATTENTION = "attention"


def told_accuracy(point: AccuracyPoint) -> str:
    """Return a point's accuracy with its spread.

    >>> from attention.learning.measure import Choice
    >>> told_accuracy(AccuracyPoint("library", "GRU", 2, 1, Choice(0.1, 9), (0.5, 0.75), (9, 9)))
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


def told_doubling(points: Sequence[AccuracyPoint], steps: int) -> str:
    """Say which networks still gained when the search for their steps doubled them last.

    >>> from attention.learning.measure import Choice
    >>> slow = Choice(0.001, 80, ((0.1, 0.2, 0.3, 0.5),))
    >>> told_doubling([AccuracyPoint("library", "GRU", 2, 1, slow, (0.5,), (80,))], 80)
    'What the search gained from 40 to 80 steps: GRU, +20.0 points. More steps may gain more.'
    """
    of_each = {point.series: point for point in points}
    gained = [p for p in of_each.values() if p.choice.last_doubling > NEAR]
    listed = "; ".join(f"{point.series}, {_points(point)} points" for point in gained)
    doubled = f"from {steps // 2:,} to {steps:,} steps"
    if not gained:
        return f"No network gained more than {100 * NEAR:.0f} point {doubled} of the search."
    told = f"What the search gained {doubled}: {listed}. More steps may gain more."
    if len(gained) < len(of_each):
        told += f" No other network gained more than {100 * NEAR:.0f} point."
    return told


def told_marked(points: Sequence[AccuracyPoint]) -> str:
    """Say how networks do that are asked for one marked word."""
    listed = "; ".join(f"{p.series}: {told_accuracy(p)}, after {_steps(p)}" for p in points)
    return (
        f"Recurrent networks are not bad at remembering one thing. One word among "
        f"{points[0].n} is marked and asked for at the end: {listed}."
    )


def most_books(points: Sequence[AccuracyPoint], name: str) -> int:
    """Return the largest number of books up to which a network gets nine of ten right; 0 if none.

    >>> from attention.learning.measure import Choice
    >>> point = AccuracyPoint("library", "GRU", 2, 1, Choice(0.1, 9), (0.5, 0.75), (9, 9))
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
    """Return a table, its header first: each network, how it was trained, how it did at each n.

    >>> from attention.learning.measure import Choice
    >>> choice = Choice(0.01, 9)
    >>> figure_rows([AccuracyPoint("library", "GRU", 2, 1500, choice, (0.5, 0.75), (9, 9))])[1]
    [['GRU', '1,500', '0.01', '9', '+0.0 points', '62.5 % (50.0 to 75.0 %)']]
    """
    lengths = sorted({point.n for point in points})
    how = ["numbers learned", "learning rate", "steps at most", "gain of the last doubling"]
    header = ["network", *how, *(f"n = {n}" for n in lengths)]
    rows = []
    for name in dict.fromkeys(point.series for point in points):
        own = {point.n: point for point in points if point.series == name}
        first = next(iter(own.values()))
        told = [told_accuracy(own[n]) if n in own else "" for n in lengths]
        size, choice, gain = f"{first.parameters:,}", first.choice, _points(first)
        rows.append([name, size, f"{choice.rate:g}", f"{choice.steps:,}", f"{gain} points", *told])
    return header, rows


def told_two(points: Sequence[AccuracyPoint], chance: float) -> str:
    """Say how two or more networks do, one after the other, beside a guess."""
    listed = "; ".join(f"{p.series}: {told_accuracy(p)}, {_steps(p)}" for p in points)
    return f"Right answers: {listed}. A guess: {percent(chance)}."


def _points(point: AccuracyPoint) -> str:
    return f"{100 * point.choice.last_doubling:+.1f}"


def _steps(point: AccuracyPoint) -> str:
    steps = {*point.steps}
    return f"{fmean(point.steps):,.0f} steps" + ("" if len(steps) == 1 else " on average")
