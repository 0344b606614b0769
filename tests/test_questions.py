"""Questions whose answers are computed."""

import numpy as np
import pytest

from attention.analysis import metrics, words
from attention.analysis.questions import previous_word_head
from attention.lesson.questions import attends_most, turns
from attention.pipeline.questions import flattened
from attention.scaling.power_law import fit
from attention.scaling.questions import times_longer


def check(question):
    assert question.answer in question.options
    assert len(question.options) == len(set(question.options)) >= 2


def test_attends_most(cat_view):
    question = attends_most(cat_view, 8, 5, 11)
    check(question)
    assert question.answer == "cat"
    assert "0.68" in question.because
    assert len(question.options) == 4


@pytest.mark.parametrize("text", ["Hi", "the the the", "word " * 50])
@pytest.mark.parametrize("special", [True, False])
def test_attends_most_of_any_text_has_its_answer_among_distinct_options(model, text, special):
    view = words.view(model.trace(text), special=special)
    question = attends_most(view, 0, 0, 0)
    assert question.answer in question.options
    assert len(question.options) == len(set(question.options))


def test_previous_word_head(cat_view):
    question = previous_word_head(cat_view)
    check(question)
    best = np.unravel_index(metrics.neighbour_share(cat_view, -1).argmax(), (6, 12))
    assert question.answer == f"L{best[0]} H{best[1]}" == "L0 H2"
    assert len(question.options) >= 3


def test_flattened():
    question = flattened(["a", "b"], np.array([np.log(32.0), 0.0]))
    check(question)
    assert question.answer == f"{2 / 3:.1%}"  # 32 to the power 1/5 is 2: two against one
    assert "97.0%" in question.text


def test_flattened_where_nothing_changes():
    question = flattened(["a", "b"], np.zeros(2))
    assert question.answer == "50.0%"
    check(question)


@pytest.mark.parametrize(
    ("power", "answer"),
    [(1.0, "less than 20 times"), (1.5, "20 to 50 times"), (2.0, "50 to 200 times"),
     (2.5, "more than 200 times")],
)  # fmt: skip
def test_times_longer(power, answer):
    lengths = [64, 128, 256, 512, 1024, 2048]
    question = times_longer(fit(lengths, [1e-6 * n**power for n in lengths]))
    check(question)
    assert question.answer == answer


@pytest.mark.parametrize("outcome", range(4))
def test_turns(outcome):
    question = turns(("one", "two"), ("cat", "mat"), outcome, "L0 H0")
    check(question)
    assert question.answer == question.options[outcome]
    assert question.answer in question.because
