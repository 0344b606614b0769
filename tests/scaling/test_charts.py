import pandas as pd
import pytest

from attention.runtime.timing import Timing
from attention.scaling.charts import (
    bytes_chart,
    comparison_chart,
    memory_chart,
    plan_chart,
    time_chart,
)
from attention.scaling.core_cost import Measurement, Peak
from attention.scaling.crossover import PartTime
from attention.scaling.frames import (
    MEMORY_SERIES,
    PER_TOKEN,
    PREFILL,
    TIME_SERIES,
    cache_frame,
    core_fit,
    core_points,
    crossover_frame,
    memory_frame,
    method_frame,
    method_points,
    peaks_frame,
    plan_frame,
    planned_frame,
    planned_memory_frame,
    run_ratios,
    scaling_frame,
    step_frame,
    timed_frame,
)
from attention.scaling.methods import MethodCost
from attention.scaling.model_shapes import shape
from attention.scaling.planner import Memory, Part, Rates
from attention.scaling.power_law import fit
from attention.scaling.runs import Point


def measured(n):
    whole, *steps = (Timing(t, t / 2, t * 2) for t in (n * n, n, n + 1, n + 2))
    return Measurement(n, 2, 64, whole, *steps, peak_bytes=9 * n * n, others=0.0)


RESULTS = [measured(n) for n in (100, 200, 400, 800)]
POINTS_OF_CORE = core_points(RESULTS)
TREND = fit([100, 200, 400, 800], [1e4, 4e4, 16e4, 64e4])


def fields(spec):
    """Every column that an encoding of the spec reads, with its type."""
    found = {}
    for layer in spec["layer"]:
        for channel in layer["encoding"].values():
            for part in channel if isinstance(channel, list) else [channel]:
                if "value" not in part:  # a guide is grey
                    found[part["field"]] = found.get(part["field"]) or part.get("type")
    return found


def test_one_row_per_length_and_step():
    frame = scaling_frame(POINTS_OF_CORE)
    assert list(frame) == ["n", "series", "kind", "seconds", "low", "high"]
    assert len(frame) == 4 * 4
    assert set(frame["series"]) == set(TIME_SERIES[:4])
    assert frame.iloc[4].tolist() == [200, "whole call", "measured", 40_000.0, 20_000.0, 80_000.0]
    assert frame.iloc[7].tolist() == [200, "weights × V", "measured", 202.0, 101.0, 404.0]


def test_the_fit_and_its_extrapolation_have_rows_of_their_own():
    frame = scaling_frame(POINTS_OF_CORE, TREND, targets=[1000, 50])
    by_kind = frame.groupby("kind")["n"].apply(list)
    assert by_kind["fit"] == [100, 200, 400, 800]
    assert by_kind["extrapolation"] == [800, 1000]  # 50 is no extrapolation
    last = frame[frame["kind"] == "extrapolation"]["seconds"].iloc[-1]
    assert last == pytest.approx(1e6)
    assert "extrapolation" not in set(scaling_frame(POINTS_OF_CORE, TREND)["kind"])


def test_guides_start_where_the_fit_does_and_end_where_the_picture_does():
    for targets, end in (((), 800), ([1000], 1000)):
        frame = scaling_frame(POINTS_OF_CORE, TREND, targets=targets)
        guides = frame[frame["kind"] == "guide"].set_index(["series", "n"])["seconds"]
        assert guides["as n", 100] == guides["as n²", 100] == pytest.approx(1e4)
        assert guides["as n", end] == pytest.approx(1e4 * end / 100)
        assert guides["as n²", end] == pytest.approx(1e4 * (end / 100) ** 2)


def test_the_fit_goes_through_the_fastest_round():
    assert core_fit(POINTS_OF_CORE).predict(400).seconds == pytest.approx(400**2 / 2)
    assert core_fit(POINTS_OF_CORE[:4]) is None


def test_the_steps_are_those_of_the_longest_text():
    table = step_frame(POINTS_OF_CORE)
    assert table["At 800 tokens"].tolist() == [*TIME_SERIES[:4]]
    assert table["Median"].iloc[1] == "13.3 minutes"


