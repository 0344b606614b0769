"""Alignment as a role of cross-attention: by a slow loop, by chance, and in a sentence."""

import numpy as np
import pytest

import attention
from attention.analysis.role_kinds import ALIGNMENT
from attention.analysis.roles import PooledRole
from attention.analysis.words import Unit
from attention.translation import alignment_role as role
from attention.translation.aligned import Aligned
from attention.translation.examples import SOURCE_EXAMPLES, STEEP_BANK


@pytest.fixture(scope="module")
def pair():
    return attention.load_translator()


def units(text):
    return tuple(Unit(word, (i,), False) for i, word in enumerate(text.split()))


def test_counterparts_and_words_that_are_spelled_alike():
    found = role.known_pairs(units("the bank of 1992 ."), units("o banco de 1992 ."))
    assert np.argwhere(found).tolist() == [[1, 1], [3, 3]]  # a full stop is no word
    assert role.known_pairs((), ()).shape == (0, 0)


def test_every_head_against_a_slow_loop(pair):
    done = pair.translate(STEEP_BANK.text)
    found = role.alignment_role(done)
    for layer in range(2):
        for head in range(8):
            words = Aligned(done, layer, head)
            here = {"margem": "bank", "rio": "river", "íngreme": "steep"}
            said = [unit.word for unit in words.source]
            given = [
                words.weights[t, said.index(here[unit.word])]
                for t, unit in enumerate(words.target)
                if unit.word in here
            ]
            assert [len(given)] * 2 == found.rows.tolist() == [3, 3]
            assert found.score[layer, head] == pytest.approx(np.mean(given), abs=1e-6)


def test_chance_is_one_in_as_many_words_as_there_are(pair):
    done = pair.translate(STEEP_BANK.text)
    found = role.alignment_role(done, draws=5_000)
    ordinary = 8  # seven words and a full stop
    words = Aligned(done, 1, 0)
    asking = [t for t, unit in enumerate(words.target) if unit.word in ("margem", "rio", "íngreme")]
    expected = words.weights[asking, :ordinary].sum() / 3 / ordinary
    assert found.null_mean[1, 0] == pytest.approx(expected, abs=0.02)


def test_head_1_0_aligns_all_built_in_sentences_and_no_head_of_the_first_layer_does(pair):
    for example in SOURCE_EXAMPLES:
        found = role.alignment_role(pair.translate(example.text))
        assert (found.rows >= 3).all()
        assert found.score[1, 0] > 0.75
        assert found.score[0].max() < ALIGNMENT.threshold
        assert role.alignment_sentence(found, (1, 0)).startswith("It aligns: on average 0.")
        assert role.alignment_sentence(found, (0, 4)).startswith("It has not the role")


def test_no_known_counterpart_is_no_role(pair):
    done = pair.translate("He laughs.")
    found = role.alignment_role(done)
    assert found is None or (found.rows < 3).all()
    assert role.alignment_sentence(None, (1, 0)) == ""
    one = PooledRole(np.ones((1, 1)), np.zeros((1, 1)), np.zeros((1, 1)), np.array([1]))
    assert role.alignment_sentence(one, (0, 0)).startswith("It has not the role of aligning")
