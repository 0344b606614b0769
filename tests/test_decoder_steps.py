"""The steps of a decoder's layer: each computed again, and said of any place."""

import numpy as np
import pytest

from attention import decoder_steps, steps
from attention.models.gpt2 import Gpt2
from attention.models.llama import Llama
from attention.place import Place
from tests.models import tiny

TEXT = "the cat sat on the mat"
KINDS = {"llama": (Llama, {}), "unshared": (Llama, {"num_key_value_heads": 4}), "gpt2": (Gpt2, {})}


@pytest.fixture(params=KINDS)
def place(request, tmp_path):
    loader, changes = KINDS[request.param]
    kind = "gpt2" if loader is Gpt2 else "llama"
    model = loader.from_folder("tiny", tiny.write(tmp_path / "tiny", kind, **changes))
    return Place(model, model.trace(TEXT), layer=1, head=3, query=4, key=2)


def keys(place):
    return [step.key for step in decoder_steps.steps_for(place.model)]


def test_rotation_is_a_step_of_llama_only(place):
    assert ("rotate" in keys(place)) == isinstance(place.model, Llama)
    assert keys(place)[:3] == ["stream", "norm", "qkv"]
    assert keys(place)[-1] == "back"


def test_every_step_is_what_the_model_computes(place):
    for step in decoder_steps.steps_for(place.model):
        assert step.gap is None or step.gap(place) < 1e-5, step.key
        assert step.sentence(place)
        for matrix in step.matrices(place):
            assert matrix.values.shape[1] > 0
            assert not np.isinf(matrix.values).any()  # hidden cells are absent


def test_steps_with_a_gap(place):
    checked = {s.key for s in decoder_steps.steps_for(place.model) if s.gap}
    assert checked >= {"softmax", "blend", "back"}
    assert ("rotate" if isinstance(place.model, Llama) else "qkv") in checked


def test_shared_heads_are_named(place):
    assert place.group == (1 if place.sizes["G"] == 2 else 3)
    assert place.sharers == ([2, 3] if place.sizes["G"] == 2 else [3])
    qkv = next(s for s in decoder_steps.steps_for(place.model) if s.key == "qkv")
    assert ("share" in qkv.what) == (place.sizes["G"] == 2)
    # two heads saved, keys and values, 4 numbers of 4 bytes, 3 layers
    assert ("192 bytes" in qkv.sentence(place)) == (place.sizes["G"] == 2)


def test_the_mask_hides_later_cells(place):
    mask = next(s for s in decoder_steps.steps_for(place.model) if s.key == "mask")
    before, after = mask.matrices(place)
    assert not np.isnan(before.values).any()
    hidden = np.isnan(after.values)
    np.testing.assert_array_equal(hidden, ~np.tri(6, dtype=bool))
    assert "15 of all 36" in mask.sentence(place)


def test_an_encoder_keeps_its_own_steps(model):
    assert decoder_steps.steps_for(model) is steps.ENCODER_STEPS
