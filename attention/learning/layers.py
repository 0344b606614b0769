"""Layers as pairs: what goes forward, and how its gradient comes back. Written to be read.

A backward function gets what its forward function was given or gave, and `d_y`, the gradient of the
loss with respect to its output; it returns the gradients with respect to every input, in the order
of the forward function's arguments.

Axes: `...` any leading dimensions, `B` example, `T` token, `F` features of a token, `V` vocabulary,
`D` width, `N` output width, `Q` query, `K` key, `E` head width, `C` answer.

Source: Rumelhart, Hinton and Williams 1986, "Learning representations by back-propagating errors".
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from attention.arrays import Array
from attention.core.plain import softmax_in_place


class AttentionForward(NamedTuple):
    """What attention gives, and the weights that its gradient needs."""

    output: Array  # (..., Q, E)
    weights: Array  # (..., Q, K)


class AttentionGradients(NamedTuple):
    """The gradients of attention's inputs, and of the scores in between."""

    query: Array  # (..., Q, E)
    key: Array  # (..., K, E)
    value: Array  # (..., K, E)
    scores: Array  # (..., Q, K) as softmax gets them, scaled by 1 / sqrt(E)


def linear(x: Array, weight: Array, bias: Array) -> Array:
    """Return `y = x W + b`.

    Parameters
    ----------
    x : (..., D)
    weight : (D, N)
    bias : (N,)

    >>> linear(np.array([[1.0, 2.0]]), np.eye(2), np.ones(2))
    array([[2., 3.]])
    """
    return product(x, weight) + bias


def linear_backward(x: Array, weight: Array, d_y: Array) -> tuple[Array, Array, Array]:
    """Return the gradients `dx = dy W^T`, `dW = x^T dy`, `db = sum of dy`.

    >>> dx, dw, db = linear_backward(np.array([[1.0, 2.0]]), np.eye(2), np.array([[1.0, 0.0]]))
    >>> dw
    array([[1., 0.],
           [2., 0.]])
    """
    return product(d_y, weight.T), summed_products(x, d_y), summed(d_y)


def counts(tokens: Array, vocabulary: int, dtype: np.dtype) -> Array:
    """Return how often each entry of the vocabulary is among a token's features: `(..., T, V)`.

    With one feature this is the usual one-hot code.

    Parameters
    ----------
    tokens : (..., T, F) of int

    >>> counts(np.array([[0, 2], [1, 1]]), 3, np.dtype(float))
    array([[1., 0., 1.],
           [0., 2., 0.]])
    """
    *lead, features = tokens.shape
    rows = np.arange(math.prod(lead))[:, None] * vocabulary
    cells = (tokens.reshape(-1, features) + rows).ravel()
    found = np.bincount(cells, minlength=len(rows) * vocabulary)
    return found.reshape(*lead, vocabulary).astype(dtype)


def embedding(counted: Array, table: Array) -> Array:
    """Return each token's vector, the sum of its features' rows: `x = counts E`.

    Parameters
    ----------
    counted : (..., T, V), see `counts`
    table : (V, D)

    >>> embedding(np.array([[1.0, 0.0, 1.0]]), np.array([[1.0, 2.0], [3.0, 4.0], [10.0, 20.0]]))
    array([[11., 22.]])
    """
    return product(counted, table)


def embedding_backward(counted: Array, d_x: Array) -> Array:
    """Return the gradient of the table, `dE = counts^T dx`: a row learns where it was used.

    >>> embedding_backward(np.array([[1.0, 0.0], [1.0, 0.0]]), np.array([[1.0], [2.0]]))
    array([[3.],
           [0.]])
    """
    return summed_products(counted, d_x)


