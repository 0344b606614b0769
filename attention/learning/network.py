"""What every network offers that learns a task: parameters, answers, gradients, and its size.

A network embeds the tokens, reads them in its own way, and answers by a linear layer from the
vector that it has at the token that asks. Parameters are a mapping from names to arrays; a network
says how many numbers these are.

Axes: `B` example, `T` = n + 1 tokens, `D` width, `H` head, `V` vocabulary, `C` answer.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple

import numpy as np

from attention.arrays import Array
from attention.learning import layers
from attention.learning.tasks import Batch, Seed, Task

Parameters = Mapping[str, Array]
ParameterShapes = dict[str, tuple[int, ...]]
TABLES = ("embeddings", "positions")  # of which rows are picked
MOST_APART = 0.1  # of the parameters of networks that are called equally large


class ReaderOutput(NamedTuple):
    """What a network has at the token that asks, and what its way back needs."""

    found: Array  # (B, D)
    kept: Any
    weights: Array | None = None  # (B, H, n) of attention


class ReaderGradients(NamedTuple):
    """The gradients of a reading: of the embedded tokens, and of the parameters by name."""

    x: Array  # (B, T, D)
    parameters: dict[str, Array]


class Answers(NamedTuple):
    """One pass forward."""

    logits: Array  # (B, C)
    counted: Array  # (B, T, V)
    x: Array  # (B, T, D) embedded tokens
    reading: ReaderOutput


@dataclass(frozen=True)
class Network(ABC):
    """What all networks share: embeddings below, a linear layer above, and the loss."""

    task: Task
    width: int
    kind: ClassVar[str]

    def __post_init__(self) -> None:
        """Refuse a width that is none."""
        if self.width < 1:
            raise ValueError(f"a {self.kind} has a width of at least 1, got {self.width}")

    @abstractmethod
    def reader_shapes(self) -> ParameterShapes:
        """Return the shapes of the parameters between the embeddings and the last layer."""

    @abstractmethod
    def read(self, parameters: Parameters, x: Array) -> ReaderOutput:
        """Read embedded tokens (B, T, D)."""

    @abstractmethod
    def read_backward(
        self, parameters: Parameters, x: Array, kept: Any, d_found: Array
    ) -> ReaderGradients:
        """Return the gradients of what `read` was given."""

    def shapes(self) -> ParameterShapes:
        """Return the shape of every parameter."""
        return {
            "embeddings": (self.task.vocabulary, self.width),
            **self.reader_shapes(),
            "answer": (self.width, self.task.answers),
            "answer bias": (self.task.answers,),
        }

    def parameter_count(self) -> int:
        """Return how many numbers are learned.

        >>> from attention.learning.networks import AttentionNetwork, GruNetwork
        >>> from attention.learning.tasks import LIBRARY
        >>> [build(LIBRARY, 32).parameter_count() for build in (AttentionNetwork, GruNetwork)]
        [5168, 8336]
        """
        return sum(math.prod(shape) for shape in self.shapes().values())

    def initial(self, seed: Seed, dtype: type[np.floating[Any]] = np.float32) -> dict[str, Array]:
        """Return random parameters, normal and as wide as `spread` says; biases are 0."""
        rng = np.random.default_rng(seed)
        return {
            name: (self.spread(name, shape) * rng.standard_normal(shape)).astype(dtype)
            for name, shape in self.shapes().items()
        }

    def spread(self, name: str, shape: tuple[int, ...]) -> float:
        """Return the standard deviation that a parameter begins with.

        `1 / sqrt(inputs)`, so that what is summed over the inputs has about the size of one; 1 in a
        table of embeddings, of which a token picks single rows; 0 for biases.

        Source: LeCun et al. 1998, "Efficient BackProp", section 4.6.
        """
        if name in TABLES:
            return 1.0
        return 0.0 if len(shape) == 1 else 1 / math.sqrt(math.prod(shape[:-1]))

    def answers(self, parameters: Parameters, batch: Batch) -> Answers:
        """Return logits for every example, and all that was computed on the way."""
        table = parameters["embeddings"]
        counted = layers.counts(batch.tokens, len(table), table.dtype)
        x = layers.embedding(counted, table)
        reading = self.read(parameters, x)
        logits = layers.linear(reading.found, parameters["answer"], parameters["answer bias"])
        return Answers(logits, counted, x, reading)

    def gradients(self, parameters: Parameters, answers: Answers, batch: Batch) -> dict[str, Array]:
        """Return the gradient of the mean loss with respect to every parameter, by name."""
        (_, counted, x, reading), last = answers, parameters["answer"]
        d_logits = layers.cross_entropy_backward(answers.logits, batch.answer)
        d_found, d_last, d_bias = layers.linear_backward(reading.found, last, d_logits)
        back = self.read_backward(parameters, x, reading.kept, d_found)
        return {
            "embeddings": layers.embedding_backward(counted, back.x),
            **back.parameters,
            "answer": d_last,
            "answer bias": d_bias,
        }


def equally_large(build: Callable[[int], Network], parameters: int) -> Network:
    """Return the network whose number of parameters is nearest to `parameters`.

    Parameters
    ----------
    build : makes a network of a width

    Raises
    ------
    ValueError : even the nearest is more than 10 % away.

    >>> from attention.learning.networks import GruNetwork
    >>> from attention.learning.tasks import LIBRARY
    >>> network = equally_large(lambda width: GruNetwork(LIBRARY, width), 5168)
    >>> network.width, network.parameter_count()
    (24, 5104)
    """
    width = 1
    while build(width).parameter_count() < parameters:
        width += 1
    near = [build(w) for w in (max(width - 1, 1), width)]
    best = min(near, key=lambda network: abs(network.parameter_count() - parameters))
    found = best.parameter_count()
    if abs(found - parameters) > MOST_APART * parameters:
        raise ValueError(f"no {best.kind} has about {parameters} parameters: the nearest, {found}")
    return best
