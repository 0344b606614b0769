"""Examples say what they claim: answers, what they depend on, and seeds."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from attention.learning.tasks import (
    CONTENTS,
    FIRST_WORD,
    LIBRARY,
    MAJORITY,
    MARKED_WORD,
    TITLES,
    WORDS,
    word_back,
)

TASKS = (LIBRARY, FIRST_WORD, MAJORITY, MARKED_WORD, word_back(1))
sizes = {"n": st.integers(1, 32), "size": st.integers(1, 8), "seed": st.integers(0, 2**32)}
many = settings(deadline=None, max_examples=60)


@many
@given(task=st.sampled_from(TASKS), **sizes)
def test_a_seed_is_one_batch(task, n, size, seed):
    batch, again = task.batch(n, size, seed), task.batch(n, size, seed)
    assert all((a == b).all() for a, b in zip(batch, again, strict=True))
    assert batch.tokens.shape[:2] == (size, n + 1)
    assert batch.relevant.shape == (size, n)
    assert batch.tokens.min() >= 0
    assert batch.tokens.max() < task.vocabulary
    assert batch.answer.max() < task.answers


@many
@given(**sizes)
def test_library(n, size, seed):
    tokens, answer, relevant = LIBRARY.batch(n, size, seed)
    for shelf, right, asked in zip(tokens, answer, relevant, strict=True):
        books = dict(shelf[:-1].tolist())
        assert len(books) == n  # no title twice
        assert books[shelf[-1, 0]] - TITLES == right
        assert shelf[:-1][asked, 0].tolist() == [shelf[-1, 0]]


@many
@given(**sizes)
def test_majority(n, size, seed):
    tokens, answer, relevant = MAJORITY.batch(n, size, seed)
    for words, right in zip(tokens[:, :-1, 0], answer, strict=True):
        frequency = np.bincount(words, minlength=4)
        assert (frequency[right] > np.delete(frequency, right)).all()
    assert relevant.all()


@many
@given(**sizes)
def test_one_word(n, size, seed):
    for task, place in ((FIRST_WORD, 0), (word_back(1), -1), (word_back(n), 0)):
        tokens, answer, relevant = task.batch(n, size, seed)
        assert (tokens[:, :-1, 0][:, place] == answer).all()
        assert (relevant.sum(axis=1) == 1).all()
    tokens, answer, relevant = MARKED_WORD.batch(n, size, seed)
    assert (tokens[:, :-1][relevant] == np.stack([answer, np.full(size, WORDS + 2)], 1)).all()
    assert ((tokens[:, :, 1] == WORDS + 2).sum(axis=1) == 1).all()


def test_answers_are_all_there_and_about_as_often():
    answer = LIBRARY.batch(16, 16_000, seed=0).answer
    assert np.abs(np.bincount(answer, minlength=CONTENTS) / 1000 - 1).max() < 0.15
    answer = MAJORITY.batch(6, 4_000, seed=0).answer
    assert np.abs(np.bincount(answer, minlength=4) / 1000 - 1).max() < 0.15


def test_the_shelf_that_is_looked_at_is_asked_for_each_title():
    tokens, answer, relevant = LIBRARY.example(5, seed=3)
    assert (tokens[:, :-1] == tokens[0, :-1]).all()
    assert (tokens[:, -1, 0] == tokens[0, :-1, 0]).all()
    assert (answer == tokens[0, :-1, 1] - TITLES).all()
    assert (relevant == np.eye(5, dtype=bool)).all()
    assert FIRST_WORD.example(5, seed=3).tokens.shape == (5, 6, 1)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (lambda: LIBRARY.batch(33, 1, 0), "library has 1 to 32 tokens, got 33"),
        (lambda: word_back(3).batch(2, 1, 0), "the word 3 back has 3 to 512 tokens, got 2"),
        (lambda: LIBRARY.batch(3, 0, 0), "a batch has at least 1 example, got 0"),
        (lambda: word_back(0), "a word is 1 to 512 back, got 0"),
    ],
)
def test_refusals(wrong, said):
    with pytest.raises(ValueError, match=said):
        wrong()
