"""Model files that are not what they should be are refused, and the message says what differs."""

import json
import re

import numpy as np
import pytest
from safetensors.numpy import save_file

from attention.models import files
from attention.models.bert import BertConfig

SHAPES = {"a.weight": (2, 3), "a.bias": (3,)}
CONFIG = {
    "model_type": "bert",
    "hidden_act": "gelu",
    "position_embedding_type": "absolute",
    "num_hidden_layers": 1,
    "num_attention_heads": 2,
    "hidden_size": 4,
    "intermediate_size": 8,
    "vocab_size": 10,
    "max_position_embeddings": 6,
    "type_vocab_size": 2,
    "layer_norm_eps": 1e-12,
}


def tensors(**changes):
    good = {"a.weight": np.arange(6, dtype=np.float16).reshape(2, 3), "a.bias": np.ones(3, "f4")}
    return good | changes


def saved(folder, tensors):
    path = folder / "model.safetensors"
    save_file(tensors, path)
    return path


def test_reads_both_float_types_as_read_only_float32(tmp_path):
    loaded = files.read_safetensors(saved(tmp_path, tensors()), SHAPES)
    assert list(loaded) == list(SHAPES)
    np.testing.assert_array_equal(loaded["a.weight"], [[0, 1, 2], [3, 4, 5]])
    assert {array.dtype for array in loaded.values()} == {np.dtype(np.float32)}
    assert not any(array.flags.writeable for array in loaded.values())


def test_leaves_other_tensors_alone(tmp_path):
    path = saved(tmp_path, tensors(ids=np.arange(3)))
    assert list(files.read_safetensors(path, SHAPES)) == list(SHAPES)


def test_a_missing_tensor_is_named(tmp_path):
    path = saved(tmp_path, {"a.weight": np.zeros((2, 3), "f4")})
    with pytest.raises(ValueError, match=r"model\.safetensors.*a\.bias"):
        files.read_safetensors(path, SHAPES)


def test_a_wrong_shape_is_named_with_both_shapes(tmp_path):
    path = saved(tmp_path, tensors(**{"a.weight": np.zeros((3, 2), "f4")}))
    with pytest.raises(ValueError, match=r"a\.weight") as error:
        files.read_safetensors(path, SHAPES)
    assert "(3, 2)" in str(error.value)
    assert "(2, 3)" in str(error.value)


@pytest.mark.parametrize(("dtype", "name"), [("f8", "F64"), ("i4", "I32"), ("?", "BOOL")])
def test_a_wrong_type_is_named(tmp_path, dtype, name):
    path = saved(tmp_path, tensors(**{"a.bias": np.zeros(3, dtype)}))
    with pytest.raises(ValueError, match=rf"a\.bias.*{name}"):
        files.read_safetensors(path, SHAPES)


def test_every_difference_is_counted(tmp_path):
    path = saved(tmp_path, {"x": np.zeros(1, "f4")})
    with pytest.raises(ValueError, match=r"t0\b.*\b3 more"):
        files.read_safetensors(path, {f"t{i}": (1,) for i in range(8)})


@pytest.mark.parametrize("keep", [0, 4, 20, -1])
def test_a_truncated_file_is_refused_by_name(tmp_path, keep):
    path = saved(tmp_path, tensors())
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(ValueError, match=r"model\.safetensors"):
        files.read_safetensors(path, SHAPES)


@pytest.mark.parametrize("garbage", [b"not a model" * 100, b"\x80\x04pickle", b"\xff" * 64])
def test_garbage_is_refused_by_name(tmp_path, garbage):
    path = tmp_path / "model.safetensors"
    path.write_bytes(garbage)
    with pytest.raises(ValueError, match=r"model\.safetensors"):
        files.read_safetensors(path, SHAPES)


def config_file(folder, config):
    path = folder / "config.json"
    path.write_text(json.dumps(config))
    return path


def test_config_gives_the_shape_of_every_tensor(tmp_path):
    shapes = BertConfig.from_file(config_file(tmp_path, CONFIG)).shapes()
    assert shapes["embeddings.word_embeddings.weight"] == (10, 4)
    assert shapes["embeddings.position_embeddings.weight"] == (6, 4)
    assert shapes["encoder.layer.0.attention.self.query.weight"] == (4, 4)
    assert shapes["encoder.layer.0.intermediate.dense.weight"] == (8, 4)
    assert shapes["encoder.layer.0.output.dense.weight"] == (4, 8)
    assert shapes["encoder.layer.0.output.dense.bias"] == (4,)
    assert len(shapes) == 5 + 16  # embeddings, then one layer


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("model_type", "roberta"),
        ("hidden_act", "relu"),
        ("hidden_act", "gelu_new"),
        ("position_embedding_type", "relative_key"),
    ],
)
def test_config_of_another_kind_of_model_is_refused(tmp_path, field, value):
    path = config_file(tmp_path, CONFIG | {field: value})
    with pytest.raises(ValueError, match=rf"config\.json.*{field}.*{re.escape(value)}"):
        BertConfig.from_file(path)
