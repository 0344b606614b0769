"""What tokens say, whatever signs a vocabulary has for spaces and bytes."""

import pytest

from attention.characters import shown, with_codes
from attention.models.spelling import spelling
from tests.models import tiny_tokenizers

CAT = "The cat\n猫😀"


def texts(kind, text):
    tokens = tiny_tokenizers.tokens(kind, text)
    return tokens.pieces, tokens.texts


def test_sentencepiece_writes_a_space_as_a_low_line_and_other_characters_as_bytes():
    pieces, said = texts("sentencepiece", "The cat\n猫")
    assert pieces == ("<s>", "▁The", "▁cat", "<0x0A>", "<0xE7>", "<0x8C>", "<0xAB>")
    assert said == ("<s>", " The", " cat", "\n", "\udce7", "\udc8c", "\udcab")
    assert [shown(text) for text in said[2:]] == ["␣cat", "⏎", "<E7>", "<8C>", "<AB>"]


def test_bytes_write_a_space_as_a_letter_and_all_bytes_as_others():
    pieces, said = texts("bytes", "The cat\n猫é")
    assert pieces == ("The", "Ġcat", "Ċ", "ç", "Į", "«", "Ã", "©")
    assert said == ("The", " cat", "\n", "\udce7", "\udc8c", "\udcab", "\udcc3", "\udca9")


@pytest.mark.parametrize("kind", ["sentencepiece", "metaspace", "no prefix", "bytes"])
def test_tokens_together_say_the_text(kind):
    tokenizer = tiny_tokenizers.MAKERS[kind]()
    ids = tokenizer.encode(CAT, add_special_tokens=False).ids
    assert spelling(tokenizer).text(ids).removeprefix(" ") == CAT
    assert with_codes(spelling(tokenizer).text(ids[:-2])).endswith("猫<F0><9F>")


@pytest.mark.parametrize("kind", tiny_tokenizers.MAKERS)
def test_a_word_inside_a_text_is_one_token_with_its_space(kind):
    tokenizer = tiny_tokenizers.MAKERS[kind]()
    inside = tokenizer.encode("The cat sat", add_special_tokens=False).ids[-1]
    assert spelling(tokenizer).after_space("sat") == [inside]


@pytest.mark.parametrize("kind", tiny_tokenizers.MAKERS)
def test_the_words_of_a_vocabulary_are_those_that_stand_alone(kind):
    words = spelling(tiny_tokenizers.MAKERS[kind]()).words()
    assert set(tiny_tokenizers.WORDS) <= set(words.values())
    assert not any("▁" in word or "Ġ" in word for word in words.values())
    if kind not in ("words", "unigram"):
        assert "rive" in words.values()  # a step on the way to "river", with a space before it
        assert "iver" not in words.values()


@pytest.mark.parametrize(
    ("kind", "name", "unknown"),
    [("words", "[UNK]", "😀"), ("unigram", "<unk>", "😀"), ("bytes", "", ""),
     ("sentencepiece", "", "")],
)  # fmt: skip
def test_only_what_has_no_token_is_unknown(kind, name, unknown):
    tokens = tiny_tokenizers.tokens(kind, "The 😀 sat")
    found = zip(tokens.unknown, tokens.spans, strict=True)
    assert "".join(tokens.text[slice(*span)] for own, span in found if own).strip() == unknown
    assert set(tokens.unknown) == {"", name}


def test_a_reader_who_types_the_sign_for_unknown_words_means_it(model):
    tokens = model.tokenize("[UNK] 😀")
    assert tokens.pieces == ("[CLS]", "[UNK]", "[UNK]", "[SEP]")
    assert tokens.unknown == ("", "", "[UNK]", "")


def test_a_token_that_no_tokenizer_knows_is_its_number():
    spells = spelling(tiny_tokenizers.byte_level())
    assert spells.text([10**6]) == "#1000000"
