"""The stored comparison: what is compared, how its rate is chosen, and what the file says."""

import json

import pytest

from attention.learning.measure import (
    LEARNING_RATES,
    accuracy_points,
    best_rate,
    contestants,
    learning_json,
)
from attention.learning.networks import AttentionNetwork, ConvolutionNetwork
from attention.learning.tasks import LIBRARY, TITLES


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
    networks = {"small": AttentionNetwork(LIBRARY, 16)}
    points = list(
        accuracy_points(networks, [1, 4], seeds=2, steps=60, rate=lambda network, steps: 0.01)
    )
    again = list(
        accuracy_points(networks, [1, 4], seeds=2, steps=60, rate=lambda network, steps: 0.01)
    )
    assert points == again
    assert [point.n for point in points] == [1, 4]
    assert all(0 <= a <= 1 for point in points for a in point.accuracies)
    content = json.loads(learning_json(points, seeds=2, steps=60))
    assert content["kind"] == "accuracy of trained networks"
    assert content["settings"]["seeds"] == 2
    assert [len(point["accuracies"]) for point in content["points"]] == [2, 2]


@pytest.mark.slow
def test_the_rate_that_is_chosen_is_one_that_learns():
    assert best_rate(AttentionNetwork(LIBRARY, 32), steps=60) == max(LEARNING_RATES)
