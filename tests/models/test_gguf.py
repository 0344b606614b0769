"""GGUF files: the same numbers as from safetensors, and one clear error for whatever is wrong."""

import contextlib
import struct
import tracemalloc

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from attention.models import gguf_files, gguf_header
from attention.models.llama import Llama
from tests.models.tiny_gguf import CONFIG, WORDS, tensors, write

gguf = pytest.importorskip("gguf", reason="the gguf package is not installed")

START = {"tokenizer.ggml.add_bos_token": True, "tokenizer.ggml.bos_token_id": 0}
TEXT = "the cat in the hat"


@pytest.fixture(scope="module")
def good(tmp_path_factory):
    return write(tmp_path_factory.mktemp("gguf") / "good.gguf")


@pytest.fixture
def other(tmp_path):
    return tmp_path / "other.gguf"


def test_a_file_gives_the_model_that_its_tensors_make(good):
    loaded = gguf_files.load_gguf("tiny", good)
    direct = Llama("tiny", CONFIG, tensors(), loaded.tokenizer)
    assert loaded.config == CONFIG
    mine, theirs = loaded.trace(TEXT), direct.trace(TEXT)
    assert mine.tokens[:3] == ("the", "Ġ", "c")
    np.testing.assert_array_equal(mine.weights, theirs.weights)
    np.testing.assert_array_equal(mine.next_logits, theirs.next_logits)


def test_a_text_begins_with_the_start_token_where_the_model_wants_that(other):
    loaded = gguf_files.load_gguf("tiny", write(other, fields=START))
    assert loaded.tokenize("the").pieces == ("<s>", "the")
    assert loaded.tokenize("the").special == (True, False)


def test_large_tensors_are_made_part_by_part(good, monkeypatch):
    whole = gguf_files.load_gguf("tiny", good).trace(TEXT)
    monkeypatch.setattr(gguf_files, "_AT_ONCE", 96)
    parts = gguf_files.load_gguf("tiny", good).trace(TEXT)
    np.testing.assert_array_equal(parts.next_logits, whole.next_logits)


@pytest.mark.parametrize("kind", ["F16", "BF16", "Q8_0", "Q4_1"])
def test_other_formats_are_dequantised(other, kind):
    kind = gguf.GGMLQuantizationType[kind]
    loaded = gguf_files.load_gguf("tiny", write(other, kind=kind))
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
        ({"architecture": "gptneox"}, "architecture is 'gptneox'; computed are llama, qwen2"),
        ({"leave_out": ["llama.block_count"]}, r"llama\.block_count is missing"),
        ({"leave_out": ["norm.weight"]}, r"output_norm\.weight is missing"),
        ({"fields": {"llama.block_count": "two"}}, "block_count is of type str, not int"),
        ({"fields": {"llama.block_count": 10**6}}, "num_hidden_layers must be a whole number"),
        ({"fields": {"llama.block_count": 3}}, r"blk\.2\.\w+\.weight is missing"),
        ({"fields": {"llama.feed_forward_length": 32}}, "has shape"),
        ({"fields": {"llama.attention.head_count_kv": 3}}, "cannot share"),
        ({"fields": {"llama.attention.head_count": 0}}, "num_attention_heads must be"),
        ({"fields": {"llama.rope.dimension_count": 4}}, "only a part of each head is rotated"),
        ({"fields": {"llama.rope.scaling.type": "ntk"}}, "rope_type is 'ntk'; computed are"),
        ({"fields": {"general.alignment": 48}}, "must be a power of two, got 48"),
        ({"fields": {"tokenizer.ggml.model": "bert"}}, r"kind 'bert' \(WordPiece\)"),
        ({"fields": {"tokenizer.ggml.model": "llama"}}, r"tokenizer\.ggml\.scores is missing"),
        ({"fields": {"split.count": 3}}, "one of 3 parts of a file"),
        ({"fields": {"tokenizer.ggml.pre": "tekken"}}, "splits texts as 'tekken' does"),
        ({"fields": {"tokenizer.ggml.tokens": 7}}, "tokens is of type int, not Strings"),
        ({"fields": {"tokenizer.ggml.tokens": WORDS[:-1]}}, "has shape"),
        ({"fields": {"tokenizer.ggml.merges": ["no pair"]}}, "do not fit together"),
        ({"fields": {"tokenizer.ggml.merges": ["pair"]}}, "do not fit together"),
        ({"fields": {"tokenizer.ggml.token_type": WORDS}}, "token_type is of type Strings"),
        ({"fields": {"tokenizer.ggml.add_bos_token": True}}, "bos_token_id is missing"),
        ({"fields": START | {"tokenizer.ggml.bos_token_id": 999}}, "begin with token 999 of 99"),
    ],
)
def test_another_kind_of_model_is_refused(other, options, message):
    write(other, **options)
    with pytest.raises(ValueError, match=message):
        gguf_files.load_gguf("tiny", other)
    if message != "do not fit together":  # that takes building it
        with pytest.raises(ValueError, match=message):
            gguf_files.check_gguf(other)


def test_numbers_that_are_not_finite_are_refused(other):
    weights = tensors()
    weights["norm.weight"][3] = np.nan
    with pytest.raises(ValueError, match=r"norm\.weight has 1 numbers that are not finite"):
        gguf_files.load_gguf("tiny", write(other, weights))


HUGE = 2**62


def header(*parts, tensors=0, fields=0, magic=b"GGUF", version=3):
    return struct.pack("<4sIQQ", magic, version, tensors, fields) + b"".join(parts)


