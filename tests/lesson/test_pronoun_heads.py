"""The head that finds the noun of a pronoun, over the lesson's own pairs."""

import numpy as np
import pytest

from attention.analysis import words
from attention.analysis.pair_sentences import PAIRS
from attention.lesson.pronoun_heads import pronoun_role, pronoun_sentence


def test_the_mean_over_sentences_against_a_slow_loop(model):
    some = PAIRS[:3]
    found, given = pronoun_role(model, some), []
    for pair in some:
        for text, noun in zip(pair.texts, (pair.first, pair.second), strict=True):
            view = words.view(model.trace(text))
            given.append(view.weights[:, :, view.find(pair.pronoun), view.find(noun)])
    assert (found.rows == 6).all()
    assert found.score == pytest.approx(np.mean(given, axis=0), abs=1e-6)


@pytest.mark.slow
def test_one_head_of_the_embedded_model_has_the_role(model):
    found = pronoun_role(model)
    assert np.argwhere(found.has("pronoun")).tolist() == [[3, 1]]
    assert found.score[3, 1] == pytest.approx(0.39, abs=0.01)
    assert found.null_mean[3, 1] < 0.07
    said = pronoun_sentence(found, "minilm")
    assert "L3 H1 of minilm gives the noun most: 0.39" in said
    assert said.endswith("Of 72 heads one gives it a third or more.")


def test_no_sentence_is_refused(model):
    with pytest.raises(ValueError, match="none of 0 texts"):
        pronoun_role(model, ())
