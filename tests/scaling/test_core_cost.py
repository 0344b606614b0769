from itertools import pairwise

import numpy as np
import pytest

from attention.core import attention_weights
from attention.runtime import limits, timing
from attention.scaling import core_cost


@pytest.fixture
def quick(monkeypatch):
    monkeypatch.setattr(timing, "_WARM_UP_SECONDS", 1e-4)
    monkeypatch.setattr(timing, "_ROUND_SECONDS", 1e-5)
    monkeypatch.setattr(timing, "_REPORT_SECONDS", 0.0)
    monkeypatch.setattr(timing, "_SETTLE_SECONDS", 0.0)


def test_the_ladder_has_two_lengths_per_doubling_and_ends_at_the_maximum():
    assert core_cost.default_lengths(512) == (64, 96, 128, 192, 256, 384, 512)
    assert core_cost.default_lengths(500) == (64, 96, 128, 192, 256, 384, 500)
    assert core_cost.default_lengths(64) == (64,)
    assert core_cost.default_lengths(10) == (10,)


@pytest.mark.parametrize("maximum", [1, 63, 65, 97, 1000, 4096, 100_000])
def test_the_ladder_ascends(maximum):
    lengths = core_cost.default_lengths(maximum)
    assert list(lengths) == sorted(set(lengths))
    assert lengths[-1] == maximum
    assert all(b <= 1.5 * a for a, b in pairwise(lengths))


def test_a_sweep_gives_one_result_per_length_in_order(quick):
    results = list(core_cost.sweep([4, 32, 16], width=8, heads=3, repeats=4))
    assert [result.n for result in results] == [4, 32, 16]
    for result in results:
        assert (result.heads, result.width, result.total.rounds) == (3, 8, 4)
        assert result.total.calls >= 1
        assert 0 <= result.others <= 1
        for time in (result.total, result.scores, result.softmax, result.output):
            assert 0 < time.low <= time.median <= time.high


def test_a_sweep_can_be_stopped_after_one_result(quick, monkeypatch):
    made = []
    measure = core_cost._measure
    monkeypatch.setattr(core_cost, "_measure", lambda *args: made.append(args) or measure(*args))
    results = core_cost.sweep([8, 16, 32], repeats=3)
    assert next(results).n == 8
    results.close()
    assert len(made) == 1


def test_a_sweep_can_be_stopped_between_two_rounds(quick):
    class Stop(BaseException):
        pass

    def stop(share):
        raise Stop

    with pytest.raises(Stop):
        list(core_cost.sweep([8], on_progress=stop))


def test_progress_grows_with_the_square_of_the_length(quick):
    shares = []
    list(core_cost.sweep([10, 30], repeats=3, on_progress=shares.append))
    assert shares[2] == pytest.approx(0.1)  # 10^2 of 10^2 + 30^2
    assert shares == sorted(shares)
    assert shares[-1] == 1.0


def test_the_timed_steps_are_the_whole_call(monkeypatch):
    """Each step is called once and works on what the step before it made."""
    seen = {}
    softmax = core_cost.softmax_in_place
    monkeypatch.setattr(
        core_cost, "softmax_in_place", lambda scores: seen.update(weights=softmax(scores))
    )
    query, key, value = np.random.default_rng(0).standard_normal((3, 2, 5, 4))
    core_cost._time_steps(query, key, value)
    np.testing.assert_array_equal(seen["weights"], attention_weights(query, key))


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
        core_cost.sweep(**{"lengths": [8], **arguments})


def test_memory_of_the_weights_by_hand():
    assert core_cost.weights_bytes(1000) == 4_000_000
    assert core_cost.weights_bytes(100, heads=12) == 480_000
    # 2 heads x 4 bytes x (10 x 10 weights + query, key, value and output of 10 x 3)
    assert core_cost.required_bytes(10, heads=2, width=3) == 2 * 4 * (100 + 4 * 30)


def test_measured_memory_is_the_weights_and_one_more_array_of_the_size_of_the_query():
    result = next(core_cost.sweep([512], width=32, heads=2, repeats=3))
    assert result.weights_bytes == 2 * 512 * 512 * 4
    query = 2 * 512 * 32 * 4
    assert result.weights_bytes + query <= result.peak_bytes
    assert result.peak_bytes < result.weights_bytes + 1.5 * query
    assert result.peak_bytes <= core_cost.required_bytes(512, heads=2, width=32)


def test_what_does_not_fit_is_refused_with_both_figures():
    core_cost.check_fits(100_000, available=51_000_000_000)
    with pytest.raises(ValueError, match=r"100,000 tokens with 1 head .*40\.1 GB.*32 GB.*40 GB"):
        core_cost.check_fits(100_000, available=40_000_000_000)
    with pytest.raises(ValueError, match="with 12 heads"):
        core_cost.check_fits(100_000, heads=12, available=40_000_000_000)


def test_a_server_can_allow_less_for_a_measurement(monkeypatch):
    core_cost.check_fits(5_000, available=10**12)
    monkeypatch.setenv(limits.MEGABYTES_ALLOWED, "100")
    core_cost.check_fits(4_800, available=10**12)
    with pytest.raises(ValueError, match=r"5,000 tokens need 105 MB.*this server allows 100 MB"):
        core_cost.check_fits(5_000, available=10**12)
    with pytest.raises(ValueError, match="this server allows"):
        core_cost.sweep([131_072], heads=12)


def test_a_sweep_refuses_at_once_what_does_not_fit(monkeypatch):
    monkeypatch.setattr(core_cost, "available_bytes", lambda: 1_000_000)
    with pytest.raises(ValueError, match=r"5\.02 MB"):
        core_cost.sweep([8, 1000])


def test_memory_is_measured_for_each_method_at_each_length():
    methods = {
        "small": lambda q, k, v: q + 1,
        "large": lambda q, k, v: np.ones((q.size, q.size), q.dtype),
    }
    found = list(core_cost.peaks(methods, [10, 1000], width=1))
    assert [(peak.method, peak.n) for peak in found] == [
        ("small", 10), ("large", 10), ("small", 1000), ("large", 1000),
    ]  # fmt: skip
    assert 4_000 <= found[2].bytes < 5_000
    assert 4_000_000 <= found[3].bytes < 4_010_000
