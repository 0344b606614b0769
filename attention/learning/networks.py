"""Four small networks for one kind of task: attention, a GRU, a tanh network, a convolution.

All embed the tokens, read them in their own way, and answer by a linear layer from the vector that
they have at the token that asks. Parameters are a mapping from names to arrays; a network says
how many numbers these are.

Axes: `B` example, `T` = n + 1 tokens, `D` width, `H` head, `E` head width, `V` vocabulary,
`C` answer.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple

import numpy as np

from attention.arrays import Array
from attention.context.rnn_cnn import dilations, receptive_field
from attention.learning import layers, sequences
from attention.learning.tasks import Batch, Seed, Task

Parameters = Mapping[str, Array]
ParameterShapes = dict[str, tuple[int, ...]]
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
    scores: Array | None = None  # (B, H, n) of attention


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

        >>> from attention.learning.tasks import LIBRARY
        >>> [build(LIBRARY, 32).parameter_count() for build in (AttentionNetwork, GruNetwork)]
        [5168, 8336]
        """
        return sum(math.prod(shape) for shape in self.shapes().values())

    def initial(self, seed: Seed, dtype: type[np.floating[Any]] = np.float32) -> dict[str, Array]:
        """Return random parameters, normal and `1 / sqrt(inputs)` wide; biases are 0.

        Source: LeCun et al. 1998, "Efficient BackProp", section 4.6.
        """
        rng = np.random.default_rng(seed)
        return {name: _random(rng, shape).astype(dtype) for name, shape in self.shapes().items()}

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


@dataclass(frozen=True)
class AttentionNetwork(Network):
    """The token that asks attends to the others: one layer, one or several heads.

    `W_O` and the last layer would be one product; there is only the latter. With `longest` there is
    a learned embedding for each of so many positions, without it the order of tokens is not seen.

    Source: Vaswani et al. 2017, sections 3.2 and 3.5.
    """

    kind: ClassVar[str] = "attention"
    heads: int = 1
    longest: int = 0

    def __post_init__(self) -> None:
        """Refuse heads that do not share the width equally."""
        if self.heads < 1 or self.width % self.heads:
            raise ValueError(f"{self.heads} heads do not share a width of {self.width} equally")

    def reader_shapes(self) -> ParameterShapes:
        """Return those of queries, keys, values and positions."""
        square = (self.width, self.width)
        positions = {"positions": (self.longest, self.width)} if self.longest else {}
        return {**positions, "query": square, "key": square, "value": square}

    def read(self, parameters: Parameters, x: Array) -> ReaderOutput:
        """Attend from the last token to all before it."""
        if self.longest:
            x = x + self._positions(parameters, x)
        query = self._split(layers.product(x[:, -1:], parameters["query"]))  # (B, H, 1, E)
        key = self._split(layers.product(x[:, :-1], parameters["key"]))  # (B, H, n, E)
        value = self._split(layers.product(x[:, :-1], parameters["value"]))
        output, weights = layers.attention_forward(query, key, value)
        kept = (x, weights, query, key, value)
        return ReaderOutput(self._joined(output)[:, 0], kept, weights[:, :, 0])

    def read_backward(
        self, parameters: Parameters, x: Array, kept: Any, d_found: Array
    ) -> ReaderGradients:
        """Return the gradients through attention and its three projections."""
        x, weights, query, key, value = kept
        d_output = self._split(d_found[:, None])
        back = layers.attention_backward(weights, query, key, value, d_output)
        d_query, d_key, d_value = (self._joined(d) for d in back[:3])  # (B, 1 or n, D)
        d_x = np.empty_like(x)
        d_x[:, -1:] = layers.product(d_query, parameters["query"].T)
        d_x[:, :-1] = layers.product(d_key, parameters["key"].T)
        d_x[:, :-1] += layers.product(d_value, parameters["value"].T)
        gradients = {
            "query": layers.summed_products(x[:, -1:], d_query),
            "key": layers.summed_products(x[:, :-1], d_key),
            "value": layers.summed_products(x[:, :-1], d_value),
        }
        if self.longest:
            positions = np.zeros_like(parameters["positions"])
            positions[: x.shape[1]] = d_x.sum(axis=0)
            gradients = {"positions": positions, **gradients}
        return ReaderGradients(d_x, gradients, back.scores[:, :, 0])

    def score_gradients(self, parameters: Parameters, batch: Batch) -> Array:
        """Return how each example's own loss moves with each score: `(B, H, n)`, in nats.

        Below 0 where more attention would lower the loss. A row sums to 0.
        """
        _, _, x, reading = answers = self.answers(parameters, batch)
        d_logits = layers.cross_entropy_backward(answers.logits, batch.answer) * len(batch.answer)
        d_found = layers.product(d_logits, parameters["answer"].T)
        scores = self.read_backward(parameters, x, reading.kept, d_found).scores
        assert scores is not None  # attention has them
        return scores

    def _positions(self, parameters: Parameters, x: Array) -> Array:
        if x.shape[1] > self.longest:
            raise ValueError(f"{x.shape[1]} tokens, but embeddings of {self.longest} positions")
        return parameters["positions"][: x.shape[1]]

    def _split(self, x: Array) -> Array:
        """Give each head its share of the width: (B, T, D) to (B, H, T, E)."""
        return x.reshape(*x.shape[:2], self.heads, -1).swapaxes(1, 2)

    def _joined(self, x: Array) -> Array:
        """Put the heads side by side: (B, H, T, E) to (B, T, D)."""
        return x.swapaxes(1, 2).reshape(len(x), x.shape[2], -1)


