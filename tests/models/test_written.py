"""What a decoder writes, with the attention behind each token."""

from itertools import islice

import numpy as np
import pytest

from attention.analysis.words import view
from attention.models.llama import Llama
from tests.models import tiny, tiny_tokenizers

TEXT = "the cat sat"


@pytest.fixture(params=tiny.DECODERS)
def model(request, tmp_path):
    folder = tiny.write(tmp_path / "m", request.param)
    return tiny.loader(request.param).from_folder("m", folder)


def test_each_token_comes_with_the_weights_of_its_prediction(model):
    steps = list(islice(model.generate(TEXT, seed=4, trace=True), 9))
    whole = model.trace_written(TEXT, steps)
    assert whole.input.ids.tolist() == [0, 1, 2, *(step.id for step in steps)]
    for n, step in enumerate(steps):
        assert step.weights.shape == (3, 4, 3 + n)
        assert not step.weights.flags.writeable
        row = whole.weights[:, :, 2 + n, : 3 + n]
        np.testing.assert_allclose(step.weights, row, rtol=0, atol=2e-6)
    plain = list(islice(model.generate(TEXT, seed=4), 9))
    assert [step.id for step in plain] == [step.id for step in steps]
    assert {step.weights for step in plain} == {None}


def test_what_is_written_can_be_read_and_edited_like_any_text(tmp_path):
    folder = tiny_tokenizers.write_model(tmp_path / "m", "llama", "bytes")
    llama = Llama.from_folder("m", folder)
    ids = [llama.tokenizer.token_to_id(f"Ġ{word}") for word in ("sat", "on")]
    trace = llama.trace_written("The cat", ids)
    again = llama.trace("The cat sat on")
    assert trace.text == "The cat sat on"
    assert [unit.label for unit in view(trace).units] == ["The", "cat", "sat", "on"]
    assert trace.input.spans[2:] == ((7, 11), (11, 14))
    np.testing.assert_array_equal(trace.weights, again.weights)


def test_bytes_of_one_character_stand_where_it_stands(tmp_path):
    folder = tiny_tokenizers.write_model(tmp_path / "m", "llama", "sentencepiece")
    llama = Llama.from_folder("m", folder)
    ids = llama.tokenizer.encode("😀", add_special_tokens=False).ids[-4:]
    trace = llama.trace_written("The cat", ids)
    assert trace.text == "The cat😀"
    starts = [start for start, _ in trace.input.spans]
    assert starts == sorted(starts)
    assert trace.input.spans[-1][1] == len(trace.text)


@pytest.mark.parametrize(
    ("written", "told"),
    [([11], "there is no token 11: 11 are known"), ([1] * 18, "has 21 tokens; the model reads")],
)
def test_what_cannot_have_been_written_is_refused(model, written, told):
    with pytest.raises(ValueError, match=told):
        model.trace_written(TEXT, written)
