import math
import tracemalloc
from itertools import pairwise

import numpy as np
import pytest

from attention import scaling
from attention.core import attention_weights


@pytest.fixture
def quick(monkeypatch):
    monkeypatch.setattr(scaling, "_WARM_UP_SECONDS", 1e-4)
    monkeypatch.setattr(scaling, "_ROUND_SECONDS", 1e-5)
    monkeypatch.setattr(scaling, "_REPORT_SECONDS", 0.0)
    monkeypatch.setattr(scaling, "_SETTLE_SECONDS", 0.0)


def test_the_ladder_has_two_lengths_per_doubling_and_ends_at_the_maximum():
    assert scaling.default_lengths(512) == (64, 96, 128, 192, 256, 384, 512)
    assert scaling.default_lengths(500) == (64, 96, 128, 192, 256, 384, 500)
    assert scaling.default_lengths(64) == (64,)
    assert scaling.default_lengths(10) == (10,)


@pytest.mark.parametrize("maximum", [1, 63, 65, 97, 1000, 4096, 100_000])
def test_the_ladder_ascends(maximum):
    lengths = scaling.default_lengths(maximum)
    assert list(lengths) == sorted(set(lengths))
    assert lengths[-1] == maximum
    assert all(b <= 1.5 * a for a, b in pairwise(lengths))


def test_a_sweep_gives_one_result_per_length_in_order(quick):
    results = list(scaling.sweep([4, 32, 16], width=8, heads=3, repeats=4))
    assert [result.n for result in results] == [4, 32, 16]
    for result in results:
        assert (result.heads, result.width, result.rounds) == (3, 8, 4)
        assert result.calls >= 1
        assert 0 <= result.others <= 1
        for timing in (result.total, result.scores, result.softmax, result.output):
            assert 0 < timing.low <= timing.median <= timing.high


def test_a_sweep_can_be_stopped_after_one_result(quick, monkeypatch):
    made = []
    measure = scaling._measure
    monkeypatch.setattr(scaling, "_measure", lambda *args: made.append(args) or measure(*args))
    results = scaling.sweep([8, 16, 32], repeats=3)
    assert next(results).n == 8
    results.close()
    assert len(made) == 1


def test_a_sweep_can_be_stopped_between_two_rounds(quick):
    class Stop(BaseException):
        pass

    def stop(share):
        raise Stop

    with pytest.raises(Stop):
        list(scaling.sweep([8], on_progress=stop))


def test_progress_grows_with_the_square_of_the_length(quick):
    shares = []
    list(scaling.sweep([10, 30], repeats=3, on_progress=shares.append))
    assert shares[2] == pytest.approx(0.1)  # 10^2 of 10^2 + 30^2
    assert shares == sorted(shares)
    assert shares[-1] == 1.0


def test_slow_lengths_get_fewer_rounds_but_at_least_three(quick, monkeypatch):
    monkeypatch.setattr(scaling, "_LENGTH_SECONDS", 0.0)
    assert next(scaling.sweep([8], repeats=50)).rounds == 3


def test_the_timed_steps_are_the_whole_call(monkeypatch):
    """Each step is called once and works on what the step before it made."""
    seen = {}
    softmax = scaling.softmax_in_place
    monkeypatch.setattr(
        scaling, "softmax_in_place", lambda scores: seen.update(weights=softmax(scores))
    )
    query, key, value = np.random.default_rng(0).standard_normal((3, 2, 5, 4))
    scaling._time_steps(query, key, value)
    np.testing.assert_array_equal(seen["weights"], attention_weights(query, key))


def test_the_share_of_other_programs_by_hand():
    """Of 8 processor seconds 2 were idle or ours."""
    assert scaling._share_of_others((100.0, 50.0), (108.0, 52.0)) == 0.75
    assert scaling._share_of_others((100.0, 50.0), (100.0, 50.0)) == 0.0  # the clock ticks slowly
    assert scaling._share_of_others((100.0, 50.0), (101.0, 51.1)) == 0.0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"lengths": [8, 0]}, "length must be at least 1, got 0"),
        ({"heads": 0}, "heads must be at least 1, got 0"),
        ({"width": -1}, "width must be at least 1, got -1"),
        ({"repeats": 2}, "repeats must be at least 3, got 2"),
    ],
)
def test_wrong_numbers_are_refused_before_the_sweep_starts(arguments, message):
    with pytest.raises(ValueError, match=message):
        scaling.sweep(**{"lengths": [8], **arguments})


