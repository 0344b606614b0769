"""What a reader sees learn: the settings, the networks that they make, and pictures of both.

Axes: `R` examples that are looked at, `H` head, `n` tokens before the one that asks.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

from attention.arrays import Array
from attention.learning.network import Network, equally_large
from attention.learning.networks import (
    AttentionNetwork,
    ConvolutionNetwork,
    GruNetwork,
    TanhNetwork,
)
from attention.learning.tasks import FIRST_WORD, LIBRARY, MAJORITY, Batch, Task, word_back
from attention.learning.training import TrainingSettings, TrainingState, train
from attention.runtime.threads import one_blas_thread

MOST_PICTURES = 60
REACHES = {7: 2, 15: 3, 31: 4, 63: 5}  # tokens -> layers of a convolution
TASKS = {
    "library": "The library",
    "back": "The word k back",
    "first": "The first word",
    "majority": "The majority",
}
NETWORKS = {
    "none": "nothing",
    "gru": "a GRU",
    "tanh": "a tanh network",
    "convolution": "a convolution",
}


@dataclass(frozen=True)
class Experiment:
    """Attention that learns a task, and another network beside it, on the same batches.

    The other one has as many parameters, within 10 %, and learns at the same rate.
    """

    task_code: str = "library"
    n: int = 8
    back: int = 2
    width: int = 32
    heads: int = 1
    positions: bool = False
    steps: int = 200
    rate: float = 0.01
    seed: int = 0
    beside: str = "gru"
    reach: int = 15

    @property
    def task(self) -> Task:
        """What is learned."""
        others = {"library": LIBRARY, "first": FIRST_WORD, "majority": MAJORITY}
        return others.get(self.task_code) or word_back(self.back)

    @property
    def network(self) -> AttentionNetwork:
        """The network with attention."""
        longest = self.n + 1 if self.positions else 0
        return AttentionNetwork(self.task, self.width, self.heads, longest)

    @property
    def other(self) -> Network | None:
        """The network beside it, if there is one."""
        if self.beside == "none":
            return None
        return equally_large(self._builder(), self.network.parameter_count())

    @property
    def settings(self) -> TrainingSettings:
        """How both are trained."""
        return TrainingSettings(self.n, self.steps, rate=self.rate, seed=self.seed)

    @property
    def stride(self) -> int:
        """How many steps lie between two pictures."""
        return math.ceil(self.steps / MOST_PICTURES)

    @property
    def looked_at(self) -> Batch:
        """The examples whose weights every picture has."""
        return self.settings.looked_at(self.network)

    @property
    def series(self) -> tuple[str, ...]:
        """The names of the networks, each with its width."""
        named = [network_name(self.network)]
        return tuple(named if self.other is None else [*named, network_name(self.other)])

    def _builder(self) -> Callable[[int], Network]:
        task, depth = self.task, REACHES[self.reach]
        if self.beside == "convolution":
            return lambda width: ConvolutionNetwork(task, width, depth=depth)
        build = {"gru": GruNetwork, "tanh": TanhNetwork}[self.beside]
        return lambda width: build(task, width)


class Mark(NamedTuple):
    """How a network does on examples that it has not seen."""

    loss: float  # nats, of one batch
    accuracy: float  # mean of the last 20 batches


class Picture(NamedTuple):
    """All that is shown of one step."""

    step: int
    progress: tuple[Mark, ...]  # of attention, and of the network beside it
    weights: Array  # (R, H, n)
    gradients: Array  # (R, H, n) of each example's loss with respect to the scores, in nats


def network_name(network: Network) -> str:
    """Return what a network is called.

    >>> network_name(Experiment().network)
    'attention, width 32'
    """
    return f"{network.kind}, width {network.width}"


def pictures(experiment: Experiment) -> Iterator[Picture]:
    """Train, and yield a picture now and then, the first one before anything is learned.

    >>> first, *_, last = pictures(Experiment(n=4, steps=100, beside="none"))
    >>> first.weights.max(), last.progress[0].accuracy > 0.95
    (np.float32(0.25), True)
    """
    at = range(0, experiment.steps + 1, experiment.stride)
    networks = [experiment.network, *([experiment.other] if experiment.other else [])]
    runs = [train(network, experiment.settings, at) for network in networks]
    for states in zip(*runs, strict=True):
        with one_blas_thread():  # as in training; not held at a yield
            picture = _picture(experiment, states)
        yield picture


def _picture(experiment: Experiment, states: tuple[TrainingState, ...]) -> Picture:
    network, attends = experiment.network, states[0]
    assert attends.weights is not None  # it is attention's state
    return Picture(
        attends.step,
        tuple(Mark(state.loss, state.recent) for state in states),
        attends.weights,
        network.score_gradients(attends.parameters, experiment.looked_at),
    )
