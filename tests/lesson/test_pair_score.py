"""The score over minimal pairs, and what it is worth."""

import numpy as np
import pytest

from attention.analysis import pair_sentences
from attention.lesson import pair_score


def test_right_needs_the_meant_candidate_to_get_more():
    # sentence, candidate; one layer, four heads: turns, always first, always second, no preference
    weights = np.array([[[3, 3, 1, 2], [1, 1, 3, 2]], [[1, 3, 1, 2], [3, 1, 3, 2]]])[:, :, None]
    assert pair_score.right(weights)[:, 0].tolist() == [
        [True, True, False, False],
        [True, False, True, False],
    ]


def test_rules_that_do_not_use_the_meaning_get_exactly_one_of_two():
    for took in pair_score.fixed_choices().values():
        assert (took.sum(axis=1) == 1).all()


def test_nearest_and_first_are_told_apart():
    first = pair_sentences.Pair("it {} a b", "it", "a", "b", ("x", "y"))
    rules = pair_score.fixed_choices([first])
    assert rules["always the first"].tolist() == [[True, False]]
    assert rules["always the nearest"].tolist() == [[True, False]]


def test_held_out_scores_the_head_on_the_other_half():
    points = np.zeros((4, 1, 2))
    points[:2, 0, 0] = 1  # each head is right on two of the four
    points[2:, 0, 1] = 1
    # a half that has one of each finds both equally good: 0.5; else its best is 0 on the other half
    assert set(pair_score.held_out(points).tolist()) == {0.0, 0.5}


def test_held_out_is_no_better_than_the_best_head(model):
    rng = np.random.default_rng(0)
    points = rng.integers(0, 2, (40, 6, 12))
    assert pair_score.held_out(points).mean() < points.mean(axis=0).max() - 0.1
    assert pair_score.held_out(points).mean() == pytest.approx(0.5, abs=0.05)


def test_the_score_of_two_pairs_by_hand():
    # pair, sentence, candidate, layer, head: head 0 turns in both, head 1 prefers the first always
    turns, first = [[3, 1], [1, 3]], [[3, 1], [3, 1]]
    weights = np.array([np.stack([turns, first], axis=-1)] * 2)[:, :, :, None]
    score = pair_score.PairScore(pair_sentences.PAIRS[:2], weights, whole_pairs=True)
    assert score.share.tolist() == [[1, 0]]
    assert score.best == (0, 0)
    assert score.sentence == (
        "L0 H0, the best of 2 heads, gets 100.0 %, but it was chosen by these very pairs. Chosen "
        "on one half and scored on the other, the best head gets 100.0 % (mean of 200 splits). A "
        "rule that never uses the meaning gets 0.0 %."
    )
    assert score.rows["L0 H0, best on these"] == (1, 1)
    assert score.rows["a head at random"] == (0.75, 0.5)
    assert score.rows["always the first"] == (0.5, 0)
    single = pair_score.PairScore(score.pairs, weights, whole_pairs=False)
    assert single.share.tolist() == [[1, 0.5]]
    assert single.sentence.endswith("gets 50.0 %.")
