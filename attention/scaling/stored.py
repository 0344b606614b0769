"""Sweeps that are stored with the package: what the scaling page shows until a reader measures.

`python -m attention.scaling.stored > attention/scaling/sweeps.json` makes all of them anew, in
about 50 seconds.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict
from functools import cache
from importlib.resources import files
from itertools import chain
from typing import Any, NamedTuple

from attention.arrays import Array
from attention.core.plain import plain_attention
from attention.core.tiled import tiled_attention
from attention.runtime.timing import Timing
from attention.scaling import core_cost, crossover, methods, runs
from attention.scaling.core_cost import Measurement, Peak
from attention.scaling.crossover import PartTime
from attention.scaling.frames import core_points, method_points
from attention.scaling.methods import MethodCost
from attention.scaling.model_shapes import SHAPES, shape, shape_code
from attention.scaling.runs import Facts, Point, Run

SWEEPS_COMMAND = "python -m attention.scaling.stored"
CORE_KIND, METHODS_KIND, PEAKS_KIND = "the core and its steps", "methods", "memory"
HELD: dict[str, Callable[..., Array]] = {"plain": plain_attention, "tiled": tiled_attention}
SHAPES_TO_TIME = tuple(s.name for s in SHAPES if s.layer_parameters < 10_000_000)
_SHORTEST_LAYER = 256  # tokens; shorter texts say nothing of where the lines cross

_Result = Measurement | MethodCost | PartTime | Peak


class StoredSweep(NamedTuple):
    """The results of one sweep, flat, and what it was made with."""

    settings: Facts
    results: list[Any]  # Measurement, MethodCost, PartTime or Peak


def parts_kind(name: str) -> str:
    """Return the name of the sweep over the parts of one layer.

    >>> parts_kind("GPT-2 small")
    'parts of a layer, gpt-2-small'
    """
    return f"parts of a layer, {shape_code(name)}"


def stored_sweep(kind: str) -> StoredSweep:
    """Return a sweep that is stored with the package.

    >>> stored_sweep(CORE_KIND).settings["heads"]
    1
    """
    sweep = _content()["sweeps"][kind]
    return StoredSweep(sweep["settings"], [_result(kind, row) for row in sweep["results"]])


def stored_run(kind: str) -> Run:
    """Return the times of the stored sweep of the core or of the methods, as a run."""
    sweep = stored_sweep(kind)
    content, points = _content(), _POINTS[kind](sweep.results)
    return Run(
        kind, content["made"], content["machine"], content["libraries"], sweep.settings,
        tuple(points),
    )  # fmt: skip


def layer_lengths(maximum: int) -> tuple[int, ...]:
    """Return the lengths at which the parts of a layer are timed."""
    return tuple(n for n in core_cost.default_lengths(maximum) if n >= _SHORTEST_LAYER)


def measure_sweeps(longest: int | None = None) -> str:
    """Make all sweeps here and now, up to so many tokens or each to its own; as a file's text."""
    machine = runs.record("", {}, [])
    sweeps = {
        kind: {"settings": settings, "results": [asdict(result) for result in results]}
        for kind, settings, results in _sweeps(longest)
    }
    content = {"made": machine.made, "machine": machine.machine, "libraries": machine.libraries}
    return json.dumps({**content, "sweeps": sweeps}, indent=0)


def _sweeps(longest: int | None) -> Iterable[tuple[str, Facts, Iterable[_Result]]]:
    core, others = core_cost.default_lengths(longest or 8192), longest or 4096
    lengths = core_cost.default_lengths(others)
    width, heads, repeats, window = 64, 1, 15, 128
    common = {"width": width, "heads": heads}
    core_sweep = core_cost.sweep(core, width=width, heads=heads, repeats=repeats)
    yield CORE_KIND, common | {"repeats": repeats}, core_sweep
    compared = methods.compare(lengths, width=width, heads=heads, window=window)
    yield METHODS_KIND, common | {"window": window}, chain(*compared)
    yield PEAKS_KIND, {"heads": 1}, core_cost.peaks(HELD, lengths)
    for name in SHAPES_TO_TIME:
        parts = crossover.time_parts(shape(name), layer_lengths(others))
        yield parts_kind(name), {}, chain(*parts)


def _result(kind: str, row: Mapping[str, Any]) -> _Result:
    fields: dict[str, Any] = {
        name: Timing(**value) if isinstance(value, dict) else value for name, value in row.items()
    }
    return _KINDS.get(kind, PartTime)(**fields)


@cache
def _content() -> dict[str, Any]:
    content: dict[str, Any] = json.loads((files("attention.scaling") / "sweeps.json").read_bytes())
    return content


_KINDS: dict[str, type[_Result]] = {
    CORE_KIND: Measurement,
    METHODS_KIND: MethodCost,
    PEAKS_KIND: Peak,
}
_POINTS: dict[str, Callable[[Sequence[Any]], list[Point]]] = {
    CORE_KIND: core_points, METHODS_KIND: method_points,
}  # fmt: skip


if __name__ == "__main__":
    print(measure_sweeps())
