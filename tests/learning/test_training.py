"""Training: repeatable, stoppable, and what is learned."""

from itertools import islice

import numpy as np
import pytest
from threadpoolctl import threadpool_info

from attention.learning.networks import AttentionNetwork, GruNetwork
from attention.learning.tasks import FIRST_WORD, LIBRARY, MAJORITY, MARKED_WORD
from attention.learning.training import Moments, TrainingSettings, accuracy, adam, train

NETWORK = AttentionNetwork(LIBRARY, 32)


def last(network, settings):
    (state,) = train(network, settings, at=())
    return state


def test_a_seed_gives_the_same_states():
    settings = TrainingSettings(n=4, steps=12, seed=5)
    for one, other in zip(train(NETWORK, settings), train(NETWORK, settings), strict=True):
        assert one[:4] == other[:4]
        assert (one.weights == other.weights).all()
        assert all(
            (one.parameters[name] == other.parameters[name]).all() for name in NETWORK.shapes()
        )
    assert one.loss != last(NETWORK, TrainingSettings(n=4, steps=12, seed=6)).loss


def test_what_is_asked_for_does_not_change_what_is_learned():
    settings = TrainingSettings(n=4, steps=12)
    every = {state.step: state for state in train(NETWORK, settings)}
    some = list(train(NETWORK, settings, at=range(0, 13, 5)))
    assert list(every) == list(range(13))
    assert [state.step for state in some] == [0, 5, 10, 12]
    assert [state.done for state in some] == [False, False, False, True]
    for state in some:
        assert state[:4] == every[state.step][:4]


def test_training_stops_when_nobody_asks_and_keeps_what_there_is():
    states = list(islice(train(NETWORK, TrainingSettings(n=4, steps=10**9)), 4))
    assert [state.step for state in states] == [0, 1, 2, 3]
    first = states[0].parameters["query"]
    assert (first != states[3].parameters["query"]).any()  # each state has its own


def test_between_two_states_blas_has_its_threads():
    before = blas_threads()
    states = train(NETWORK, TrainingSettings(n=4))
    next(states)
    assert blas_threads() == before


def blas_threads():
    return [blas["num_threads"] for blas in threadpool_info() if blas["user_api"] == "blas"]


def test_it_stops_at_its_goal():
    state = last(NETWORK, TrainingSettings(n=2, steps=10**6, goal=0.9))
    assert state.done
    assert 0.9 <= state.recent < 0.95


def test_the_first_loss_is_that_of_chance():
    first = next(train(NETWORK, TrainingSettings(n=8)))
    assert first.loss == pytest.approx(np.log(16), rel=0.1)
    np.testing.assert_allclose(first.weights, 1 / 8, rtol=0.25)


@pytest.mark.slow
def test_attention_learns_the_library():
    """In about 75 steps; `tests/benchmarks/learning.py` has twenty seeds and the seconds."""
    for seed in range(3):
        end = last(NETWORK, TrainingSettings(n=16, steps=200, seed=seed, goal=0.995))
        assert end.recent >= 0.995
        right = end.weights[:, 0].diagonal()
        assert right.mean() > 0.8
        assert accuracy(NETWORK, end.parameters, TrainingSettings(n=16)) > 0.99


@pytest.mark.slow
def test_a_gru_holds_one_marked_word_and_not_eight_books():
    """Not unfair to either: what a state of 32 numbers can and cannot hold after 300 steps."""
    marked = last(GruNetwork(MARKED_WORD, 32), TrainingSettings(n=32, steps=300, goal=0.98))
    assert marked.recent >= 0.98
    assert last(GruNetwork(LIBRARY, 32), TrainingSettings(n=8, steps=300)).recent < 0.5


@pytest.mark.slow
def test_the_first_word_needs_positions():
    without = AttentionNetwork(FIRST_WORD, 32)
    assert last(without, TrainingSettings(n=8, steps=300)).recent < 0.4
    with_positions = AttentionNetwork(FIRST_WORD, 32, longest=9)
    assert last(with_positions, TrainingSettings(n=8, steps=300)).recent > 0.99


@pytest.mark.slow
def test_the_majority_needs_no_choice():
    end = last(AttentionNetwork(MAJORITY, 32), TrainingSettings(n=9, steps=300))
    assert end.recent > 0.95


def test_adam_by_hand():
    """Gradients 1, then 0: m = 0.09 and v = 0.000999, over 1 - 0.9^2 = 0.19 and 0.001999."""
    moments, change = adam(Moments(0, np.zeros(1), np.zeros(1)), np.ones(1), rate=0.1)
    assert change[0] == pytest.approx(0.1)
    moments, change = adam(moments, np.zeros(1), rate=0.1)
    assert change[0] == pytest.approx(0.1 * (0.09 / 0.19) / np.sqrt(0.000999 / 0.001999))
    assert moments.steps == 2


@pytest.mark.parametrize("wrong", [{"steps": -1}, {"rate": 0.0}, {"rate": float("nan")}])
def test_refusals(wrong):
    with pytest.raises(ValueError, match="steps must be at least 0 and the rate above 0"):
        TrainingSettings(n=4, **wrong)
