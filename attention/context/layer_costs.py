"""What a recurrent, a convolutional and an attention layer cost: counted, and timed here."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from attention.arrays import Array
from attention.context.rnn_cnn import convolve, layers_to_connect, random_kernel
from attention.core.plain import plain_attention
from attention.runtime.threads import one_blas_thread
from attention.runtime.timing import clock, in_turn
from attention.wording import figures, human_seconds

_ROUNDS, _MOST_SECONDS = 15, 0.5
RECURRENT, CONVOLUTION, ATTENTION = "recurrent", "convolution", "self-attention"
LAYERS = (RECURRENT, CONVOLUTION, ATTENTION)


@dataclass(frozen=True)
class Price:
    """What one kind of layer costs for n words of width d."""

    layer: str
    path: int  # layers or steps between the first and the last word
    steps: int  # one after the other
    operations: int  # multiplications of a number with a number


def prices(n: int, width: int, kernel: int) -> tuple[Price, Price, Price]:
    """Return path length, sequential steps and cost of a recurrent, convolutional, attention layer.

    Paths join the first of `n` words to the last. That of the convolution is the number of layers
    with dilation 1, 2, 4, ... Operations: `n d^2`, `k n d^2`, and `2 n^2 d` for `Q K^T` and `A V`.

    Source: Vaswani et al. 2017, table 1, which leaves the factor 2 away.

    >>> [(price.path, price.steps) for price in prices(100, 64, 3)]
    [(99, 100), (7, 1), (1, 1)]
    """
    layers = layers_to_connect(n - 1, kernel, 0) or 0
    return (
        Price(RECURRENT, n - 1, n, n * width**2),
        Price(CONVOLUTION, layers, 1, kernel * n * width**2),
        Price(ATTENTION, 1, 1, 2 * n**2 * width),
    )


@dataclass(frozen=True)
class LayerTime:
    """Seconds for one layer at one length over the rounds: the median, the fastest, the slowest."""

    layer: str
    n: int
    median: float
    low: float
    high: float
    rounds: int


@dataclass(frozen=True)
class LayerComparison:
    """What three kinds of layer cost at one length and width, counted and timed."""

    n: int
    width: int
    kernel: int
    times: Sequence[LayerTime]

    @property
    def counted(self) -> tuple[Price, Price, Price]:
        """Path, steps and multiplications of each."""
        return prices(self.n, self.width, self.kernel)

    @cached_property
    def here(self) -> dict[str, LayerTime]:
        """The time of each layer at this length."""
        return {time.layer: time for time in self.times if time.n == self.n}

    @property
    def unsteady(self) -> float:
        """How many times as long as the fastest round half the rounds took, at worst."""
        return max(time.median / time.low for time in self.here.values())

    @property
    def loop_to_call(self) -> float:
        """How many times as long the recurrent loop took as the attention call."""
        return self.here[RECURRENT].median / self.here[ATTENTION].median

    @property
    def sentence(self) -> str:
        """Say how often attention multiplies beside a recurrent layer, and which was quickest."""
        recurrent, _, attention = self.counted
        quickest = min(self.here.values(), key=lambda time: time.median)
        return (
            f"At n = {self.n} and d = {self.width} self-attention multiplies "
            f"{figures(attention.operations / recurrent.operations, 2)} times as often as a "
            f"recurrent layer and took {figures(1 / self.loop_to_call, 2)} times as long. Quickest "
            f"of the three: {quickest.layer}, {human_seconds(quickest.median)}."
        )

    @property
    def loop_sentence(self) -> str:
        """Say how the loop of a recurrent layer compares with one attention call."""
        return (
            f"At n = {self.n}, d = {self.width} on one processor the loop takes "
            f"{figures(self.loop_to_call, 2)} times as long as the call. No step of the loop can "
            "begin before the last one has ended. The call is two large products, which more "
            "processors could share. The tab “Cost” has every length."
        )


def time_layers(lengths: Sequence[int], width: int, kernel: int) -> list[LayerTime]:
    """Time the three kinds of layer on the same random input, in turn, 3 to 15 rounds of all.

    What is timed is what table 1 counts: the recurrent loop `h = tanh(a_t + U h)`, the convolution,
    and attention's two products with the softmax between them. The projections of the input, one
    product for all words in each case, are made before. On one processor, so that a layer does not
    look quick for having more of them, or slow because another program uses some.

    >>> [(time.layer, time.n) for time in time_layers([4], width=2, kernel=3)][::2]
    [('recurrent', 4), ('self-attention', 4)]
    """
    calls = [call for n in lengths for call in _layer_calls(n, width, kernel)]
    with one_blas_thread():
        for call in calls:
            call()  # the first call of each pays for memory that later ones find ready
        times = in_turn([clock(call) for call in calls], _ROUNDS, most_seconds=_MOST_SECONDS)
    names = [(layer, n) for n in lengths for layer in LAYERS]
    return [
        LayerTime(*name, time.median, time.low, time.high, time.rounds)
        for name, time in zip(names, times, strict=True)
    ]


def recurrent_layer(projected: Array, recurrent: Array) -> Array:
    """Return the states of `h_t = tanh(a_t + U h_{t-1})`, one step after the other: `(T, N)`.

    >>> recurrent_layer(np.zeros((2, 1)), np.ones((1, 1)))
    array([[0.],
           [0.]])
    """
    states = np.empty_like(projected)
    h = np.zeros(projected.shape[1], projected.dtype)
    for t, a in enumerate(projected):
        h = states[t] = np.tanh(a + recurrent @ h)
    return states


def _layer_calls(n: int, width: int, kernel: int) -> list[Callable[[], Array]]:
    rng = np.random.default_rng([n, width])
    query, key, value = rng.standard_normal((3, n, width), dtype=np.float32)
    recurrent = rng.standard_normal((width, width), dtype=np.float32) / math.sqrt(width)
    weights = random_kernel(kernel, width, seed=0).astype(np.float32)
    return [
        lambda: recurrent_layer(value, recurrent),
        lambda: convolve(value, weights),
        lambda: plain_attention(query, key, value),
    ]
