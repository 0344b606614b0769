"""How often chance calls a role: what is shuffled, and the rates that the pages say."""

import json
from dataclasses import replace
from importlib.resources import files

import numpy as np
import pytest

from attention.analysis import words
from attention.analysis.chance_rates import ANY, KEYS, ROWS, chance_rates
from attention.analysis.role_sentences import chance_sentence, role_meaning
from attention.analysis.roles import head_roles
from attention.analysis.words import Unit, View
from attention.survey import by_chance
from attention.survey.measure import reader
from tests.views import causal

TEXT = "The cat sat on the mat, and the dog, who was tired, sat on the cat."


@pytest.fixture(scope="module")
def seen(model):
    return words.view(model.trace(TEXT))


def test_rows_keep_their_weights_and_masks_hold(seen):
    rng = np.random.default_rng(1)
    shuffled = by_chance.rows_shuffled(seen, rng).weights
    assert (np.sort(shuffled, axis=-1) == np.sort(seen.weights, axis=-1)).all()
    assert not np.array_equal(shuffled, seen.weights)
    decoder = causal([1, 0, 0], [0.9, 0.1, 0], [0.7, 0.2, 0.1])
    for _ in range(5):
        assert not np.triu(by_chance.rows_shuffled(decoder, rng).weights[0, 0], 1).any()


def test_rows_are_shuffled_in_their_windows():
    size = 7
    units = tuple(Unit(str(i), (i,), False) for i in range(size))
    weights = np.random.default_rng(0).random((3, 2, size, size))
    windowed = View(units, weights, weights[..., 0], is_causal=True, windows=(3, None, 3))
    own = replace(windowed, weights=weights * windowed.seen)
    shuffled = by_chance.rows_shuffled(own, np.random.default_rng(1)).weights
    assert ((shuffled > 0) == np.broadcast_to(windowed.seen, weights.shape)).all()
    assert (np.sort(shuffled, axis=-1) == np.sort(own.weights, axis=-1)).all()
    assert not np.array_equal(shuffled, own.weights)


def test_keys_move_together_and_words_move_alone(seen):
    rng = np.random.default_rng(1)
    moved = by_chance.keys_shuffled(seen, rng).weights
    columns = {column.tobytes() for column in seen.weights[3, 1].T.copy()}
    assert {column.tobytes() for column in moved[3, 1].T.copy()} == columns
    other = by_chance.words_shuffled(seen, rng)
    assert other.weights is seen.weights
    assert sorted(other.labels) == sorted(seen.labels)
    assert other.labels != seen.labels
    assert [u.special for u in other.units] == [u.special for u in seen.units]


def test_what_is_shuffled_loses_its_roles(seen):
    """Half of the heads have a role that counts here, and hardly one when rows are shuffled."""
    found = head_roles(seen, only=by_chance._MEASURED)
    assert found.has.any(axis=0).mean() > 0.3
    rates = by_chance.called_by_chance([seen], ROWS, times=5)
    assert rates["heads"] == 5 * 72
    assert rates["called"][ANY] / rates["heads"] < 0.03


def test_pages_say_what_is_stored():
    stored = json.loads((files("attention.analysis") / "chance_rates.json").read_bytes())
    rows = [ways[ROWS] for ways in stored["models"].values()]
    heads = sum(each["heads"] for each in rows)
    share = sum(each["called"][ANY] for each in rows) / heads
    assert f"{100 * share:.2g} % of {heads:,} heads get a role" in chance_sentence()
    first = sum(each["called"]["induction"] for each in rows) / heads
    assert f"{100 * first:.2g} % of {heads:,} heads get it." in role_meaning("induction", 9, 50)
    assert "shuffled alike" in role_meaning("first", 9, 50)
    assert "heads get it" not in role_meaning("broad", 9, 50)


@pytest.mark.slow
def test_the_stored_rates_are_found_again():
    texts = by_chance.chance_texts()
    assert len(texts) == chance_rates().texts
    stored = json.loads((files("attention.analysis") / "chance_rates.json").read_bytes())
    views = [words.view(reader("en-pt").trace(text)) for text in texts]
    for way in (ROWS, KEYS, by_chance._WORDS):
        found, kept = by_chance.called_by_chance(views, way), stored["models"]["en-pt"][way]
        assert found["heads"] == kept["heads"]
        assert found["called"] == pytest.approx(kept["called"], abs=2)  # of those at a threshold
