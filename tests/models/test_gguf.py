"""GGUF files: the same numbers as from safetensors, and one clear error for whatever is wrong."""

import contextlib
import struct
import tracemalloc

import gguf
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from attention.models import gguf_files
from attention.models.llama import Llama, LlamaConfig

BYTES = [chr(c) for c in range(ord("!"), ord("~") + 1)]
WORDS = ["<s>", *BYTES, "Ġ", "Ġt", "he", "Ġthe"]
MERGES = ["Ġ t", "h e", "Ġt he"]
SIZES = {
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "head_dim": 8,
    "hidden_size": 32,
    "intermediate_size": 64,
    "vocab_size": len(WORDS),
    "max_position_embeddings": 40,
    "norm_eps": float(np.float32(1e-5)),  # the file has it in single precision
    "rope_theta": 500.0,
}
CONFIG = LlamaConfig(**SIZES)
TEXT = "the cat in the hat"


def tensors(seed=0):
    rng = np.random.default_rng(seed)
    return {
        name: rng.normal(len(shape) == 1, 0.3, shape).astype("f4")
        for name, shape in CONFIG.shapes().items()
    }


def write(path, weights=None, *, fields=(), leave_out=(), architecture="llama", kind=None):
    """Write a model as llama.cpp's converter does; q and k with pairs side by side."""
    file = gguf.GGUFWriter(path, architecture)
    known = {
        "llama.block_count": 2,
        "llama.attention.head_count": 4,
        "llama.attention.head_count_kv": 2,
        "llama.embedding_length": 32,
        "llama.feed_forward_length": 64,
        "llama.context_length": 40,
        "llama.rope.dimension_count": 8,
    } | dict(fields)
    for name, value in known.items():
        if name not in leave_out:
            (file.add_string if isinstance(value, str) else file.add_uint32)(name, value)
    file.add_float32("llama.attention.layer_norm_rms_epsilon", 1e-5)
    file.add_float32("llama.rope.freq_base", 500.0)
    file.add_string("tokenizer.ggml.model", "gpt2")
    file.add_string("tokenizer.ggml.pre", "gpt-2")
    file.add_array("tokenizer.ggml.tokens", WORDS)
    file.add_array("tokenizer.ggml.merges", MERGES)
    file.add_array("tokenizer.ggml.token_type", [3, *[1] * (len(WORDS) - 1)])
    for name, tensor in (tensors() if weights is None else weights).items():
        if name in leave_out:
            continue
        for part, heads in (("q_proj", 4), ("k_proj", 2)):
            if part in name:
                rows, columns = tensor.shape
                halves = tensor.reshape(heads, 2, rows // heads // 2, columns)
                tensor = np.ascontiguousarray(halves.swapaxes(1, 2)).reshape(rows, columns)
        if kind is not None and tensor.ndim == 2:
            data = gguf.quants.quantize(tensor, kind)
            file.add_tensor(gguf_files._gguf_name(name), data, raw_dtype=kind)
        else:
            file.add_tensor(gguf_files._gguf_name(name), tensor)
    file.write_header_to_file()
    file.write_kv_data_to_file()
    file.write_tensors_to_file()
    file.close()
    return path


@pytest.fixture(scope="module")
def good(tmp_path_factory):
    return write(tmp_path_factory.mktemp("gguf") / "good.gguf")


@pytest.fixture
def other(tmp_path):
    return tmp_path / "other.gguf"


def test_a_file_gives_the_model_that_its_tensors_make(good):
    loaded = gguf_files.load("tiny", good)
    direct = Llama("tiny", CONFIG, tensors(), loaded.tokenizer)
    assert loaded.config == CONFIG
    mine, theirs = loaded.trace(TEXT), direct.trace(TEXT)
    assert mine.tokens[0] == "t"
    assert "Ġthe" in mine.tokens
    np.testing.assert_array_equal(mine.weights, theirs.weights)
    np.testing.assert_array_equal(mine.next_logits, theirs.next_logits)


@pytest.mark.parametrize("kind", ["F16", "Q8_0", "Q4_1"])
def test_other_formats_are_dequantised(other, kind):
    kind = gguf.GGMLQuantizationType[kind]
    loaded = gguf_files.load("tiny", write(other, kind=kind))
    rounded = {
        name: gguf.quants.dequantize(gguf.quants.quantize(tensor, kind), kind)
        if tensor.ndim == 2
        else tensor
        for name, tensor in tensors().items()
    }
    exact = Llama("tiny", CONFIG, rounded, loaded.tokenizer).trace(TEXT)
    np.testing.assert_allclose(loaded.trace(TEXT).weights, exact.weights, atol=1e-6)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"architecture": "gptneox"}, "architecture is 'gptneox', expected 'llama'"),
        ({"leave_out": ["llama.block_count"]}, r"llama\.block_count is missing"),
        ({"leave_out": ["model.norm.weight"]}, r"output_norm\.weight is missing"),
        ({"fields": {"llama.block_count": "two"}}, "num_hidden_layers must be a whole number"),
        ({"fields": {"llama.block_count": 10**6}}, "num_hidden_layers must be a whole number"),
        ({"fields": {"llama.block_count": 3}}, r"blk\.2\.\w+\.weight is missing"),
        ({"fields": {"llama.feed_forward_length": 32}}, "has shape"),
        ({"fields": {"llama.attention.head_count_kv": 3}}, "cannot share"),
        ({"fields": {"llama.attention.head_count": 0}}, "num_attention_heads must be"),
        ({"fields": {"llama.rope.dimension_count": 4}}, "only a part of each head is rotated"),
        ({"fields": {"llama.rope.scaling.type": "yarn"}}, "rope scaling"),
    ],
)
def test_another_kind_of_model_is_refused(other, options, message):
    write(other, **options)
    with pytest.raises(ValueError, match=message):
        gguf_files.load("tiny", other)


