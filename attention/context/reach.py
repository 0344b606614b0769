"""What reaches one word from the others: through a recurrent network, a convolution, attention."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from attention.analysis import embeddings
from attention.analysis.telling import row_selectivity
from attention.analysis.words import Unit, View
from attention.arrays import Array
from attention.context import rnn_cnn
from attention.models.model import Model
from attention.models.trace import Tokens
from attention.wording import Head, spelled

_NEARLY_NONE = 1e-6
_MOST_HANDS = 16  # of a relay that are drawn
_DILATED = {1: "no dilation", 2: "a dilation of 2", 0: "doubling dilation"}


def own_words(view: View) -> list[int]:
    """Return the positions of the text's own words: no special tokens, no white space."""
    return [k for k, unit in enumerate(view.units) if unit.ordinary]


def far_link(view: View) -> tuple[int, Head]:
    """Return the word in the first half that the last one is most selective for, and the head.

    In a decoder the first word counts only where there is no other. Where no window reaches so far
    back, any earlier word does.
    """
    own = own_words(view)
    early, seen = own[: max(1, len(own) // 2)], view.seen[..., own[-1], :]
    if view.is_causal and len(early) > 1:
        early = early[1:]  # nearly every head rests its weight on the first word
    if not seen[..., early].any():
        early = own[:-1]
    excess = np.where(seen[..., early], row_selectivity(view, own[-1])[..., early], -np.inf)
    layer, head, best = np.unravel_index(np.argmax(excess), excess.shape)
    return early[best], (int(layer), int(head))


def recurrent_norms(
    model: Model, tokens: Tokens, units: Sequence[Unit], hidden: int, gain: float, seed: int
) -> tuple[Array, Array]:
    """Return how much the last state of a tanh network, and of a GRU, moves with each word.

    Both are random, and take in the model's own word vectors, standardised: `(W,)` each.
    """
    x = rnn_cnn.standardised(embeddings.unit_vectors(model, tokens, units))
    tanh, gru = (
        rnn_cnn.input_norms(rnn_cnn.random_cell(gates, x.shape[1], hidden, gain=gain, seed=seed), x)
        for gates in (rnn_cnn.TANH, rnn_cnn.GRU)
    )
    return tanh, gru


def relayed(
    model: Model, tokens: Tokens, units: Sequence[Unit], start: int, hidden: int, gain: float,
    seed: int,
) -> tuple[Array, Array]:  # fmt: skip
    """Return how much of one word's message a tanh network, and a GRU, holds at each later word.

    The networks are those of `recurrent_norms`: `(W - start,)` each, 1 at the word itself.
    """
    x = rnn_cnn.standardised(embeddings.unit_vectors(model, tokens, units))
    tanh, gru = (
        rnn_cnn.passed_on(
            rnn_cnn.random_cell(gates, x.shape[1], hidden, gain=gain, seed=seed), x, start
        )
        for gates in (rnn_cnn.TANH, rnn_cnn.GRU)
    )
    return tanh, gru


@dataclass(frozen=True, eq=False)
class Influence:
    """How much each word counts at the last one, through three kinds of layer."""

    view: View
    series: Mapping[str, Array]  # (W,) over the text's own words: tanh, GRU, and a head
    layer: int = 0  # of the head

    @cached_property
    def labels(self) -> tuple[str, ...]:
        """The text's own words."""
        return tuple(self.view.labels[k] for k in own_words(self.view))

    @property
    def far(self) -> int:
        """The earlier word that the head attends to most.

        In a decoder the first word is taken last: heads rest weight there that they do not need.
        """
        row = list(self.series.values())[-1]
        first = 1 if self.view.is_causal and len(row) > 2 else 0
        return first + int(np.argmax(row[first:-1]))

    @property
    def even(self) -> str:
        """What each word has of equal shares among those that the head may attend to."""
        own = own_words(self.view)
        return share_text(1 / int(self.view.seen_in(self.layer)[own[-1], own].sum()))

    @property
    def sentence(self) -> str:
        """Say how much of what reaches the last word comes from that earlier one."""
        labels = self.labels
        if len(labels) < 2:
            return f"“{labels[0]}” has no word before it: there is no way to compare yet."
        far, last = self.far, spelled(labels, len(labels) - 1)
        tanh, gru, attended = (_share(values, far) for values in self.series.values())
        own = own_words(self.view)
        every = self.view.weights[:, :, own[-1]][..., own].reshape(-1, len(own))  # (L * H, W)
        usual = float(np.median([_share(values, far) for values in every]))
        steps, head = len(labels) - 1 - far, list(self.series)[-1]
        return (
            f"{spelled(labels, far)} stands {steps} words before {last}. Of all that reaches "
            f"{last}, {share_text(attended)} comes from it through {head}, one of {len(every)} "
            f"heads (their median: {share_text(usual)}; equal shares: {self.even}), in 1 step. "
            f"Through recurrent networks that are random and untrained it is {share_text(tanh)} "
            f"(tanh) and {share_text(gru)} (GRU), after {steps} steps: with another gain, another "
            "figure."
        )


@dataclass(frozen=True)
class ConvolutionReach:
    """Which positions a stack of convolutions makes one word from, and whether it has another."""

    view: View
    output: int  # the word that is made
    other: int  # the word to reach
    kernel: int
    layers: int
    rule: int  # the dilation of every layer, or 0 for 1, 2, 4, ...

    @property
    def dilated(self) -> tuple[int, ...]:
        """The dilation of each layer."""
        return rnn_cnn.dilations(self.layers, self.rule)

    @property
    def field(self) -> int:
        """How many positions wide the stack reaches."""
        return rnn_cnn.receptive_field(self.kernel, self.dilated)

    @cached_property
    def cone(self) -> Array:
        """What the output is made from, `(layers + 1, W)` of bool; row 0 is the words."""
        return rnn_cnn.cone(self.kernel, self.dilated, len(self.view.units), self.output)

    @property
    def sentence(self) -> str:
        """Say how many layers it takes between the two words, and what these layers reach."""
        query, key = self.view.labels[self.output], self.view.labels[self.other]
        apart = abs(self.output - self.other)
        needed = rnn_cnn.layers_to_connect(apart, self.kernel, self.rule)
        return (
            f"“{key}” and “{query}” are {apart} apart. Layers needed with kernel {self.kernel} and "
            f"{_DILATED[self.rule]}: {'no number is enough' if needed is None else needed}; with "
            f"attention: {min(apart, 1)}. These {self.layers} layers make “{query}” out of "
            f"{int(self.cone[0].sum())} of the {len(self.view.units)} positions."
        )


def _share(values: Array, place: int) -> float:
    total = float(values.sum())
    return float(values[place]) / total if total > 0 else 0.0


def share_text(share: float) -> str:
    """Return a share as people read it, with two figures where it is small.

    >>> share_text(0.904), share_text(0.00261), share_text(1e-9)
    ('90 %', '0.26 %', 'under 0.0001 %')
    """
    if 0 < share < _NEARLY_NONE:
        return f"under {100 * _NEARLY_NONE:.4f} %"
    return f"{100 * share:.0f} %" if share >= 0.1 else f"{100 * share:.2g} %"


def offset_weights(row: Array, query: int, side: int) -> Array:
    """Return a row's weights by how far the key stands from the query: `(2 side + 1,)`.

    NaN beyond the ends of the text.

    >>> offset_weights(np.array([0.1, 0.2, 0.7]), query=1, side=2)
    array([nan, 0.1, 0.2, 0.7, nan])
    """
    padded = np.pad(row.astype(np.float64), side, constant_values=np.nan)
    return padded[query : query + 2 * side + 1]


def kernel_shares(kernel: Array, side: int) -> Array:
    """Return how much of a kernel (S, D, N) weighs on each offset: `|W_s| / sum`, `(2 side + 1,)`.

    >>> kernel_shares(np.array([[[3.0]], [[-4.0]], [[1.0]]]), side=2)
    array([0.   , 0.375, 0.5  , 0.125, 0.   ])
    """
    norms = np.linalg.norm(kernel, axis=(1, 2))
    shares = np.zeros(2 * side + 1)
    first = side - len(kernel) // 2
    shares[first : first + len(kernel)] = norms / norms.sum()
    return shares


@dataclass(frozen=True, eq=False)
class Relay:
    """One word's message at each later word, of which there must be one: handed on, or attended."""

    influence: Influence
    held: Mapping[str, Array]  # (steps + 1,) from the far word on: what a network still holds of it

    @property
    def places(self) -> list[int]:
        """The words that are drawn, of the text's own: all, or of a long way some, evenly."""
        first, last = self.influence.far, len(self.influence.labels) - 1
        return np.unique(np.linspace(first, last, min(last - first + 1, _MOST_HANDS)).round()
                         .astype(int)).tolist()  # fmt: skip

    @property
    def weight(self) -> float:
        """How much the last word attends to the far one."""
        return float(list(self.influence.series.values())[-1][self.influence.far])

    @property
    def sentence(self) -> str:
        """Say what is left of the message at the last word, and what attention takes of it."""
        labels = self.influence.labels
        far, last = (spelled(labels, k) for k in (self.influence.far, len(labels) - 1))
        steps = len(labels) - 1 - self.influence.far
        left = " and ".join(f"{share_text(v[-1])} ({name})" for name, v in self.held.items())
        return (
            f"{last} stands {steps} {'word' if steps == 1 else 'words'} after {far}. Handed on "
            f"from state to state by random, untrained recurrent networks, {left} of its message "
            f"is left. With {list(self.influence.series)[-1]} it takes one step: {last} gives "
            f"{far} {share_text(self.weight)} of its weight (equal shares: {self.influence.even})."
        )
