"""Marian's files: the numbers that are in them, and one clear error for whatever is wrong."""

import contextlib
import shutil
import struct
import tracemalloc

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from attention.models import marian_files, marian_header
from attention.models.marian import Marian
from attention.models.marian_config import MarianConfig, read_settings
from attention.models.marian_header import FLOAT32, INT8, TEXT
from tests.models import tiny_marian
from tests.models.tiny_marian import CONFIG, PIECES, TWO, UNTIED, file_bytes, records

SENTENCE = "the cat sat where a dog was"
HUGE = 2**62


@pytest.fixture(scope="module")
def good(tmp_path_factory):
    return tiny_marian.write(tmp_path_factory.mktemp("marian") / "good")


def load(folder, *arguments, **options):
    return Marian.from_folder("tiny", tiny_marian.write(folder / "m", *arguments, **options))


@pytest.mark.parametrize("changes", [{}, TWO, UNTIED], ids=["one table", "two", "untied"])
def test_a_file_gives_the_numbers_that_are_in_it(tmp_path, changes):
    wanted = tiny_marian.tensors(**changes)
    for kind in (FLOAT32, INT8):
        folder = tiny_marian.write(tmp_path / str(kind), kind=kind, **changes)
        config, found = marian_files.load_marian(folder / "model.tiny.bin")
        assert config == MarianConfig.from_dict(CONFIG | changes)
        assert found.keys() == wanted.keys()
        for name, tensor in wanted.items():
            if kind == INT8 and tensor.ndim == 2:
                stored, scale = tiny_marian.rounded(tensor)
                tensor = stored / scale
            np.testing.assert_array_equal(found[name], tensor, err_msg=name)


def test_how_activations_would_be_rounded_is_left_alone(tmp_path):
    extra = [("encoder_l1_self_Wq_QuantMultA", INT8, (1, 1), bytes(256))]
    assert load(tmp_path, extra=extra).translate(SENTENCE).text is not None


def test_lines_of_a_configuration_are_read():
    said = 'a: ""\nb: []\nc:\n  - 1\n  - two\nd: -3\ne: true\nf: x: y\ng: "q"\n'
    assert read_settings(said) == {
        "a": "", "b": [], "c": [1, "two"], "d": -3, "e": True, "f": "x: y", "g": "q"
    }  # fmt: skip
    with pytest.raises(ValueError, match="a line '  nested: 1', which is not read"):
        read_settings("a:\n  nested: 1\n")


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"type": "amun"}, "type is 'amun', expected 'transformer'"),
        ({"dec-cell": "gru"}, "dec-cell is 'gru', expected 'ssru'"),
        ({"transformer-decoder-autoreg": "self-attention"}, "autoreg is 'self-attention'"),
        ({"transformer-ffn-activation": "swish"}, "activation is 'swish', expected 'relu'"),
        ({"transformer-preprocess": "n"}, "preprocess is 'n'"),
        ({"transformer-postprocess": "da"}, "postprocess is 'da', expected 'dan'"),
        ({"transformer-tied-layers": [1, 1]}, "tied-layers is"),
        ({"transformer-train-position-embeddings": True}, "position-embeddings is True"),
        ({"transformer-ffn-depth": 3}, "ffn-depth is 3, expected 2"),
        ({"input-types": ["sequence", "class"]}, "input-types is"),
        ({"output-omit-bias": True}, "output-omit-bias is True"),
        ({"dim-vocabs": [16]}, "dim-vocabs must be two numbers"),
        ({"dim-vocabs": [16, 15]}, "16 and 15, which cannot be one table"),
        ({"dim-vocabs": ["a", "b"]}, "vocab_size must be a whole number"),
        ({"transformer-heads": 5}, "5 heads cannot divide a width of 16"),
        ({"dim-emb": 5, "transformer-heads": 1}, "5 has no room for sines"),
        ({"enc-depth": 10**6}, "num_hidden_layers must be a whole number"),
        ({"dec-depth": 0}, "dec-depth must be a whole number"),
    ],
)
def test_another_kind_of_model_is_refused_by_name(tmp_path, options, told):
    text = f"{tiny_marian.as_text(CONFIG | options)}\0".encode()
    changed = [
        entry if entry[0] != "special:model.yml" else (entry[0], TEXT, (len(text),), text)
        for entry in records()
    ]
    folder = tiny_marian.write(tmp_path / "m")
    (folder / "model.tiny.bin").write_bytes(file_bytes(changed))
    with pytest.raises(ValueError, match=rf"^model\.tiny\.bin: .*{told}"):
        Marian.check_folder(folder)


