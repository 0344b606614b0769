"""How well trained networks do the library task, by the number of books: the run and its search.

`python -m attention.learning.measure > attention/learning/accuracies.json` makes it anew,
in up to five hours; `--seeds 1 --steps 200 --lengths 1 4` tries it in less than a minute.

The learning rate of each network is found by a search over three: at 8 books the one with the
highest accuracy, mean over two seeds that are not measured, after as many steps as are measured.
A training ends when the accuracy over its last 20 batches of 64, each seen for the first time, is
99.5 %, or after these steps; what is given is the accuracy after it, on 20 more.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from statistics import fmean

from attention.learning.network import Network, equally_large
from attention.learning.networks import (
    AttentionNetwork,
    ConvolutionNetwork,
    GruNetwork,
    TanhNetwork,
)
from attention.learning.tasks import LIBRARY
from attention.learning.training import TrainingSettings, accuracy, train
from attention.scaling.runs import Facts, record

LEARNING_KIND = "accuracy in the library"
LEARNING_COMMAND = "python -m attention.learning.measure"
BOOKS = (1, 2, 4, 8, 16, 32)
LEARNING_RATES = (0.001, 0.003, 0.01)
_GOAL, _SEARCHED_AT, _SEARCH_SEEDS = 0.995, 8, (1000, 1001)
_SEEDS, _STEPS, _WIDTH = 10, 6000, 32
_DEPTH = 5  # layers of a convolution that reaches 63 tokens: the whole shelf at any n


@dataclass(frozen=True)
class AccuracyPoint:
    """One network at one number of books: how each seed ended."""

    series: str
    n: int
    parameters: int
    rate: float
    accuracies: tuple[float, ...]
    steps: tuple[int, ...]  # until the goal, or all


def contestants() -> dict[str, Network]:
    """Return the networks that are compared, by the names of their series.

    Attention, and a tanh network and a convolution with as many parameters within 10 %; GRUs from
    one with more parameters than attention up, so that none is starved.

    >>> for name, network in contestants().items():
    ...     print(name, network.parameter_count())
    attention, width 32 5168
    GRU, width 32 8336
    GRU, width 64 28944
    GRU, width 128 107024
    tanh network, width 37 5196
    convolution, width 16 4976
    """
    attention = AttentionNetwork(LIBRARY, _WIDTH)
    size = attention.parameter_count()
    networks: list[Network] = [
        attention,
        *(GruNetwork(LIBRARY, width) for width in (_WIDTH, 64, 128)),
        equally_large(lambda width: TanhNetwork(LIBRARY, width), size),
        equally_large(lambda width: ConvolutionNetwork(LIBRARY, width, depth=_DEPTH), size),
    ]
    return {f"{network.kind}, width {network.width}": network for network in networks}


def best_rate(network: Network, steps: int) -> float:
    """Return the rate of `LEARNING_RATES` with the highest accuracy, as the module describes."""

    def mean_accuracy(rate: float) -> float:
        runs = [
            TrainingSettings(_SEARCHED_AT, steps, rate=rate, seed=seed) for seed in _SEARCH_SEEDS
        ]
        return fmean(_trained(network, settings)[0] for settings in runs)

    return max(LEARNING_RATES, key=mean_accuracy)


def accuracy_points(
    networks: Mapping[str, Network],
    lengths: Sequence[int],
    *,
    seeds: int,
    steps: int,
    rate: Callable[[Network, int], float] = best_rate,
) -> Iterator[AccuracyPoint]:
    """Train every network at every number of books; yield what each pair came to."""
    for name, network in networks.items():
        chosen = rate(network, steps)
        for n in lengths:
            runs = [
                TrainingSettings(n, steps, rate=chosen, seed=seed, goal=_GOAL)
                for seed in range(seeds)
            ]
            ends = [_trained(network, settings) for settings in runs]
            yield AccuracyPoint(
                name,
                n,
                network.parameter_count(),
                chosen,
                tuple(end[0] for end in ends),
                tuple(end[1] for end in ends),
            )


def learning_json(points: Sequence[AccuracyPoint], *, seeds: int, steps: int) -> str:
    """Return the text of the file: points with the date, the machine and the settings."""
    settings: Facts = {"seeds": seeds, "steps at most": steps, "goal": _GOAL, "batch": 64}
    run = asdict(record(LEARNING_KIND, settings, ()))
    return json.dumps({**run, "points": [asdict(point) for point in points]}, indent=1)


def _trained(network: Network, settings: TrainingSettings) -> tuple[float, int]:
    """Return the accuracy on new batches after training, and its steps."""
    (end,) = train(network, settings, at=())
    return accuracy(network, end.parameters, settings), end.step


def _main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=_SEEDS)
    parser.add_argument("--steps", type=int, default=_STEPS)
    parser.add_argument("--lengths", type=int, nargs="+", default=BOOKS)
    arguments = parser.parse_args()
    seeds, steps, points = arguments.seeds, arguments.steps, []
    for point in accuracy_points(contestants(), arguments.lengths, seeds=seeds, steps=steps):
        print(point, file=sys.stderr, flush=True)
        points.append(point)
    print(learning_json(points, seeds=seeds, steps=steps))


if __name__ == "__main__":
    _main()
