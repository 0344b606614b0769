"""What was timed and planned, in a sentence each."""

from __future__ import annotations

from collections.abc import Sequence

from attention.scaling import crossover, methods
from attention.scaling.core_cost import Peak
from attention.scaling.crossover import PartTime
from attention.scaling.frames import cache_kinds, run_ratios
from attention.scaling.methods import MethodCost
from attention.scaling.model_shapes import Shape
from attention.scaling.planner import Part, Rates
from attention.scaling.power_law import Fit
from attention.scaling.runs import Point
from attention.wording import human_bytes, human_seconds


def growth_sentence(trend: Fit) -> str:
    """Say how time grows with length, or that these times do not tell."""
    lengths = trend.lengths
    fitted = f"fitted to the {len(lengths)} lengths from {lengths[0]:,} to {lengths[-1]:,} tokens."
    interval = f"{trend.low:.2f} to {trend.high:.2f}"
    if not trend.tells:
        return (
            f"These times do not tell how time grows: as n to a power of {interval} (95 % "
            f"interval), {fitted} Measure longer texts, or more repeats on a quiet machine."
        )
    return (
        f"Twice the text takes {2**trend.exponent:.1f} times as long ({2**trend.low:.1f} to "
        f"{2**trend.high:.1f} times with 95 % confidence): time grows as n to the power "
        f"{trend.exponent:.2f} ({interval}){_verdict(trend)}, {fitted}"
    )


def _verdict(trend: Fit) -> str:
    """Say which of n and n squared the interval supports; nothing where it holds neither alone."""
    if trend.low <= 2 <= trend.high and trend.low > 1:
        return ", as n² does"
    if trend.low > 1 and trend.high < 2:
        return ", faster than n and slower than n²"
    return ", faster than n²" if trend.low > 2 else ""


def methods_sentence(costs: Sequence[MethodCost], window: int) -> str:
    """Say what tiling and a window cost at the longest length, and how far off they are."""
    last = {cost.method: cost for cost in costs if cost.n == costs[-1].n}
    plain, tiled, windowed = (last[m] for m in (methods.FULL, methods.TILES, methods.WINDOW))
    fits = [methods.growth(costs, method) for method in (methods.TILES, methods.WINDOW)]
    powers = [
        f"n^{trend.exponent:.1f}" if trend and trend.tells else "not told by these lengths"
        for trend in fits
    ]
    return (
        f"At {plain.n:,} tokens tiled attention takes {tiled.time.median / plain.time.median:.0%} "
        f"of the plain form's time and differs by {tiled.difference:.0e}, which is rounding. "
        f"Growth: tiled {powers[0]}, window {powers[1]}. The window of {window} is another "
        f"answer: off by up to {windowed.difference:.2f}."
    )


def crossing_sentence(shape: Shape, times: Sequence[PartTime]) -> str:
    """Say from which length on attention takes longer than the rest, counted and measured.

    Where noise lets two lines cross more than once, the last crossing is the one that is meant.
    """
    sentence = (
        f"Counting operations, attention overtakes the rest of one layer of {shape.name}, its "
        f"projections and MLP together, at {crossover.predicted(shape):,.0f} tokens."
    )
    for part in crossover.PARTS[1:] if times else ():
        where = crossover.crossing(times, part)
        if where is None:
            sentence += f" {part.capitalize()}: no crossing can be told from these lengths."
        elif where.measured:
            last = f", the last of {where.places} crossings" if where.places > 1 else ""
            sentence += f" {part.capitalize()}: measured at {where.n:,.0f}{last}."
        else:
            sentence += f" {part.capitalize()}: not within these lengths; the last two lead to "
            sentence += f"{where.n:,.0f}."
    return sentence


def peaks_sentence(peaks: Sequence[Peak]) -> str:
    """Say what two methods held at the longest length; empty where only one is measured there.

    >>> peaks_sentence([Peak("plain", 64, 4000), Peak("tiled", 64, 1000)])
    'At 64 tokens the plain form held 4 kB and the tiled one 1 kB, its output included: \
4 times less.'
    """
    last = [peak for peak in peaks if peak.n == peaks[-1].n]
    if len(last) < 2:
        return ""
    plain, tiled = last
    return (
        f"At {plain.n:,} tokens the {plain.method} form held {human_bytes(plain.bytes)} and the "
        f"{tiled.method} one {human_bytes(tiled.bytes)}, its output included: "
        f"{plain.bytes / tiled.bytes:,.0f} times less."
    )


def cache_text(shape: Shape, n: int, number_bytes: float) -> str:
    """Return how large the KV cache of n tokens is with each way to share heads."""
    return ", ".join(
        f"{kind} (G = {groups}) {human_bytes(shape.kv_numbers(groups) * n * number_bytes)}"
        for kind, groups in cache_kinds(shape).items()
    )


def plan_sentence(
    name: str, n: int, parts: Sequence[Part], rates: Rates, held: float, *, one_more: bool
) -> str:
    """Say how long a plan takes, what most of it is, and what must be held.

    Parameters
    ----------
    parts : attention and the rest
    held : bytes
    one_more : whether it is one more token after n - 1 others, or all n
    """
    attention, rest = (part.seconds(rates) for part in parts)
    longest = max(parts, key=lambda part: part.seconds(rates))
    computing = longest.compute_seconds(rates) >= longest.move_seconds(rates)
    what = f"one more token after {n - 1:,} others" if one_more else f"{n:,} tokens"
    return (
        f"{name}, {what}: {human_seconds(attention + rest)} on a perfect machine of these "
        f"rates, {attention / (attention + rest):.0%} of it attention, most of it "
        f"{'computing' if computing else 'moving bytes'}. "
        f"{'Each step' if one_more else 'Reading the text'} holds {human_bytes(held)}."
    )


def runs_sentence(first: Sequence[Point], second: Sequence[Point]) -> str:
    """Say how two runs compare at the longest length that they have in common.

    >>> a, b = [Point("plain", 8, 1.0, 1.0, 1.0)], [Point("plain", 8, 3.0, 3.0, 3.0)]
    >>> runs_sentence(a, b)
    'Time in run 2 for 1 in run 1, at the longest common length: plain 3.00 (n = 8).'
    """
    ratios = [f"{s} {ratio:.2f} (n = {n:,})" for s, (n, ratio) in run_ratios(first, second).items()]
    if not ratios:
        return "These two runs have no method and length in common."
    return f"Time in run 2 for 1 in run 1, at the longest common length: {', '.join(ratios)}."
