"""A text that a decoder goes on with, by a stand-in that spells its tokens as digits."""

from types import SimpleNamespace

import numpy as np
import pytest

from attention.interventions import writing
from attention.interventions.writing import Sampling, Writing

STEPS = [SimpleNamespace(id=i, probability=p) for i, p in ((1, 0.5), (2, 0.25), (3, 0.75))]
MODEL = SimpleNamespace(
    generate=lambda text, **sampling: iter(STEPS),
    spell_all=lambda ids: "".join(map(str, ids)),
    label=str,
)


def test_a_text_grows_and_can_be_left_at_any_token():
    written = Writing("m", "x")
    texts = writing.write(written, MODEL, Sampling(1.0, 5), count=3)
    assert next(texts) == "x1"
    texts.close()
    assert [step.id for step in written.steps] == [1]
    assert written.seconds > 0
    again = Writing("m", "x")
    assert list(writing.write(again, MODEL, Sampling(1.0, 5), count=2)) == ["x1", "x12"]


def test_the_sentence_has_the_speed_and_both_ends():
    written = Writing("m", "x", STEPS, seconds=1.5)
    sentence = writing.writing_sentence(written, MODEL)
    assert sentence.startswith("3 tokens in 1.5 s, 2 a second")
    assert "Least probable: “2” (25.0 %); most probable: “3” (75.0 %)" in sentence


def test_chances_by_hand():
    logits = np.log([0.5, 0.3, 0.2])
    found = writing.next_chances(logits, Sampling(1.0, top_k=2), count=2)
    assert [change.id for change in found.changes] == [0, 1]
    assert [change.after for change in found.changes] == pytest.approx([0.625, 0.375])
    assert "has 50.0 % in the model and 62.5 %" in found.sentence("cat", top_k=2)
    assert found.sentence("cat", top_k=2).endswith("2 of 3 tokens can be chosen.")
