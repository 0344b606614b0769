"""Times of the core: a run that is stored with the package, and how it is made.

`python -m attention.scaling.core_runs > attention/scaling/core_times.json` makes it anew, in about
5 seconds.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from importlib.resources import files

from attention.scaling import core_cost, runs
from attention.scaling.frames import core_points
from attention.scaling.runs import Facts, Run

CORE_COMMAND = "python -m attention.scaling.core_runs"
CORE_KIND = "the core and its steps"
_WIDTH, _HEADS, _REPEATS = 64, 1, 15


@cache
def stored_core() -> Run:
    """Return the run that is stored with the package.

    >>> stored_core().kind
    'the core and its steps'
    """
    return runs.from_json((files("attention.scaling") / "core_times.json").read_bytes())


def measure_core(lengths: Sequence[int] = core_cost.default_lengths()) -> Run:
    """Time the core at these lengths; the settings say how busy the machine was meanwhile."""
    results = list(core_cost.sweep(lengths, width=_WIDTH, heads=_HEADS, repeats=_REPEATS))
    others = max(result.others for result in results[-7:])  # those that the fit goes through
    settings: Facts = {
        "width": _WIDTH, "heads": _HEADS, "repeats": _REPEATS, "others": round(others, 3),
    }  # fmt: skip
    return runs.record(CORE_KIND, settings, core_points(results))


if __name__ == "__main__":
    print(runs.to_json(measure_core()))
