"""A GGUF file that asks for what is not computed here is refused, never computed wrongly."""

import numpy as np
import pytest

pytest.importorskip("gguf", reason="the gguf package is not installed")

from attention.models import gguf_files
from tests.models import tiny_gguf


def load(folder, **changes):
    return gguf_files.load_gguf("tiny", tiny_gguf.write(folder / "tiny.gguf", **changes))


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"extra": {"rope_freqs.weight": np.array([1, 8], "f4")}}, r"rope_freqs.weight has shape"),
        ({"extra": {"rope_freqs.weight": np.zeros(4, "f4")}}, "divisor of frequencies must be"),
        ({"extra": {"blk.0.attn_q.bias": np.ones(16, "f4")}}, "tensor blk.0.attn_q.bias"),
        ({"fields": {"llama.attention.causal": False}}, "llama.attention.causal is False"),
        ({"fields": {"llama.attention.scale": 0.5}}, "llama.attention.scale is 0.5"),
        ({"fields": {"llama.rope.scaling.attn_factor": 4.0}}, "rope.scaling.attn_factor is 4.0"),
        ({"fields": {"llama.rope.scale_linear": -2.0}}, "factor must be a number from 1"),
        ({"fields": {"llama.attention.value_length": 16}}, "values are not as wide as keys"),
        ({"fields": {"tokenizer.ggml.merges": [1, 2]}}, "merges is of type ndarray, not Strings"),
    ],
)
def test_what_is_not_computed_is_refused(tmp_path, changes, told):
    with pytest.raises(ValueError, match=rf"tiny\.gguf.*{told}"):
        load(tmp_path, **changes)


def test_an_output_matrix_of_its_own_is_used_and_told(tmp_path):
    shape = len(tiny_gguf.WORDS), 32
    own = np.random.default_rng(1).normal(size=shape).astype("f4")
    tied, untied = load(tmp_path), load(tmp_path, extra={"output.weight": own})
    assert (tied.config.tie_word_embeddings, untied.config.tie_word_embeddings) == (True, False)
    x = tied.trace("the cat").hidden[-1]
    np.testing.assert_array_equal(untied.trace("the cat").hidden[-1], x)
    unit = x / np.sqrt((x * x).mean(-1, keepdims=True))
    gain = untied._weights["norm.weight"]
    np.testing.assert_allclose(untied.logits(x), unit * gain @ own.T, atol=1e-5)
    assert not np.allclose(untied.logits(x), tied.logits(x))


@pytest.mark.parametrize(
    ("pre", "fields", "tokens"),
    [
        ("smollm", {}, "the Ġ h a t"),
        ("smollm", {"tokenizer.ggml.add_bos_token": True}, "<s> the Ġ h a t"),
        ("llama-bpe", {}, "<s> the Ġ h a t"),
        ("llama-bpe", {"tokenizer.ggml.add_bos_token": False}, "the Ġ h a t"),
    ],
)
def test_llama_3_begins_with_its_start_token_unless_told_otherwise(tmp_path, pre, fields, tokens):
    start = {"tokenizer.ggml.pre": pre, "tokenizer.ggml.bos_token_id": 0}
    model = load(tmp_path, fields=start | fields)
    assert model.trace("the hat").tokens == tuple(tokens.split())


def test_llama_3_takes_a_word_it_knows_whole(tmp_path):
    llama_3 = {"tokenizer.ggml.pre": "llama-bpe", "tokenizer.ggml.add_bos_token": False}
    assert load(tmp_path, fields=llama_3).trace("hat").tokens == ("hat",)
    assert load(tmp_path).trace("hat").tokens == ("h", "a", "t")
