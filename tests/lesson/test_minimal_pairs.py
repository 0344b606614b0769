"""What heads make of a minimal pair."""

import numpy as np
import pytest

from attention.analysis import pair_sentences, words
from attention.lesson import minimal_pairs
from attention.lesson.minimal_pairs import PairOutcome, SentencePair


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


def test_preferences_are_the_views_weights(model):
    views = [words.view(model.trace(text)) for text in pair_sentences.TROPHY.texts]
    found = minimal_pairs.preferences(views, [9, 9], np.array([[2, 7], [2, 7]]))
    assert found.shape == (2, 2, 6, 12)
    assert found[1, 0, 3, 1] == views[1].weights[3, 1, 9, 2]


def test_the_trophy_stays_the_trophy_when_the_meaning_turns(model):
    shares = []
    weights = minimal_pairs.read_pairs(model, [pair_sentences.TROPHY], shares.append)[0]
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


def test_a_decoder_that_may_attend_to_neither_turns_nowhere():
    sentence = minimal_pairs.turning_sentence(
        np.zeros((2, 2, 1, 1)), np.full((2, 2), np.nan), ["cat", "mat"], (0, 0)
    )
    assert "attends to both alike" in sentence
    assert "0 turn with the meaning and 0 against it" in sentence


def test_what_the_pronoun_attends_to_is_the_models_own_weight(model):
    weights = minimal_pairs.read_pairs(model, [pair_sentences.TROPHY])  # (P, 2, 2, L, H)
    assert weights.shape == (1, 2, 2, 6, 12)
    for sentence, text in enumerate(pair_sentences.TROPHY.texts):
        trace = model.trace(text)
        it = trace.tokens.index("it")
        for candidate, word in enumerate(("trophy", "suitcase")):
            expected = trace.weights[:, :, it, trace.tokens.index(word)]
            np.testing.assert_allclose(weights[0, sentence, candidate], expected, atol=1e-6)


def test_a_pair_without_its_words_is_refused(model):
    broken = pair_sentences.Pair("It was too {}", "they", "trophy", "suitcase", ("big", "small"))
    with pytest.raises(ValueError, match="they"):
        minimal_pairs.read_pairs(model, [broken])


def sentence_pair(model, texts):
    return SentencePair(texts, tuple(words.view(model.trace(text)) for text in texts))


def test_a_known_pair_has_its_own_words_and_another_one_nouns(model):
    pair = sentence_pair(model, pair_sentences.TROPHY.texts)
    labels = pair.views[0].labels
    assert [labels[i] for i in pair.guess] == ["it", "trophy", "suitcase"]
    own = sentence_pair(
        model, ("The bird saw the worm since it flew", "The bird saw the worm since it dug")
    )
    assert [own.views[0].labels[i] for i in own.guess] == ["it", "bird", "worm"]


def test_the_outcome_of_a_pair_is_said_of_one_head(model):
    pair = sentence_pair(model, pair_sentences.TROPHY.texts)
    pronoun, *candidates = pair.guess
    outcome = PairOutcome(pair, pronoun, tuple(candidates))
    assert outcome.telling_head == (3, 1)
    assert outcome.keys.tolist() == [candidates, candidates]
    assert outcome.kinds[3, 1] == minimal_pairs.FIRST
    assert len(outcome.kind_labels) == 4  # no ties
    told = outcome.sentence((3, 1))
    assert told.startswith(
        "In L3 H1 the pronoun gives “trophy” 0.54 (the other words give it 0.18 on"
    )
    assert "It prefers “trophy” both times: the meaning does not turn it." in told


@pytest.mark.parametrize(("text", "why"), [("", None), ("a cat", None), ("cat " * 70, "72 words")])
def test_a_sentence_that_cannot_be_one_of_a_pair(model, text, why):
    refusal = minimal_pairs.refusal_of_sentence(model, text)
    assert refusal is None if why is None else why in refusal
