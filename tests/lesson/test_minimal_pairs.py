"""The minimal pairs and their score."""

import numpy as np
import pytest

from attention.analysis import words
from attention.lesson import minimal_pairs


def test_there_are_at_least_forty_pairs_of_our_own_and_no_two_are_alike():
    assert len(minimal_pairs.PAIRS) >= 40
    assert (
        len({pair.template for pair in (*minimal_pairs.PAIRS, *minimal_pairs.CLASSICS)})
        == len(minimal_pairs.PAIRS) + 2
    )
    assert not set(minimal_pairs.PAIRS) & set(minimal_pairs.CLASSICS)


@pytest.mark.parametrize(
    "pair", [*minimal_pairs.PAIRS, *minimal_pairs.CLASSICS], ids=lambda pair: pair.first
)
def test_a_pair_differs_in_one_word_and_has_its_words_once(pair):
    one, two = (text.casefold().split() for text in pair.texts)
    assert [a == b for a, b in zip(one, two, strict=True)].count(False) == 1
    assert pair.template.count("{}") == 1
    for word in (pair.pronoun, pair.first, pair.second):
        assert one.count(word) == two.count(word) == 1
    assert one.index(pair.first) < one.index(pair.second) < one.index(pair.pronoun)


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        ("a b c", "a x c", [(0, 0), (2, 2)]),
        ("a b c", "a x y c", [(0, 0), (2, 3)]),
        ("a b", "a b", [(0, 0), (1, 1)]),
        ("a a", "a a a", [(0, 0), (1, 1)]),  # no word is used twice
        ("a", "b", []),
        ("", "b", []),
    ],
)
def test_same_words(one, other, expected):
    assert minimal_pairs.same_words(one.split(), other.split()) == expected


def test_right_needs_the_meant_candidate_to_be_read_more():
    # sentence, candidate; one layer, four heads: turns, always first, always second, no preference
    weights = np.array([[[3, 3, 1, 2], [1, 1, 3, 2]], [[1, 3, 1, 2], [3, 1, 3, 2]]])[:, :, None]
    assert minimal_pairs.right(weights)[:, 0].tolist() == [
        [True, True, False, False],
        [True, False, True, False],
    ]


def test_preferences_are_the_views_weights(model):
    views = [words.view(model.trace(text)) for text in minimal_pairs.TROPHY.texts]
    found = minimal_pairs.preferences(views, [9, 9], np.array([[2, 7], [2, 7]]))
    assert found.shape == (2, 2, 6, 12)
    assert found[1, 0, 3, 1] == views[1].weights[3, 1, 9, 2]


def test_the_trophy_stays_the_trophy_when_the_meaning_turns(model):
    shares = []
    weights = minimal_pairs.read_pairs(model, [minimal_pairs.TROPHY], shares.append)[0]
    assert weights[:, :, 3, 1] == pytest.approx(np.array([[0.54, 0.28], [0.56, 0.24]]), abs=0.01)
    assert shares == [1.0]


def test_what_heads_make_of_a_pair():
    # sentence, candidate, layer, head: turns, always first, always second, turns against, tied
    one, other = [[3, 3, 1, 1, 2], [1, 1, 3, 3, 2]], [[1, 3, 1, 3, 2], [3, 1, 3, 1, 1]]
    weights = np.array([one, other])[:, :, None] / 10
    kinds = [
        minimal_pairs.TURNS,
        minimal_pairs.FIRST,
        minimal_pairs.SECOND,
        minimal_pairs.WRONG,
        minimal_pairs.TIED,
    ]
    assert minimal_pairs.outcomes(weights).tolist() == [kinds]


def test_a_decoder_that_may_see_neither_turns_nowhere():
    sentence = minimal_pairs.turning_sentence(
        np.zeros((2, 2, 1, 1)), np.full((2, 2), np.nan), ["cat", "mat"], (0, 0)
    )
    assert "reads both alike" in sentence
    assert "0 turn with the meaning and 0 against it" in sentence


def test_what_the_pronoun_reads_is_the_models_own_weight(model):
    reads = minimal_pairs.read_pairs(model, [minimal_pairs.TROPHY])  # (P, 2, 2, L, H)
    assert reads.shape == (1, 2, 2, 6, 12)
    for sentence, text in enumerate(minimal_pairs.TROPHY.texts):
        trace = model.trace(text)
        it = trace.tokens.index("it")
        for candidate, word in enumerate(("trophy", "suitcase")):
            expected = trace.weights[:, :, it, trace.tokens.index(word)]
            np.testing.assert_allclose(reads[0, sentence, candidate], expected, atol=1e-6)


def test_a_pair_without_its_words_is_refused(model):
    broken = minimal_pairs.Pair("It was too {}", "they", "trophy", "suitcase", ("big", "small"))
    with pytest.raises(ValueError, match="they"):
        minimal_pairs.read_pairs(model, [broken])


def test_rules_that_do_not_look_at_the_meaning_get_exactly_one_of_two():
    for took in minimal_pairs.fixed_choices().values():
        assert (took.sum(axis=1) == 1).all()


def test_nearest_and_first_are_told_apart():
    first = minimal_pairs.Pair("it {} a b", "it", "a", "b", ("x", "y"))
    rules = minimal_pairs.fixed_choices([first])
    assert rules["always the first"].tolist() == [[True, False]]
    assert rules["always the nearest"].tolist() == [[True, False]]


def test_held_out_scores_the_head_on_the_other_half():
    points = np.zeros((4, 1, 2))
    points[:2, 0, 0] = 1  # each head is right on two of the four
    points[2:, 0, 1] = 1
    # a half that has one of each finds both equally good: 0.5; else its best is 0 on the other half
    assert set(minimal_pairs.held_out(points).tolist()) == {0.0, 0.5}


def test_held_out_is_no_better_than_the_best_head(model):
    rng = np.random.default_rng(0)
    points = rng.integers(0, 2, (40, 6, 12))
    assert minimal_pairs.held_out(points).mean() < points.mean(axis=0).max() - 0.1
    assert minimal_pairs.held_out(points).mean() == pytest.approx(0.5, abs=0.05)
