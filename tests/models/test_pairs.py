"""Two texts at once, as encoders read them: their tokens, their segments, what they change."""

import numpy as np
import pytest

from attention.analysis.words import view
from attention.models.trace import Trace
from tests.models import tiny

FIRST, SECOND = "Who was tired?", "The cat sat on the mat because it was tired"


def test_both_texts_stand_in_one_trace(model):
    trace = model.trace(FIRST, pair=SECOND)
    assert trace.tokens[:6] == ("[CLS]", "who", "was", "tired", "?", "[SEP]")
    assert trace.tokens[-1] == "[SEP]"
    assert trace.input.segments == (*[0] * 6, *[1] * (len(trace.tokens) - 6))
    assert trace.input.pair == (FIRST, SECOND)
    assert trace.text == f"{FIRST}\n{SECOND}"
    assert model.trace(FIRST).input.pair is None


def test_words_are_spelled_as_in_the_text_that_they_stand_in(model):
    trace = model.trace(FIRST, pair=SECOND)
    told = [unit.word for unit in view(trace, special=False).units]
    assert " ".join(told).replace(" ?", "?") == f"{FIRST} {SECOND}"
    assert trace.find("mat") == 11


def test_a_second_text_is_another_input_than_the_same_words_in_one(model):
    pair, one = model.trace(FIRST, pair=SECOND), model.trace(f"{FIRST} {SECOND}")
    assert set(pair.tokens) == set(one.tokens)
    table = model._weights["embeddings.token_type_embeddings.weight"]
    apart = model.embed(pair.input.ids, segments=np.array(pair.input.segments))
    np.testing.assert_array_equal(pair.hidden[0], apart)
    assert not np.allclose(table[0], table[1])
    assert not np.allclose(pair.hidden[0, 6:], model.embed(pair.input.ids)[6:])


def test_an_edit_of_a_pair_keeps_its_segments(model):
    from attention.edits import Cut

    edits = (Cut(queries=(3,), keys=(8,)),)
    edited = model.edited(model.trace(FIRST, pair=SECOND), edits)
    np.testing.assert_allclose(
        edited.hidden, model.trace(FIRST, edits, pair=SECOND).hidden, atol=1e-5
    )


def test_both_texts_together_have_one_limit(model):
    with pytest.raises(ValueError, match=r"together have 603 tokens; the model reads at most 512"):
        model.trace("cat " * 300, pair="mat " * 300)
    with pytest.raises(ValueError, match=r"together have 30,000 characters; the limit is 20,000"):
        model.trace("c" * 15_000, pair="m" * 15_000)
    with pytest.raises(ValueError, match="a text is one str, got list"):
        model.trace("cat", pair=["mat"])


@pytest.mark.parametrize("kind", ["llama", "gpt2"])
def test_a_decoder_reads_one_text(tmp_path, kind):
    decoder = tiny.loader(kind).from_folder("m", tiny.write(tmp_path / "m", kind))
    with pytest.raises(ValueError, match="m reads one text at a time"):
        decoder.trace("the cat", pair="sat")


def test_a_pair_comes_back_from_a_file(model, tmp_path):
    trace = model.trace(FIRST, pair=SECOND)
    trace.save(tmp_path / "pair.npz")
    read = Trace.load(tmp_path / "pair.npz")
    assert read.input.pair == (FIRST, SECOND)
    assert read.input.segments == trace.input.segments


@pytest.mark.parametrize("kind", ["mpnet", "gemma2", "mistral"])
def test_what_becomes_of_scores_comes_back_from_a_file(tmp_path, kind):
    made = tiny.loader(kind).from_folder("m", tiny.write(tmp_path / "m", kind))
    trace = made.trace("the cat sat on the mat it was")
    trace.save(tmp_path / "trace.npz")
    np.testing.assert_array_equal(Trace.load(tmp_path / "trace.npz").scores, trace.scores)
