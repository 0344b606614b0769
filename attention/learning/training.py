"""Training: one generator of states, which a page, a notebook, tests and a benchmark all use.

Every batch is drawn anew, so the loss and the accuracy on it before the network learns from it are
those on examples that it has never seen. The same settings give the same states.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Container, Iterator, Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from attention.arrays import Array
from attention.learning.layers import cross_entropy
from attention.learning.network import Answers, Network, Parameters
from attention.learning.tasks import Batch
from attention.runtime.threads import one_blas_thread

RECENT = 20  # batches that an accuracy is the mean over
_INITIAL, _EXAMPLES, _LOOKED_AT = range(3)  # of one seed, what numbers are drawn for


class Moments(NamedTuple):
    """What Adam remembers: running means of the gradient and of its square."""

    steps: int
    mean: Array
    square: Array


@dataclass(frozen=True)
class TrainingSettings:
    """How a network is trained; stops when the mean accuracy of 20 new batches reaches `goal`."""

    n: int
    steps: int = 300
    batch: int = 64
    rate: float = 0.01
    seed: int = 0
    goal: float = math.inf  # never

    def __post_init__(self) -> None:
        """Refuse what is no training."""
        if self.steps < 0 or not self.rate > 0:
            raise ValueError(
                f"steps must be at least 0 and the rate above 0, got {self.steps}, {self.rate}"
            )

    def examples(self, network: Network, step: int) -> Batch:
        """Return the batch of one step."""
        return network.task.batch(self.n, self.batch, (self.seed, _EXAMPLES, step))

    def looked_at(self, network: Network) -> Batch:
        """Return the examples whose weights every state has."""
        return network.task.example(self.n, (self.seed, _LOOKED_AT))


class TrainingState(NamedTuple):
    """A network after `step` steps, and how it does on examples that it has not seen."""

    step: int
    loss: float  # nats, of the next batch
    accuracy: float  # of the next batch
    recent: float  # mean accuracy of it and the 19 before, each seen for the first time
    weights: Array | None  # (R, H, n) of attention in the examples that are looked at
    parameters: Mapping[str, Array]  # a copy
    done: bool


def train(
    network: Network, settings: TrainingSettings, at: Container[int] | None = None
) -> Iterator[TrainingState]:
    """Yield the state before each step in `at` (all, without it), and the last one.

    Whoever stops asking stops the training.

    >>> from attention.learning.networks import AttentionNetwork
    >>> from attention.learning.tasks import LIBRARY
    >>> network, settings = AttentionNetwork(LIBRARY, 32), TrainingSettings(n=4, steps=150)
    >>> first, last = train(network, settings, at=[0])
    >>> first.recent < 0.2, last.recent > 0.95
    (True, True)
    """
    states = _states(network, settings, at)
    while True:
        with one_blas_thread():  # matrices this small are not worth sharing; not held at a yield
            state = next(states, None)
        if state is None:
            return
        yield state


class Learner:
    """A network, its parameters, and what Adam remembers of them."""

    def __init__(self, network: Network, parameters: Parameters, rate: float) -> None:
        """Begin with a copy of these parameters."""
        self.network, self.rate = network, rate
        self._flat, self.parameters = _side_by_side(parameters)
        self._gradient, self._named = _side_by_side(parameters)
        self._moments = Moments(0, np.zeros_like(self._flat), np.zeros_like(self._flat))

    def learn(self, answers: Answers, batch: Batch) -> None:
        """Change the parameters by one step, from answers that were given with them."""
        for name, found in self.network.gradients(self.parameters, answers, batch).items():
            self._named[name][...] = found
        self._moments, change = adam(self._moments, self._gradient, self.rate)
        self._flat -= change


def adam(moments: Moments, gradient: Array, rate: float) -> tuple[Moments, Array]:
    """Return what to remember and what to subtract: about `rate` for each number, by its sign.

    `m = 0.9 m + 0.1 g`, `v = 0.999 v + 0.001 g^2`, both divided by what they lack because they
    began at 0, and then `rate * m / (sqrt(v) + 1e-8)`.

    Source: Kingma and Ba 2015, "Adam: a method for stochastic optimization", algorithm 1.

    >>> start = Moments(0, np.zeros(2), np.zeros(2))
    >>> adam(start, np.array([4.0, -0.1]), rate=0.01)[1].round(6)
    array([ 0.01, -0.01])
    """
    steps = moments.steps + 1
    mean = 0.9 * moments.mean + 0.1 * gradient
    square = 0.999 * moments.square + 0.001 * gradient**2
    size = np.sqrt(square / (1 - 0.999**steps)) + 1e-8
    return Moments(steps, mean, square), rate / (1 - 0.9**steps) * mean / size


def accuracy(network: Network, parameters: Parameters, settings: TrainingSettings) -> float:
    """Return the share of right answers on 20 batches that no training with this seed has seen."""
    steps = range(settings.steps + 1, settings.steps + 1 + RECENT)
    batches = [settings.examples(network, step) for step in steps]
    found = [_accuracy(network.answers(parameters, batch).logits, batch) for batch in batches]
    return sum(found) / RECENT


def _states(
    network: Network, settings: TrainingSettings, at: Container[int] | None
) -> Iterator[TrainingState]:
    learner = Learner(network, network.initial((settings.seed, _INITIAL)), settings.rate)
    recent: deque[float] = deque(maxlen=RECENT)
    for step in range(settings.steps + 1):
        batch = settings.examples(network, step)
        answers = network.answers(learner.parameters, batch)
        recent.append(_accuracy(answers.logits, batch))
        reached = len(recent) == RECENT and sum(recent) >= settings.goal * RECENT
        done = reached or step == settings.steps
        if done or at is None or step in at:
            loss = cross_entropy(answers.logits, batch.answer)
            yield _state(learner, settings, step, loss, recent, done)
        if done:
            return
        learner.learn(answers, batch)


def _accuracy(logits: Array, batch: Batch) -> float:
    return float((logits.argmax(axis=-1) == batch.answer).mean())


def _state(
    learner: Learner,
    settings: TrainingSettings,
    step: int,
    loss: float,
    recent: deque[float],
    done: bool,
) -> TrainingState:
    network, parameters = learner.network, learner.parameters
    weights = network.answers(parameters, settings.looked_at(network)).reading.weights
    copies = {name: array.copy() for name, array in parameters.items()}
    mean = sum(recent) / len(recent)
    return TrainingState(step, loss, recent[-1], mean, weights, copies, done)


def _side_by_side(arrays: Mapping[str, Array]) -> tuple[Array, dict[str, Array]]:
    """Return all numbers as one vector, which Adam changes at once, and views of it by name."""
    flat = np.concatenate([array.ravel() for array in arrays.values()])
    ends = np.cumsum([array.size for array in arrays.values()])
    shapes = [array.shape for array in arrays.values()]
    parts = np.split(flat, ends[:-1])
    return flat, {
        name: part.reshape(shape) for name, part, shape in zip(arrays, parts, shapes, strict=True)
    }
