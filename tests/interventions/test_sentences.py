"""What pushes do, in words; words and special tokens are told apart."""

import numpy as np
import pytest

from attention.analysis.words import Unit, View
from attention.interventions import sentences
from attention.interventions.effects import Movement
from attention.interventions.steering import Interests

UNITS = (
    Unit("[CLS]", (0,), True), Unit("cat", (1,), False), Unit("sat", (2,), False),
)  # fmt: skip
VIEW = View(UNITS, np.full((1, 1, 3, 3), 1 / 3), np.zeros((1, 1, 3)))


@pytest.mark.parametrize(
    ("after", "change", "said"),
    [
        ([0.2, 0.4], "", "0.50."),
        ([0.2, 0.4], "1 edit", "0.50, untouched and with 1 edit."),
        ([0.3, 0.4], "this push", "0.50 untouched, 0.75 with this push."),
        ([0.6, 0.001], "this push",
         "0.50 untouched, 600 with this push. Now “big” is the more probable of the two."),
    ],
)  # fmt: skip
def test_odds_of_two_answers(after, change, said):
    two = Interests(("big", "small"), ((1,), (2,)))
    sentence = sentences.answer_sentence(two, [0.2, 0.4], after, change)
    assert sentence == f"Odds of “big” against “small” as the next token: {said}"


@pytest.mark.parametrize(
    ("moved", "text"),
    [
        ([0.0, 0.2, 0.1], "Of the words, “cat” moves most (by 0.200)."),
        ([0.3, 0.0, 0.0], "Of the special tokens, “[CLS]” is the only special token (by 0.300)."),
        ([0.0, 0.0, 0.0], "No word moves."),
    ],
)
def test_the_word_that_moves_most(moved, text):
    movement = Movement(np.array([moved]), np.array([0.0123]))
    sentence = sentences.push_sentence(VIEW, 1, movement)
    assert sentence == (
        f"The push on the scores of “cat” moves the sentence vector by 0.0123. {text}"
    )


def test_a_distance_too_small_to_show_is_no_zero():
    moved = Movement(np.array([[0.0, 0.0, 0.0]]), np.array([3e-6]))
    assert sentences.moved_text(moved) == "the sentence vector moves by less than 0.0001"
