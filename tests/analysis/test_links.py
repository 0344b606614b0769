import dataclasses

import numpy as np
import pytest

from attention.analysis import links
from attention.analysis.words import Unit, View


def view(*heads, labels="abc", special=()):
    """Return a view of one layer with these heads."""
    weights = np.array(heads, dtype=np.float64)[None]
    units = tuple(Unit(label, (i,), i in special) for i, label in enumerate(labels))
    return View(units, weights, np.zeros(weights.shape[:-1]))


SAME = [[0, 0.1, 0.9]] * 3
OTHER = [[0.8, 0.2, 0]] * 3


@pytest.mark.parametrize("size", [1, 3, 39, 40, 41, 400])
def test_the_window_holds_the_word_and_never_more_than_it_may(size):
    for around in range(size):
        shown = links.shown_window(size, around)
        assert around in shown
        assert len(shown) == min(size, 40)
        assert 0 <= shown[0] <= shown[-1] < size


@pytest.mark.parametrize("most", [1, 10, 500, 999, 1000])
def test_no_more_lines_are_kept_than_may_be_sent(most):
    weights = np.random.default_rng(0).dirichlet(np.full(10, 0.3), size=(10, 10))
    least = links.smallest_drawn(weights, most)
    assert (weights >= least).sum() <= most
    assert least * 1000 == pytest.approx(round(least * 1000))
    # A thousandth lower would be too many, or there is nothing to leave out.
    assert (weights >= least - 0.001).sum() > most or least == 0


def test_equal_weights_are_left_out_together():
    assert links.smallest_drawn(np.full(4, 0.25), most=3) == pytest.approx(0.251)


def test_what_is_left_out_is_said_as_a_share():
    weights = np.array([[0.9, 0.1], [0.5, 0.5]])
    assert links.left_out(weights, 0.2) == pytest.approx(0.05)
    assert links.left_out(weights, 0) == 0


def test_difference_by_hand():
    found = links.difference(np.array([[1.0, 0.0], [1.0, 0.0], [0.0, 1.0], [0.0, 1.0]]))
    assert found.mean.tolist() == [0.5, 0.5]
    assert found.best.tolist() == [0, 0, 1, 1]
    # The middle of (1, 0) and (1/2, 1/2) is (3/4, 1/4).
    expected = 0.75 * np.log2(4 / 3) + 0.25 * 2 - 0.5
    assert found.bits == pytest.approx(expected)


def test_the_head_that_stands_out_is_named_with_what_it_attends_to():
    sentence = links.differ_sentence(view(SAME, SAME, OTHER, SAME), 0, [0, 1, 2, 3], 1)
    assert "3 “c”" in sentence
    assert "1 “a”" in sentence
    assert (
        "L0 H2 stands out: it attends to “a” most (0.80; the other words give it 0.80 on average)"
        in sentence
    )


def test_only_heads_that_are_on_are_compared():
    sentence = links.differ_sentence(view(SAME, SAME, OTHER, OTHER), 0, [0, 2, 3], 1)
    assert "in 3 heads" in sentence
    assert "L0 H0 stands out" in sentence


def test_repeated_words_are_told_apart():
    labels = ("the", "cat", "the")
    assert links.spelled(labels, 1) == "“cat”"
    assert links.spelled(labels, 0) != links.spelled(labels, 2)


@pytest.mark.parametrize("ask", [links.most_question, links.back_question])
def test_answers_are_options_and_options_differ(ask, cat_view):
    for query in range(len(cat_view.units)):
        question = ask(cat_view, 5, 11, query)
        assert question.answer in question.options
        assert len(set(question.options)) == len(question.options) == 4


def test_the_answer_is_what_the_row_says():
    question = links.most_question(
        view([[0.2, 0.3, 0.5], [0.1, 0.2, 0.7], [0.6, 0.3, 0.1]]), 0, 0, 1
    )
    assert "does “c” attend to" in question.text  # it is surer (0.6) than “a”
    assert question.answer == "“a”"


@pytest.mark.parametrize(
    ("back", "answer"),
    [(0.1, "less than half as much"), (0.4, "a little less"), (0.6, "as much"), (0.8, "more")],
)
def test_reading_back(back, answer):
    question = links.back_question(view([[0.2, 0.6, 0.2], [back, 1 - back, 0], [0, 0, 1]]), 0, 0, 0)
    assert question.answer == answer


def test_a_text_that_is_too_short_has_no_questions():
    assert links.most_question(view([[1.0]], labels="a"), 0, 0, 0) is None
    assert links.back_question(view([[1.0]], labels="a"), 0, 0, 0) is None


def test_a_decoders_word_is_never_read_back():
    rows = [[1, 0, 0], [0.6, 0.4, 0], [0.3, 0.6, 0.1]]
    decoder = dataclasses.replace(view(rows), is_causal=True)
    question = links.back_question(decoder, 0, 0, 2)
    assert question.answer == "less than half as much"
    assert "mask" in question.because
    assert "mask" not in links.back_question(view(rows), 0, 0, 2).because
    assert (
        "does “c” attend to" in links.most_question(decoder, 0, 0, 1).text
    )  # a could attend to itself only
    assert links.most_question(decoder, 0, 0, 2) is None
