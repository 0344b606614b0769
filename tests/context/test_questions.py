"""What the context page asks."""

import numpy as np

from attention.context.far_words import FarAttention
from attention.context.questions import layers_question, ranks_question


def test_layers_that_join_two_words():
    question = layers_question(3)
    assert question.answer == "7"  # 1 + 2 + 4 + ... + 64 = 127, to either side
    assert question.answer in question.options
    assert "7 layers reach 127 words to either side" in question.because
    assert "it takes 99" in question.because


def test_heads_that_still_have_the_far_word():
    ranks = np.array([[1, 10, 11, 200]])
    question = ranks_question(FarAttention(300, 290, ranks / 1000, ranks, np.zeros((1, 4, 300))))
    assert question.answer == "1 to 5"
    assert question.answer in question.options
    assert "in 2 of 4 heads" in question.because