def test_memory_has_the_computed_and_the_measured_size():
    frame = memory_frame(RESULTS)
    assert list(frame) == ["n", "series", "bytes"]
    assert frame["series"].tolist() == [*MEMORY_SERIES] * 4
    assert frame["bytes"].tolist()[:2] == [2 * 100 * 100 * 4, 9 * 100 * 100]


def test_frames_without_results_have_the_same_columns_and_types():
    pd.testing.assert_series_equal(scaling_frame([]).dtypes, scaling_frame(POINTS_OF_CORE).dtypes)
    pd.testing.assert_series_equal(memory_frame([]).dtypes, memory_frame(RESULTS).dtypes)


@pytest.mark.parametrize("fitted", [True, False])
@pytest.mark.parametrize("extrapolation", [True, False])
def test_the_time_chart_reads_columns_that_are_there(fitted, extrapolation):
    frame = scaling_frame(POINTS_OF_CORE, TREND, targets=[10**5])
    spec = time_chart(frame, fitted=fitted, extrapolation=extrapolation).to_dict()
    computed = {step["as"] for step in spec["transform"]}
    used = fields(spec)
    assert set(used) - computed <= set(frame)
    assert ("'guide'" in str(spec["layer"])) == fitted
    assert used["n"] == used["seconds"] == "quantitative"
    assert spec["width"] == "container"
    filters = str(spec["layer"])
    assert ("'fit'" in filters, "'extrapolation'" in filters) == (fitted, extrapolation)


def test_the_memory_chart_reads_columns_that_are_there():
    frame = memory_frame(RESULTS)
    spec = memory_chart(frame).to_dict()
    assert set(fields(spec)) - {"bytes_text"} == set(frame)


@pytest.mark.parametrize(
    ("chart", "frame"),
    [(time_chart, lambda results: scaling_frame(core_points(results))),
     (memory_chart, memory_frame)],
)  # fmt: skip
def test_the_spec_depends_on_the_options_only(chart, frame):
    """The page sends the data apart from the spec."""
    specs = [chart(frame(results), height=200).to_dict() for results in (RESULTS, RESULTS[:1])]
    for spec in specs:
        assert spec["height"] == 200
        del spec["data"], spec["datasets"]
    assert specs[0] == specs[1]


def test_axes_are_logarithmic_and_their_ends_can_be_given():
    spec = time_chart(
        scaling_frame(POINTS_OF_CORE), n_domain=(10, 1000), seconds_domain=(1, 2)
    ).to_dict()
    for layer in spec["layer"]:
        assert layer["encoding"]["x"]["scale"]["domain"] == [10, 1000]
        assert layer["encoding"]["y"]["scale"]["type"] == "log"
        assert layer["encoding"]["y"]["scale"]["domain"] == [1, 2]


def test_colours_have_a_fixed_order():
    for fitted, series in ((True, TIME_SERIES), (False, TIME_SERIES[:-1])):
        spec = time_chart(scaling_frame(POINTS_OF_CORE), fitted=fitted).to_dict()
        scales = [
            c["scale"] for layer in spec["layer"] if "scale" in (c := layer["encoding"]["color"])
        ]
        assert all(scale == {"domain": list(series)} for scale in scales)


POINTS = [Point("plain", 8, 2.0, 1.0, 3.0), Point("tiled", 8, 1.0, 1.0, 1.0)]


def columns_used(spec):
    """Every column that a chart reads or filters by, less those that it computes."""
    computed = {step["as"] for step in spec.get("transform", ()) if "as" in step}
    layers = spec.get("layer", [spec])
    return {
        part["field"]
        for layer in layers
        for channel in layer["encoding"].values()
        for part in (channel if isinstance(channel, list) else [channel])
        if "field" in part
    } - computed


@pytest.mark.parametrize(
    ("chart", "frame"),
    [
        (comparison_chart(timed_frame([POINTS]), series=("plain",)), timed_frame([POINTS])),
        (
            comparison_chart(timed_frame([POINTS] * 2), series=("plain",), runs=2, crossings=True),
            timed_frame([POINTS] * 2),
        ),
        (
            bytes_chart(peaks_frame([]), series=("plain",), title="memory"),
            peaks_frame([Peak("plain", 8, 100)]),
        ),
        (
            plan_chart(peaks_frame([]), phase=PREFILL, series=("attention",), n=100),
            planned_frame(shape("GPT-2 small"), [100], 2, Rates(1, 1), tiled=True),
        ),
    ],
)
def test_the_charts_of_the_lab_read_columns_that_are_there(chart, frame):
    assert columns_used(chart.to_dict()) <= set(frame)


