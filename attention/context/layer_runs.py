"""Times of the three kinds of layer: a run that is stored with the package, and how it is made.

`python -m attention.context.layer_runs > attention/context/layer_times.json` makes it anew, in
a few seconds.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from importlib.resources import files

from attention.context.layer_costs import CONVOLUTION, LAYERS, LayerTime, time_layers
from attention.scaling import runs
from attention.scaling.runs import Facts, Point, Run
from attention.scaling.runs import machine_text as machine_text

COMMAND = "python -m attention.context.layer_runs"
LENGTHS = (16, 32, 64, 100, 128, 256, 512)
WIDTHS = (32, 64, 128, 384)
KERNELS = (3, 5, 7)


@cache
def stored() -> Run:
    """Return the run that is stored with the package.

    >>> stored().kind
    'three kinds of layer'
    """
    return runs.from_json((files("attention.context") / "layer_times.json").read_bytes())


def stored_times(width: int, kernel: int) -> list[LayerTime]:
    """Return what was measured for one width and one kernel, or nothing.

    >>> [(time.layer, time.n) for time in stored_times(64, 3)][-1], stored_times(65, 3)
    (('self-attention', 512), [])
    """
    rounds = int(stored().settings["rounds"])
    wanted = {_series(layer, width, kernel): layer for layer in LAYERS}
    times = [
        LayerTime(wanted[p.series], p.n, p.seconds, p.low, p.high, rounds)
        for p in stored().points
        if p.series in wanted
    ]
    return sorted(times, key=lambda time: (time.n, LAYERS.index(time.layer)))


def measure(
    lengths: Sequence[int] = LENGTHS,
    widths: Sequence[int] = WIDTHS,
    kernels: Sequence[int] = KERNELS,
) -> Run:
    """Time the layers for every width and kernel, one setting after the other."""
    points: dict[tuple[str, int], Point] = {}
    rounds = []
    for width in widths:
        for kernel in kernels:
            for t in time_layers(lengths, width, kernel):
                name = _series(t.layer, width, kernel)
                points.setdefault((name, t.n), Point(name, t.n, t.median, t.low, t.high))
                rounds.append(t.rounds)
    settings: Facts = {"rounds": min(rounds), "threads": 1, "type": "float32"}
    return runs.record("three kinds of layer", settings, list(points.values()))


def _series(layer: str, width: int, kernel: int) -> str:
    """Name a series; only the convolution has a kernel."""
    return f"{layer}, d = {width}" + (f", k = {kernel}" if layer == CONVOLUTION else "")


if __name__ == "__main__":
    print(runs.to_json(measure()))
