"""GGUF files of Llama's relatives: the model that the same numbers make in a folder."""

import dataclasses

import numpy as np
import pytest

pytest.importorskip("gguf", reason="the gguf package is not installed")

from attention.models import gguf_files
from attention.models.llama import Llama
from attention.models.rope import Rope, rope_of
from tests.models import tiny_gguf
from tests.rounding import assert_rounded

TEXT = "the hat"


ASSUMED = {  # what a file of Gemma leaves to the reader
    "gemma2": {"query_pre_attn_scalar": 4},
    "gemma3_text": {"query_pre_attn_scalar": 4, "sliding_window_pattern": 6},
}


def both(folder, kind, **options):
    """Return a file's model, and the one that the same numbers make in a folder."""
    path = folder / "tiny.gguf"
    config, weights = tiny_gguf.write_family(path, kind, **ASSUMED.get(kind, {}), **options)
    read = gguf_files.load_gguf("tiny", path)
    return read, Llama("tiny", config, dict(weights), read.tokenizer)


def check(read, direct):
    mine, theirs = read.trace(TEXT), direct.trace(TEXT)
    np.testing.assert_allclose(mine.weights, theirs.weights, rtol=0, atol=2e-6)
    np.testing.assert_allclose(mine.next_logits, theirs.next_logits, rtol=0, atol=1e-5)


READ_BY_TRANSFORMERS = {  # which has some of a file's settings as they are in published models
    "llama": {},
    "mistral": {},
    "qwen2": {},
    "qwen3": {"head_dim": 128},
    "gemma2": {"head_dim": 256, "query_pre_attn_scalar": 256, "attn_logit_softcapping": 50.0},
    "gemma3_text": {"head_dim": 256, "query_pre_attn_scalar": 256},
    "phi3": {"partial_rotary_factor": 1.0},
}


@pytest.mark.parametrize("kind", READ_BY_TRANSFORMERS)
def test_transformers_computes_the_same_from_the_file(tmp_path, kind):
    torch = pytest.importorskip("torch", reason="PyTorch is not installed")
    pytest.importorskip("accelerate", reason="accelerate is not installed")
    transformers = pytest.importorskip("transformers", reason="transformers is not installed")
    settings = ASSUMED.get(kind, {}) | READ_BY_TRANSFORMERS[kind]
    padding = {"tokenizer.ggml.padding_token_id": 0}
    tiny_gguf.write_family(tmp_path / "tiny.gguf", kind, fields=padding, **settings)
    read = gguf_files.load_gguf("tiny", tmp_path / "tiny.gguf")
    trace = read.trace(TEXT)
    load = transformers.AutoModelForCausalLM.from_pretrained
    theirs = load(tmp_path, gguf_file="tiny.gguf", attn_implementation="eager").eval()
    with torch.inference_mode():
        ids = torch.tensor([trace.input.ids.tolist()])
        out = theirs(ids, output_attentions=True)
        exact = theirs.double()(ids).logits[0].numpy()
    np.testing.assert_allclose(trace.weights, torch.cat(out.attentions), rtol=0, atol=2e-6)
    logits = read.logits(trace.hidden[-1])
    assert_rounded(logits, out.logits[0].numpy(), exact, layers=len(trace.weights))


@pytest.mark.parametrize("kind", tiny_gguf.KINDS)
def test_a_file_gives_what_a_folder_gives(tmp_path, kind):
    read, direct = both(tmp_path, kind)
    same = {"norm_eps": read.config.norm_eps, "gains_from_one": False}  # float32 there
    assert read.config == dataclasses.replace(direct.config, **same)
    check(read, direct)


@pytest.mark.parametrize(
    ("told", "fields"),
    [
        ({"rope_type": "linear", "factor": 4.0}, {"rope.scaling.type": "linear"}),
        ({"rope_type": "linear", "factor": 4.0}, {"rope.scale_linear": 4.0}),
        ({"rope_type": "yarn", "factor": 4.0, "original_max_position_embeddings": 64},
         {"rope.scaling.type": "yarn", "rope.scaling.original_context_length": 64}),
        ({"rope_type": "yarn", "factor": 4.0, "original_max_position_embeddings": 64,
          "beta_fast": 8.0},
         {"rope.scaling.type": "yarn", "rope.scaling.original_context_length": 64,
          "rope.scaling.yarn_beta_fast": 8.0}),
    ],
)  # fmt: skip
def test_scaled_rotations_are_those_of_a_folder(tmp_path, told, fields):
    if "rope.scaling.type" in fields:
        fields = fields | {"rope.scaling.factor": 4.0}
    own = {f"qwen2.{name}": value for name, value in fields.items()}
    told = {"rope_theta": 100.0, **told}
    read, direct = both(tmp_path, "qwen2", fields=own, rope_parameters=told)
    assert read.config.rope == direct.config.rope == rope_of(told, 4, 20)
    check(read, direct)


def test_the_divisors_of_llama_3_are_read_from_their_tensor(tmp_path):
    told = {"rope_type": "llama3", "rope_theta": 100.0, "factor": 8.0, "low_freq_factor": 1.0,
            "high_freq_factor": 4.0, "original_max_position_embeddings": 48}  # fmt: skip
    rope = rope_of(told, 8, 20)
    divisors = np.array(rope.divisors, "f4")
    read, direct = both(
        tmp_path, "llama", head_dim=8, rope_parameters=told,
        extra={"rope_freqs.weight": divisors},
    )  # fmt: skip
    assert len(set(rope.divisors)) > 2
    assert read.config.rope.divisors == tuple(divisors.tolist())
    check(read, direct)


def test_phi_3_for_long_texts_has_divisors_for_short_ones(tmp_path):
    read, _ = both(
        tmp_path, "phi3",
        fields={"phi3.rope.scaling.attn_factor": 1.25,
                "phi3.rope.scaling.original_context_length": 12},
        extra={"rope_factors_short.weight": np.array([1.5], "f4"),
               "rope_factors_long.weight": np.array([9.0], "f4")},
    )  # fmt: skip
    assert read.config.rope == Rope(100.0, 2, (1.5,), 1.25)
    assert read.config.max_position_embeddings == 12