def test_runs_laid_over_each_other_keep_their_numbers():
    frame = timed_frame([POINTS, POINTS[:1]])
    assert frame["run"].tolist() == ["1", "1", "2"]
    assert frame[["n", "seconds", "low", "high"]].iloc[2].tolist() == [8, 2.0, 1.0, 3.0]
    assert timed_frame([]).dtypes.equals(frame.dtypes)


def test_ratios_are_those_at_the_longest_common_length():
    second = [Point("plain", 8, 1.0, 1, 1), Point("plain", 16, 9.0, 9, 9), Point("x", 8, 1, 1, 1)]
    assert run_ratios(POINTS, second) == {"plain": (8, 0.5)}
    assert run_ratios(POINTS, second[2:]) == {}


def test_a_crossing_is_a_row_with_a_length_only():
    times = [PartTime("linear", 8, Timing(2.0, 1.0, 3.0))]
    frame = crossover_frame(times, {"tiled": 9.5})
    assert frame["kind"].tolist() == ["measured", "crossing"]
    assert frame["n"].tolist() == [8, 9.5]
    assert frame["seconds"].isna().tolist() == [False, True]


def test_the_table_of_methods_compares_with_the_first():
    costs = [
        MethodCost(method, n, Timing(n * seconds, 1, 1), difference, 1.0, 0.0)
        for n in (8, 16, 32, 64)
        for method, seconds, difference in (("plain", 1.0, 0.0), ("tiled", 0.5, 3e-7))
    ]
    table = method_frame(costs, [8, 16, 32, 64])
    assert table["Method"].tolist() == ["plain", "tiled"]
    assert table["Of plain"].tolist() == ["1", "0.5"]
    assert table["Largest difference"].tolist() == ["0", "3e-07"]
    assert table["Grows as"].tolist() == ["n^1.00 (1.00 to 1.00)"] * 2
    assert method_frame(costs[:2], [8])["Grows as"].tolist() == ["needs 4 lengths"] * 2


def test_points_for_a_file_are_what_was_measured():
    assert core_points(RESULTS)[0] == Point("whole call", 100, 10_000, 5_000, 20_000)
    assert len(core_points(RESULTS)) == 4 * 4
    cost = MethodCost("plain", 8, Timing(2.0, 1.0, 3.0), 0.0, 1.0, 0.0)
    assert method_points([cost]) == POINTS[:1]


def test_a_plan_in_words():
    parts = [Part("attention", 3e9, 1e9), Part("the rest", 1e9, 1e6)]
    table = plan_frame(parts, Rates(flops=1e9, bandwidth=1e9))
    assert table["Takes"].tolist() == ["3 s", "1 s"]
    assert table["Share"].tolist() == ["75.0%", "25.0%"]
    assert table["Operations"].tolist() == ["3 billion", "1 billion"]
    held = planned_memory_frame(Memory(1e9, 2e9, 3e9, 0.0))
    assert held["Memory"].tolist() == ["1 GB", "2 GB", "3 GB", "0 bytes", "6 GB"]


def test_planned_times_have_both_phases_and_parts():
    frame = planned_frame(shape("GPT-2 small"), [10, 100], 2, Rates(1e9, 1e9), tiled=True)
    assert len(frame) == 2 * 2 * 2
    assert set(frame["phase"]) == {PREFILL, PER_TOKEN}


def test_sharing_keys_and_values_divides_the_cache():
    frame = cache_frame(shape("Llama 3 8B"), [1000], 2).set_index("series")["bytes"]
    assert frame["multi-head"] == 2 * 32 * 32 * 128 * 1000 * 2
    assert frame["multi-head"] / frame["grouped-query"] == 4
    assert frame["multi-head"] / frame["multi-query"] == 32
