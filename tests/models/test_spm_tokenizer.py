"""SentencePiece's files as tokenizers: what they say, and one clear error for what is wrong."""

import contextlib
import os
import tracemalloc

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from attention.models.spm_tokenizer import END, ending, load_spm
from tests.models import tiny_marian
from tests.models.tiny_marian import field, spm, varint

NORMAL, UNKNOWN, CONTROL, USER, UNUSED, BYTE = range(1, 7)
ENDS = [("</s>", 0.0, CONTROL), ("<unk>", 0.0, UNKNOWN)]
LETTERS = [(letter, -5.0, NORMAL) for letter in "▁abc</s>"]


def load(folder, *arguments, **options):
    path = folder / "vocab.spm"
    path.write_bytes(spm(*arguments, **options))
    return load_spm(path)


def test_a_text_is_cut_into_its_most_probable_pieces(tmp_path):
    """`ab` has -3, `a` and `b` have -2 together; `bc` has -1 and takes the b."""
    pieces = [*ENDS, ("▁", -1.0, NORMAL), ("a", -1.0, NORMAL), ("b", -1.0, NORMAL)]
    pieces += [("c", -1.0, NORMAL), ("ab", -3.0, NORMAL), ("bc", -1.0, NORMAL)]
    tokenizer = load(tmp_path, pieces)
    assert tokenizer.encode("ab").tokens == ["▁", "a", "b", "</s>"]
    assert tokenizer.encode("abc  a").tokens == ["▁", "a", "bc", "▁", "a", "</s>"]
    assert tokenizer.encode("abc").special_tokens_mask == [0, 0, 0, 1]


def test_no_text_that_is_typed_makes_the_token_that_ends_texts(tmp_path):
    tokenizer = load(tmp_path, [*ENDS, *dict.fromkeys(LETTERS)])
    found = tokenizer.encode("a</s>b")
    assert found.tokens == ["▁", "a", "<", "/", "s", ">", "b", "</s>"]
    assert found.ids.count(tokenizer.token_to_id(END)) == 1


def test_a_piece_of_the_users_is_always_taken(tmp_path):
    pieces = [*ENDS, ("▁", -1.0, NORMAL), ("a", -0.5, NORMAL), ("aa", 0.0, USER)]
    assert load(tmp_path, pieces).encode("aaa").tokens.count("aa") == 1


def test_bytes_stand_for_what_is_not_in_the_vocabulary(tmp_path):
    pieces = [*ENDS, ("▁", -1.0, NORMAL), ("a", -1.0, NORMAL)]
    pieces += [(f"<0x{byte:02X}>", 0.0, BYTE) for byte in range(256)]
    tokenizer = load(tmp_path, pieces)
    found = tokenizer.encode("a é")
    assert found.tokens == ["▁", "a", "▁", "<0xC3>", "<0xA9>", "</s>"]
    assert tokenizer.decode(found.ids[:-1]) == "a é"


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "vocabulary of 0 pieces"),
        (b"\x0a\x05ab", "claims 5 bytes at 2; there are 4"),
        (b"\x0b", "field of wire type 3"),
        (b"\xff" * 11, "a number has no end"),
        (b"\x08\x01", "a number where text is expected"),
        (field(1, b"\x0a\x01\xff"), "can't decode"),
        (spm([*ENDS, ("a", float("nan"), NORMAL)]), "the score nan"),
        (spm([*ENDS, ("a", 1.0, 9)]), "of a kind that is not read here"),
        (spm([*ENDS, ("a", 1.0, NORMAL), ("a", 2.0, NORMAL)]), "has a piece twice"),
        (spm([ENDS[0]]), "0 pieces for unknown words"),
        (spm([ENDS[1]]), "has no </s>"),
        (spm(trainer=b"\x18\x02"), "its model is of type 2; only Unigram"),
        (spm(trainer=varint(24 << 3) + b"\1"), "spaces behind words"),
        (spm(normalizer=field(2, b"no map")), "do not fit together"),
    ],
)
def test_what_is_wrong_is_told_in_one_sentence(tmp_path, content, told):
    path = tmp_path / "vocab.spm"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=rf"^vocab\.spm: .*{told}"):
        load_spm(path)


def test_a_pipe_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "vocab.spm")
    with pytest.raises(ValueError, match="it is not a file"):
        load_spm(tmp_path / "vocab.spm")


def test_a_tokenizer_without_an_end_is_refused(tmp_path):
    tokenizer = tiny_marian.Tokenizer(tiny_marian.models.Unigram([("<unk>", 0.0)], unk_id=0))
    with pytest.raises(ValueError, match="its vocabulary has no </s>"):
        ending(tokenizer)


@pytest.mark.slow
@settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_any_flipped_byte_is_survived(tmp_path, data):
    whole = bytearray(spm())
    whole[data.draw(st.integers(0, len(whole) - 1))] ^= data.draw(st.integers(1, 255))
    path = tmp_path / "flipped.spm"
    path.write_bytes(whole)
    tracemalloc.start()
    try:
        with contextlib.suppress(ValueError):
            load_spm(path).encode("the cat sat")
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 5_000_000


@pytest.mark.slow
def test_a_file_cut_off_anywhere_is_refused_or_says_less(tmp_path):
    whole, path = spm(), tmp_path / "cut.spm"
    for length in range(len(whole)):
        path.write_bytes(whole[:length])
        with contextlib.suppress(ValueError):
            assert load_spm(path).get_vocab_size() <= len(tiny_marian.PIECES)
