"""What was timed, counted and planned as tidy tables for charts, and in words for readers."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence

import pandas as pd

from attention.scaling.core_cost import Measurement, Peak, weights_bytes
from attention.scaling.crossover import PARTS, PartTime, crossing
from attention.scaling.methods import MethodCost, growth
from attention.scaling.model_shapes import Shape
from attention.scaling.planner import Memory, Part, Rates, next_token_parts, prefill
from attention.scaling.power_law import Fit, fit
from attention.scaling.runs import Point, Run
from attention.wording import figures, human_bytes, human_count, human_seconds

_Row = tuple[int, str, str, float, float, float]

WHOLE, SCORES, SOFTMAX, OUTPUT, TREND = (
    "whole call",
    "scores Q Kᵀ",
    "softmax",
    "weights × V",
    "fitted line",
)
GUIDES = {"as n": 1, "as n²": 2}  # what grows so, for comparison
TIME_SERIES = (WHOLE, SCORES, SOFTMAX, OUTPUT, TREND)
COMPUTED, MEASURED = "weights alone, computed", "whole call, measured"
MEMORY_SERIES = (COMPUTED, MEASURED)
PREFILL, PER_TOKEN = "reading the text", "one more token"
CACHE_KINDS = ("multi-head", "grouped-query", "multi-query")

_FLOATS = {"seconds": "float64", "low": "float64", "high": "float64"}


def scaling_frame(
    points: Sequence[Point], trend: Fit | None = None, *, targets: Sequence[int] = ()
) -> pd.DataFrame:
    """Return one row per point: `n, series, kind, seconds, low, high`.

    `kind` says what `low` and `high` are: of "measured" rows the fastest and the slowest round, of
    the "fit" (at the lengths it uses) and the "extrapolation" (from there to each of the longer
    `targets`) the 95 % prediction interval. A "guide" is where times would be that grow exactly as
    n or as n squared from where the fit begins; of these and of nothing else `series` is in GUIDES.
    """
    measured = [(p.n, p.series, "measured", p.seconds, p.low, p.high) for p in points]
    rows = [*measured, *(() if trend is None else _predicted(trend, targets))]
    frame = pd.DataFrame(rows, columns=["n", "series", "kind", "seconds", "low", "high"])
    return frame.astype({"n": "int64", "series": "str", "kind": "str", **_FLOATS})


def step_frame(points: Sequence[Point]) -> pd.DataFrame:
    """Return what each step takes at the longest length: `Step, Median, Fastest, Slowest`."""
    longest = max(point.n for point in points)
    return pd.DataFrame(
        {
            f"At {longest:,} tokens": point.series,
            "Median": human_seconds(point.seconds),
            "Fastest round": human_seconds(point.low),
            "Slowest round": human_seconds(point.high),
        }
        for point in points
        if point.n == longest
    )


def prediction_frame(trend: Fit, targets: Sequence[int], *, heads: int) -> pd.DataFrame:
    """Return time and memory at longer lengths, in words; the times are extrapolated."""
    rows = []
    for n in targets:
        time = trend.predict(n)
        rows.append(
            {
                "Tokens": f"{n:,}",
                "Time of one call": human_seconds(time.seconds),
                "95 % interval": f"{human_seconds(time.low)} to {human_seconds(time.high)}",
                "Memory": human_bytes(weights_bytes(n, heads=heads)),
            }
        )
    return pd.DataFrame(rows)


def memory_frame(results: Sequence[Measurement]) -> pd.DataFrame:
    """Return two rows per length, the weights as computed and the call as measured.

    The columns are `n, series, bytes`.
    """
    rows = [
        row
        for result in results
        for row in (
            (result.n, COMPUTED, result.weights_bytes),
            (result.n, MEASURED, result.peak_bytes),
        )
    ]
    frame = pd.DataFrame(rows, columns=["n", "series", "bytes"])
    return frame.astype({"n": "int64", "series": "str", "bytes": "int64"})


def timed_frame(runs: Sequence[Sequence[Point]]) -> pd.DataFrame:
    """Return one row per point of each run: `n, series, kind, run, seconds, low, high`.

    `kind` is "measured", and `run` counts from 1, in the order given.
    """
    rows = [
        (point.n, point.series, "measured", str(number), point.seconds, point.low, point.high)
        for number, run in enumerate(runs, start=1)
        for point in run
    ]
    return _timed_rows(rows)


def crossover_frame(times: Sequence[PartTime], crossings: Mapping[str, float]) -> pd.DataFrame:
    """Return the columns of `timed_frame`; rows of the kind "crossing" have a length only."""
    parts = [(p.n, p.part, "measured", "1", p.time.median, p.time.low, p.time.high) for p in times]
    marks = [(n, name, "crossing", "1", *[math.nan] * 3) for name, n in crossings.items()]
    return _timed_rows([*parts, *marks])


def method_frame(costs: Sequence[MethodCost], lengths: Sequence[int]) -> pd.DataFrame:
    """Return one row per method at the longest length, in words: time, ratio, difference, growth.

    The growth is the fitted exponent with its 95 % interval.
    """
    last = [cost for cost in costs if cost.n == lengths[-1]]
    plain = last[0].time.median
    rows = []
    for cost in last:
        rows.append(
            {
                "Method": cost.method,
                f"Time at {cost.n:,} tokens": human_seconds(cost.time.median),
                "Of plain": figures(cost.time.median / plain, 3),
                "Grows as": exponent_text(growth(costs, cost.method)),
                "Largest difference": f"{cost.difference:.2g}",
            }
        )
    return pd.DataFrame(rows)


def exponent_text(trend: Fit | None) -> str:
    """Return the fitted growth with its interval, or what it lacks."""
    if trend is None:
        return "needs 4 lengths"
    return f"n^{trend.exponent:.2f} ({trend.low:.2f} to {trend.high:.2f})"


def plan_frame(parts: Sequence[Part], rates: Rates) -> pd.DataFrame:
    """Return one row per part of the work and one for all of it, in words."""
    seconds = [part.seconds(rates) for part in parts]
    rows = [
        {
            "Part": part.name,
            "Operations": human_count(part.flops),
            "Bytes moved": human_bytes(part.bytes),
            "To compute": human_seconds(part.compute_seconds(rates)),
            "To move": human_seconds(part.move_seconds(rates)),
            "Takes": human_seconds(own),
            "Share": f"{own / sum(seconds):.1%}",
        }
        for part, own in zip(parts, seconds, strict=True)
    ]
    return pd.DataFrame(rows)


def planned_frame(
    shape: Shape, lengths: Sequence[int], number_bytes: float, rates: Rates, *, tiled: bool
) -> pd.DataFrame:
    """Return `n, phase, series, seconds, text` of both phases at each length."""
    rows = [
        (n, phase, part.name, part.seconds(rates), human_seconds(part.seconds(rates)))
        for n in lengths
        for phase, parts in (
            (PREFILL, prefill(shape, n, number_bytes, tiled=tiled)),
            (PER_TOKEN, next_token_parts(shape, n, number_bytes)),
        )
        for part in parts
    ]
    frame = pd.DataFrame(rows, columns=["n", "phase", "series", "seconds", "text"])
    texts = {"phase": "str", "series": "str", "text": "str"}
    return frame.astype({"n": "int64", "seconds": "float64", **texts})


def planned_memory_frame(memory: Memory) -> pd.DataFrame:
    """Return what must be held at once, in words, one row per part and one for all."""
    parts = {
        "parameters": memory.parameters,
        "KV cache": memory.kv_cache,
        "activations of one layer": memory.activations,
        "scores of one layer": memory.scores,
        "all": memory.total,
    }
    return pd.DataFrame({"Held": part, "Memory": human_bytes(size)} for part, size in parts.items())


def peaks_frame(peaks: Sequence[Peak]) -> pd.DataFrame:
    """Return `n, series, bytes` of measured memory."""
    rows = [(peak.n, peak.method, peak.bytes) for peak in peaks]
    frame = pd.DataFrame(rows, columns=["n", "series", "bytes"])
    return frame.astype({"n": "int64", "series": "str", "bytes": "int64"})


def cache_frame(shape: Shape, lengths: Sequence[int], number_bytes: float) -> pd.DataFrame:
    """Return `n, series, bytes` of the KV cache with as many key heads as queries, fewer, one."""
    rows = [
        (n, series, shape.kv_numbers(groups) * n * number_bytes)
        for n in lengths
        for series, groups in cache_kinds(shape).items()
    ]
    frame = pd.DataFrame(rows, columns=["n", "series", "bytes"])
    return frame.astype({"n": "int64", "series": "str", "bytes": "float64"})


def cache_kinds(shape: Shape) -> dict[str, int]:
    """Return the number of key and value heads of each way to share them.

    >>> from attention.scaling.model_shapes import shape
    >>> list(cache_kinds(shape("Llama 3 8B")).values()), len(cache_kinds(shape("GPT-2 small")))
    ([32, 8, 1], 3)
    """
    groups = shape.kv_heads if shape.kv_heads < shape.heads else max(shape.heads // 4, 2)
    return dict(zip(CACHE_KINDS, (shape.heads, groups, 1), strict=True))


def core_points(results: Sequence[Measurement]) -> list[Point]:
    """Return the points of a sweep of the core, for a file."""
    return [
        Point(series, result.n, time.median, time.low, time.high)
        for result in results
        for series, time in zip(
            TIME_SERIES[:-1],  # the trend is not measured
            (result.total, result.scores, result.softmax, result.output),
            strict=True,
        )
    ]


def core_fit(points: Sequence[Point]) -> Fit | None:
    """Return the power law through the fastest round of the whole call; None below four lengths.

    What else a machine does can only slow a round down, so the fastest is nearest to the work.
    """
    whole = [point for point in points if point.series == WHOLE]
    return fit([point.n for point in whole], [point.low for point in whole])


def method_points(costs: Sequence[MethodCost]) -> list[Point]:
    """Return the points of a comparison, for a chart or a file."""
    return [Point(c.method, c.n, c.time.median, c.time.low, c.time.high) for c in costs]


def run_ratios(first: Sequence[Point], second: Sequence[Point]) -> dict[str, tuple[int, float]]:
    """Return, for each series in both, the longest common length and the ratio of the times there.

    >>> a, b = [Point("plain", 8, 1.0, 1.0, 1.0)], [Point("plain", 8, 3.0, 3.0, 3.0)]
    >>> run_ratios(a, b)
    {'plain': (8, 3.0)}
    """
    before = {(point.series, point.n): point.seconds for point in first}
    common = sorted((p.n, p.series, p.seconds) for p in second if (p.series, p.n) in before)
    return {series: (n, seconds / before[series, n]) for n, series, seconds in common}


def _timed_rows(rows: Sequence[tuple[object, ...]]) -> pd.DataFrame:
    columns = ["n", "series", "kind", "run", "seconds", "low", "high"]
    texts = {"series": "str", "kind": "str", "run": "str"}
    return pd.DataFrame(rows, columns=columns).astype({"n": "float64", **texts, **_FLOATS})


def _predicted(trend: Fit, targets: Sequence[int]) -> Iterator[_Row]:
    longest = trend.lengths[-1]
    further = sorted(n for n in targets if n > longest)
    for n in trend.lengths:
        yield n, TREND, "fit", *trend.predict(n)
    for n in (longest, *further) if further else ():
        yield n, TREND, "extrapolation", *trend.predict(n)
    first, start = trend.lengths[0], trend.predict(trend.lengths[0]).seconds
    for series, power in GUIDES.items():
        for n in (first, further[-1] if further else longest):
            there = start * (n / first) ** power
            yield n, series, "guide", there, there, there


def crossings_found(times: Sequence[PartTime]) -> dict[str, float]:
    """Return the length at which each part of attention overtakes the rest, where it was timed."""
    places = {part: crossing(times, part) for part in PARTS[1:]}
    return {part: place.n for part, place in places.items() if place and place.measured}


def facts_frame(runs: Mapping[str, Run]) -> pd.DataFrame:
    """Return one column per run and one row per fact; those that differ come first."""
    columns = {
        f"{number}: {name}": {"what was timed": run.kind, "made": run.made}
        | {
            fact: str(value)
            for group in (run.machine, run.libraries, run.settings)
            for fact, value in group.items()
        }
        for number, (name, run) in enumerate(runs.items(), start=1)
    }
    table = pd.DataFrame(columns).fillna("").rename_axis("Fact").reset_index()
    differs = table.iloc[:, 1:].nunique(axis=1) > 1
    return pd.concat([table[differs], table[~differs]])
