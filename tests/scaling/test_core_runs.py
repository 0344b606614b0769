"""The stored run of the core: it has what the page draws, and can be made anew."""

from attention.scaling import core_cost, core_runs, runs
from attention.scaling.frames import TIME_SERIES, core_fit


def test_the_stored_run_has_every_length_and_a_fit_that_tells():
    run = core_runs.stored_core()
    assert {(p.series, p.n) for p in run.points} == {
        (series, n) for series in TIME_SERIES[:-1] for n in core_cost.default_lengths()
    }
    assert core_fit(run.points).tells
    assert {"width", "heads", "repeats", "others"} == {*run.settings}


def test_a_run_of_the_core_can_be_stored():
    made = core_runs.measure_core([8, 16])
    assert runs.from_json(runs.to_json(made).encode()) == made
    assert {point.n for point in made.points} == {8, 16}
