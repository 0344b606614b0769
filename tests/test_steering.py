import numpy as np
import pytest

from attention import steering
from attention.edits import Add
from attention.models.decoder import chances
from attention.steering import Place
from attention.words import Unit

UNITS = (
    Unit("The", (0,), False),
    Unit("trophy", (1,), False),
    Unit("suitcase", (2, 3), False),
    Unit("it", (4,), False),
    Unit("was", (5,), False),
)


def test_the_word_that_asks_and_all_after_it():
    assert steering.asking(UNITS, 3, and_later=False) == (4,)
    assert steering.asking(UNITS, 3, and_later=True) == (4, 5)
    assert steering.asking(UNITS, 2, and_later=True) == (2, 3, 4, 5)


def test_a_move_takes_from_one_word_and_gives_to_the_last_piece_of_the_other():
    place = Place(queries=(4,), layers=(1,), heads=(2,))
    assert steering.move(UNITS, 1, 2, 1.5, place) == (
        Add(-1.5, (4,), (1,), (1,), (2,)),
        Add(1.5, (4,), (3,), (1,), (2,)),
    )
    assert steering.move(UNITS, 1, 2, 0.0, place) == ()
    assert steering.pushes(UNITS, {0: 0.0, 1: 2.0}, Place()) == (Add(2.0, keys=(1,)),)


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


class Numbered:
    """A model whose tokenizer counts letters."""

    class tokenizer:
        @staticmethod
        def encode(text, add_special_tokens):
            ids = [len(text.strip()), 99] if text.strip("! ") else []
            return type("Encoding", (), {"ids": ids})


def test_a_word_of_interest_is_its_first_token():
    found = steering.interests(Numbered, "small | big, large, mid")
    assert found.names == ("small", "big or large or mid")
    assert found.ids == ((5,), (3, 5, 3))
    assert found.all_ids == [5, 3]


def test_words_of_interest_that_cannot_be_are_refused():
    with pytest.raises(ValueError, match="'!!' gives no token"):
        steering.interests(Numbered, "small | !!")
    with pytest.raises(ValueError, match="13 words of interest; the limit is 12"):
        steering.interests(Numbered, ", ".join("a" * 13))


def test_shares_count_a_token_once():
    logits = np.log([0.5, 0.3, 0.2])
    np.testing.assert_allclose(steering.shares(logits, [[1, 1], [0, 2]]), [0.3, 0.7])


def test_chances_by_hand():
    logits = np.log([0.2, 0.5, 0.3])
    np.testing.assert_allclose(chances(logits, 1.0, 3), [0.2, 0.5, 0.3])
    np.testing.assert_allclose(chances(logits, 1.0, 2), [0, 0.625, 0.375])
    np.testing.assert_allclose(chances(logits, 0.5, 2), [0, 25 / 34, 9 / 34])  # squared
    np.testing.assert_allclose(chances(logits, 0.0, 3), [0, 1, 0])
