"""What a mask and sharing do, in words, from figures by hand."""

import numpy as np

from attention.analysis.decoder_sentences import later_words_sentence, sharing_sentence
from attention.analysis.grouped_heads import Apart, Sharing
from attention.analysis.words import Unit, View

UNITS = tuple(Unit(word, (i,), False) for i, word in enumerate(("a", "b")))
WEIGHTS = np.array([[[[0.25, 0.75], [0.5, 0.5]]]])


def test_later_words_get_their_share_in_an_encoder_and_nothing_in_a_decoder():
    view = View(UNITS, WEIGHTS, np.zeros((1, 1, 2)))
    assert later_words_sentence(view, "bert", (0, 0), 0) == (
        "In bert L0 H0 “a” gives 75.0 % of its weight to later words, the words on average 37.5 % "
        "(over all heads 37.5 %)."
    )
    assert "gives" not in later_words_sentence(view, "bert", (0, 0), None)
    causal = View(UNITS, np.tril(WEIGHTS), np.zeros((1, 1, 2)), is_causal=True)
    assert "hidden by its mask" in later_words_sentence(causal, "gpt", (0, 0), 0)


def test_sharing_is_told_with_what_it_saves():
    shared = Sharing(layers=2, heads=4, groups=2, width=8)
    near = Apart(np.array([[0.1] * 4, [0.4] * 4]), np.array([[0.3] * 4, [0.2] * 4]))
    sentence = sharing_sentence(shared, near, tokens=10)
    assert "4 query heads share 2 heads of keys and values, 2 each: 2.56 kB are kept" in sentence
    assert "instead of 5.12 kB" in sentence
    assert sentence.endswith("in 1 of 2 layers those that share are nearer to each other.")
    one = Sharing(layers=1, heads=2, groups=1, width=8)
    alone = sharing_sentence(one, Apart(np.full((1, 2), 0.25), np.full((1, 2), np.nan)), tokens=1)
    assert alone.endswith("The rows of any two heads are 0.25 bits apart.")
