"""The stored comparison: what is compared, how rates and steps are chosen, what the file says."""

import json
from statistics import fmean

import pytest

from attention.learning import measure
from attention.learning.measure import (
    LEARNING_RATES,
    Choice,
    End,
    Seen,
    accuracy_points,
    best_choice,
    chosen,
    contestants,
    learning_json,
    learning_points,
)
from attention.learning.networks import AttentionNetwork, ConvolutionNetwork
from attention.learning.tasks import LIBRARY, TITLES
from attention.learning.training import Learner, TrainingSettings, accuracy, train


def test_the_small_contestants_are_equally_large_and_no_gru_is_starved():
    networks = contestants().values()
    size = next(n.parameter_count() for n in networks if n.kind == "attention")
    for network in networks:
        if network.kind == "GRU":
            assert network.parameter_count() > size
        else:
            assert abs(network.parameter_count() / size - 1) <= 0.1
    assert len(contestants()) == 6


def test_the_convolution_reaches_the_whole_shelf():
    (network,) = (n for n in contestants().values() if isinstance(n, ConvolutionNetwork))
    assert network.reach() >= TITLES + 1


@pytest.mark.slow
def test_a_small_run():
    networks = {"small": AttentionNetwork(LIBRARY, 16), "smaller": AttentionNetwork(LIBRARY, 8)}
    points, again = (
        list(accuracy_points(networks, [1, 4], seeds=2, choose=lambda _: Choice(0.01, 60)))
        for _ in range(2)
    )
    assert points == again
    assert [(p.series, p.n) for p in points] == [(name, n) for n in (1, 4) for name in networks]
    assert all(0 <= a <= 1 for point in points for a in point.accuracies)
    content = json.loads(learning_json(points, seeds=2, steps=60))
    assert content["kind"] == "accuracy of trained networks"
    assert content["settings"]["seeds"] == 2
    assert learning_points(content) == points


def test_whoever_leaves_a_comparison_is_heard_within_a_training(monkeypatch):
    steps, learn = [], Learner.learn

    class Left(Exception):
        pass

    def report(share):
        shares.append(share)
        if len(shares) == 3:
            raise Left

    shares = []
    monkeypatch.setattr(Learner, "learn", lambda *own: steps.append(1) or learn(*own))
    with pytest.raises(Left):
        list(
            accuracy_points(
                {"small": AttentionNetwork(LIBRARY, 8)}, [1], seeds=5,
                choose=lambda _: Choice(1e-6, 10**9), on_progress=report,
            )
        )  # fmt: skip
    assert len(steps) == 2 * measure.STEPS_TOLD
    assert shares == sorted(shares)


def test_more_books_have_fewer_steps_only_where_that_is_asked(monkeypatch):
    allowed = []

    def end(network, settings, report):
        allowed.append(settings.steps)
        return End(0.5, settings.steps)

    monkeypatch.setattr(measure, "training_end", end)
    for limited in (True, False):
        list(
            accuracy_points(
                {"small": AttentionNetwork(LIBRARY, 8)}, [4, 16], seeds=1,
                choose=lambda _: Choice(0.01, 2000), limited=limited,
            )
        )  # fmt: skip
    assert allowed == [2000, 1500, 2000, 2000]


@pytest.mark.slow
def test_the_search_takes_a_rate_that_learns_and_keeps_what_it_saw():
    network = AttentionNetwork(LIBRARY, 32)
    found = best_choice(network, steps=80)
    assert (found.rate, found.steps) == (0.01, 80)
    assert [len(looks) for looks in found.seen] == [4] * len(LEARNING_RATES)
    ends = []
    for seed in (1000, 1001):
        settings = TrainingSettings(4, 80, rate=0.003, seed=seed)
        *_, half, _ = train(network, settings, at=[40])
        ends.append(accuracy(network, half.parameters, settings))
    assert found.seen[1][2] == pytest.approx(fmean(ends))


def test_of_rates_that_are_as_good_the_faster_one_is_taken():
    slow, fast = Seen((0.2, 0.5, 0.9, 1.0), 60), Seen((0.8, 0.995, 0.995, 0.995), 20)
    bad = Seen((0.2, 0.5, 0.9, 0.98), 5)
    choice = chosen([[slow, slow], [fast, fast], [bad, bad]], 80)
    assert (choice.rate, choice.steps, choice.last_doubling) == (0.003, 20, 0.0)
    gaining = chosen([[bad, slow], [bad, bad], [bad, bad]], 80)
    assert (gaining.rate, gaining.steps) == (0.001, 80)
    assert gaining.last_doubling == pytest.approx(0.09)
