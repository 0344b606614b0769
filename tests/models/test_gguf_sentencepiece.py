"""SentencePiece BPE in GGUF files, held to how its own library cuts texts."""

import contextlib
import json

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

pytest.importorskip("gguf", reason="the gguf package is not installed")

from attention.models import gguf_files, gguf_header
from tests.models import sentencepiece_words, tiny_gguf

STORED = json.loads(sentencepiece_words.GOLDEN.read_text(encoding="utf-8"))
CASES = [(name, text) for name, made in STORED.items() for text in made["texts"]]


def fields_of(name, **others):
    made = STORED[name]
    return {
        "tokenizer.ggml.model": "llama",
        "tokenizer.ggml.tokens": made["tokens"],
        "tokenizer.ggml.scores": made["scores"],
        "tokenizer.ggml.token_type": made["kinds"],
        "tokenizer.ggml.add_space_prefix": name == "space first",
        "tokenizer.ggml.bos_token_id": 1,
        "tokenizer.ggml.eos_token_id": 2,
    } | {f"tokenizer.ggml.{key}": value for key, value in others.items()}


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    """Return a model with each of the vocabularies."""
    found = {}
    for name, made in STORED.items():
        path = tmp_path_factory.mktemp("gguf") / "tiny.gguf"
        count = len(made["tokens"])
        tiny_gguf.write_family(
            path, "qwen2", fields=fields_of(name), vocab_size=count, max_position_embeddings=100
        )
        found[name] = gguf_files.load_gguf("tiny", path)
    return found


@pytest.mark.parametrize(("name", "text"), CASES)
def test_texts_are_cut_as_by_the_library_itself(models, name, text):
    tokens = models[name].tokenize(text)
    assert tokens.ids.tolist() == [1, *STORED[name]["texts"][text]]
    assert tokens.special == (True, *[False] * (len(tokens) - 1))


@pytest.mark.parametrize("name", STORED)
def test_what_tokens_say_is_the_text(models, name):
    said = models[name].spell_all(STORED[name]["texts"]["naïve café, Straße, 東京, 🔦"])
    assert said.removeprefix(" ") == "naïve café, Straße, 東京, 🔦"


def test_start_and_end_are_there_where_the_file_says_so(tmp_path):
    path, count = tmp_path / "tiny.gguf", len(STORED["space first"]["tokens"])
    told = fields_of("space first", add_bos_token=False, add_eos_token=True)
    tiny_gguf.write_family(path, "qwen2", fields=told, vocab_size=count)
    pieces = gguf_files.load_gguf("tiny", path).tokenize("the cat").pieces
    assert pieces == ("▁the", "▁cat", "</s>")


@pytest.mark.parametrize(
    ("others", "told"),
    [
        ({"scores": [1.0]}, "tokens with 1 scores"),
        ({"bos_token_id": 10_000}, "texts begin with token 10000 of"),
        ({"unknown_token_id": 10_000}, "stand for unknown words as token 10000 of"),
        ({"scores": [float("nan")] * len(STORED["space first"]["tokens"])}, "not finite"),
    ],
)
def test_parts_that_cannot_be_right_are_refused(tmp_path, others, told):
    path, count = tmp_path / "tiny.gguf", len(STORED["space first"]["tokens"])
    fields = fields_of("space first", **others)
    tiny_gguf.write_family(path, "qwen2", fields=fields, vocab_size=count)
    with pytest.raises(ValueError, match=told):
        gguf_files.check_gguf(path)


@pytest.mark.slow
@settings(
    deadline=None, max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    kind=st.sampled_from(["gemma2", "gemma3_text", "phi3", "llama"]),
    place=st.floats(0, 1, exclude_max=True), change=st.integers(1, 255),
)  # fmt: skip
def test_any_flipped_byte_of_a_header_is_survived(tmp_path, kind, place, change):
    """A model or one ValueError."""
    path, count = tmp_path / f"{kind}.gguf", len(STORED["space first"]["tokens"])
    if not path.exists():
        divisors = {"llama": {"rope_freqs.weight": np.ones(2, "f4")},
                    "phi3": {"rope_factors_short.weight": np.ones(1, "f4")}}  # fmt: skip
        tiny_gguf.write_family(
            path, kind, fields=fields_of("space first"), extra=divisors.get(kind, {}),
            vocab_size=count,
        )  # fmt: skip
    whole = bytearray(path.read_bytes())
    _, there = gguf_header.read(memoryview(bytes(whole)))
    whole[int(place * min(tensor.start for tensor in there.values()))] ^= change
    flipped = tmp_path / "flipped.gguf"
    flipped.write_bytes(whole)
    with contextlib.suppress(ValueError), np.errstate(all="ignore"):
        gguf_files.load_gguf("tiny", flipped).trace("the cat")
