import numpy as np

from attention import pairs


def test_there_are_at_least_forty_pairs_of_our_own_and_none_twice():
    texts = [text for pair in pairs.PAIRS for text in pair.texts]
    assert len(pairs.PAIRS) >= 40
    assert len(set(texts)) == len(texts)


def test_the_sentences_of_a_pair_differ_in_one_word():
    for pair in (*pairs.CLASSICS, *pairs.PAIRS):
        one, other = (text.split() for text in pair.texts)
        assert len(one) == len(other)
        assert sum(a != b for a, b in zip(one, other, strict=True)) == 1


def test_a_rule_that_never_looks_at_the_meaning_is_right_half_of_the_time():
    for name, right in pairs.fixed_choices().items():
        assert right.mean() == 0.5, name
        assert (right.sum(axis=1) == 1).all()  # right in one sentence, so wrong in the other


def test_what_the_pronoun_reads_is_the_models_own_weight(model):
    reads = pairs.read_pairs(model, [pairs.TROPHY])  # (P, 2, 2, L, H)
    assert reads.shape == (1, 2, 2, 6, 12)
    for sentence, text in enumerate(pairs.TROPHY.texts):
        trace = model.trace(text)
        it = trace.tokens.index("it")
        for candidate, word in enumerate(("trophy", "suitcase")):
            expected = trace.weights[:, :, it, trace.tokens.index(word)]
            np.testing.assert_allclose(reads[0, sentence, candidate], expected, atol=1e-6)


def test_a_pattern_is_not_understanding(model):
    """The known figures: L3 H1 reads the trophy, whichever of the two is meant."""
    (big, small), *_ = pairs.read_pairs(model, [pairs.TROPHY])[..., 3, 1]
    assert np.allclose(big, [0.54, 0.28], atol=0.01)
    assert small[0] > 0.5 > small[1]