def shape(name, *sizes):
    """Return a record of zeros under this name."""
    return (name, FLOAT32, sizes, bytes(4 * int(np.prod(sizes))))


def without(name, *, instead=()):
    return file_bytes(records(leave_out=[name], extra=instead))


Wq, SETTINGS = "encoder_l1_self_Wq", "special:model.yml"


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (without(Wq), f"tensor {Wq} is missing"),
        (without(SETTINGS), "its configuration special:model.yml is missing"),
        (without(SETTINGS, instead=[shape(SETTINGS, 2, 2)]), "configuration is of type 0x404"),
        (without(SETTINGS, instead=[(SETTINGS, TEXT, (1,), b"\xff")]), "can't decode"),
        (without(Wq, instead=[shape(Wq, 8, 32)]), r"shape \(8, 32\), expected \(16, 16\)"),
        (without(Wq, instead=[(Wq, INT8, (16, 16), bytes(259))]), "259 bytes, expected 260"),
        (without(Wq, instead=[(Wq, INT8, (16, 16), bytes(900))]), "900 bytes, expected 260"),
        (without(Wq, instead=[(Wq, 0x4102, (16, 16), bytes(516))]), "stored as type 0x4102"),
        (without(Wq, instead=[(Wq, INT8, (16, 16), bytes(260))]), "the scale 0.0"),
        (file_bytes(records(extra=[shape("decoder_l1_self_Wq", 16, 16)])), "not computed here"),
        (file_bytes([*records(), shape(Wq, 16, 16)]), "names a tensor twice"),
    ],
)
def test_tensors_that_are_not_as_expected_are_refused(tmp_path, content, told):
    folder = tiny_marian.write(tmp_path / "m")
    (folder / "model.tiny.bin").write_bytes(content)
    with pytest.raises(ValueError, match=rf"^model\.tiny\.bin: .*{told}"):
        Marian.from_folder("m", folder)


def test_numbers_that_are_not_finite_are_refused(tmp_path):
    weights = tiny_marian.tensors()
    weights["encoder.1.mlp.norm.bias"][3] = np.nan
    with pytest.raises(ValueError, match="bias has 1 numbers that are not finite"):
        load(tmp_path, weights)


HEAD = struct.pack("<QQ", 1, 1)


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (b"", "claims 16 bytes at 0; it has 0"),
        (struct.pack("<QQ", 2, 0), "no Marian file of version 1"),
        (struct.pack("<QQ", 1, HUGE), "tensors; the limit is 10,000"),
        (struct.pack("<QQ", 1, 9_000), "claims 32 bytes at"),
        (HEAD + struct.pack("<4Q", HUGE, TEXT, 0, 0), "bytes of a name; the limit is 1,000"),
        (HEAD + struct.pack("<4Q", 9, TEXT, 0, 0), "claims 9 bytes at 48; it has 48"),
        (HEAD + struct.pack("<4Q", 1, TEXT, 0, 0) + b"\xff", "can't decode"),
        (HEAD + struct.pack("<4Q", 0, TEXT, HUGE, 0), "axes of a tensor; the limit is 4"),
        (HEAD + struct.pack("<4Qi", 0, TEXT, 1, 0, -1), r"a tensor of shape \(-1,\)"),
        (HEAD + struct.pack("<4Q4i", 0, TEXT, 4, 0, *[2**30] * 4), "a tensor of shape"),
        (HEAD + struct.pack("<4QQ", 0, TEXT, 0, 0, HUGE), "claims 4,611,686,018,427,387,904 bytes"),
        (HEAD + struct.pack("<4QQ", 0, TEXT, 0, HUGE, 0), "claims 4,611,686,018,427,387,904 bytes"),
    ],
)
def test_a_hostile_header_is_refused_at_once(data, told):
    with pytest.raises(ValueError, match=told):
        marian_header.read_items(memoryview(data))


