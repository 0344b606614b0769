"""How well trained networks do a task, by the number of tokens: the run and its search.

`python -m attention.learning.measure attention/learning/accuracies.json` makes it anew; the file
is written after each of its points, and a run that was broken off goes on from there.
`--seeds 1 --steps 200 --lengths 1 4` tries it in less than a minute.

The learning rate of each network is found by a search over three: at 4 tokens the one with the
highest accuracy up to 99 %, mean over two seeds that are not measured, by the same rules as what
is measured; of equal ones the one that took fewer steps.
A training ends when the accuracy over its last 20 batches of 64, each seen for the first time, is
99.5 %, or after 3,000 steps; with more than 8 books after as many as read 24,000 books, in each
place of the batch. What is given is the accuracy after it, on 20 more batches.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from statistics import fmean
from typing import Any, NamedTuple

from attention.learning.network import Network, equally_large
from attention.learning.networks import (
    AttentionNetwork,
    ConvolutionNetwork,
    GruNetwork,
    TanhNetwork,
)
from attention.learning.tasks import LIBRARY, MARKED_WORD, Task
from attention.learning.training import TrainingSettings, accuracy, train
from attention.scaling.runs import Facts, record

LEARNING_KIND = "accuracy of trained networks"
LEARNING_COMMAND = "python -m attention.learning.measure attention/learning/accuracies.json"
BOOKS = (1, 2, 4, 8, 16, 32)
MARKED_LENGTHS = (128,)
LEARNING_RATES = (0.001, 0.003, 0.01)
GOAL, SEARCHED_AT, FULL_LENGTH = 0.995, 4, 8
_SEARCH_SEEDS = (1000, 1001)
_SEEDS, _STEPS, _WIDTH = 10, 3000, 32
_GOOD = 0.99  # of two rates that reach it the faster one is the better
_DEPTH = 5  # layers of a convolution that reaches 63 tokens: the whole shelf at any n


class End(NamedTuple):
    """How one training ended."""

    accuracy: float  # on 20 new batches
    steps: int


@dataclass(frozen=True)
class AccuracyPoint:
    """One network at one number of tokens: how each seed ended."""

    task: str
    series: str
    n: int
    parameters: int
    rate: float
    accuracies: tuple[float, ...]
    steps: tuple[int, ...]  # until the goal, or all
    seconds: float = field(default=0.0, compare=False)  # of all trainings


def contestants() -> dict[str, Network]:
    """Return the networks that are compared in the library, by the names of their series.

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
    return _named(
        attention,
        *(GruNetwork(LIBRARY, width) for width in (_WIDTH, 64, 128)),
        equally_large(lambda width: TanhNetwork(LIBRARY, width), size),
        equally_large(lambda width: ConvolutionNetwork(LIBRARY, width, depth=_DEPTH), size),
    )


def rememberers() -> dict[str, Network]:
    """Return the networks that are asked for one marked word.

    >>> list(rememberers())
    ['attention, width 32', 'GRU, width 32']
    """
    return _named(*(build(MARKED_WORD, _WIDTH) for build in (AttentionNetwork, GruNetwork)))


def best_rate(network: Network, steps: int) -> float:
    """Return the rate of `LEARNING_RATES` that the search finds, as the module describes."""

    def score(rate: float) -> tuple[float, float]:
        runs = [_settings(network, SEARCHED_AT, steps, rate, seed) for seed in _SEARCH_SEEDS]
        ends = [training_end(network, settings) for settings in runs]
        right = fmean(end.accuracy for end in ends)
        return min(right, _GOOD), -fmean(end.steps for end in ends)

    return max(LEARNING_RATES, key=score)


