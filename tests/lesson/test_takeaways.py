"""The lesson's cards, computed from one example."""

import numpy as np
import pytest

from attention.analysis import words
from attention.analysis.roles import head_roles
from attention.lesson import takeaways
from attention.lesson.takeaways import LessonExample
from attention.pipeline import steps

TEXT = "The cat sat on the mat because it was tired"


@pytest.fixture(scope="module")
def example(model):
    trace = model.trace(TEXT)
    return LessonExample(trace, words.view(trace), query=8, key=2, layer=5, head=11)


def test_every_card_has_a_figure_and_a_link(example):
    cards = takeaways.takeaways(example)
    assert len(cards) == 3
    assert all(card.figure and card.meaning for card in cards)
    assert len({card.title for card in cards}) == 3


def test_figures_by_hand(example):
    heads, additive, scaled = takeaways.takeaways(example)
    rows = example.view.weights[:, :, 8].reshape(72, 12)
    assert heads.figure == f"{sum(int(row.argmax()) == 2 for row in rows)} of 72"
    assert "tanh" in additive.figure
    raw = np.exp(example.trace.query[5, 11, 8] @ example.trace.key[5, 11].T)
    assert scaled.figure == f"0.68, not {raw.max() / raw.sum():.2f}"


def test_without_the_division_the_largest_weight_is_larger_whichever_word_attends(
    cat_trace, cat_view
):
    for query in range(len(cat_view.units)):
        example = takeaways.example_of(cat_trace, cat_view, (8, 2, 3, 1), query)
        scaled, raw = takeaways.takeaways(example)[-1].figure.split(", not ")
        assert float(scaled) <= float(raw)
        assert float(scaled) >= 0.2  # the largest of the row, not that of any key


def test_roles_are_told_in_words(example):
    found = head_roles(example.view)
    heads, *_ = takeaways.takeaways(example, found)
    assert "previous word (L0 H2), next word (L1 H8)" in heads.text
    assert f"{(found.main < 0).sum()} of 72 have none." in heads.text
    assert takeaways.takeaways(example)[0].text in heads.text


def test_links_lead_to_steps_and_tokens_that_are_there(example):
    known = {step.key for step in steps.ENCODER_STEPS}
    for card in takeaways.takeaways(example):
        if "step" in card.link.state:
            assert card.link.state["step"] in known
            assert card.link.state["word"] == "8"  # it
            assert card.link.state["reads"] == "2"  # cat


def test_another_word_has_the_key_that_it_is_most_selective_for(cat_trace, cat_view):
    telling = 8, 2, 3, 1
    assert takeaways.example_of(cat_trace, cat_view, telling, 8).key == 2
    tired = takeaways.example_of(cat_trace, cat_view, telling, 10)
    assert tired.key not in (0, 10, 11)
    assert (tired.layer, tired.head) == (3, 1)


def test_what_gets_most_is_told_where_it_is_another(cat_trace, cat_view):
    told = takeaways.example_of(cat_trace, cat_view, (8, 2, 3, 1), 8).told
    assert told.startswith("“it” attends to “cat” in head L3 H1 (0.49;")
    rest = LessonExample(cat_trace, cat_view, query=8, key=6, layer=3, head=1).told
    assert rest.startswith(
        "In head L3 H1 “it” attends to “cat” most (0.49; the other words give it 0.11"
    )


def test_a_word_of_several_pieces_links_to_its_first_token(model):
    trace = model.trace("The trophy wouldn't fit")
    view = words.view(trace)
    example = LessonExample(
        trace, view, query=view.find("wouldn't"), key=view.find("fit"), layer=0, head=0
    )
    assert trace.tokens[int(example.token_place["word"])] == "wouldn"
