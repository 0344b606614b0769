"""What is stored with the package: it has what the page draws, and can be made anew."""

import json
from collections import Counter

import pytest

from attention.runtime import timing
from attention.scaling import core_cost, methods, runs, stored
from attention.scaling.core_cost import Measurement, Peak
from attention.scaling.crossover import PARTS, PartTime
from attention.scaling.frames import core_fit
from attention.scaling.methods import MethodCost

EVERY = (
    stored.CORE_KIND,
    stored.METHODS_KIND,
    stored.PEAKS_KIND,
    *map(stored.parts_kind, stored.SHAPES_TO_TIME),
)


def test_the_stored_core_has_every_length_and_a_fit_that_tells():
    settings, results = stored.stored_sweep(stored.CORE_KIND)
    assert [result.n for result in results] == [*core_cost.default_lengths()]
    assert core_fit(stored.stored_run(stored.CORE_KIND).points).tells
    assert {"width", "heads", "repeats"} == {*settings}


def test_every_other_sweep_has_all_that_its_tab_draws():
    lengths = core_cost.default_lengths(4096)
    costs = stored.stored_sweep(stored.METHODS_KIND).results
    ways = {methods.FULL, methods.TILES, methods.CAUSAL, methods.WINDOW, methods.DECODE}
    assert Counter((c.method, c.n) for c in costs) == Counter((w, n) for w in ways for n in lengths)
    peaks = stored.stored_sweep(stored.PEAKS_KIND).results
    assert [(p.n, p.method) for p in peaks] == [(n, m) for n in lengths for m in stored.HELD]
    for name in stored.SHAPES_TO_TIME:
        times = stored.stored_sweep(stored.parts_kind(name)).results
        assert [(t.n, t.part) for t in times] == [
            (n, part) for n in stored.layer_lengths(4096) for part in PARTS
        ]


@pytest.mark.parametrize("kind", EVERY)
def test_what_is_stored_was_made_on_a_quiet_machine(kind):
    results = stored.stored_sweep(kind).results
    longest = max(result.n for result in results)
    assert all(getattr(r, "others", 0) <= timing.BUSY for r in results if r.n > longest / 8)


def test_a_run_is_what_can_be_saved_and_read():
    for kind in (stored.CORE_KIND, stored.METHODS_KIND):
        run = stored.stored_run(kind)
        assert runs.from_json(runs.to_json(run).encode()) == run


@pytest.mark.slow
def test_all_of_it_can_be_made_anew_and_read_back(monkeypatch):
    monkeypatch.setattr(timing, "_WARM_UP_SECONDS", 1e-4)
    monkeypatch.setattr(timing, "_ROUND_SECONDS", 1e-5)
    made = json.loads(stored.measure_sweeps(longest=256))
    assert made["made"] > stored.stored_run(stored.CORE_KIND).made
    monkeypatch.setattr(stored, "_content", lambda: made)
    kinds = [type(stored.stored_sweep(kind).results[-1]) for kind in made["sweeps"]]
    assert kinds == [Measurement, MethodCost, Peak, *[PartTime] * len(stored.SHAPES_TO_TIME)]
    assert all(stored.stored_sweep(kind).results[-1].n == 256 for kind in EVERY)
