import getpass
import json
import platform

import pytest
from hypothesis import given
from hypothesis import strategies as st

from attention.scaling import runs
from attention.scaling.runs import Point

RUN = runs.record(
    "methods", {"width": 64}, [Point("plain", 8, 2.0, 1.0, 3.0), Point("tiled", 8, 1.0, 1.0, 1.0)]
)
GOOD = json.loads(runs.to_json(RUN))


def file(**changes):
    return json.dumps(GOOD | changes).encode()


def test_a_run_comes_back_from_its_file_as_it_was():
    assert runs.from_json(runs.to_json(RUN).encode()) == RUN


def test_a_run_says_where_it_was_made_but_not_by_whom():
    assert RUN.machine["processors used"] >= 1
    assert {"python", "numpy", "BLAS"} <= set(RUN.libraries)
    text = runs.to_json(RUN)
    for secret in (platform.node(), getpass.getuser(), "/home", "/tmp"):
        assert len(secret) < 4 or secret not in text


@given(st.floats(1e-9, 1e6), st.integers(1, 10**9), st.text(min_size=1, max_size=200))
def test_any_point_comes_back(seconds, n, series):
    run = runs.record("any", {}, [Point(series, n, seconds, seconds, seconds)])
    assert runs.from_json(runs.to_json(run).encode()).points == run.points


def point(**changes):
    return file(points=[GOOD["points"][0] | changes])


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "not JSON"),
        (b"\xff\xfe\x00", "not JSON"),
        (b"[" * 100_000, "not JSON"),
        (b"[1]", "not a saved run"),
        (file(format="another"), "format is not"),
        (file(points=[]), "1 to 5,000 points"),
        (file(points=[0] * 5001), "1 to 5,000 points"),
        (file(points="plain"), "1 to 5,000 points"),
        (file(points=[7]), "point 0 is not an object"),
        (file(kind=""), "'kind' must be a text"),
        (file(made="x" * 201), "'made' must be a text"),
        (file(machine=[]), "'machine' must be an object"),
        (file(settings={"a": [1]}), "'settings' may hold"),
        (file(settings={"a": None}), "'settings' may hold"),
        (file(settings={"a": 10**400}), "'settings' may hold"),
        (file(libraries={str(i): 1 for i in range(41)}), "at most 40 entries"),
        (point(n=0), "n of point 0"),
        (point(n=True), "n of point 0"),
        (point(n=1.5), "n of point 0"),
        (point(n=10**12), "n of point 0"),
        (point(series=7), "'series' must be a text"),
        (point(seconds=0), "'seconds' of point 0"),
        (point(seconds="1"), "'seconds' of point 0"),
        (point(low=True), "'low' of point 0"),
        (point(high=float("nan")), "'high' of point 0"),
        (point(high=float("inf")), "'high' of point 0"),
        (point(high=10**400), "'high' of point 0"),
        (point(low=2.5), "in that order"),
    ],
)  # fmt: skip
def test_whatever_is_wrong_is_said_in_one_sentence(data, message):
    with pytest.raises(ValueError, match=message) as refused:
        runs.from_json(data)
    assert "\n" not in str(refused.value)


def test_a_large_file_is_refused_before_it_is_read():
    with pytest.raises(ValueError, match=r"the file has 1\.5 MB; runs take at most 1 MB"):
        runs.from_json(b" " * 1_500_000)


@given(st.binary(max_size=200))
def test_no_file_at_all_ends_in_another_error(data):
    with pytest.raises(ValueError, match="the file is not"):
        runs.from_json(data)
