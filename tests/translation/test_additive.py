"""Additive scores beside dot products."""

import numpy as np
import pytest

from attention.analysis import words
from attention.translation import additive, frames


def test_scores_by_hand():
    weights = additive.AdditiveWeights(np.eye(2), np.eye(2), np.array([1.0, 10.0]))
    found = additive.additive_scores([[1.0, 0.0]], [[0.0, 0.0], [-1.0, 2.0]], weights)
    assert found == pytest.approx(np.array([[np.tanh(1), 10 * np.tanh(2)]]))


@pytest.mark.parametrize("keys", [1, 7, 3000])  # the last one needs several blocks
def test_scores_against_a_slow_loop(keys):
    rng = np.random.default_rng(0)
    query, key = rng.standard_normal((3, 4)), rng.standard_normal((keys, 4))
    w = additive.random_weights(4, 128, seed=1)
    slow = [[w.v @ np.tanh(q @ w.w_query + k @ w.w_key) for k in key] for q in query]
    assert additive.additive_scores(query, key, w) == pytest.approx(np.array(slow), abs=1e-5)


def test_weights_are_those_of_the_seed():
    one, same, other = (additive.random_weights(4, 3, seed) for seed in (0, 0, 1))
    assert np.array_equal(one.w_query, same.w_query)
    assert not np.array_equal(one.w_query, other.w_query)
    assert one.w_query.shape == (4, 3)
    assert not np.array_equal(one.w_query, one.w_key)


def test_costs_have_both_kinds_at_every_length():
    shares = []
    found = additive.costs([4, 8], width=2, inner=3, on_progress=shares.append)
    assert [(c.n, c.kind) for c in found] == [
        (n, kind) for n in (4, 8) for kind in (additive.DOT, additive.ADDITIVE)
    ]
    assert all(c.seconds > 0 for c in found)
    assert found[1].tanhs == 4 * 4 * 3
    assert found[0].multiplications == 4 * 4 * 2 + 4 * 2
    assert shares == [0.5, 1.0]


def test_both_rows_are_the_models_and_the_random_networks(model, cat_trace):
    shown = words.view(cat_trace)
    weights = additive.random_weights(32, 8, seed=0)
    both = additive.both_rows(cat_trace, shown, 8, (3, 1), weights)
    assert np.array_equal(both.rows[additive.DOT], shown.weights[3, 1, 8])
    scores = additive.additive_scores(cat_trace.query[3, 1, [8]], cat_trace.key[3, 1], weights)
    assert both.rows[additive.ADDITIVE] == pytest.approx(np.exp(scores[0]) / np.exp(scores).sum())
    assert both.sentence.startswith("With trained dot products “it” attends to “cat” most (entropy")
    assert both.largest(1) in ([2], [int(both.rows[additive.ADDITIVE].argmax())])


def test_how_much_longer_is_said_where_it_was_timed():
    costs = [additive.ScoreCost(8, additive.DOT, 0, 0, 1e-3)]
    costs += [additive.ScoreCost(8, additive.ADDITIVE, 0, 0, 5e-3)]
    assert additive.longer_sentence(costs, 8) == (
        "At 8 tokens the additive scores took 5 times as long. "
    )
    assert additive.longer_sentence(costs, 16) == ""


def test_costs_in_words():
    costs = [
        additive.ScoreCost(8, "x", 1_000, 0, 0.002),
        additive.ScoreCost(16, "x", 4_000, 5, 0.5),
    ]
    assert frames.cost_frame(costs)["time"].tolist() == ["2 ms", "500 ms"]
    counts = {"x": (4000, 5), "y": (1, 0)}
    table = frames.cost_table(counts, costs, 16)
    assert table.iloc[0].tolist() == ["x", "4,000", "5", "500 ms"]
    assert table.iloc[1].tolist() == ["y", "1", "0", "not yet"]


def test_a_row_for_each_kind_of_score():
    rows = frames.row_frame(["a", "b"], {"x": np.array([0.1, 0.9])})
    assert rows["weight"].tolist() == [0.1, 0.9]
