"""Patching on the interventions page: what comes back, clicks, and texts that give nothing."""

import numpy as np
import pytest

from attention.edits.codes import encode
from attention.interventions.patching import Patching
from tests.optional import with_smollm2
from tests.pages.app import INTERVENTIONS, click, drawn, healthy, open_page
from tests.pages.reader import plain

pytestmark = pytest.mark.slow

CAT, OTHER = "The cat sat on the mat because it was tired", "The cat sat on the mat and it was soft"
MAP = "How much comes back"


def opened(**params):
    return open_page(
        INTERVENTIONS,
        **{"do": "patch", "model": "minilm", "q": CAT, "patch_text": OTHER, **params},
    )


def test_the_map_is_what_the_package_computes(model):
    app = opened()
    *_, expected = Patching(model, model.trace(CAT), model.trace(OTHER)).heads()
    found = drawn(app, "share")
    assert found["share"].to_numpy() == pytest.approx(expected.ravel(), abs=1e-5)
    layer, head = np.unravel_index(expected.argmax(), expected.shape)
    assert f"L{layer} H{head} alone brings back" in plain(app.info[0].value)
    assert "the most of 72 patches" in plain(app.info[0].value)


@with_smollm2
def test_of_a_large_model_it_is_said_what_will_be_measured_and_done_when_asked():
    app = open_page(INTERVENTIONS, do="patch")
    assert "+6.12 in the text and -" in plain(app.info[0].value)
    healthy(next(b for b in app.button if "Patch each" in b.label).click().run())
    assert len(drawn(app, "share")) == 270
    assert not [b for b in app.button if b.label == "Stop"]
    assert "alone brings back" in plain(app.info[0].value)


def test_a_click_picks_another_head_and_the_bars_follow():
    app = opened()
    before = drawn(app, "moved")
    click(app, MAP, "cell", layer=2, column=4)
    assert "L2 H4 alone brings back" in plain(app.info[0].value)
    assert not drawn(app, "moved").equals(before)


def test_weights_of_each_head(model):
    app = opened(patch_what="weights")
    *_, expected = Patching(model, model.trace(CAT), model.trace(OTHER)).weights()
    assert drawn(app, "share")["share"].to_numpy() == pytest.approx(expected.ravel(), abs=1e-5)
    assert "the weights of L" in plain(app.info[0].value)


def test_hidden_states_by_layer_and_word():
    app = opened(patch_what="states")
    found = drawn(app, "share")
    assert len(found) == 6 * 12
    click(app, MAP, "cell", layer=0, column=10)
    assert "the state of “tired” that enters L0" in plain(app.info[0].value)


def test_a_patch_is_an_edit_on_cut(model):
    patch = Patching(model, model.trace(CAT), model.trace(OTHER)).patch("head", 3, 1)
    app = open_page(INTERVENTIONS, do="cut", model="minilm", q=CAT, edits=encode(patch))
    assert any("outputs of" in text.value and OTHER[:30] in text.value for text in app.text)
    assert "With 1 edit" in plain(app.info[0].value)


def test_the_same_text_is_a_calm_state():
    app = opened(patch_text=CAT)
    assert "Change a word in the other text" in app.info[0].value
    assert not app.get("vega_lite_chart")


def test_a_hostile_text_is_shown_letter_for_letter():
    app = opened(q="The **cat** sat :red[here]", patch_text="The **dog** sat :red[here]")
    assert "alone brings back" in plain(app.info[0].value)
