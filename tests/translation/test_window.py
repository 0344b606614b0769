"""What is left of a translation through a window, and what the model gets wrong."""

import pytest

import attention
from attention.analysis.words import whole_words
from attention.translation.weaknesses import WEAKNESSES
from attention.translation.window import window_edits, window_sentence

APPLES = "I like red apples."


@pytest.fixture(scope="module")
def pair():
    return attention.load_translator("en-pt")


def through(pair, shown):
    units = whole_words(pair.tokenize(APPLES))
    return pair.translate(APPLES, cross_edits=window_edits(units, shown))


def test_a_closed_window_says_nothing_and_an_open_one_everything(pair):
    assert window_sentence(through(pair, 0), 0, 5) == (
        "With 0 of 5 words in the window it says nothing at all."
    )
    assert through(pair, 5).text == pair.translate(APPLES).text
    assert window_edits(whole_words(pair.tokenize(APPLES)), 5) == ()


def test_half_a_window_stutters(pair):
    done = through(pair, 3)
    assert done.text.startswith("Gosto de vermelho vermelho vermelho")
    assert done.cross_weights[..., 3:].max() == 0
    said = window_sentence(done, 3, 5)
    assert f"stopped at {len(done.target)} tokens, 2.5 times those of the source" in said


@pytest.mark.parametrize("weakness", WEAKNESSES, ids=lambda one: one.word)
def test_each_weakness_is_still_one(pair, weakness):
    assert weakness.word in pair.translate(weakness.text).text
