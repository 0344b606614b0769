"""The recurrent and convolutional layers: against finite differences and slow loops."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from attention.context import rnn_cnn
from attention.context.rnn_cnn import GRU, TANH, CellWeights

STEPS = {TANH: rnn_cnn.tanh_step, GRU: rnn_cnn.gru_step}


def numeric(function, at, size=1e-6):
    """Return the derivative of `function` by central differences, a column per input."""
    columns = []
    for i in range(len(at)):
        moved = np.zeros_like(at)
        moved[i] = size
        columns.append((function(at + moved) - function(at - moved)) / (2 * size))
    return np.stack(columns, axis=-1)


@pytest.mark.parametrize("gates", [TANH, GRU])
@pytest.mark.parametrize("gain", [0.3, 1.5])
def test_the_derivatives_of_a_step_are_those_of_finite_differences(gates, gain):
    rng = np.random.default_rng(1)
    cell = rnn_cnn.random_cell(gates, width=4, hidden=3, gain=gain, seed=2)
    x, h = rng.standard_normal(4), rng.standard_normal(3)
    step = STEPS[gates](cell, x, h)
    by_state = numeric(lambda h: STEPS[gates](cell, x, h).state, h)
    by_input = numeric(lambda x: STEPS[gates](cell, x, h).state, x)
    np.testing.assert_allclose(step.by_state, by_state, atol=1e-8)
    np.testing.assert_allclose(step.by_input, by_input, atol=1e-8)


@pytest.mark.parametrize("gates", [TANH, GRU])
def test_the_chain_rule_gives_what_moving_each_input_of_the_whole_run_gives(gates):
    cell = rnn_cnn.random_cell(gates, width=3, hidden=4, gain=1.2, seed=0)
    x = np.random.default_rng(3).standard_normal((6, 3))

    def last_state(k, row):
        changed = x.copy()
        changed[k] = row
        return rnn_cnn.run_cell(cell, changed)[-1]

    expected = [np.linalg.norm(numeric(lambda r, k=k: last_state(k, r), x[k])) for k in range(6)]
    np.testing.assert_allclose(rnn_cnn.input_norms(cell, x), expected, rtol=1e-6)


def test_a_gru_by_hand():
    """Gates at s(0) = 1/2; the candidate is tanh(3 * (1/2 * 2)), so h' = (2 + tanh 3) / 2."""
    cell = CellWeights(np.zeros((3, 1, 1)), np.array([[[0.0]], [[0.0]], [[3.0]]]))
    step = rnn_cnn.gru_step(cell, np.zeros(1), np.array([2.0]))
    assert step.state[0] == pytest.approx((2 + np.tanh(3)) / 2)
    # d h'/d h = 1/2 + 1/2 (1 - tanh^2 3) * 3 * 1/2
    assert step.by_state[0, 0] == pytest.approx(0.5 + 0.75 * (1 - np.tanh(3) ** 2))


def test_a_recurrent_gain_of_a_half_halves_with_every_word():
    cell = CellWeights(np.array([[[1.0]]]), np.array([[[0.5]]]))
    np.testing.assert_allclose(
        rnn_cnn.input_norms(cell, np.zeros((5, 1))), 0.5 ** np.arange(4, -1, -1)
    )


@pytest.mark.parametrize("gates", [TANH, GRU])
def test_the_gain_is_the_spectral_radius(gates):
    cell = rnn_cnn.random_cell(gates, width=5, hidden=16, gain=0.7, seed=4)
    radius = np.abs(np.linalg.eigvals(cell.recurrent)).max(axis=-1)
    np.testing.assert_allclose(radius, 0.7)
    assert len(radius) == gates


def test_a_seed_gives_the_same_cell_and_another_seed_another():
    one, same, other = (
        rnn_cnn.random_cell(TANH, 3, 3, gain=1.0, seed=seed).recurrent for seed in (1, 1, 2)
    )
    np.testing.assert_array_equal(one, same)
    assert not np.allclose(one, other)


