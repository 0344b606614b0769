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


def test_odds_of_two_groups_come_with_the_probability():
    two = Interests(("big", "small"), ((1,), (2,)))
    sentence = sentences.interests_sentence(two, [0.2, 0.4], [0.3, 0.3])
    assert sentence == (
        "Odds of “big” against “small” as the next word: 0.50 untouched, 1.00 with this push. "
        "Probability of “big” as the next token: 20.0 % before, 30.0 % after."
    )
    assert sentences.interests_sentence(two, [0.2, 0.4], None) == (
        "Odds of “big” against “small” as the next word: 0.50. Nothing is pushed yet."
    )


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
