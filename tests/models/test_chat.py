"""Tokens that open and close the turns of a chat are special where they are typed, too."""

import numpy as np
import pytest
from tokenizers import AddedToken

from attention.analysis.words import view
from attention.models.llama import Llama
from tests.models import tiny_tokenizers

CHAT = "<|turn|>The cat<|end|> sat"


@pytest.fixture
def chatting(tmp_path):
    folder = tiny_tokenizers.write_model(tmp_path / "m", "llama", "bytes", vocab_size=400)
    tokenizer = tiny_tokenizers.byte_level()
    names = ("<|turn|>", "<|end|>")
    tokenizer.add_special_tokens([AddedToken(name, special=True) for name in names])
    tokenizer.add_tokens(["<think>"])
    tokenizer.save(str(folder / "tokenizer.json"))
    return Llama.from_folder("m", folder)


def test_they_are_special_and_no_words(chatting):
    trace = chatting.trace(CHAT)
    assert trace.tokens == ("<|turn|>", "The", "Ġcat", "<|end|>", "Ġsat")
    assert trace.input.special == (True, False, False, True, False)
    units = view(trace).units
    assert [unit.label for unit in units] == ["<|turn|>", "The", "cat", "<|end|>", "sat"]
    assert [unit.special for unit in units] == [True, False, False, True, False]
    without = view(trace, special=False)
    assert [unit.label for unit in without.units] == ["The", "cat", "sat"]
    np.testing.assert_allclose(without.weights.sum(-1)[..., -1], 1, atol=1e-6)


def test_words_that_are_never_cut_are_words(chatting):
    assert chatting.trace("<think>The").input.special == (False, False)


def test_what_an_encoder_reads_in_place_of_a_word_is_a_word(model):
    tokens = model.tokenize("The cat sat on the [MASK]")
    assert tokens.pieces[-2] == "[MASK]"
    assert tokens.special[-2] is False
