"""Weights in several files, as large models come, of every family."""

import json

import numpy as np
import pytest
from safetensors.numpy import save_file

from tests.models import tiny

TEXT = "the cat sat on the mat"


@pytest.mark.parametrize("kind", tiny.CONFIGS)
def test_a_model_in_parts_is_the_model_in_one_file(tmp_path, kind):
    whole = tiny.write(tmp_path / "whole", kind)
    tensors = tiny.weights(kind)
    parts = tiny.write(tmp_path / "parts", kind)
    (parts / "model.safetensors").unlink()
    names = sorted(tensors, key=lambda name: name[::-1])  # matrices of one layer lie apart
    places = {name: f"model-{at % 3 + 1:05}-of-00003.safetensors" for at, name in enumerate(names)}
    for file in set(places.values()):
        own = {name: tensors[name] for name in names if places[name] == file}
        save_file(own, parts / file)
    (parts / "model.safetensors.index.json").write_text(json.dumps({"weight_map": places}))
    one, other = (tiny.loader(kind).from_folder("m", folder) for folder in (whole, parts))
    np.testing.assert_array_equal(one.trace(TEXT).hidden, other.trace(TEXT).hidden)
    assert one.predicts == other.predicts