def test_an_empty_file_is_refused(tmp_path):
    folder = tiny_marian.write(tmp_path / "m")
    (folder / "model.tiny.bin").write_bytes(b"")
    with pytest.raises(ValueError, match=r"^model\.tiny\.bin: "):
        Marian.check_folder(folder)


@pytest.mark.parametrize(
    ("vocabulary", "told"),
    [
        ("", "neither tokenizer.json nor one vocabulary"),
        ("srcvocab.spm trgvocab.spm", None),
        ("vocab.spm", None),
        ("a.spm b.spm", "neither tokenizer.json nor one vocabulary"),
    ],
)
def test_the_vocabulary_lies_beside_the_model(tmp_path, vocabulary, told):
    folder = tiny_marian.write(tmp_path / "m", vocabulary=None)
    for name in vocabulary.split():
        (folder / name).write_bytes(tiny_marian.spm())
    if told is None:
        Marian.check_folder(folder)
        beside = Marian.from_folder("m", folder)
        embedded = load(tmp_path / "json")
        assert beside.translate(SENTENCE).text == embedded.translate(SENTENCE).text
        assert (beside.target_tokenizer is beside.tokenizer) == (vocabulary == "vocab.spm")
    else:
        with pytest.raises(ValueError, match=told):
            Marian.check_folder(folder)


def test_a_vocabulary_with_more_words_than_the_model_is_refused(tmp_path):
    told = rf"tokenizer\.json has {len(PIECES)} words; the model has 9"
    with pytest.raises(ValueError, match=told):
        load(tmp_path, **TWO | {"dim-vocabs": [len(PIECES), 9]})


def test_two_models_in_one_folder_are_told_apart_by_nobody(good, tmp_path):
    folder = shutil.copytree(good, tmp_path / "m")
    shutil.copy(folder / "model.tiny.bin", folder / "model.other.bin")
    with pytest.raises(ValueError, match="there are 2 Marian files; a folder holds one pair"):
        Marian.check_folder(folder)


@pytest.fixture(scope="module")
def header_size(good):
    items = marian_header.read_items(memoryview((good / "model.tiny.bin").read_bytes()))
    return min(item.start for item in items.values())


@pytest.mark.slow
@settings(
    deadline=None, max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.data())
def test_any_flipped_byte_is_survived(good, header_size, tmp_path, data):
    """A model or one ValueError, and never much memory; most flips go to the header."""
    whole = bytearray((good / "model.tiny.bin").read_bytes())
    in_settings = whole.index(b"type: transformer")
    places = st.integers(0, header_size) | st.integers(in_settings, len(whole) - 1)
    whole[data.draw(places | st.integers(0, len(whole) - 1))] ^= data.draw(st.integers(1, 255))
    folder = shutil.copytree(good, tmp_path / "flipped", dirs_exist_ok=True)
    (folder / "model.tiny.bin").write_bytes(whole)
    tracemalloc.start()
    try:
        with contextlib.suppress(ValueError), np.errstate(all="ignore"):
            Marian.from_folder("m", folder).translate(SENTENCE)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 5_000_000


@pytest.mark.slow
def test_a_file_cut_off_anywhere_is_refused(good, header_size, tmp_path):
    folder = shutil.copytree(good, tmp_path / "cut")
    whole = (folder / "model.tiny.bin").read_bytes()
    for length in [*range(header_size), *range(header_size, len(whole), 97)]:
        (folder / "model.tiny.bin").write_bytes(whole[:length])
        with pytest.raises(ValueError, match=r"^model\.tiny\.bin: "):
            Marian.check_folder(folder)
