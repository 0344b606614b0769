from collections import Counter

import pytest

from attention.runtime import timing


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    monkeypatch.setattr(timing, "_WARM_UP_SECONDS", 1e-4)
    monkeypatch.setattr(timing, "_REPORT_SECONDS", 0.0)
    monkeypatch.setattr(timing, "_SETTLE_SECONDS", 0.0)


def test_clocks_take_turns_and_short_ones_are_averaged():
    order, shares = [], []

    def clock(name, seconds):
        return lambda: order.append(name) or seconds

    times = timing.in_turn([clock("a", [1e-3, 2e-3]), clock("b", [6e-3])], 4, shares.append)
    assert shares == [0.25, 0.5, 0.75, 1.0]
    assert "".join(order) == "ab" + "ab" * 4  # both last a round; the first turn tells how long
    assert [(t.median, t.low, t.high, t.rounds) for t in times] == [
        (1e-3, 1e-3, 1e-3, 4), (2e-3, 2e-3, 2e-3, 4), (6e-3, 6e-3, 6e-3, 4),
    ]  # fmt: skip
    order.clear()
    fast, slow = timing.in_turn([clock("f", [1e-3]), clock("s", [1.0])], 5)
    assert (fast.calls, slow.calls) == (3, 1)
    assert Counter(order) == {"f": 1 + 3 * 4, "s": 1 + 4}  # four rounds of 1 s fit into 5 s


def test_slow_work_gets_fewer_rounds_but_at_least_three():
    [time] = timing.in_turn([lambda: [100.0]], 50)
    assert time.rounds == 3
    [time] = timing.in_turn([lambda: [0.1]], 50, most_seconds=0.65)
    assert time.rounds == 6


def test_the_median_and_the_ends_by_hand():
    seconds = iter([0.01, 0.03, 0.01, 0.02])
    [time] = timing.in_turn([lambda: [next(seconds)]], 3)
    assert (time.median, time.low, time.high) == (0.02, 0.01, 0.03)
    assert time.spread == 2.0


def test_progress_counts_the_size_of_each_job():
    def job(result, *own):
        return lambda on_progress: [on_progress(share) for share in own] and result

    shares = []
    jobs = [(1.0, job("a", 0.5, 1.0)), (3.0, job("b", 1.0))]
    assert list(timing.in_order(jobs, shares.append)) == ["a", "b"]
    assert shares == [0.125, 0.25, 1.0]
    assert list(timing.in_order(jobs, None)) == ["a", "b"]


def test_progress_is_shown_seldom(monkeypatch):
    monkeypatch.setattr(timing, "_REPORT_SECONDS", 60.0)
    shares = []
    jobs = [(1.0, lambda on_progress: on_progress(0.5))] * 4
    list(timing.in_order(jobs, shares.append))
    assert shares == [0.125]


def test_a_warm_up_calls_at_least_once():
    assert timing.warm_up(lambda: "done")[0] == "done"
