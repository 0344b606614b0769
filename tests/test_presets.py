import numpy as np
import pytest

from attention import presets, softmax
from attention.analysis import words


@pytest.mark.parametrize("preset", [*presets.PRESETS, *presets.TO_FINISH], ids=lambda p: p.text)
def test_every_preset_holds_the_words_it_points_at(preset, model):
    view = words.view(model.trace(preset.text))
    assert view.find(preset.query) is not None
    assert view.find(preset.key) is not None
    assert set(preset.weights) <= set(view.labels)


@pytest.mark.parametrize("preset", [p for p in presets.PRESETS if p.weights], ids=lambda p: p.text)
def test_illustrative_weights_are_weights(preset):
    weights = presets.illustrative_weights(preset, tuple(preset.text.split()))
    assert min(weights) > 0
    assert sum(weights) == pytest.approx(1)


def test_weights_belong_to_the_words_of_one_sentence():
    words_of = presets.BANK.text.split()
    assert presets.illustrated(presets.BANK.text, words_of) is presets.BANK
    assert (
        presets.illustrated(presets.BANK.text, ["I went to", "the bank to deposit money"]) is None
    )
    assert presets.illustrated(presets.CAT.text, presets.CAT.text.split()) is None
    assert presets.illustrated("anything else", words_of) is None


def test_only_the_deposit_sentence_has_the_lessons_own_weights():
    assert [preset.text for preset in presets.PRESETS if preset.from_lesson] == [presets.BANK.text]


def test_the_receipt_shows_the_weights_that_softmax_gives():
    scores = np.array([0.5, -1.0, 2.0])
    receipt = presets.softmax_receipt(["a", "bb", "c"], scores, 2.0)
    shown = [float(right.split()[-1]) for _, _, right in receipt]
    assert shown == pytest.approx([*softmax(scores, temperature=2.0), 1], abs=5e-5)