@dataclass(frozen=True)
class RecurrentNetwork(Network):
    """What a tanh network and a GRU share: a state of fixed width, handed from token to token."""

    gates: ClassVar[int]

    def reader_shapes(self) -> ParameterShapes:
        """Return those of all gates side by side."""
        gates = self.gates * self.width
        return {"inputs": (self.width, gates), "recurrent": (self.width, gates), "bias": (gates,)}

    def _cell(self, parameters: Parameters) -> tuple[Array, Array, Array]:
        return parameters["inputs"], parameters["recurrent"], parameters["bias"]

    def _back(self, gradients: sequences.RecurrentGradients) -> ReaderGradients:
        x, inputs, recurrent, bias = gradients
        return ReaderGradients(x, {"inputs": inputs, "recurrent": recurrent, "bias": bias})


@dataclass(frozen=True)
class TanhNetwork(RecurrentNetwork):
    """A recurrent network with one tanh layer. Source: Elman 1990."""

    kind: ClassVar[str] = "tanh network"
    gates: ClassVar[int] = 1

    def read(self, parameters: Parameters, x: Array) -> ReaderOutput:
        """Read to the end and return the last state."""
        states = sequences.tanh_forward(x, *self._cell(parameters))
        return ReaderOutput(states[:, -1], states)

    def read_backward(
        self, parameters: Parameters, x: Array, kept: Any, d_found: Array
    ) -> ReaderGradients:
        """Return the gradients through time."""
        inputs, recurrent, _ = self._cell(parameters)
        d_states = _at_the_end(x, d_found)
        return self._back(sequences.tanh_backward(kept, x, inputs, recurrent, d_states))


@dataclass(frozen=True)
class GruNetwork(RecurrentNetwork):
    """A recurrent network of gated units. Source: Cho et al. 2014, section 2.3."""

    kind: ClassVar[str] = "GRU"
    gates: ClassVar[int] = 3

    def read(self, parameters: Parameters, x: Array) -> ReaderOutput:
        """Read to the end and return the last state."""
        forward = sequences.gru_forward(x, *self._cell(parameters))
        return ReaderOutput(forward.states[:, -1], forward)

    def read_backward(
        self, parameters: Parameters, x: Array, kept: Any, d_found: Array
    ) -> ReaderGradients:
        """Return the gradients through time."""
        inputs, recurrent, _ = self._cell(parameters)
        d_states = _at_the_end(x, d_found)
        return self._back(sequences.gru_backward(kept, x, inputs, recurrent, d_states))


@dataclass(frozen=True)
class ConvolutionNetwork(Network):
    """A stack of causal convolutions of 3 tokens with dilations 1, 2, 4, ..., tanh after each.

    Source: van den Oord et al. 2016, "WaveNet", section 2.1.
    """

    kind: ClassVar[str] = "convolution"
    depth: int = 3
    kernel: ClassVar[int] = 3

    def reach(self) -> int:
        """Return how many tokens the last one sees, itself among them.

        >>> from attention.learning.tasks import LIBRARY
        >>> ConvolutionNetwork(LIBRARY, 32, depth=4).reach()
        31
        """
        return receptive_field(self.kernel, self._dilations())

    def reader_shapes(self) -> ParameterShapes:
        """Return those of every layer's kernel and bias."""
        layer = {"kernel": (self.kernel, self.width, self.width), "bias": (self.width,)}
        return {f"{name} {i}": shape for i in range(self.depth) for name, shape in layer.items()}

    def read(self, parameters: Parameters, x: Array) -> ReaderOutput:
        """Convolve layer by layer and return the last token's vector."""
        outputs = [x]
        for i, dilation in enumerate(self._dilations()):
            kernel, bias = parameters[f"kernel {i}"], parameters[f"bias {i}"]
            y = sequences.convolution_forward(outputs[-1], kernel, bias, dilation)
            outputs.append(np.tanh(y))
        return ReaderOutput(outputs[-1][:, -1], outputs)

    def read_backward(
        self, parameters: Parameters, x: Array, kept: Any, d_found: Array
    ) -> ReaderGradients:
        """Return the gradients layer by layer, from the last to the first."""
        d_x, gradients = _at_the_end(x, d_found), {}
        for i, dilation in reversed([*enumerate(self._dilations())]):
            d_y = d_x * (1 - kept[i + 1] ** 2)
            d_x, gradients[f"kernel {i}"], gradients[f"bias {i}"] = sequences.convolution_backward(
                kept[i], parameters[f"kernel {i}"], d_y, dilation
            )
        return ReaderGradients(d_x, gradients)

    def _dilations(self) -> tuple[int, ...]:
        return dilations(self.depth, 0)


def equally_large(build: Callable[[int], Network], parameters: int) -> Network:
    """Return the network whose number of parameters is nearest to `parameters`.

    Parameters
    ----------
    build : makes a network of a width

    Raises
    ------
    ValueError : even the nearest is more than 10 % away.

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


def _random(rng: np.random.Generator, shape: tuple[int, ...]) -> Array:
    if len(shape) == 1:
        return np.zeros(shape)
    return rng.standard_normal(shape) / math.sqrt(math.prod(shape[:-1]))


def _at_the_end(x: Array, d_found: Array) -> Array:
    """Return gradients (B, T, D) that are 0 but for the last token."""
    d_states = np.zeros((*x.shape[:2], d_found.shape[-1]), x.dtype)
    d_states[:, -1] = d_found
    return d_states
