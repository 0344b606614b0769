"""Four small networks for one kind of task: attention, a GRU, a tanh network, a convolution.

Axes: `B` example, `T` = n + 1 tokens, the last of which asks, `D` width, `H` head, `E` head width.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from attention.arrays import Array
from attention.context.rnn_cnn import dilations, receptive_field
from attention.learning import layers, sequences
from attention.learning.network import (
    Network,
    Parameters,
    ParameterShapes,
    ReaderGradients,
    ReaderOutput,
)
from attention.learning.tasks import Batch


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
        super().__post_init__()
        if self.heads < 1 or self.width % self.heads:
            raise ValueError(f"{self.heads} heads do not share a width of {self.width} equally")

    def reader_shapes(self) -> ParameterShapes:
        """Return those of queries, keys, values and positions."""
        square = (self.width, self.width)
        positions = {"positions": (self.longest, self.width)} if self.longest else {}
        return {**positions, "query": square, "key": square, "value": square}

    def spread(self, name: str, shape: tuple[int, ...]) -> float:
        """Return 0 for the projection of queries: attention begins with 1 / n for every token."""
        return 0.0 if name == "query" else super().spread(name, shape)

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
        x, *forward = kept  # with the positions
        back = self._through_attention(forward, d_found)
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
        return ReaderGradients(d_x, gradients)

    def score_gradients(self, parameters: Parameters, batch: Batch) -> Array:
        """Return how each example's own loss moves with each score: `(B, H, n)`, in nats.

        Below 0 where more attention would lower the loss. A row sums to 0.
        """
        answers = self.answers(parameters, batch)
        d_logits = layers.cross_entropy_backward(answers.logits, batch.answer) * len(batch.answer)
        d_found = layers.product(d_logits, parameters["answer"].T)
        _, *forward = answers.reading.kept
        return self._through_attention(forward, d_found).scores[:, :, 0]

    def _through_attention(
        self, forward: Sequence[Array], d_found: Array
    ) -> layers.AttentionGradients:
        weights, query, key, value = forward
        d_output = self._split(d_found[:, None])  # (B, H, 1, E)
        return layers.attention_backward(weights, query, key, value, d_output)

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

    def __post_init__(self) -> None:
        """Refuse a stack without a layer."""
        super().__post_init__()
        if self.depth < 1:
            raise ValueError(f"a {self.kind} has at least 1 layer, got {self.depth}")

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


def _at_the_end(x: Array, d_found: Array) -> Array:
    """Return gradients (B, T, D) that are 0 but for the last token."""
    d_states = np.zeros((*x.shape[:2], d_found.shape[-1]), x.dtype)
    d_states[:, -1] = d_found
    return d_states
