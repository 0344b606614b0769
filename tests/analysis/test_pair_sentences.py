"""The minimal pairs are what they should be."""

import pytest

from attention.analysis import pair_sentences


def test_there_are_at_least_forty_pairs_of_our_own_and_no_two_are_alike():
    assert len(pair_sentences.PAIRS) >= 40
    assert (
        len({pair.template for pair in (*pair_sentences.PAIRS, *pair_sentences.CLASSICS)})
        == len(pair_sentences.PAIRS) + 2
    )
    assert not set(pair_sentences.PAIRS) & set(pair_sentences.CLASSICS)


@pytest.mark.parametrize(
    "pair", [*pair_sentences.PAIRS, *pair_sentences.CLASSICS], ids=lambda pair: pair.first
)
def test_a_pair_differs_in_one_word_and_has_its_words_once(pair):
    one, two = (text.casefold().split() for text in pair.texts)
    assert [a == b for a, b in zip(one, two, strict=True)].count(False) == 1
    assert pair.template.count("{}") == 1
    for word in (pair.pronoun, pair.first, pair.second):
        assert one.count(word) == two.count(word) == 1
    assert one.index(pair.first) < one.index(pair.second) < one.index(pair.pronoun)
