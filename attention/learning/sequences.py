"""Layers that read a text in order, forward and backward: recurrent ones and a convolution.

Backward functions are as in `layers`. A recurrent layer gives all its states, the zeros that it
starts from first; its gradient comes back through time, from the last state to the first.

Axes: `B` example, `T` token, `D` input width, `N` width of the state, `S` offsets of a kernel.

Source: Werbos 1990, "Backpropagation through time: what it does and how to do it".
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from attention.arrays import Array
from attention.context.rnn_cnn import logistic
from attention.learning.layers import linear, product, summed, summed_products


class RecurrentGradients(NamedTuple):
    """The gradients of a recurrent layer; it has G gates, a plain one has 1."""

    x: Array  # (B, T, D)
    inputs: Array  # (D, G N)
    recurrent: Array  # (N, G N)
    bias: Array  # (G N,)


class GruForward(NamedTuple):
    """The states of a GRU and what its gates were."""

    states: Array  # (B, T + 1, N)
    gates: Array  # (B, T, 3 N) update z, reset r, candidate c


def tanh_forward(x: Array, inputs: Array, recurrent: Array, bias: Array) -> Array:
    """Return the states `h_t = tanh(x_t W + h_{t-1} U + b)`, zeros first: `(B, T + 1, N)`.

    Parameters
    ----------
    x : (B, T, D)
    inputs : (D, N)
    recurrent : (N, N)
    bias : (N,)

    Source: Elman 1990, "Finding structure in time".

    >>> tanh_forward(np.ones((1, 2, 1)), np.eye(1), np.eye(1), np.zeros(1)).ravel().round(2)
    array([0.  , 0.76, 0.94])
    """
    driven = linear(x, inputs, bias)  # (B, T, N)
    states = _zeros_first(driven, len(recurrent))
    for t in range(x.shape[1]):
        states[:, t + 1] = np.tanh(driven[:, t] + states[:, t] @ recurrent)
    return states


def tanh_backward(
    states: Array, x: Array, inputs: Array, recurrent: Array, d_states: Array
) -> RecurrentGradients:
    """Return the gradients of a tanh layer; a state is used by the loss and by the next state.

    `da_t = (1 - h_t^2) * dh_t`, and `dh_{t-1}` gains `da_t U^T`.

    Parameters
    ----------
    d_states : (B, T, N) gradients of the states after each token

    >>> h, x = np.zeros((1, 3, 1)), np.ones((1, 2, 1))
    >>> last = np.array([[[0.0], [1.0]]])
    >>> tanh_backward(h, x, np.eye(1), np.full((1, 1), 0.5), last).x.ravel()
    array([0.5, 1. ])
    """
    d_driven, carried = np.empty_like(d_states), np.zeros_like(d_states[:, 0])
    for t in reversed(range(x.shape[1])):
        d_driven[:, t] = (1 - states[:, t + 1] ** 2) * (d_states[:, t] + carried)
        carried = d_driven[:, t] @ recurrent.T
    return RecurrentGradients(
        x=product(d_driven, inputs.T),
        inputs=summed_products(x, d_driven),
        recurrent=summed_products(states[:, :-1], d_driven),
        bias=summed(d_driven),
    )


def gru_forward(x: Array, inputs: Array, recurrent: Array, bias: Array) -> GruForward:
    """Return the states and gates of a gated recurrent unit.

    `z = s(x Wz + h Uz + bz)`, `r = s(x Wr + h Ur + br)`, `c = tanh(x Wc + (r * h) Uc + bc)`,
    `h' = (1 - z) * h + z * c`, where `s` is the logistic function.

    Parameters
    ----------
    x : (B, T, D)
    inputs : (D, 3 N) = Wz, Wr, Wc side by side
    recurrent : (N, 3 N) = Uz, Ur, Uc
    bias : (3 N,)

    Source: Chung et al. 2014, "Empirical evaluation of gated recurrent neural networks", 3.2.

    >>> halves = gru_forward(np.zeros((1, 2, 1)), np.zeros((1, 3)), np.zeros((1, 3)), np.zeros(3))
    >>> halves.gates[0, 0]
    array([0.5, 0.5, 0. ])
    """
    width = len(recurrent)
    driven = linear(x, inputs, bias)  # (B, T, 3 N)
    states, gates = _zeros_first(driven, width), np.empty_like(driven)
    for t in range(x.shape[1]):
        h, a = states[:, t], driven[:, t]
        zr = logistic(a[:, : 2 * width] + h @ recurrent[:, : 2 * width])
        z, r = zr[:, :width], zr[:, width:]
        c = np.tanh(a[:, 2 * width :] + (r * h) @ recurrent[:, 2 * width :])
        gates[:, t, : 2 * width], gates[:, t, 2 * width :] = zr, c
        states[:, t + 1] = h + z * (c - h)
    return GruForward(states, gates)


def gru_backward(
    forward: GruForward, x: Array, inputs: Array, recurrent: Array, d_states: Array
) -> RecurrentGradients:
    """Return the gradients of a GRU: through the candidate, both gates, and what is kept of `h`.

    `dc = dh' * z`, `dz = dh' * (c - h)`, `d(r h) = dac Uc^T`, `dr = d(r h) * h`, and
    `dh = dh' * (1 - z) + d(r h) * r + daz Uz^T + dar Ur^T`, where `da` is before a function's
    slope: `z (1 - z)` of the logistic function, `1 - c^2` of tanh.

    Parameters
    ----------
    d_states : (B, T, N) gradients of the states after each token

    >>> zeros = np.zeros((1, 2, 1)), np.zeros((1, 3)), np.zeros((1, 3))
    >>> forward, last = gru_forward(*zeros, np.zeros(3)), np.array([[[0.0], [1.0]]])
    >>> gru_backward(forward, *zeros, last).bias  # half of the first candidate's share is kept
    array([0.  , 0.  , 0.75])
    """
    (states, gates), width = forward, len(recurrent)
    z, r, c = (gates[..., i * width : (i + 1) * width] for i in range(3))
    d_driven, carried = np.empty_like(gates), np.zeros_like(d_states[:, 0])
    for t in reversed(range(x.shape[1])):
        h, d_new = states[:, t], d_states[:, t] + carried
        d_c = d_new * z[:, t] * (1 - c[:, t] ** 2)
        d_kept = d_c @ recurrent[:, 2 * width :].T  # of r * h
        d_z = d_new * (c[:, t] - h) * z[:, t] * (1 - z[:, t])
        d_r = d_kept * h * r[:, t] * (1 - r[:, t])
        np.concatenate([d_z, d_r, d_c], axis=-1, out=d_driven[:, t])
        carried = d_new * (1 - z[:, t]) + d_kept * r[:, t]
        carried += d_driven[:, t, : 2 * width] @ recurrent[:, : 2 * width].T
    before = states[:, :-1]
    return RecurrentGradients(
        x=product(d_driven, inputs.T),
        inputs=summed_products(x, d_driven),
        recurrent=np.concatenate(
            [
                summed_products(before, d_driven[..., : 2 * width]),
                summed_products(r * before, d_driven[..., 2 * width :]),
            ],
            axis=-1,
        ),
        bias=summed(d_driven),
    )


def convolution_forward(x: Array, kernel: Array, bias: Array, dilation: int = 1) -> Array:
    """Return a causal convolution `y_t = sum_s x_{t - s * dilation} W_s + b`, zeros at the start.

    Parameters
    ----------
    x : (B, T, D)
    kernel : (S, D, N); `W_0` is for the token itself
    bias : (N,)

    Source: van den Oord et al. 2016, "WaveNet", section 2.1.

    >>> x = np.array([[[1.0], [2.0], [4.0]]])
    >>> convolution_forward(x, np.ones((2, 1, 1)), np.zeros(1)).ravel()
    array([1., 3., 6.])
    """
    y = linear(x, kernel[0], bias)
    for s, here, before in _shifts(x, kernel, dilation):
        y[:, here] += x[:, before] @ kernel[s]
    return y


def convolution_backward(
    x: Array, kernel: Array, d_y: Array, dilation: int = 1
) -> tuple[Array, Array, Array]:
    """Return the gradients `dx_t = sum_s dy_{t + s * dilation} W_s^T`, `dW_s`, `db`.

    >>> x, last = np.array([[[1.0], [2.0], [4.0]]]), np.array([[[0.0], [0.0], [1.0]]])
    >>> convolution_backward(x, np.ones((2, 1, 1)), last)[1].ravel()
    array([4., 2.])
    """
    d_x, d_kernel = product(d_y, kernel[0].T), np.zeros_like(kernel)
    d_kernel[0] = summed_products(x, d_y)
    for s, here, before in _shifts(x, kernel, dilation):
        d_x[:, before] += d_y[:, here] @ kernel[s].T
        d_kernel[s] = summed_products(x[:, before], d_y[:, here])
    return d_x, d_kernel, summed(d_y)


def _zeros_first(driven: Array, width: int) -> Array:
    return np.zeros((len(driven), driven.shape[1] + 1, width), driven.dtype)


def _shifts(x: Array, kernel: Array, dilation: int) -> list[tuple[int, slice, slice]]:
    """Return for each earlier offset which positions have a token there, and where it is."""
    tokens = x.shape[1]
    steps = [s for s in range(1, len(kernel)) if s * dilation < tokens]
    return [(s, slice(s * dilation, None), slice(0, tokens - s * dilation)) for s in steps]
