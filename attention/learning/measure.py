"""How well trained networks do a task, by the number of tokens: the run and its search.

`python -m attention.learning.measure attention/learning/accuracies.json` makes it anew; the file
is written after each of its points, and a run that was broken off goes on from there.
`--seeds 1 --steps 200 --lengths 1 4` tries it in less than a minute.

The learning rate of each network and its number of steps are found by a search, on two seeds that
are not measured: at 4 books, or at the 128 words of the other task, one training with each of three
rates for up to 6,000 steps, and its accuracy after 750, 1,500, 3,000 and 6,000 of them. The rate is
the one that reaches the highest accuracy, up to 99 %, and of equal ones the one that took fewer
steps; the number of steps is the smallest of the four within one point of that rate's best. What
the search saw is stored, so that one sees whether the last doubling still gained anything.
A training ends when the accuracy over its last 20 batches of 64, each seen for the first time, is
99.5 %, or after those steps; with more than 8 books, which take longer to read, after as many as
read 24,000 books in each place of the batch, if that is earlier. What is given is the accuracy
after it, on 20 more batches.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import partial
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
from attention.learning.tasks import LIBRARY, MARKED_WORD
from attention.learning.training import TrainingSettings, accuracy, train
from attention.runtime.timing import Progress, part_of
from attention.scaling.runs import Facts, record

LEARNING_KIND = "accuracy of trained networks"
LEARNING_COMMAND = "python -m attention.learning.measure attention/learning/accuracies.json"
BOOKS = (1, 2, 4, 8, 16, 32)
MARKED_LENGTHS = (128,)
LEARNING_RATES = (0.001, 0.003, 0.01)
GOAL, FULL_LENGTH, MOST_READ = 0.995, 8, 24_000
STEPS_TOLD = 50  # after so many a training says how far it is
SEARCHED_AT = {LIBRARY.name: 4, MARKED_WORD.name: 128}
_SEARCH_SEEDS = (1000, 1001)
_LOOKS = (8, 4, 2, 1)  # parts of the steps after which the search looks
_SEEDS, _STEPS, _WIDTH = 10, 6000, 32
_GOOD = 0.99  # of two rates that reach it the faster one is the better
NEAR = 0.01  # below the best accuracy, where fewer steps do
_DEPTH = 5  # layers of a convolution that reaches 63 tokens: the whole shelf at any n


class End(NamedTuple):
    """How one training ended."""

    accuracy: float  # on 20 new batches
    steps: int


class Seen(NamedTuple):
    """What the search saw of one training: its accuracy at each look, and when it ended."""

    accuracies: tuple[float, ...]
    steps: int


@dataclass(frozen=True)
class Choice:
    """How a network is trained, and what the search for it saw."""

    rate: float
    steps: int  # at most
    seen: tuple[tuple[float, ...], ...] = ()  # accuracy at each rate, after 1/8 to all of the steps

    @property
    def last_doubling(self) -> float:
        """What the search gained at this rate by the second half of its steps; 0 without one."""
        if not self.seen:
            return 0.0
        *_, half, whole = self.seen[LEARNING_RATES.index(self.rate)]
        return whole - half


@dataclass(frozen=True)
class AccuracyPoint:
    """One network at one number of tokens: how each seed ended."""

    task: str
    series: str
    n: int
    parameters: int
    choice: Choice
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


def best_choice(network: Network, steps: int) -> Choice:
    """Return the rate and the number of steps that the search finds, as the module describes."""
    n = SEARCHED_AT[network.task.name]

    def runs(rate: float) -> list[Seen]:
        settings = [TrainingSettings(n, steps, rate=rate, seed=s, goal=GOAL) for s in _SEARCH_SEEDS]
        return [_seen(network, one) for one in settings]

    return chosen([runs(rate) for rate in LEARNING_RATES], steps)


def chosen(found: Sequence[Sequence[Seen]], steps: int) -> Choice:
    """Return what is best of what was seen at each of `LEARNING_RATES`, over several seeds.

    >>> slow, fast = Seen((0.20, 0.50, 0.90, 1.00), 6000), Seen((0.90, 0.985, 0.99, 0.99), 2000)
    >>> choice = chosen([[slow], [fast], [Seen((0.1, 0.1, 0.1, 0.1), 6000)]], 6000)
    >>> choice.rate, choice.steps
    (0.003, 1500)
    """
    seen = tuple(
        tuple(fmean(looks) for looks in zip(*(run.accuracies for run in runs), strict=True))
        for runs in found
    )

    def score(i: int) -> tuple[float, float]:
        return min(max(seen[i]), _GOOD), -fmean(run.steps for run in found[i])

    best = max(range(len(seen)), key=score)
    return Choice(LEARNING_RATES[best], enough_steps(seen[best], steps), seen)


def enough_steps(seen: Sequence[float], steps: int) -> int:
    """Return the fewest of the steps that the search looked at within one point of its best.

    >>> enough_steps([0.50, 0.70, 0.895, 0.90], 6000)
    3000
    """
    first = next(i for i, share in enumerate(seen) if share >= max(seen) - NEAR)
    return _looks(steps)[first]


def accuracy_points(
    networks: Mapping[str, Network],
    lengths: Sequence[int],
    *,
    seeds: int,
    choose: Callable[[Network], Choice],
    limited: bool = False,
    known: Sequence[AccuracyPoint] = (),
    on_progress: Progress = lambda share: None,
) -> Iterator[AccuracyPoint]:
    """Train every network at every number of tokens; yield what each pair came to.

    Pairs that are `known` are yielded as they are, and how their networks are trained is not chosen
    again. With `limited` long shelves have fewer steps, as `steps_allowed` says.

    Parameters
    ----------
    on_progress : called every few steps with the share of the pair at hand; may raise to stop
    """
    have = {(p.task, p.series, p.n): p for p in known}
    choices = {(p.task, p.series): p.choice for p in known}
    for n in lengths:  # the long ones, which take longest, come last
        for name, network in networks.items():
            key = (network.task.name, name)
            if (*key, n) in have:
                yield have[*key, n]
                continue
            if key not in choices:
                choices[key] = choose(network)
            choice = choices[key]
            steps = steps_allowed(n, choice.steps) if limited else choice.steps
            yield _point(name, network, choice, [
                TrainingSettings(n, steps, rate=choice.rate, seed=seed, goal=GOAL)
                for seed in range(seeds)
            ], on_progress)  # fmt: skip


def steps_allowed(n: int, steps: int) -> int:
    """Return after how many steps a training with n books ends at the latest.

    >>> [steps_allowed(n, 6000) for n in (1, 8, 16, 32)], steps_allowed(16, 750)
    ([6000, 6000, 1500, 750], 750)
    """
    return steps if n <= FULL_LENGTH else min(steps, MOST_READ // n)


def training_end(
    network: Network, settings: TrainingSettings, on_progress: Progress = lambda share: None
) -> End:
    """Return how a training ends; `on_progress` is called every few steps, may raise to stop."""
    for state in train(network, settings, at=range(0, settings.steps, STEPS_TOLD)):
        on_progress(state.step / settings.steps)
    return End(accuracy(network, state.parameters, settings), state.step)


def learning_json(points: Sequence[AccuracyPoint], *, seeds: int, steps: int) -> str:
    """Return the text of the file: points with the date, the machine and the settings."""
    run = asdict(record(LEARNING_KIND, _facts(seeds, steps), ()))
    return json.dumps({**run, "points": [asdict(point) for point in points]}, indent=1)


def learning_points(content: Mapping[str, Any]) -> list[AccuracyPoint]:
    """Return the points of such a file.

    >>> point = AccuracyPoint("library", "GRU", 2, 100, Choice(0.01, 30), (0.5,), (30,))
    >>> learning_points(json.loads(learning_json([point], seeds=1, steps=30))) == [point]
    True
    """
    return [
        AccuracyPoint(
            **point
            | {
                "choice": _choice(**point["choice"]),
                "accuracies": tuple(point["accuracies"]),
                "steps": tuple(point["steps"]),
            }
        )
        for point in content["points"]
    ]


def _named(*networks: Network) -> dict[str, Network]:
    return {f"{network.kind}, width {network.width}": network for network in networks}


def _seen(network: Network, settings: TrainingSettings) -> Seen:
    """Train, and return the accuracy at each look; a training that has ended stays as it is."""
    looks = _looks(settings.steps)
    found = dict[int, float]()
    for state in train(network, settings, at=looks):
        found[state.step] = accuracy(network, state.parameters, settings)
    end = state.step
    return Seen(tuple(found[min(look, end)] for look in looks), end)


def _looks(steps: int) -> list[int]:
    return [steps // part for part in _LOOKS]


def _choice(rate: float, steps: int, seen: Sequence[Sequence[float]]) -> Choice:
    return Choice(rate, steps, tuple(tuple(looks) for looks in seen))


def _point(
    name: str, network: Network, choice: Choice, runs: Sequence[TrainingSettings],
    on_progress: Progress,
) -> AccuracyPoint:  # fmt: skip
    begun, count = time.perf_counter(), len(runs)
    ends = [
        training_end(network, settings, part_of(on_progress, i / count, (i + 1) / count))
        for i, settings in enumerate(runs)
    ]
    accuracies, steps = zip(*ends, strict=True)
    size, seconds = network.parameter_count(), time.perf_counter() - begun
    task, n = network.task.name, runs[0].n
    return AccuracyPoint(task, name, n, size, choice, accuracies, steps, round(seconds, 1))


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
    for networks, lengths, limited in (
        (rememberers(), MARKED_LENGTHS, False),
        (contestants(), arguments.lengths, True),
    ):
        for point in accuracy_points(
            networks, lengths, seeds=seeds, choose=partial(best_choice, steps=steps),
            limited=limited, known=known,
        ):  # fmt: skip
            points.append(point)
            if point not in known:
                arguments.file.write_text(learning_json(points, seeds=seeds, steps=steps) + "\n")
                print(point, flush=True)


if __name__ == "__main__":
    _main()