def attention_forward(query: Array, key: Array, value: Array) -> AttentionForward:
    """Return `A = softmax(Q K^T / sqrt(E))` and `A V`.

    Parameters
    ----------
    query : (..., Q, E)
    key : (..., K, E)
    value : (..., K, E)

    Source: Vaswani et al. 2017, section 3.2.1. The numbers are those of `core.plain`, without
    its checks, which would take as long as the numbers do at this size.

    >>> attention_forward(np.zeros((1, 1)), np.ones((2, 1)), np.array([[0.0], [4.0]])).output
    array([[2.]])
    """
    scores = query @ key.swapaxes(-1, -2)  # (..., Q, K)
    scores *= 1 / math.sqrt(query.shape[-1])
    weights = softmax_in_place(scores)
    return AttentionForward(weights @ value, weights)


def attention_backward(
    weights: Array, query: Array, key: Array, value: Array, d_output: Array
) -> AttentionGradients:
    """Return how the loss moves with queries, keys and values, through the softmax.

    `dA = dO V^T` and `dV = A^T dO`, as for any product. For the softmax of each row
    `dS = A * (dA - sum(dA * A))`: a score gains where its token would lower the loss more than what
    the row gives on average, and what is gained in a row is lost in it. Then
    `dQ = dS K / sqrt(E)`, `dK = dS^T Q / sqrt(E)`.

    Parameters
    ----------
    weights : (..., Q, K), those that `attention_forward` gave
    query, key, value : what it was given
    d_output : (..., Q, E)

    Source: Dao et al. 2022, "FlashAttention", appendix B.2.

    >>> even, up = np.array([[0.5, 0.5]]), np.array([[1.0], [0.0]])
    >>> attention_backward(even, np.ones((1, 1)), up, up, np.ones((1, 1))).scores
    array([[ 0.25, -0.25]])
    """
    d_weights = d_output @ value.swapaxes(-1, -2)  # (..., Q, K)
    average = (d_weights * weights).sum(axis=-1, keepdims=True)
    d_scores = weights * (d_weights - average)
    scaled = d_scores * (1 / math.sqrt(query.shape[-1]))
    return AttentionGradients(
        query=scaled @ key,
        key=scaled.swapaxes(-1, -2) @ query,
        value=weights.swapaxes(-1, -2) @ d_output,
        scores=d_scores,
    )


def cross_entropy(logits: Array, answer: Array) -> float:
    """Return the mean of `-ln p(answer)` in nats, where `p = softmax(logits)`.

    Parameters
    ----------
    logits : (B, C)
    answer : (B,) of int

    >>> round(cross_entropy(np.zeros((1, 4)), np.array([2])), 3)  # ln 4: one of four, no idea
    1.386
    """
    top = logits.max(axis=-1, keepdims=True)
    total = np.log(np.exp(logits - top).sum(axis=-1)) + top[:, 0]
    return float((total - logits[np.arange(len(answer)), answer]).mean())


def cross_entropy_backward(logits: Array, answer: Array) -> Array:
    """Return the gradient `(softmax(logits) - one_hot(answer)) / B`.

    Source: Bridle 1990, "Probabilistic interpretation of feedforward classification".

    >>> cross_entropy_backward(np.zeros((1, 4)), np.array([2]))
    array([[ 0.25,  0.25, -0.75,  0.25]])
    """
    d_logits = softmax_in_place(logits.copy())
    d_logits[np.arange(len(answer)), answer] -= 1
    return d_logits / len(answer)


def product(x: Array, weight: Array) -> Array:
    """Return `x @ weight` `(..., N)` as one product of matrices, not one for each example."""
    return (x.reshape(-1, x.shape[-1]) @ weight).reshape(*x.shape[:-1], weight.shape[-1])


def summed_products(x: Array, d_y: Array) -> Array:
    """Return `x^T dy` `(D, N)`, summed over all leading dimensions."""
    return x.reshape(-1, x.shape[-1]).T @ d_y.reshape(-1, d_y.shape[-1])


def summed(d_y: Array) -> Array:
    """Return the sum `(N,)` over all leading dimensions."""
    return d_y.reshape(-1, d_y.shape[-1]).sum(axis=0)
