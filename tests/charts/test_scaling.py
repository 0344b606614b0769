import pandas as pd
import pytest

from attention.charts.scaling import memory_chart, time_chart
from attention.frames import (
    MEMORY_SERIES,
    TIME_SERIES,
    memory_frame,
    scaling_frame,
)
from attention.scaling import Measurement, Timing
from attention.trend import fit


def measured(n):
    whole, *steps = (Timing(t, t / 2, t * 2) for t in (n * n, n, n + 1, n + 2))
    return Measurement(n, 2, 64, 5, 1, whole, *steps, peak_bytes=9 * n * n, others=0.0)


RESULTS = [measured(n) for n in (100, 200, 400, 800)]
TREND = fit([100, 200, 400, 800], [1e4, 4e4, 16e4, 64e4])


def fields(spec):
    """Every column that an encoding of the spec reads, with its type."""
    found = {}
    for layer in spec["layer"]:
        for channel in layer["encoding"].values():
            for part in channel if isinstance(channel, list) else [channel]:
                found[part["field"]] = found.get(part["field"]) or part.get("type")
    return found


def test_one_row_per_length_and_step():
    frame = scaling_frame(RESULTS)
    assert list(frame) == ["n", "series", "kind", "seconds", "low", "high"]
    assert len(frame) == 4 * 4
    assert set(frame["series"]) == set(TIME_SERIES[:4])
    assert frame.iloc[4].tolist() == [200, "whole call", "measured", 40_000.0, 20_000.0, 80_000.0]
    assert frame.iloc[7].tolist() == [200, "weights × V", "measured", 202.0, 101.0, 404.0]


def test_the_fit_and_its_extrapolation_have_rows_of_their_own():
    frame = scaling_frame(RESULTS, TREND, targets=[1000, 50])
    by_kind = frame.groupby("kind")["n"].apply(list)
    assert by_kind["fit"] == [100, 200, 400, 800]
    assert by_kind["extrapolation"] == [800, 1000]  # 50 is no extrapolation
    assert frame["seconds"].iloc[-1] == pytest.approx(1e6)
    assert "extrapolation" not in set(scaling_frame(RESULTS, TREND)["kind"])


def test_memory_has_the_computed_and_the_measured_size():
    frame = memory_frame(RESULTS)
    assert list(frame) == ["n", "series", "bytes"]
    assert frame["series"].tolist() == [*MEMORY_SERIES] * 4
    assert frame["bytes"].tolist()[:2] == [2 * 100 * 100 * 4, 9 * 100 * 100]


def test_frames_without_results_have_the_same_columns_and_types():
    pd.testing.assert_series_equal(scaling_frame([]).dtypes, scaling_frame(RESULTS).dtypes)
    pd.testing.assert_series_equal(memory_frame([]).dtypes, memory_frame(RESULTS).dtypes)


@pytest.mark.parametrize("fitted", [True, False])
@pytest.mark.parametrize("extrapolation", [True, False])
def test_the_time_chart_reads_columns_that_are_there(fitted, extrapolation):
    frame = scaling_frame(RESULTS, TREND, targets=[10**5])
    spec = time_chart(frame, fitted=fitted, extrapolation=extrapolation).to_dict()
    computed = {step["as"] for step in spec["transform"]}
    used = fields(spec)
    assert set(used) - computed <= set(frame)
    assert used["n"] == used["seconds"] == "quantitative"
    assert spec["width"] == "container"
    filters = str(spec["layer"])
    assert ("'fit'" in filters, "'extrapolation'" in filters) == (fitted, extrapolation)


def test_the_memory_chart_reads_columns_that_are_there():
    frame = memory_frame(RESULTS)
    spec = memory_chart(frame).to_dict()
    assert set(fields(spec)) - {"bytes_text"} == set(frame)


@pytest.mark.parametrize(
    ("chart", "frame"), [(time_chart, scaling_frame), (memory_chart, memory_frame)]
)
def test_the_spec_depends_on_the_options_only(chart, frame):
    """The page sends the data apart from the spec."""
    specs = [chart(frame(results), height=200).to_dict() for results in (RESULTS, RESULTS[:1])]
    for spec in specs:
        assert spec["height"] == 200
        del spec["data"], spec["datasets"]
    assert specs[0] == specs[1]


def test_axes_are_logarithmic_and_their_ends_can_be_given():
    spec = time_chart(scaling_frame(RESULTS), n_domain=(10, 1000), seconds_domain=(1, 2)).to_dict()
    for layer in spec["layer"]:
        assert layer["encoding"]["x"]["scale"]["domain"] == [10, 1000]
        assert layer["encoding"]["y"]["scale"]["type"] == "log"
        assert layer["encoding"]["y"]["scale"]["domain"] == [1, 2]


def test_colours_have_a_fixed_order():
    for fitted, series in ((True, TIME_SERIES), (False, TIME_SERIES[:-1])):
        spec = time_chart(scaling_frame(RESULTS), fitted=fitted).to_dict()
        scales = [layer["encoding"]["color"]["scale"] for layer in spec["layer"]]
        assert all(scale == {"domain": list(series)} for scale in scales)
