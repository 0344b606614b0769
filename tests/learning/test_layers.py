"""Every layer's gradients against finite differences, over many shapes, and by hand."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import attention
from attention.learning import layers, sequences
from tests.learning.differences import assert_gradients

SIZES = st.integers(1, 4)
SEEDS = st.integers(0, 2**32 - 1)
many_shapes = settings(deadline=None, max_examples=40)


def drawn(seed, *shapes):
    rng = np.random.default_rng(seed)
    return [rng.standard_normal(shape) for shape in shapes]


@many_shapes
@given(SIZES, SIZES, SIZES, SIZES, SEEDS)
def test_linear(batch, tokens, width, out, seed):
    x, weight, bias, r = drawn(
        seed, (batch, tokens, width), (width, out), (out,), (batch, tokens, out)
    )
    found = layers.linear_backward(x, weight, r)
    assert_gradients(lambda: (layers.linear(x, weight, bias) * r).sum(), [x, weight, bias], found)


@many_shapes
@given(SIZES, SIZES, SIZES, SIZES, SIZES, SEEDS)
def test_embedding(batch, tokens, features, vocabulary, width, seed):
    ids = np.random.default_rng(seed).integers(vocabulary, size=(batch, tokens, features))
    table, r = drawn(seed, (vocabulary, width), (batch, tokens, width))
    counted = layers.counts(ids, vocabulary, table.dtype)
    np.testing.assert_allclose(layers.embedding(counted, table), table[ids].sum(axis=-2))
    found = [layers.embedding_backward(counted, r)]
    assert_gradients(lambda: (layers.embedding(counted, table) * r).sum(), [table], found)


@many_shapes
@given(st.lists(SIZES, max_size=2), SIZES, SIZES, SIZES, SEEDS)
def test_attention(lead, queries, keys, width, seed):
    query, key, value, r = drawn(
        seed, *((*lead, size, width) for size in (queries, keys, keys, queries))
    )
    _, weights = layers.attention_forward(query, key, value)
    np.testing.assert_allclose(weights, attention.attention_weights(query, key), rtol=1e-12)
    found = layers.attention_backward(weights, query, key, value, r)
    np.testing.assert_allclose(found.scores.sum(axis=-1), 0, atol=1e-12)

    def loss():
        return (layers.attention_forward(query, key, value).output * r).sum()

    assert_gradients(loss, [query, key, value], found[:3])


def test_a_score_gains_where_its_value_is_better_than_the_average():
    """Weights 0.8 and 0.2, dA = 1 and 0: the average is 0.8, so dS = 0.8 * 0.2 and -0.2 * 0.8."""
    key = np.array([[np.log(4.0)], [0.0]])
    _, weights = layers.attention_forward(np.ones((1, 1)), key, key)
    np.testing.assert_allclose(weights, [[0.8, 0.2]])
    value = np.array([[1.0], [0.0]])
    back = layers.attention_backward(weights, np.ones((1, 1)), key, value, np.ones((1, 1)))
    np.testing.assert_allclose(back.scores, [[0.16, -0.16]])
    np.testing.assert_allclose(back.value, [[0.8], [0.2]])


@many_shapes
@given(SIZES, SIZES, SEEDS)
def test_cross_entropy(batch, answers, seed):
    (logits,) = drawn(seed, (batch, answers))
    answer = np.random.default_rng(seed).integers(answers, size=batch)
    chances = attention.softmax(logits)[np.arange(batch), answer]
    assert layers.cross_entropy(logits, answer) == pytest.approx(-np.log(chances).mean())
    found = [layers.cross_entropy_backward(logits, answer)]
    assert_gradients(lambda: layers.cross_entropy(logits, answer), [logits], found)


@many_shapes
@given(SIZES, st.integers(1, 6), SIZES, SIZES, st.sampled_from([1, 3]), SEEDS)
def test_recurrent_layers(batch, tokens, width, hidden, gates, seed):
    x, inputs, recurrent, bias, r = drawn(
        seed,
        (batch, tokens, width),
        (width, gates * hidden),
        (hidden, gates * hidden),
        (gates * hidden,),
        (batch, tokens, hidden),
    )

    def loss():
        if gates == 1:
            states = sequences.tanh_forward(x, inputs, recurrent, bias)
        else:
            states = sequences.gru_forward(x, inputs, recurrent, bias).states
        return (states[:, 1:] * r).sum()

    if gates == 1:
        states = sequences.tanh_forward(x, inputs, recurrent, bias)
        found = sequences.tanh_backward(states, x, inputs, recurrent, r)
    else:
        forward = sequences.gru_forward(x, inputs, recurrent, bias)
        found = sequences.gru_backward(forward, x, inputs, recurrent, r)
    assert_gradients(loss, [x, inputs, recurrent, bias], found)


def test_a_gru_is_the_one_of_the_context_page():
    from attention.context import rnn_cnn

    cell = rnn_cnn.random_cell(rnn_cnn.GRU, width=3, hidden=4, gain=1.0, seed=0)
    (x,) = drawn(0, (5, 3))
    side_by_side = [np.concatenate([w.T for w in gates], axis=-1) for gates in cell]
    states = sequences.gru_forward(x[None], *side_by_side, np.zeros(12)).states[0]
    np.testing.assert_allclose(states, rnn_cnn.run_cell(cell, x), rtol=1e-12)


@many_shapes
@given(SIZES, st.integers(1, 7), SIZES, SIZES, SIZES, st.integers(1, 3), SEEDS)
def test_convolution(batch, tokens, width, out, size, dilation, seed):
    x, kernel, bias, r = drawn(
        seed, (batch, tokens, width), (size, width, out), (out,), (batch, tokens, out)
    )
    y = sequences.convolution_forward(x, kernel, bias, dilation)
    for b, t in np.ndindex(batch, tokens):
        seen = [(s, t - s * dilation) for s in range(size) if s * dilation <= t]
        expected = bias + sum(x[b, before] @ kernel[s] for s, before in seen)
        np.testing.assert_allclose(y[b, t], expected, atol=1e-12)

    def loss():
        return (sequences.convolution_forward(x, kernel, bias, dilation) * r).sum()

    found = sequences.convolution_backward(x, kernel, r, dilation)
    assert_gradients(loss, [x, kernel, bias], found)
