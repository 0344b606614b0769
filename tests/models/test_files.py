"""Model files that are not what they should be are refused, and the message says what differs."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import ml_dtypes
import numpy as np
import pytest
from safetensors.numpy import save_file

from attention.models import files
from attention.models.bert_families import BertConfig

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


def test_config_gives_the_shape_of_every_tensor():
    shapes = BertConfig.from_dict(CONFIG).shapes()
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
        ("model_type", "deberta"),
        ("hidden_act", "mish"),
        ("position_embedding_type", "relative_key"),
        ("num_hidden_layers", 10**9),
        ("num_hidden_layers", None),
        ("hidden_size", True),
        ("vocab_size", -3),
        ("layer_norm_eps", "small"),
    ],
)
def test_config_of_another_kind_of_model_is_refused(field, value):
    with pytest.raises(ValueError, match=rf"{field}.*{re.escape(str(value))}"):
        BertConfig.from_dict(CONFIG | {field: value})


def test_heads_must_divide_the_width():
    with pytest.raises(ValueError, match="3 heads cannot divide a width of 4"):
        BertConfig.from_dict(CONFIG | {"num_attention_heads": 3})


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_numbers_that_are_not_finite_are_refused(tmp_path, bad):
    path = saved(tmp_path, tensors(**{"a.bias": np.array([1, bad, bad], "f4")}))
    with pytest.raises(ValueError, match=r"a\.bias has 2 numbers that are not finite"):
        files.read_safetensors(path, SHAPES)


def test_bfloat16_is_read_exactly(tmp_path):
    numbers = np.random.default_rng(0).normal(size=(2, 3)).astype(ml_dtypes.bfloat16)
    path = saved(tmp_path, tensors(**{"a.weight": numbers}))
    loaded = files.read_safetensors(path, SHAPES)
    assert list(loaded) == list(SHAPES)
    np.testing.assert_array_equal(loaded["a.weight"], numbers.astype(np.float32))
    np.testing.assert_array_equal(loaded["a.bias"], [1, 1, 1])


def test_bfloat16_takes_no_other_package(tmp_path):
    ones = np.ones(3, ml_dtypes.bfloat16)
    saved(tmp_path, tensors(**{"a.bias": ones}))
    code = (
        "import sys; from pathlib import Path; from attention.models import files; "
        "print(files.read_safetensors(Path('model.safetensors'), {'a.bias': (3,)})['a.bias']); "
        "assert 'ml_dtypes' not in sys.modules"
    )
    root = Path(files.__file__).parents[2]
    env = os.environ | {"PYTHONPATH": str(root)}
    told = subprocess.check_output([sys.executable, "-c", code], cwd=tmp_path, env=env, text=True)
    assert told == "[1. 1. 1.]\n"


def split_in_two(folder, places=None):
    save_file({"x.a.weight": np.ones((2, 3), "f4")}, folder / "one.safetensors")
    save_file({"x.a.bias": np.zeros(3, "f4")}, folder / "two.safetensors")
    index = {"weight_map": {"x.a.weight": "one.safetensors", "x.a.bias": "two.safetensors"}}
    index["weight_map"] |= places or {}
    (folder / "model.safetensors.index.json").write_text(json.dumps(index))


def test_weights_in_several_files_are_read_through_their_index(tmp_path):
    split_in_two(tmp_path)
    loaded = files.read_weights(tmp_path, SHAPES, prefixes=["y.", "x."])
    assert {name: a.shape for name, a in loaded.items()} == SHAPES
    files.check_weights(tmp_path, SHAPES, prefixes=["y.", "x."])


@pytest.mark.parametrize("place", ["../one.safetensors", "/etc/passwd", "three.safetensors", 7])
def test_an_index_names_files_beside_it_only(tmp_path, place):
    split_in_two(tmp_path, {"x.a.weight": place})
    with pytest.raises(ValueError, match="not a file beside it"):
        files.read_weights(tmp_path, SHAPES, prefixes=["y.", "x."])


def test_a_folder_without_weights_is_refused(tmp_path):
    with pytest.raises(ValueError, match=r"neither model\.safetensors nor"):
        files.check_weights(tmp_path, SHAPES)
    split_in_two(tmp_path)
    with pytest.raises(ValueError, match=r"c\.weight is missing"):
        files.check_weights(tmp_path, {"c.weight": (1,)})


@pytest.mark.parametrize("text", ["", "[1]", "{", "[" * 100_000, "\x00"])
def test_a_config_that_is_no_object_is_refused(tmp_path, text):
    (tmp_path / "config.json").write_text(text)
    with pytest.raises(ValueError, match=r"config\.json"):
        files.read_config(tmp_path)


def test_a_missing_config_is_refused(tmp_path):
    with pytest.raises(ValueError, match=r"config\.json is missing"):
        files.read_config(tmp_path)


@pytest.mark.parametrize("text", ["", "{}", "no tokenizer", '{"model": {"type": "Magic"}}'])
def test_a_tokenizer_that_is_none_is_refused(tmp_path, text):
    (tmp_path / "tokenizer.json").write_text(text)
    with pytest.raises(ValueError, match=r"tokenizer\.json is no tokenizer"):
        files.load_tokenizer(tmp_path / "tokenizer.json")
