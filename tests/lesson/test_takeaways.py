"""The lesson's cards, computed from one example."""

import numpy as np
import pytest

from attention.analysis import words
from attention.lesson import takeaways
from attention.lesson.takeaways import LessonExample
from attention.models.llama import Llama
from attention.pipeline import steps
from tests.models import tiny, tiny_tokenizers

TEXT = "The cat sat on the mat because it was tired"


@pytest.fixture(scope="module")
def example(model):
    trace = model.trace(TEXT)
    return LessonExample(trace, words.view(trace), query=8, key=2, layer=5, head=11)


def test_every_card_has_a_figure_and_a_link(example):
    cards = takeaways.takeaways(example)
    assert len(cards) == 6
    assert all(any(c.isdigit() for c in card.figure) for card in cards)
    assert len({card.title for card in cards}) == 6


def test_figures_by_hand(example):
    at_once, qkv, heads, price, additive, scaled = takeaways.takeaways(example)
    assert at_once.figure == "1 step, not 6"
    score = example.trace.query[5, 11, 8] @ example.trace.key[5, 11, 2] / np.sqrt(32)
    assert qkv.figure == f"{score:.2f} → 0.68"
    favourites = {int(row.argmax()) for row in example.view.weights[:, :, 8].reshape(72, 12)}
    assert heads.figure == f"{len(favourites)} words"
    assert price.figure == "144 → 576"
    assert additive.figure == "4,608 × tanh"
    raw = np.exp(example.trace.query[5, 11, 8] @ example.trace.key[5, 11].T)
    assert scaled.figure == f"0.68, not {raw[2] / raw.sum():.2f}"


def test_links_lead_to_steps_and_tokens_that_are_there(example):
    known = {step.key for step in steps.ENCODER_STEPS}
    for card in takeaways.takeaways(example):
        if "step" in card.link.state:
            assert card.link.state["step"] in known
            assert card.link.state["word"] == "8"  # it
            assert card.link.state["reads"] == "2"  # cat


def test_neighbours_and_single_words(model):
    trace = model.trace("Cats")
    example = LessonExample(
        trace, words.view(trace, special=False), query=0, key=0, layer=0, head=0
    )
    assert takeaways.takeaways(example)[0].figure == "1 step"
    assert takeaways.takeaways(example)[2].figure == "1 word"


def test_a_word_of_several_pieces_links_to_its_first_token(model):
    trace = model.trace("The trophy wouldn't fit")
    view = words.view(trace)
    example = LessonExample(
        trace, view, query=view.find("wouldn't"), key=view.find("fit"), layer=0, head=0
    )
    assert trace.tokens[int(example.token_place["word"])] == "wouldn"


def test_a_decoders_cards_say_what_its_mask_leaves(tmp_path):
    llama = Llama.from_folder("tiny", tiny.write(tmp_path / "tiny", "llama"))
    trace = llama.trace("the cat sat on the mat")
    at_once, qkv, _, price, *_ = takeaways.takeaways(
        LessonExample(trace, words.view(trace), query=4, key=1, layer=1, head=3)
    )
    assert "every earlier one" in at_once.text
    assert price.figure == "21 → 78"
    score = trace.query[1, 3, 4] @ trace.key[1, 1, 1] / 2  # head 3 uses shared head 1
    assert qkv.figure.startswith(f"{score:.2f} → ")


def test_white_space_is_no_word_in_between(tmp_path):
    folder = tiny_tokenizers.write_model(tmp_path / "m", "llama", "bytes")
    trace = Llama.from_folder("tiny", folder).trace("the cat\n\nsat")
    view = words.view(trace)
    assert view.labels == ("the", "cat", "⏎", "⏎", "sat")
    card = takeaways.takeaways(LessonExample(trace, view, query=4, key=0, layer=0, head=0))[0]
    assert card.figure == "1 step, not 2"
    assert card.meaning == "from “the” to “sat”, 2 words apart"