def test_memory_of_the_weights_by_hand():
    assert scaling.weights_bytes(1000) == 4_000_000
    assert scaling.weights_bytes(100, heads=12) == 480_000
    # 2 heads x 4 bytes x (10 x 10 weights + query, key, value and output of 10 x 3)
    assert scaling.required_bytes(10, heads=2, width=3) == 2 * 4 * (100 + 4 * 30)


def test_measured_memory_is_the_weights_and_one_more_array_of_the_size_of_the_query():
    result = next(scaling.sweep([512], width=32, heads=2, repeats=3))
    assert result.weights_bytes == 2 * 512 * 512 * 4
    query = 2 * 512 * 32 * 4
    assert result.weights_bytes + query <= result.peak_bytes
    assert result.peak_bytes < result.weights_bytes + 1.5 * query
    assert result.peak_bytes <= scaling.required_bytes(512, heads=2, width=32)


def test_peak_memory_counts_what_was_freed_again_and_leaves_tracing_as_it_was():
    def grow_and_shrink():
        np.ones(1_000_000)
        return np.ones(10)

    assert 8_000_000 <= scaling.peak_bytes(grow_and_shrink) < 8_100_000
    assert not tracemalloc.is_tracing()
    tracemalloc.start()
    try:
        scaling.peak_bytes(grow_and_shrink)
        assert tracemalloc.is_tracing()
    finally:
        tracemalloc.stop()


def test_what_does_not_fit_is_refused_with_both_figures():
    scaling.check_fits(100_000, available=51_000_000_000)
    with pytest.raises(ValueError, match=r"100,000 tokens with 1 head .*40\.1 GB.*32 GB.*40 GB"):
        scaling.check_fits(100_000, available=40_000_000_000)
    with pytest.raises(ValueError, match="with 12 heads"):
        scaling.check_fits(100_000, heads=12, available=40_000_000_000)


def test_a_sweep_refuses_at_once_what_does_not_fit(monkeypatch):
    monkeypatch.setattr(scaling, "available_bytes", lambda: 1_000_000)
    with pytest.raises(ValueError, match=r"5\.02 MB"):
        scaling.sweep([8, 1000])


def test_free_memory_respects_the_limit_of_a_container(tmp_path):
    assert 0 < scaling.available_bytes() < 2**60
    assert scaling._container_bytes(tmp_path) > 2**60
    (tmp_path / "memory.current").write_text("700\n")
    (tmp_path / "memory.stat").write_text("anon 300\ninactive_file 150\n")
    (tmp_path / "memory.max").write_text("max\n")
    assert scaling._container_bytes(tmp_path) > 2**60
    (tmp_path / "memory.max").write_text("1000\n")
    assert scaling._container_bytes(tmp_path) == 1000 - 700 + 150


@pytest.mark.parametrize(
    ("size", "text"),
    [
        (0, "0 bytes"),
        (999, "999 bytes"),
        (1000, "1 kB"),
        (999_999, "1 MB"),
        (67_108_864, "67.1 MB"),
        (4e12, "4 TB"),
        (4e15, "4,000 TB"),
    ],
)
def test_sizes_for_people(size, text):
    assert scaling.human_bytes(size) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (3.16e-5, "31.6 µs"),
        (9.999e-4, "1 ms"),
        (0.2, "200 ms"),
        (1.0, "1 s"),
        (60, "60 s"),
        (2600, "43.3 minutes"),
        (5400, "1.5 hours"),
        (172_800, "2 days"),
        (86_400 * math.pi * 1000, "3,142 days"),
    ],
)
def test_durations_for_people(seconds, text):
    assert scaling.human_seconds(seconds) == text
