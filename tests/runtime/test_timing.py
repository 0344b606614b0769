from collections import Counter

import pytest

from attention.runtime import timing


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    monkeypatch.setattr(timing, "_WARM_UP_SECONDS", 1e-4)
    monkeypatch.setattr(timing, "_REPORT_SECONDS", 0.0)
    monkeypatch.setattr(timing, "_SETTLE_SECONDS", 0.0)


def finished(work):
    """Return what a generator yields and what it returns."""
    yielded = []
    while True:
        try:
            yielded.append(next(work))
        except StopIteration as end:
            return yielded, end.value


def test_clocks_take_turns_and_short_ones_are_averaged():
    order = []

    def clock(name, seconds):
        return lambda: order.append(name) or seconds

    shares, times = finished(timing.in_turn([clock("a", [1e-3, 2e-3]), clock("b", [6e-3])], 4))
    assert shares == [0.25, 0.5, 0.75, 1.0]
    assert "".join(order) == "ab" + "ab" * 4  # both last a round; the first turn tells how long
    assert [(t.median, t.low, t.high, t.rounds) for t in times] == [
        (1e-3, 1e-3, 1e-3, 4), (2e-3, 2e-3, 2e-3, 4), (6e-3, 6e-3, 6e-3, 4),
    ]  # fmt: skip
    order.clear()
    _, [fast, slow] = finished(timing.in_turn([clock("f", [1e-3]), clock("s", [1.0])], 5))
    assert (fast.calls, slow.calls) == (3, 1)
    assert Counter(order) == {"f": 1 + 3 * 4, "s": 1 + 4}  # four rounds of 1 s fit into 5 s


def test_slow_work_gets_fewer_rounds_but_at_least_three():
    _, [time] = finished(timing.in_turn([lambda: [100.0]], 50))
    assert time.rounds == 3


def test_the_median_and_the_ends_by_hand():
    seconds = iter([0.01, 0.03, 0.01, 0.02])
    _, [time] = finished(timing.in_turn([lambda: [next(seconds)]], 3))
    assert (time.median, time.low, time.high) == (0.02, 0.01, 0.03)
    assert time.spread == 2.0


def test_progress_counts_the_size_of_each_job():
    shares = []
    jobs = [(1.0, iter([0.5, 1.0, "a"])), (3.0, iter([1.0, "b"]))]
    assert list(timing.in_order(jobs, 4.0, shares.append)) == ["a", "b"]
    assert shares == [0.125, 0.25, 1.0]


def test_a_warm_up_calls_at_least_once():
    assert timing.warm_up(lambda: "done")[0] == "done"
