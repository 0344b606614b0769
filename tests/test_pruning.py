import numpy as np
import pytest

from attention import pruning

TEXT = ["The dog ran home"]


def test_no_removal_changes_nothing(model):
    assert np.array_equal(model.hidden(TEXT[0]), model.trace(TEXT[0]).hidden)


def test_a_silent_head_adds_nothing_to_the_stream(model):
    """Without all heads of layer 0, that layer's output is what its MLP makes of x + bias."""
    every = frozenset((0, head) for head in range(12))
    hidden = model.hidden(TEXT[0], without=every)
    x, bias = hidden[0], model.output_projection(0)[1]
    expected = model.feed_forward(0, model.add_and_norm(0, x, np.broadcast_to(bias, x.shape)))
    np.testing.assert_allclose(hidden[1], expected, atol=1e-5)


def test_single_shifts_are_those_of_one_head_each(model):
    shifts = pruning.single_shifts(model, TEXT)
    assert shifts.shape == (6, 12)
    whole = pruning.sentence_vector(model.hidden(TEXT[0]))
    without = pruning.sentence_vector(model.hidden(TEXT[0], without=frozenset({(2, 5)})))
    assert shifts[2, 5] == pytest.approx(pruning.cosine_distance(whole, without), abs=1e-6)


def test_growing_removals_start_at_nothing_and_end_alike(model):
    orders = pruning.removal_orders(pruning.single_shifts(model, TEXT), seeds=1)
    shifts = pruning.growing_shifts(model, TEXT, orders, [0, 72])
    assert np.allclose(shifts[:, 0], 0, atol=1e-6)
    assert np.allclose(shifts[:, 1], shifts[0, 1], atol=1e-6)


def test_a_head_that_is_not_there_is_refused(model):
    with pytest.raises(ValueError, match="12"):
        model.hidden(TEXT[0], without=frozenset({(0, 12)}))


def test_likeness_is_zero_on_the_diagonal_and_symmetric(cat_view):
    grid = pruning.head_divergence(cat_view)
    assert grid.shape == (72, 72)
    assert np.allclose(np.diag(grid), 0, atol=1e-6)
    assert np.allclose(grid, grid.T, atol=1e-6)
    one, other, least = pruning.most_alike(grid, 1)[0]
    assert one != other
    assert least == pytest.approx(grid[~np.eye(72, dtype=bool)].min())
