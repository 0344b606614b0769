from types import SimpleNamespace

import numpy as np
import pytest

from attention.analysis import words
from attention.analysis.words import Unit
from attention.edits import Add
from attention.interventions import steering
from attention.interventions.steering import Move, Target
from attention.models.decoder import chances
from tests.models import tiny_tokenizers

UNITS = (
    Unit("The", (0,), False),
    Unit("trophy", (1,), False),
    Unit("suitcase", (2, 3), False),
    Unit("it", (4,), False),
    Unit("was", (5,), False),
)


def test_the_word_that_is_the_query_and_all_after_it():
    assert steering.query_positions(UNITS, 3, and_later=False) == (4,)
    assert steering.query_positions(UNITS, 3, and_later=True) == (4, 5)
    assert steering.query_positions(UNITS, 2, and_later=True) == (2, 3, 4, 5)


def test_a_move_takes_from_one_word_and_gives_to_the_last_piece_of_the_other():
    place = Target(queries=(4,), layers=(1,), heads=(2,))
    assert steering.move(UNITS, 1, 2, 1.5, place) == (
        Add(-1.5, (4,), (1,), (1,), (2,)),
        Add(1.5, (4,), (3,), (1,), (2,)),
    )
    assert steering.move(UNITS, 1, 2, 0.0, place) == ()
    assert steering.pushes(UNITS, {0: 0.0, 1: 2.0}, Target()) == (Add(2.0, keys=(1,)),)


@pytest.mark.parametrize(
    ("typed", "groups"),
    [
        ("small | big, large", [["small"], ["big", "large"]]),
        ("a,,b| |", [["a", "b"]]),
        ("", []),
    ],
)
def test_groups_of_words(typed, groups):
    assert steering.word_groups(typed) == groups


@pytest.mark.parametrize("kind", ["sentencepiece", "no prefix", "bytes"])
def test_a_word_of_interest_is_its_first_token_after_a_space(kind):
    tokenizer = tiny_tokenizers.MAKERS[kind]()
    found = steering.interests(SimpleNamespace(tokenizer=tokenizer), "cat | mat, river, mat")
    assert found.names == ("cat", "mat or river or mat")
    space = "Ġ" if kind == "bytes" else "▁"
    cat, mat, river = (tokenizer.token_to_id(space + word) for word in ("cat", "mat", "river"))
    assert found.ids == ((cat,), (mat, river, mat))
    assert found.all_ids == [cat, mat, river]


def test_words_of_interest_that_cannot_be_are_refused(model):
    with pytest.raises(ValueError, match="'\\\\u200b' gives no token"):
        steering.interests(model, "small | \u200b")
    with pytest.raises(ValueError, match="13 words of interest; the limit is 12"):
        steering.interests(model, ", ".join("a" * 13))


def test_shares_count_a_token_once():
    logits = np.log([0.5, 0.3, 0.2])
    np.testing.assert_allclose(steering.shares(logits, [[1, 1], [0, 2]]), [0.3, 0.7])


def test_chances_by_hand():
    logits = np.log([0.2, 0.5, 0.3])
    np.testing.assert_allclose(chances(logits, 1.0, 3), [0.2, 0.5, 0.3])
    np.testing.assert_allclose(chances(logits, 1.0, 2), [0, 0.625, 0.375])
    np.testing.assert_allclose(chances(logits, 0.5, 2), [0, 25 / 34, 9 / 34])  # squared
    np.testing.assert_allclose(chances(logits, 0.0, 3), [0, 1, 0])


def test_a_curve_has_the_untouched_model_at_strength_0(model, cat_trace):
    units = words.whole_words(cat_trace.input)
    push, shares = Move(2, 6, Target(queries=(8,))), []
    curve = steering.push_curve(model, cat_trace, units, push, [0.0, 3.0], None, shares.append)
    assert (curve.title, curve.series, shares) == (
        "the vector moves by", ("sentence vector",), [1.0],
    )  # fmt: skip
    assert curve.values[0, 0] == pytest.approx(0, abs=1e-6)
    assert curve.values[1, 0] > 1e-4


def test_a_curve_may_come_in_parts(model, cat_trace):
    units = words.whole_words(cat_trace.input)
    push, strengths = Move(2, 6, Target(queries=(8,))), [float(s) for s in range(-6, 7)]

    def curve(some):
        return steering.push_curve(model, cat_trace, units, push, some, None)

    whole, (first, *more) = curve(strengths), map(curve, steering.rounds(strengths, 250))
    for part in more:
        first = first.joined(part)
    assert first.strengths == whole.strengths == tuple(strengths)
    np.testing.assert_allclose(first.values, whole.values, atol=1e-6)


def test_the_words_that_get_most_stand_in_their_order(cat_view):
    row = cat_view.weights[:, :, 8].mean(axis=(0, 1))
    own = steering.most_attended(cat_view, 8, 3)
    assert own == sorted(own)
    assert set(own) == set(sorted(range(1, 11), key=lambda k: -row[k])[:3])
    assert steering.rival(cat_view, 8, 2, None) in range(1, 11)
    assert steering.rival(cat_view, 8, 2, None) not in (2, 8)
