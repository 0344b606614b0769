"""Heads removed from the forward pass, and heads compared."""

import numpy as np
import pytest

from attention.analysis import metrics, words
from attention.interventions import ablation, effects, pruning
from attention.models.layers import merge_heads

TEXT = "The cat sat on the mat because it was tired"


def test_without_nothing_removed_hidden_is_the_traces_own(model, cat_trace):
    assert np.array_equal(model.hidden(TEXT), cat_trace.hidden)


@pytest.mark.slow
@pytest.mark.parametrize("without", [{(5, 11)}, {(0, 2), (0, 3), (4, 7)}, {(3, 1), (5, 0)}])
def test_a_removed_head_puts_zeros_into_w_o(model, cat_trace, without):
    x = cat_trace.hidden[0]
    for layer in range(6):
        per_head = []
        for head in range(12):
            p = model.projections(layer, head)
            q, k, v = x @ p.w_q + p.b_q, x @ p.w_k + p.b_k, x @ p.w_v + p.b_v
            scores = np.exp(q @ k.T / np.sqrt(q.shape[1]))
            z = scores / scores.sum(axis=1, keepdims=True) @ v
            per_head.append(np.zeros_like(z) if (layer, head) in without else z)
        w_o, bias = model.output_projection(layer)
        x = model.add_and_norm(layer, x, merge_heads(np.stack(per_head)) @ w_o + bias)
        x = model.feed_forward(layer, x)
    assert model.hidden(TEXT, ablation.ablate(without))[-1] == pytest.approx(x, abs=2e-5)


def test_layers_below_a_removed_head_stay_as_they_are(model, cat_trace):
    hidden = model.hidden(TEXT, ablation.ablate({(4, 0)}))
    assert np.array_equal(hidden[:5], cat_trace.hidden[:5])
    assert np.abs(hidden[5] - cat_trace.hidden[5]).max() > 1e-4


@pytest.mark.parametrize("head", [(6, 0), (0, 12)])
def test_a_head_that_is_not_there_is_refused(model, head):
    with pytest.raises(ValueError, match="layers 0 to 5"):
        model.hidden(TEXT, ablation.ablate({head}))


def test_the_vector_is_pooled_over_all_tokens(cat_trace):
    vector = effects.sentence_vector(cat_trace.hidden)
    assert vector == pytest.approx(sum(cat_trace.hidden[6]) / 12, abs=1e-6)


@pytest.mark.parametrize(
    ("one", "other", "expected"), [([1, 0], [5, 0], 0), ([1, 0], [0, 3], 1), ([1, 0], [-2, 0], 2)]
)
def test_cosine_distance(one, other, expected):
    assert effects.cosine_distance(np.array(one), np.array(other)) == pytest.approx(expected)


@pytest.mark.slow
def test_single_and_growing_removals_agree(model):
    texts, shares = [TEXT, "We fished by the river"], []
    singles = pruning.single_shifts(model, texts, shares.append)
    assert singles.shape == (6, 12)
    assert shares[-1] == 1.0
    orders = pruning.removal_orders(singles, seeds=1)
    shifts = pruning.growing_shifts(model, texts, orders, [0, 1, 72])
    assert shifts[:, 0] == pytest.approx(0, abs=1e-6)
    # one pass alone and several side by side are rounded differently
    assert shifts[0, 1] == pytest.approx(singles.min(), abs=1e-7)
    assert shifts[1, 1] == pytest.approx(singles.max(), abs=1e-7)
    assert len(set(shifts[:, 2])) == 1  # all heads: the order no longer matters
    one = [
        effects.cosine_distance(
            effects.sentence_vector(model.hidden(text)),
            effects.sentence_vector(model.hidden(text, ablation.ablate({(5, 11)}))),
        )
        for text in texts
    ]
    assert singles[5, 11] == pytest.approx(np.mean(one), abs=1e-7)


def test_every_order_has_every_head_once():
    singles = np.arange(6.0).reshape(2, 3)
    orders = pruning.removal_orders(singles, seeds=2)
    assert [name for name, _, _ in orders] == [
        pruning.LEAST,
        pruning.LARGEST,
        *[pruning.RANDOM] * 2,
    ]
    assert all(
        sorted(heads) == [(i, j) for i in range(2) for j in range(3)] for *_, heads in orders
    )
    assert orders[0][2][0] == (0, 0)
    assert orders[1][2][0] == (1, 2)
    assert orders[2][2] != orders[3][2]


@pytest.mark.parametrize("heads", [1, 2, 12, 72, 144])
def test_counts_run_from_none_to_all(heads):
    counts = pruning.removal_counts(heads)
    assert counts[0] == 0
    assert counts[-1] == heads
    assert list(counts) == sorted(set(counts))


def test_two_different_sentences_are_further_apart_than_one_from_itself(model):
    assert pruning.typical_distance(model, [TEXT, TEXT]) == pytest.approx(0, abs=1e-6)
    assert 0.5 < pruning.typical_distance(model) < 1.2


def test_divergence_is_the_mean_over_ordinary_words(cat_view):
    grid = pruning.head_divergence(cat_view)
    assert grid.shape == (72, 72)
    assert np.array_equal(grid, grid.T)
    assert not grid.diagonal().any()
    one, other = cat_view.weights[3, 4], cat_view.weights[4, 2]
    slow = [metrics.jensen_shannon(one[i], other[i]) for i in range(1, 11)]
    assert grid[40, 50] == pytest.approx(np.mean(slow))


def test_the_most_alike_are_those_with_the_least_divergence(cat_view):
    grid = pruning.head_divergence(cat_view)
    pairs = pruning.most_alike(grid, 3)
    assert pairs[0][2] == grid[~np.eye(72, dtype=bool)].min()
    assert all(one < other and grid[one, other] == bits for one, other, bits in pairs)
    assert [bits for *_, bits in pairs] == sorted(bits for *_, bits in pairs)


def test_divergence_of_a_long_text_takes_rows_from_all_of_it(model):
    view = words.view(model.trace("cat " * 100))
    assert pruning.head_divergence(view).shape == (72, 72)


def test_divergence_of_one_word(model):
    view = words.view(model.trace("cat"), special=False)
    assert not pruning.head_divergence(view).any()


def test_the_order_by_entropy_begins_with_the_widest_head():
    entropies = np.array([[1.0, 3.0], [2.0, 0.0]])
    orders = pruning.removal_orders(np.zeros((2, 2)), seeds=1, entropies=entropies)
    assert [order.name for order in orders][2:] == [pruning.WIDEST, pruning.RANDOM]
    assert orders[2].heads == [(0, 1), (1, 0), (0, 0), (1, 1)]


@pytest.mark.parametrize("counts", [[0, 73], [-1, 2]])
def test_more_heads_than_there_are_cannot_go(model, cat_trace, counts):
    orders = pruning.removal_orders(np.zeros((6, 12)), seeds=0)
    with pytest.raises(ValueError, match=r"counts must be from 0 to 72, got -?\d+ to \d+"):
        next(pruning.growing_effects(model, cat_trace, orders, counts))


def test_how_many_can_go_counts_only_what_is_known():
    assert pruning.removable([0.0, 0.1, np.nan, 0.1], [0, 4, 6, 12], most=0.2) == 4
    assert pruning.removable([0.0, -0.1, 0.2], [0, 4, 6], most=0.2) == 6
