"""The explorer's blend: where it starts, what becomes of it, and what is said of it."""

import numpy as np
import pytest

from attention import presets
from attention.analysis import words
from attention.core import softmax
from attention.pipeline import blending
from attention.pipeline.blending import BlendedWords, BlendStart
from tests.views import view


@pytest.fixture(scope="module")
def bank(model):
    trace = model.trace(presets.BANK.text)
    return trace, words.view(trace, special=False)


def test_the_lessons_weights_are_where_it_starts(model, bank):
    start = blending.preset_start(model, *bank, presets.BANK)
    given = presets.illustrative_weights(presets.BANK, bank[1].words)
    assert start.weights == pytest.approx(np.array(given))
    assert start.says.startswith("Illustrative, from the lesson, for “bank”: deposit 35.0 %,")
    assert start.query_label == "bank"
    assert start.origin == "lesson"
    assert (start.movable, start.rest) == (list(range(8)), 0)


def test_equal_scores_are_about_no_word(model, bank):
    start = blending.equal_start(model, *bank)
    assert start.weights == pytest.approx(np.full(8, 1 / 8))
    blended = BlendedWords(start, start.base, 1.0)
    assert blended.untouched
    assert blended.sentence(model).startswith(
        "The blend is one in which all 8 words weigh the same"
    )


@pytest.mark.parametrize("own", [False, True])
def test_a_row_of_a_head_is_where_it_starts(model, cat_trace, own):
    shown = words.view(cat_trace)
    start = blending.head_start(model, cat_trace, shown, (3, 1), 8, own=own)
    assert start.weights == pytest.approx(shown.weights[3, 1, 8], abs=1e-6)
    assert BlendedWords(start, start.base, 1.0).row_gap < 1e-6
    assert BlendedWords(start, start.base, 2.0).row_gap > 0.1
    assert start.origin == "3.1.8"  # a part of the sliders' keys: it may not change
    assert ("The bias of W_O" in start.says) == own
    assert ("No meanings are named here" in start.explanation) == own
    if own:
        w_o = model.output_projection(3)[0].reshape(12, 32, -1)[1]
        output = cat_trace.head_output[3, 1, 8] @ w_o
        blended = BlendedWords(start, start.base, 1.0)
        assert blended.before == pytest.approx(output, abs=1e-5)
        told = blended.sentence(model)
        assert f"L3 H1 adds a vector of length {np.linalg.norm(output):.2f} to “it”." in told


def test_what_moves_is_told_from_where_it_started():
    shown = view([0.5, 0.25, 0.25], [1.0, 0, 0], [1.0, 0, 0])
    start = BlendStart(shown, np.log([0.5, 0.25, 0.25]), np.eye(3), "equal", "")
    scores = start.base + np.array([0, 1, 0])
    moved = BlendedWords(start, scores, 2.0)
    assert not moved.untouched
    assert moved.row_gap is None
    assert moved.weights == pytest.approx(softmax(scores / 2))
    assert moved.output.output == pytest.approx(moved.weights)
    assert moved.before == pytest.approx([0.5, 0.25, 0.25])
    assert moved.labels == ("a", "b", "c")
    assert moved.leader.startswith("“b” weighs most")


def test_words_without_a_slider_are_drawn_as_one():
    count = blending.MOST_MOVABLE + 3
    labels = [f"w{i}" for i in range(count)]
    shown = view(*np.eye(count), labels=labels)
    start = BlendStart(shown, np.arange(count) / 9, np.eye(count), "equal", "")
    blended = BlendedWords(start, start.base, 1.0)
    assert start.rest == 3
    assert start.movable == list(range(3, count))
    assert blended.labels == (*labels[3:], "3 others")
    assert blended.folded.contributions.sum(axis=0) == pytest.approx(blended.output.output)
    assert len(blended.folded.contributions) == len(blended.labels)


def moved_to(start, **scores):
    base = start.base.copy()
    for label, score in scores.items():
        base[start.view.labels.index(label)] = score
    return BlendedWords(start, base, 1.0)


def test_the_words_that_weigh_most_keep_their_colours_while_others_grow(model, bank):
    start = blending.preset_start(model, *bank, presets.BANK)
    grey = blending.MOST_COLOURED
    assert moved_to(start).colours == [grey, grey, grey, grey, 0, grey, 1, 2]
    assert moved_to(start, I=4.0, deposit=-4.0).colours == [3, grey, grey, grey, 0, grey, 1, 2]
    equal = blending.equal_start(model, *bank)
    assert moved_to(equal).colours == [grey] * 8
    many = moved_to(equal, I=2.0, went=2.0, the=2.0, bank=2.0, money=2.1)
    assert sorted(many.colours) == [0, 1, 2, 3, grey, grey, grey, grey]
    assert many.colours[7] < grey


def test_the_words_that_have_no_slider_are_grey():
    count = blending.MOST_MOVABLE + 3
    shown = view(*np.eye(count), labels=[f"w{i}" for i in range(count)])
    start = BlendStart(shown, np.arange(count) / 9, np.eye(count), "equal", "")
    colours = BlendedWords(start, start.base, 1.0).colours
    assert len(colours) == blending.MOST_MOVABLE + 1
    assert colours[-1] == blending.MOST_COLOURED


def three(weights):
    shown = view([1.0, 0, 0], [1.0, 0, 0], [1.0, 0, 0])
    return BlendStart(shown, np.log(weights), np.eye(3), "equal", "")


def test_a_blend_stands_at_a_meaning_where_it_is_that():
    meanings = {"a": np.array([1.0, 0, 0]), "b": np.array([0, 2.0, 0])}
    start = three([1.0, 1e-12, 1e-12])
    found = blending.leaning(moved_to(start, a=-9.0, b=9.0), meanings, None)
    assert (found.left, found.right) == ("b", "a")  # it leans to the right at the start
    assert (found.before, found.now) == (pytest.approx(1), pytest.approx(-1))
    assert found.sentence == (
        "Between “b” (-1) and “a” (+1) it stands at -1.00 (at the start, +1.00)."
    )
    half = blending.leaning(moved_to(three([1, 1, 1e-12])), meanings, None)
    assert half.now == pytest.approx(0, abs=1e-9)
    assert "at the start" not in half.sentence


def test_the_poles_are_the_presets_or_those_that_part_the_words_most():
    meanings = {
        "river": np.array([1.0, 0.1, 0]), "money": np.array([0.9, 0.2, 0]),
        "sky": np.array([0, 0, 1.0]),
    }  # fmt: skip
    start = moved_to(three([0.5, 0.3, 0.2]))
    known = blending.leaning(start, meanings, presets.BANK)
    assert (known.left, known.right) == presets.BANK.poles
    assert "sky" in blending.leaning(start, meanings, None)[:2]
    assert blending.leaning(start, {"river": meanings["river"]}, presets.BANK) is None
    assert blending.leaning(start, {"x": np.ones(3), "X": np.ones(3)}, None) is None


@pytest.mark.parametrize("preset", presets.PRESETS)
def test_the_poles_of_a_preset_are_two_of_its_meanings(preset):
    assert set(preset.poles) <= set(preset.meanings)
