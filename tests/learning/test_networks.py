"""Whole networks: gradients, numbers of parameters, and what each can see."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from attention.learning.layers import cross_entropy
from attention.learning.network import equally_large
from attention.learning.networks import (
    AttentionNetwork,
    ConvolutionNetwork,
    GruNetwork,
    TanhNetwork,
)
from attention.learning.tasks import FIRST_WORD, LIBRARY, MAJORITY, MARKED_WORD, word_back
from tests.learning.differences import assert_gradients, numeric_gradient

SOME = {
    "attention": lambda task, width: AttentionNetwork(task, width),
    "heads and positions": lambda task, width: AttentionNetwork(
        task, width, heads=width, longest=6
    ),
    "GRU": GruNetwork,
    "tanh": TanhNetwork,
    "convolution": lambda task, width: ConvolutionNetwork(task, width, depth=2),
}
TASKS = (LIBRARY, FIRST_WORD, MAJORITY, MARKED_WORD, word_back(1))


def anywhere(network, seed):
    """Return parameters as training may come by them: none is 0, as queries are at first."""
    rng = np.random.default_rng((seed, 1))
    parameters = network.initial(seed, np.float64)
    return {
        name: values if values.any() else rng.normal(0, 0.5, values.shape)
        for name, values in parameters.items()
    }


@pytest.mark.slow
@pytest.mark.parametrize("kind", SOME)
@settings(deadline=None, max_examples=10)
@given(
    st.sampled_from(TASKS), st.integers(1, 3), st.integers(1, 5), st.integers(1, 3),
    st.integers(0, 2**32 - 1),
)  # fmt: skip
def test_every_parameter_against_differences(kind, task, width, n, size, seed):
    network, batch = SOME[kind](task, width), task.batch(n, size, seed)
    parameters = anywhere(network, seed)
    found = network.gradients(parameters, network.answers(parameters, batch), batch)
    assert set(found) == set(parameters)

    def loss():
        return cross_entropy(network.answers(parameters, batch).logits, batch.answer)

    assert_gradients(loss, list(parameters.values()), [found[name] for name in parameters])


def test_the_gradient_of_a_score_is_what_the_loss_gains():
    network, batch = AttentionNetwork(LIBRARY, 4, heads=2), LIBRARY.batch(3, 1, seed=0)
    parameters = anywhere(network, 0)
    _, _, query, key, value = network.answers(parameters, batch).reading.kept
    scores = query @ key.swapaxes(-1, -2) / np.sqrt(2)

    def loss():
        weights = np.exp(scores) / np.exp(scores).sum(axis=-1, keepdims=True)
        found = (weights @ value).reshape(1, 4)
        logits = found @ parameters["answer"] + parameters["answer bias"]
        return cross_entropy(logits, batch.answer)

    expected = numeric_gradient(loss, scores)[:, :, 0]
    found = network.score_gradients(parameters, batch)
    np.testing.assert_allclose(found, expected, atol=1e-9)
    assert np.abs(found.sum(axis=-1)).max() < 1e-12


def test_the_gradient_of_a_score_is_an_example_s_own():
    network, batch = AttentionNetwork(LIBRARY, 4), LIBRARY.batch(3, 2, seed=0)
    parameters = anywhere(network, 0)
    first = type(batch)(*(array[:1] for array in batch))
    together = network.score_gradients(parameters, batch)[:1]
    np.testing.assert_allclose(together, network.score_gradients(parameters, first))


@pytest.mark.parametrize("kind", SOME)
def test_the_number_of_parameters_is_that_of_the_arrays(kind):
    network = SOME[kind](LIBRARY, 8)
    assert network.parameter_count() == sum(a.size for a in network.initial(0).values())


def test_the_number_of_parameters_by_hand():
    """49 x 32 embeddings, three matrices of 32 x 32, 32 x 16 answers and 16 biases."""
    assert AttentionNetwork(LIBRARY, 32).parameter_count() == 1568 + 3072 + 528
    assert AttentionNetwork(LIBRARY, 32, heads=4).parameter_count() == 1568 + 3072 + 528
    assert AttentionNetwork(LIBRARY, 32, longest=9).parameter_count() == 1568 + 288 + 3072 + 528
    assert TanhNetwork(LIBRARY, 32).parameter_count() == 1568 + 2048 + 32 + 528
    assert GruNetwork(LIBRARY, 32).parameter_count() == 1568 + 6144 + 96 + 528
    assert ConvolutionNetwork(LIBRARY, 32, depth=2).parameter_count() == 1568 + 6208 + 528


@pytest.mark.parametrize("kind", ["attention", "GRU", "tanh", "convolution"])
@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize("wanted", [2000, 5168, 20000])
def test_equally_large_is_within_ten_percent(kind, task, wanted):
    found = equally_large(lambda width: SOME[kind](task, width), wanted).parameter_count()
    assert abs(found / wanted - 1) <= 0.1


def test_what_cannot_be_equally_large_says_so():
    with pytest.raises(ValueError, match="no GRU has about 3 parameters: the nearest, 90"):
        equally_large(lambda width: GruNetwork(LIBRARY, width), 3)
    with pytest.raises(ValueError, match="3 heads do not share a width of 32"):
        AttentionNetwork(LIBRARY, 32, heads=3)
    with pytest.raises(ValueError, match="a GRU has a width of at least 1, got 0"):
        GruNetwork(LIBRARY, 0)
    with pytest.raises(ValueError, match="a convolution has at least 1 layer, got 0"):
        ConvolutionNetwork(LIBRARY, 4, depth=0)
    network = AttentionNetwork(LIBRARY, 4, longest=4)
    with pytest.raises(ValueError, match="5 tokens, but embeddings of 4 positions"):
        network.answers(network.initial(0), LIBRARY.batch(4, 1, seed=0))


def test_a_convolution_sees_as_far_as_it_says():
    network = ConvolutionNetwork(FIRST_WORD, 4, depth=2)
    assert network.reach() == 7
    parameters = network.initial(0)
    for n, seen in ((6, True), (7, False)):
        batch = FIRST_WORD.batch(n, 1, seed=0)
        before = network.answers(parameters, batch).logits
        batch.tokens[0, 0, 0] = (batch.tokens[0, 0, 0] + 1) % 16
        assert (network.answers(parameters, batch).logits != before).any() == seen


def test_attention_does_not_see_the_order_without_positions():
    batch = FIRST_WORD.batch(6, 3, seed=0)
    turned = batch._replace(tokens=batch.tokens[:, [4, 2, 0, 1, 5, 3, 6]])
    for longest, same in ((0, True), (7, False)):
        network = AttentionNetwork(FIRST_WORD, 8, longest=longest)
        parameters = anywhere(network, 0)
        one, other = (network.answers(parameters, b).logits for b in (batch, turned))
        assert np.allclose(one, other, rtol=0, atol=1e-12) == same


def test_attention_starts_even():
    network = AttentionNetwork(LIBRARY, 32)
    weights = network.answers(network.initial(0), LIBRARY.batch(16, 64, seed=0)).reading.weights
    assert (weights == 1 / 16).all()


@pytest.mark.parametrize("kind", SOME)
def test_what_a_network_begins_with_is_as_wide_as_it_says(kind):
    network = SOME[kind](LIBRARY, 64)
    for name, values in network.initial(0).items():
        spread = network.spread(name, values.shape)
        assert values.std() == pytest.approx(spread, rel=0.15), name
        if name == "embeddings":
            assert spread == 1