def test_long_texts_neither_overflow_nor_warn():
    x = np.random.default_rng(0).standard_normal((300, 4))
    for gain in (0.1, 3.0):
        norms = rnn_cnn.input_norms(rnn_cnn.random_cell(TANH, 4, 8, gain=gain, seed=0), x)
        assert np.isfinite(norms).all()


@given(st.integers(1, 4), st.sampled_from([0, 1, 2, 3]), st.sampled_from([1, 3, 5]))
def test_the_cone_is_what_changes_the_output_of_real_convolutions(layers, rule, kernel):
    length, output, width = 19, 9, 2
    dilated = rnn_cnn.dilations(layers, rule)
    weights = [np.abs(rnn_cnn.random_kernel(kernel, width, seed=i)) for i in range(layers)]

    def top(x):
        for d, w in zip(dilated, weights, strict=True):
            x = rnn_cnn.convolve(x, w, d)
        return x[output]

    inputs = np.eye(length)[:, :, None] * np.ones(width)  # one word at a time
    moves = np.array([top(x).sum() > 0 for x in inputs])  # positive weights cannot cancel
    np.testing.assert_array_equal(rnn_cnn.cone(kernel, dilated, length, output)[0], moves)


@given(st.integers(1, 5), st.sampled_from([0, 1]), st.sampled_from([3, 5, 7]))
def test_the_receptive_field_is_the_width_of_the_cone(layers, rule, kernel):
    dilated = rnn_cnn.dilations(layers, rule)
    field = rnn_cnn.receptive_field(kernel, dilated)
    reached = rnn_cnn.cone(kernel, dilated, field + 10, (field + 10) // 2)
    assert reached[0].sum() == field
    assert reached[-1].sum() == 1


@given(st.integers(0, 40), st.sampled_from([0, 1, 2, 3]), st.sampled_from([3, 5, 7]))
def test_the_layers_that_connect_two_words_are_the_fewest_whose_cone_does(distance, rule, kernel):
    def connects(layers):
        dilated = rnn_cnn.dilations(layers, rule)
        return rnn_cnn.cone(kernel, dilated, distance + 1, distance)[0, 0]

    expected = next((layers for layers in range(42) if connects(layers)), None)
    assert rnn_cnn.layers_to_connect(distance, kernel, rule) == expected


@pytest.mark.parametrize("dilation", [1, 3])
def test_a_convolution_is_a_slow_loop(dilation):
    rng = np.random.default_rng(0)
    x, kernel = rng.standard_normal((7, 2)), rng.standard_normal((5, 2, 3))
    expected = np.zeros((7, 3))
    for t in range(7):
        for s in range(5):
            read = t + (s - 2) * dilation
            if 0 <= read < 7:
                expected[t] += x[read] @ kernel[s]
    np.testing.assert_allclose(rnn_cnn.convolve(x, kernel, dilation), expected)


def test_rows_are_standardised_and_a_constant_row_stays_finite():
    rows = rnn_cnn.standardised(np.array([[1, 2, 3], [5, 5, 5]], np.float16))
    np.testing.assert_allclose(rows.mean(axis=1), 0, atol=1e-12)
    np.testing.assert_allclose(rows.std(axis=1), [1, 0])


@pytest.mark.parametrize("gates", [rnn_cnn.TANH, rnn_cnn.GRU])
def test_what_is_passed_on_is_the_derivative_of_each_state(gates):
    cell = rnn_cnn.random_cell(gates, width=3, hidden=4, gain=0.8, seed=1)
    x = np.random.default_rng(0).standard_normal((6, 3))
    moved, step = [], 1e-6
    for column in range(3):
        near = x.copy()
        near[2, column] += step
        moved.append((rnn_cnn.run_cell(cell, near) - rnn_cnn.run_cell(cell, x)) / step)
    norms = np.linalg.norm(np.stack(moved), axis=(0, 2))[3:]  # states from word 2 on
    np.testing.assert_allclose(rnn_cnn.passed_on(cell, x, 2), norms / norms[0], rtol=1e-4)