def test_numbers_that_are_not_finite_are_refused(other):
    weights = tensors()
    weights["model.norm.weight"][3] = np.nan
    with pytest.raises(ValueError, match=r"model\.norm\.weight has 1 numbers that are not finite"):
        gguf_files.load("tiny", write(other, weights))


def header(tensors=0, fields=0, magic=b"GGUF", version=3):
    return struct.pack("<4sIQQ", magic, version, tensors, fields)


def text(value):
    return struct.pack("<Q", len(value)) + value


def field(kind, value):
    return text(b"general.architecture") + struct.pack("<I", kind) + value


HUGE = 2**62


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "hostile"),
        (b"GGUF", "cut off"),
        (header(magic=b"PK\3\4"), "no GGUF file"),
        (header(version=1), "no GGUF file"),
        (header(tensors=HUGE), "tensors; the limit"),
        (header(fields=HUGE), "fields; the limit"),
        (header(fields=1) + struct.pack("<Q", HUGE), "bytes at"),
        (header(fields=1) + field(8, struct.pack("<Q", HUGE)), "bytes at"),
        (header(fields=1) + field(9, struct.pack("<IQ", 4, HUGE)), "array entries"),
        (header(fields=1) + field(9, struct.pack("<IQ", 4, 10**6)), "bytes at"),
        (header(fields=1) + field(9, struct.pack("<IQ", 9, 2)), "array of arrays"),
        (header(fields=1) + field(99, b""), "unknown type 99"),
        (header(tensors=1) + text(b"t") + struct.pack("<I", HUGE % 2**32 + 9), "axes of a tensor"),
        (
            header(tensors=1) + text(b"t") + struct.pack("<IQQIQ", 2, 2**33, 2**33, 0, 0),
            "tensor 't' claims",
        ),
        (
            header(tensors=1) + text(b"t") + struct.pack("<IQIQ", 1, 4, 0, HUGE),
            "tensor 't' claims",
        ),
    ],
)
def test_a_hostile_header_is_refused_at_once(tmp_path, data, message):
    path = tmp_path / "hostile.gguf"
    path.write_bytes(data)
    with pytest.raises(ValueError, match=message) as refused:
        gguf_files.load("tiny", path)
    assert "hostile.gguf" in str(refused.value)


def loads_or_refuses(data, path):
    """Load what may be damaged: a model or one ValueError, and never much memory."""
    path.write_bytes(data)
    tracemalloc.start()
    try:
        with contextlib.suppress(ValueError):
            gguf_files.load("tiny", path)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 50_000_000


@settings(
    deadline=None, max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.data())
def test_any_flipped_byte_is_survived(good, tmp_path, data):
    whole = bytearray(good.read_bytes())
    first_tensor = 6_000  # what comes before is the header; it gets most of the flips
    place = data.draw(st.integers(0, first_tensor) | st.integers(0, len(whole) - 1))
    whole[place] ^= data.draw(st.integers(1, 255))
    loads_or_refuses(bytes(whole), tmp_path / "flipped.gguf")


@settings(
    deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.floats(0, 1))
def test_a_cut_off_file_is_refused(good, tmp_path, share):
    whole = good.read_bytes()
    path = tmp_path / "cut.gguf"
    path.write_bytes(whole[: int(share * (len(whole) - 1))])
    with pytest.raises(ValueError, match=r"cut\.gguf"):
        gguf_files.load("tiny", path)


def test_without_the_gguf_package_the_command_is_named(good, monkeypatch):
    monkeypatch.setattr(gguf_files, "find_spec", lambda name: None)
    with pytest.raises(ValueError, match="pip install"):
        gguf_files.check(good)
