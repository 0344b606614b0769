"""What a cut line changes: words, phrases and their probabilities, and which head carries it."""

import numpy as np
import pytest

import attention
from attention.edits import Cut
from attention.translation import cut_line, examples, frames
from attention.translation.questions import cut_question

RIVER = examples.STEEP_BANK.text
BANK, WATER = 1, 4


@pytest.fixture(scope="module")
def pair():
    return attention.load_translator("en-pt")


def outcome(pair, text, *edits):
    return cut_line.outcome_of(pair, pair.translate(text), pair.translate(text, edits))


@pytest.mark.parametrize(
    ("where", "margem", "banco"),
    [
        ({"layers": (1,), "heads": (1,)}, 0.466, 0.428),
        ({"layers": (1,)}, 0.218, 0.683),
        ({}, 0.024, 0.934),
    ],
)
def test_article_and_noun_are_compared_together(pair, where, margem, banco):
    found = outcome(pair, RIVER, Cut((BANK,), (WATER,), **where))
    assert [phrase.text for phrase in found.phrases] == ["A margem", "O banco"]
    expected = [[0.658, margem], [0.224, banco]]
    np.testing.assert_allclose(found.chances, expected, atol=4e-3)
    assert found.changed
    assert "It says something else" in found.sentence
    assert ("the likeliest token is written" in found.sentence) == (margem > banco)


def test_where_no_word_changes_the_whole_translation_is_compared(pair):
    chair = examples.OLD_CHAIR.text
    found = outcome(pair, chair, Cut((4,), (1,)))
    assert not found.changed
    assert found.sentence.startswith("Not one word changes; the probability of the whole")
    ids = pair.translate(chair).target.ids[:-1].tolist()
    whole = pair.chances_on_the_way(chair, ids).prod()
    assert found.chances[0, 0] == pytest.approx(whole)


def test_words_that_the_other_lacks_are_marked(pair):
    found = outcome(pair, RIVER, Cut((BANK,), (WATER,)))
    before, after = cut_line.marked_words(found.before.target, found.after.target)
    assert [word.label for word in before if word.changed] == ["A", "margem"]
    assert [word.label for word in after if word.changed] == ["O", "banco"]
    assert "".join(word.space + word.label for word in after) == found.after.text


def test_two_heads_carry_the_line_and_no_other_much(pair):
    found = outcome(pair, RIVER, Cut((BANK,), (WATER,)))
    shares = []
    cut = cut_line.carried_by_heads(
        pair, RIVER, found.phrases[0], ((BANK,), (WATER,)), shares.append
    )
    assert cut.shape == (6, 8)
    assert sorted(np.argsort(cut, axis=None)[:2].tolist()) == [9, 14]  # L1 H1 and L1 H6
    assert shares[-1] == 1
    said = cut_line.carrier_sentence(found.phrases[0], *found.chances[0], cut)
    assert "“A margem” has a probability of 65." in said
    assert "Cut in L1 H1 alone: 46." in said
    assert said.endswith("Cut in every head: 2.4 %.")


def test_the_question_is_answered_by_the_translation_under_the_cut(pair):
    cut = outcome(pair, RIVER, Cut((BANK,), (WATER,), (1,), (1,)))
    asked = cut_question(cut, "the line", examples.STEEP_BANK.rival)
    assert asked.answer == "O banco junto ao rio era íngreme."
    assert asked.options[0] == "A margem junto ao rio era íngreme."
    still = outcome(pair, RIVER, Cut((BANK,), (WATER,), (5,), (1,)))
    assert cut_question(still, "it", examples.STEEP_BANK.rival).answer == asked.options[0]
    assert cut_question(still, "it", "").answer == "The same, word for word"
    assert cut_question(cut, "it", "").answer == "Something else"


def test_a_phrase_has_a_bar_without_and_with_the_cuts(pair):
    frame = frames.phrase_frame(outcome(pair, RIVER, Cut((BANK,), (WATER,))))
    assert frame["phrase"].tolist() == ["A margem"] * 2 + ["O banco"] * 2
    assert frame["when"].tolist() == ["untouched", "with the cuts"] * 2
