"""What attention is compared with: a recurrent and a convolutional layer, in plain NumPy.

Their weights are random. What is measured here, how far a change at one word reaches, follows from
the shape of the computation; training moves the figures, but not the number of steps.

Axes: `T` tokens, `D` input width, `N` hidden width, `G` gates, `S` offsets of a kernel.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from itertools import accumulate
from typing import NamedTuple

import numpy as np

from attention.arrays import Array

TANH, GRU = 1, 3  # how many gates each kind of cell has


class CellWeights(NamedTuple):
    """The weights of a recurrent cell; the gates of a GRU are update, reset and candidate."""

    inputs: Array  # (G, N, D)
    recurrent: Array  # (G, N, N)


class CellStep(NamedTuple):
    """One step of a cell, with its two derivatives."""

    state: Array  # (N,)
    by_state: Array  # (N, N) how the new state moves with the one before
    by_input: Array  # (N, D) and with the input


def random_cell(gates: int, width: int, hidden: int, *, gain: float, seed: int) -> CellWeights:
    """Return a cell with random weights whose recurrent matrices have spectral radius `gain`.

    Normal numbers: `1 / sqrt(D)` wide for the input, so that inputs of variance 1 arrive with
    variance 1; the recurrent ones are divided by their largest eigenvalue and multiplied by `gain`.

    Source: Glorot and Bengio 2010, section 4.2; Pascanu et al. 2013, section 2.1.

    >>> cell = random_cell(GRU, width=4, hidden=2, gain=0.5, seed=0)
    >>> cell.inputs.shape, float(np.abs(np.linalg.eigvals(cell.recurrent[2])).max().round(6))
    ((3, 2, 4), 0.5)
    """
    rng = np.random.default_rng([seed, gates])
    inputs = rng.standard_normal((gates, hidden, width)) / math.sqrt(width)
    recurrent = rng.standard_normal((gates, hidden, hidden))
    radius = np.abs(np.linalg.eigvals(recurrent)).max(axis=-1)  # (G,)
    return CellWeights(inputs, gain * recurrent / radius[:, None, None])


def standardised(x: Array) -> Array:
    """Return `x` (T, D) in double precision with mean 0 and variance 1 in every row.

    >>> standardised(np.array([[1.0, 3.0], [2.0, 2.0]]))
    array([[-1.,  1.],
           [ 0.,  0.]])
    """
    centred = x.astype(np.float64) - x.mean(axis=-1, keepdims=True, dtype=np.float64)
    spread = centred.std(axis=-1, keepdims=True)
    spread[spread == 0] = 1.0
    return centred / spread


def tanh_step(cell: CellWeights, x: Array, h: Array) -> CellStep:
    """Return `h' = tanh(W x + U h)` with its derivatives `diag(1 - h'^2) U` and `... W`.

    Parameters
    ----------
    x : (D,)
    h : (N,)

    Source: Elman 1990, "Finding structure in time".

    >>> cell = CellWeights(np.array([[[1.0]]]), np.array([[[0.5]]]))
    >>> tanh_step(cell, np.zeros(1), np.zeros(1)).by_state
    array([[0.5]])
    """
    (w,), (u,) = cell
    new = np.tanh(w @ x + u @ h)
    slope = (1 - new**2)[:, None]
    return CellStep(new, slope * u, slope * w)


def gru_step(cell: CellWeights, x: Array, h: Array) -> CellStep:
    """Return one step of a gated recurrent unit with its derivatives.

    `z = s(Wz x + Uz h)`, `r = s(Wr x + Ur h)`, `c = tanh(W x + U (r * h))`,
    `h' = (1 - z) * h + z * c`, where `s` is the logistic function and `*` element by element.

    Parameters
    ----------
    x : (D,)
    h : (N,)

    Source: Chung et al. 2014, "Empirical evaluation of gated recurrent neural networks", 3.2.

    >>> cell = CellWeights(np.zeros((3, 1, 1)), np.zeros((3, 1, 1)))
    >>> gru_step(cell, np.zeros(1), np.array([4.0])).state  # half of what was there is kept
    array([2.])
    """
    (wz, wr, w), (uz, ur, u) = cell
    z, r = logistic(wz @ x + uz @ h), logistic(wr @ x + ur @ h)
    c = np.tanh(w @ x + u @ (r * h))
    by_z = ((c - h) * z * (1 - z))[:, None]  # h' through the update gate
    by_c = (z * (1 - c**2))[:, None]  # and through the candidate, which the reset gate has shaped
    by_r = (h * r * (1 - r))[:, None]
    return CellStep(
        (1 - z) * h + z * c,
        np.diag(1 - z) + by_z * uz + by_c * (u @ (np.diag(r) + by_r * ur)),
        by_z * wz + by_c * (w + u @ (by_r * wr)),
    )


def logistic(x: Array) -> Array:
    """Return `1 / (1 + exp(-x))`, between 0 and 1, element by element.

    >>> logistic(np.array([-1000.0, 0.0, np.log(3.0)])).round(2)
    array([0.  , 0.5 , 0.75])
    """
    return (1 + np.tanh(x / 2)) / 2  # does not overflow


def run_cell(cell: CellWeights, x: Array) -> Array:
    """Return the states `(T + 1, N)` of a cell that takes in `x` (T, D), zeros first.

    >>> run_cell(random_cell(TANH, width=2, hidden=3, gain=1.0, seed=0), np.ones((4, 2))).shape
    (5, 3)
    """
    states = np.zeros((len(x) + 1, cell.recurrent.shape[-1]))
    for k, row in enumerate(x):
        states[k + 1] = _step(cell)(cell, row, states[k]).state
    return states


def input_norms(cell: CellWeights, x: Array) -> Array:
    """Return how much the last state moves with each input: `|d h_T / d x_k|`, Frobenius, `(T,)`.

    By the chain rule a product of T - k step derivatives, one for every word in between:
    `d h_T / d x_k = (d h_T / d h_{T-1}) ... (d h_{k+1} / d h_k) (d h_k / d x_k)`

    Source: Bengio et al. 1994; Pascanu et al. 2013, equation 5.

    >>> half = CellWeights(np.array([[[1.0]]]), np.array([[[0.5]]]))
    >>> input_norms(half, np.zeros((3, 1)))
    array([0.25, 0.5 , 1.  ])
    """
    states, norms = run_cell(cell, x), np.empty(len(x))
    path = np.eye(states.shape[1])
    for k in reversed(range(len(x))):  # derivatives are made anew: to keep them takes T * N * D
        step = _step(cell)(cell, x[k], states[k])
        norms[k] = np.linalg.norm(path @ step.by_input)
        path = path @ step.by_state
    return norms


def passed_on(cell: CellWeights, x: Array, start: int) -> Array:
    """Return how much of one input each later state still holds, 1 for its own: `(T - start,)`.

    `|d h_t / d x_start| / |d h_start / d x_start|` for t from start on: the message is handed from
    state to state, and each hands on what it makes of it.

    Source: Pascanu et al. 2013, equation 5.

    >>> half = CellWeights(np.array([[[1.0]]]), np.array([[[0.5]]]))
    >>> passed_on(half, np.zeros((4, 1)), 1)
    array([1.  , 0.5 , 0.25])
    """
    states, norms = run_cell(cell, x), np.empty(len(x) - start)
    path = _step(cell)(cell, x[start], states[start]).by_input
    for t in range(start, len(x)):
        if t > start:
            path = _step(cell)(cell, x[t], states[t]).by_state @ path
        norms[t - start] = np.linalg.norm(path)
    return norms / norms[0] if norms[0] > 0 else np.zeros_like(norms)


def dilations(layers: int, rule: int) -> tuple[int, ...]:
    """Return the dilation of each layer: `rule` in all of them, or 1, 2, 4, ... where it is 0.

    >>> dilations(3, 2), dilations(3, 0)
    ((2, 2, 2), (1, 2, 4))
    """
    return tuple(rule or 1 << layer for layer in range(layers))


def receptive_field(kernel: int, dilated: Sequence[int]) -> int:
    """Return how wide a stack of convolutions reaches: `1 + (k - 1) * sum of its dilations`.

    Source: Yu and Koltun 2016, "Multi-scale context aggregation by dilated convolutions", 2.

    >>> receptive_field(3, (1, 1, 1)), receptive_field(3, (1, 2, 4))
    (7, 15)
    """
    return 1 + (kernel - 1) * sum(dilated)


def cone(kernel: int, dilated: Sequence[int], length: int, output: int) -> Array:
    """Return which numbers one output of a stack of centred convolutions is made from.

    Returns
    -------
    (layers + 1, T) of bool : row 0 is the inputs, the last row the output alone

    >>> cone(3, (1, 2), length=7, output=3).astype(int)
    array([[1, 1, 1, 1, 1, 1, 1],
           [0, 1, 0, 1, 0, 1, 0],
           [0, 0, 0, 1, 0, 0, 0]])
    """
    top = np.arange(length) == output
    rows = accumulate(reversed(dilated), lambda row, d: _spread(row, kernel, d), initial=top)
    return np.array(list(rows)[::-1])


def layers_to_connect(distance: int, kernel: int, rule: int) -> int | None:
    """Return how many layers reach a word that is `distance` away; None if no number does.

    Parameters
    ----------
    rule : the dilation of every layer, or 0 for 1, 2, 4, ...

    >>> layers_to_connect(5, 3, 1), layers_to_connect(5, 3, 0), layers_to_connect(5, 3, 2)
    (5, 3, None)
    """
    if distance % (rule or 1):
        return None  # a stack with one dilation reaches every second, third, ... word only
    layers, reach = 0, 0
    while reach < distance:
        layers += 1
        reach = receptive_field(kernel, dilations(layers, rule)) // 2
    return layers


def convolve(x: Array, kernel: Array, dilation: int = 1) -> Array:
    """Return a centred convolution over words: `y_t = sum_s W_s x_{t + (s - S // 2) * dilation}`.

    Beyond the ends there are zeros. The same `W` serves every position: it weighs a word by
    how far away it stands, never by what it is.

    Parameters
    ----------
    x : (T, D)
    kernel : (S, D, N), S odd

    Source: Gehring et al. 2017, "Convolutional sequence to sequence learning", section 3.

    >>> convolve(np.array([[1.0], [2.0], [4.0]]), np.ones((3, 1, 1))).ravel()
    array([3., 7., 6.])
    """
    side = len(kernel) // 2 * dilation
    padded = np.pad(x, ((side, side), (0, 0)))
    y = np.zeros((len(x), kernel.shape[-1]), np.result_type(x, kernel))
    for s, weights in enumerate(kernel):
        y += padded[s * dilation : s * dilation + len(x)] @ weights
    return y


def random_kernel(size: int, width: int, *, seed: int) -> Array:
    """Return a random kernel `(S, D, D)` that keeps the variance of its input.

    >>> random_kernel(3, 4, seed=0).shape
    (3, 4, 4)
    """
    rng = np.random.default_rng([seed, size])
    return rng.standard_normal((size, width, width)) / math.sqrt(size * width)


def _spread(row: Array, kernel: int, dilation: int) -> Array:
    """Return which positions a layer needs to make those that are marked in `row` (T,)."""
    side = kernel // 2
    offsets = dilation * np.arange(-side, side + 1)
    needed = np.add.outer(np.flatnonzero(row), offsets).ravel()
    spread = np.zeros_like(row)
    spread[needed[(needed >= 0) & (needed < len(row))]] = True
    return spread


def _step(cell: CellWeights) -> Callable[[CellWeights, Array, Array], CellStep]:
    return tanh_step if len(cell.inputs) == TANH else gru_step