def field(kind, *parts):
    return struct.pack("<Q", 1) + b"f" + struct.pack("<I", kind) + b"".join(parts)


ONE_AXIS = struct.pack("<Q1sIQIQ", 1, b"t", 1, 4, 0, 0)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "empty"),
        (b"GGUF", "claims 24 bytes at 0; it has 4"),
        (header(magic=b"PK\3\4"), "no GGUF file"),
        (header(version=1), "no GGUF file"),
        (header(tensors=HUGE), "tensors; the limit"),
        (header(fields=HUGE), "fields; the limit"),
        (header(struct.pack("<Q", HUGE), fields=1), "bytes at 32; it has 32"),
        (header(field(8, struct.pack("<Q", HUGE)), fields=1), "bytes at"),
        (header(field(8, struct.pack("<Q", 1), b"\xff"), fields=1), "can't decode"),
        (header(field(9, struct.pack("<IQ", 4, HUGE)), fields=1), "array entries"),
        (header(field(9, struct.pack("<IQ", 4, 10**6)), fields=1), "claims 4,000,000 bytes at"),
        (header(field(9, struct.pack("<IQ", 8, 10**6)), fields=1), "claims 8 bytes at"),
        (header(field(9, struct.pack("<IQ", 9, 2)), fields=1), "array of arrays"),
        (header(field(99), fields=1), "unknown type 99"),
        (header(field(7, b"\1"), field(7, b"\1"), fields=2), "names a field twice"),
        (header(struct.pack("<Q1sI", 1, b"t", 2**31), tensors=1), "axes of a tensor"),
        (header(ONE_AXIS, ONE_AXIS, tensors=2), "names a tensor twice"),
        (header(), "general.architecture is missing"),
    ],
)
def test_a_hostile_header_is_refused_at_once(tmp_path, data, message):
    path = tmp_path / "hostile.gguf"
    path.write_bytes(data)
    with pytest.raises(ValueError, match=message) as refused:
        gguf_files.check_gguf(path)
    assert str(refused.value).startswith("hostile.gguf")


def test_what_a_header_says_is_read():
    data = header(field(9, struct.pack("<IQ3h", 3, 3, 1, -2, 3)), ONE_AXIS, fields=1, tensors=1)
    found = gguf_header.read(memoryview(data))
    assert found.fields["f"].tolist() == [1, -2, 3]
    start = -(-len(data) // 32) * 32
    assert found.tensors == {"t": gguf_header.Tensor((4,), kind=0, start=start)}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"shape": (2**33, 2**33)}, r"has shape \(8589934592, 8589934592\), expected \(32, 32\)"),
        ({"start": HUGE}, "claims 4,096 bytes at 4,611,686,018,427,387,904; the file has"),
        ({"start": 0, "kind": 99}, "99 is not a valid"),
        ({"kind": 12}, "has rows of 32, stored in blocks of 256"),
        ({"kind": 24}, "numbers stored as I8 are not read here"),
    ],
)
def test_a_tensor_that_cannot_be_is_refused(good, changes, message):
    data = np.fromfile(good, np.uint8)
    fields, there = gguf_header.read(data.data)
    there["blk.0.attn_q.weight"] = there["blk.0.attn_q.weight"]._replace(**changes)
    with pytest.raises(ValueError, match=message):
        gguf_files._read_weights(data, gguf_files._checked(fields, there, data.size)[1])


def test_one_place_cannot_be_read_as_many_tensors(good):
    fields, there = gguf_header.read(memoryview(good.read_bytes()))
    first = min(tensor.start for tensor in there.values())
    layers = {
        name.replace("blk.0", f"blk.{layer}"): tensor._replace(start=first)
        for name, tensor in there.items()
        for layer in range(100)
    }
    fields["llama.block_count"] = 100
    with pytest.raises(ValueError, match=r"tensors claim .* bytes; the file has"):
        gguf_files._checked(fields, layers, good.stat().st_size)


@pytest.fixture(scope="module")
def header_size(good):
    _, there = gguf_header.read(memoryview(good.read_bytes()))
    return min(tensor.start for tensor in there.values())


@pytest.mark.slow
@settings(
    deadline=None, max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.data())
def test_any_flipped_byte_is_survived(good, header_size, tmp_path, data):
    """A model or one ValueError, and never much memory; most flips go to the header."""
    whole = bytearray(good.read_bytes())
    place = data.draw(st.integers(0, header_size) | st.integers(0, len(whole) - 1))
    whole[place] ^= data.draw(st.integers(1, 255))
    path = tmp_path / "flipped.gguf"
    path.write_bytes(whole)
    tracemalloc.start()
    try:
        with contextlib.suppress(ValueError), np.errstate(all="ignore"):
            gguf_files.load_gguf("tiny", path).trace(TEXT)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 5_000_000


@pytest.mark.slow
def test_a_file_cut_off_anywhere_is_refused(good, header_size, other):
    whole = good.read_bytes()
    for length in [*range(header_size), *range(header_size, len(whole), 997)]:
        other.write_bytes(whole[:length])
        with pytest.raises(ValueError, match=r"^other\.gguf: "):
            gguf_files.check_gguf(other)


def test_without_the_gguf_package_the_command_is_named(good, monkeypatch):
    monkeypatch.setattr(gguf_files, "find_spec", lambda name: None)
    with pytest.raises(ValueError, match="pip install"):
        gguf_files.check_gguf(good)