def accuracy_points(
    networks: Mapping[str, Network],
    lengths: Sequence[int],
    *,
    seeds: int,
    steps: int,
    rate: Callable[[Network, int], float] = best_rate,
    known: Sequence[AccuracyPoint] = (),
) -> Iterator[AccuracyPoint]:
    """Train every network at every number of tokens; yield what each pair came to.

    Pairs that are `known` are yielded as they are, and their rates are not searched again.
    """
    for name, network in networks.items():
        have = {p.n: p for p in known if (p.task, p.series) == (network.task.name, name)}
        chosen = next((point.rate for point in have.values()), None)
        for n in lengths:
            if n in have:
                yield have[n]
                continue
            chosen = rate(network, steps) if chosen is None else chosen
            yield _point(
                name, network, [_settings(network, n, steps, chosen, s) for s in range(seeds)]
            )


def steps_allowed(task: Task, n: int, steps: int) -> int:
    """Return after how many steps a training ends at the latest, for any network.

    >>> [steps_allowed(LIBRARY, n, 3000) for n in (1, 8, 16, 32)]
    [3000, 3000, 1500, 750]
    """
    return min(steps, steps * FULL_LENGTH // n) if task is LIBRARY else steps


def training_end(network: Network, settings: TrainingSettings) -> End:
    """Return how a training ends."""
    (end,) = train(network, settings, at=())
    return End(accuracy(network, end.parameters, settings), end.step)


def learning_json(points: Sequence[AccuracyPoint], *, seeds: int, steps: int) -> str:
    """Return the text of the file: points with the date, the machine and the settings."""
    run = asdict(record(LEARNING_KIND, _facts(seeds, steps), ()))
    return json.dumps({**run, "points": [asdict(point) for point in points]}, indent=1)


def learning_points(content: Mapping[str, Any]) -> list[AccuracyPoint]:
    """Return the points of such a file.

    >>> point = AccuracyPoint("library", "GRU", 2, 100, 0.01, (0.5,), (30,))
    >>> learning_points(json.loads(learning_json([point], seeds=1, steps=30))) == [point]
    True
    """
    lists = ("accuracies", "steps")
    return [
        AccuracyPoint(**point | {field: tuple(point[field]) for field in lists})
        for point in content["points"]
    ]


def _named(*networks: Network) -> dict[str, Network]:
    return {f"{network.kind}, width {network.width}": network for network in networks}


def _settings(network: Network, n: int, steps: int, rate: float, seed: int) -> TrainingSettings:
    allowed = steps_allowed(network.task, n, steps)
    return TrainingSettings(n, allowed, rate=rate, seed=seed, goal=GOAL)


def _point(name: str, network: Network, runs: Sequence[TrainingSettings]) -> AccuracyPoint:
    begun = time.perf_counter()
    accuracies, steps = zip(*(training_end(network, settings) for settings in runs), strict=True)
    size, seconds = network.parameter_count(), time.perf_counter() - begun
    task, n, rate = network.task.name, runs[0].n, runs[0].rate
    return AccuracyPoint(task, name, n, size, rate, accuracies, steps, round(seconds, 1))


def _facts(seeds: int, steps: int) -> Facts:
    return {"seeds": seeds, "steps at most": steps, "goal": GOAL, "batch": 64}


def _known(file: Path, seeds: int, steps: int) -> list[AccuracyPoint]:
    """Return the points that the file has already; none if they were made by other settings."""
    content = json.loads(file.read_text()) if file.exists() else {}
    same = content.get("settings") == _facts(seeds, steps)
    return learning_points(content) if same else []


def _main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("file", type=Path)
    parser.add_argument("--seeds", type=int, default=_SEEDS)
    parser.add_argument("--steps", type=int, default=_STEPS)
    parser.add_argument("--lengths", type=int, nargs="+", default=BOOKS)
    arguments = parser.parse_args()
    seeds, steps = arguments.seeds, arguments.steps
    known, points = _known(arguments.file, seeds, steps), list[AccuracyPoint]()
    for networks, lengths in (
        (rememberers(), MARKED_LENGTHS),
        (contestants(), arguments.lengths),
    ):
        for point in accuracy_points(networks, lengths, seeds=seeds, steps=steps, known=known):
            points.append(point)
            if point not in known:
                arguments.file.write_text(learning_json(points, seeds=seeds, steps=steps) + "\n")
                print(point, flush=True)


if __name__ == "__main__":
    _main()
