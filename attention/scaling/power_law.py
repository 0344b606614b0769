"""A power law through measured times: how fast they grow, how sure that is, where it leads."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

FEWEST_POINTS = 4  # from three, the interval would be 12.7 standard errors to either side
_SPAN = 8  # three doublings


class Prediction(NamedTuple):
    """Seconds at one length, and the 95 % interval in which one more measurement would fall."""

    seconds: float
    low: float
    high: float


@dataclass(frozen=True)
class Fit:
    """A line through the logarithms: `seconds = constant * n ** exponent`."""

    exponent: float
    low: float  # of the exponent's 95 % confidence interval
    high: float
    intercept: float  # log(constant)
    lengths: tuple[int, ...]  # the points it uses, ascending
    residual: float  # standard deviation of log(seconds) around the line

    @property
    def tells(self) -> bool:
        """Whether it tells how time grows: the interval is narrower than from n to n squared.

        >>> fit([64, 96, 128, 192], [1.0, 1.0, 2.0, 2.0]).tells
        False
        """
        return self.high - self.low < 1

    @property
    def constant(self) -> float:
        """Seconds at n = 1, where the line would meet it."""
        return _exp(self.intercept)

    def predict(self, n: float) -> Prediction:
        """Return the seconds at length n with a 95 % prediction interval.

        `s * sqrt(1 + 1/m + (log n - mean)^2 / S)` around the line, times Student's t, with m
        points of spread `S = sum((log n_i - mean)^2)`. It knows about scatter only: beyond the
        measured lengths it holds if nothing changes there, such as memory running out.

        >>> round(fit([100, 200, 400, 800], [1.0, 4.0, 16.0, 64.0]).predict(1000).seconds, 6)
        100.0
        """
        logs = np.log(self.lengths)
        spread = np.sum((logs - logs.mean()) ** 2)
        error = math.sqrt(1 + 1 / len(logs) + (math.log(n) - logs.mean()) ** 2 / spread)
        margin = student_t_quantile(0.975, len(logs) - 2) * self.residual * error
        centre = self.intercept + self.exponent * math.log(n)
        ends = centre, centre - margin, centre + margin
        return Prediction(*map(_exp, ends))


def fit(lengths: Sequence[int], seconds: Sequence[float]) -> Fit | None:
    """Fit a power law to the longest lengths by ordinary least squares on the logarithms.

    Short calls cost what any call costs, whatever the length, so they would flatten the slope. The
    fit uses the lengths of at least an eighth of the longest; where those are fewer than four, the
    four longest. Nothing else is left out.

    Returns
    -------
    The fit, or None while there are fewer than four different lengths. The confidence interval is
    that of a straight line with independent scatter: steps where arrays outgrow a cache are counted
    as scatter.

    Raises
    ------
    ValueError : as many lengths as seconds are needed, all positive.

    >>> trend = fit([1, 1000, 2000, 4000, 8000], [0.5, 1.0, 4.0, 16.0, 64.0])
    >>> round(trend.exponent, 6), trend.lengths
    (2.0, (1000, 2000, 4000, 8000))
    """
    if len(lengths) != len(seconds):
        raise ValueError(f"got {len(lengths)} lengths but {len(seconds)} times")
    if min((*lengths, *seconds), default=1) <= 0:
        raise ValueError(f"lengths and times must be positive, got {[*lengths]} and {[*seconds]}")
    points = _longest(sorted(zip(lengths, seconds, strict=True)))
    used = tuple(n for n, _ in points)
    if len(set(used)) < FEWEST_POINTS:
        return None
    x, y = np.log(points).T
    spread = np.sum((x - x.mean()) ** 2)
    slope = float(np.sum((x - x.mean()) * y) / spread)
    start = float(y.mean() - slope * x.mean())
    freedom = len(used) - 2
    residual = math.sqrt(np.sum((y - start - slope * x) ** 2) / freedom)
    margin = student_t_quantile(0.975, freedom) * residual / math.sqrt(spread)
    return Fit(slope, slope - margin, slope + margin, start, used, residual)


def student_t_quantile(probability: float, freedom: int) -> float:
    """Return the t that Student's distribution stays below with this probability (1/2 to 1).

    The probability of `|t| < sqrt(freedom) * tan(angle)` is a finite sum in the angle for whole
    degrees of freedom; the angle is found by bisection.

    Source: Abramowitz and Stegun 1964, "Handbook of Mathematical Functions", 26.7.3 and 26.7.4.

    >>> round(student_t_quantile(0.975, 3), 3)
    3.182
    """
    if freedom < 1 or not 0.5 <= probability < 1:
        raise ValueError(f"needs 0.5 <= {probability} < 1 and at least 1 degree, got {freedom}")
    low, high = 0.0, math.pi / 2
    for _ in range(60):  # halves the interval to the last bit
        middle = (low + high) / 2
        below = _central_probability(middle, freedom) < 2 * probability - 1
        low, high = (middle, high) if below else (low, middle)
    return math.sqrt(freedom) * math.tan(low)


def _central_probability(angle: float, freedom: int) -> float:
    sine, cosine = math.sin(angle), math.cos(angle)
    odd = freedom % 2
    term = total = 1.0
    for i in range(2 + odd, freedom, 2):
        term *= (i - 1) / i * cosine**2
        total += term
    if odd:
        return 2 / math.pi * (angle + (sine * cosine * total if freedom > 1 else 0.0))
    return sine * total


def _exp(log: float) -> float:
    return math.exp(min(log, 700.0))  # a hopeless fit ends at 1e304, not in an OverflowError


def _longest(points: list[tuple[int, float]]) -> list[tuple[int, float]]:
    """Return the points that count, from points sorted by length; see `fit`."""
    near = [point for point in points if point[0] * _SPAN >= points[-1][0]]
    return near if len(near) >= FEWEST_POINTS else points[-FEWEST_POINTS:]
