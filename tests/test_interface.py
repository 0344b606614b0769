"""What an engineer finds at first try: names, signatures, tables, and telling errors."""

import inspect
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pytest

import attention
from attention import Add, Cut, CutHeads, SetRow
from tests.toy_decoder import ToyDecoder

OPTIONS = ("is_causal", "scale", "enable_gqa", "softcap", "window", "query_offset", "key_lengths")


@pytest.mark.parametrize(
    "name",
    ["scaled_dot_product_attention", "tiled_attention", "attention_weights", "attention_scores",
     "attention_stages"],
)  # fmt: skip
def test_every_keyword_of_attention_is_in_its_signature(name):
    parameters = inspect.signature(getattr(attention, name)).parameters
    assert {*OPTIONS} <= {*parameters}
    assert not [p for p in parameters.values() if p.kind is p.VAR_KEYWORD]
    for option in OPTIONS[1:]:
        assert parameters[option].kind is inspect.Parameter.KEYWORD_ONLY
    with pytest.raises(TypeError, match=rf"{name}\(\) got an unexpected keyword argument 'sclae'"):
        getattr(attention, name)([[1.0]], [[1.0]], [[1.0]], sclae=2.0)


def test_the_order_of_arguments_is_that_of_torch():
    names = list(inspect.signature(attention.scaled_dot_product_attention).parameters)
    first = ["query", "key", "value", "attn_mask", "dropout_p", "is_causal", "scale", "enable_gqa"]
    assert names[: len(first)] == first


def test_modules_are_attributes():
    assert attention.interventions.ablation.__name__ == "attention.interventions.ablation"
    assert attention.learning.layers.__name__ == "attention.learning.layers"
    assert {"analysis", "models", "load_model"} <= set(dir(attention))
    assert "metrics" in dir(attention.analysis)
    with pytest.raises(AttributeError, match="no attribute 'analisys'"):
        attention.analisys  # noqa: B018
    with pytest.raises(AttributeError, match=r"'attention\.analysis' has no attribute 'metric'"):
        attention.analysis.metric  # noqa: B018


def test_the_version_is_said_once():
    assert attention.__version__ == version("attention-lab")
    assert Path(attention.__file__).with_name("py.typed").exists()


def test_a_trace_and_its_model_are_one_line(cat_trace, model):
    for shown in (repr(cat_trace), repr(model)):
        assert "\n" not in shown
        assert "minilm" in shown
        assert "6 x 12 heads" in shown


def test_a_frame_has_every_cell_once(cat_trace):
    frame = cat_trace.to_frame(3, 1)
    size = len(cat_trace.tokens)
    assert list(frame.columns) == ["q", "k", "query", "key", "score", "weight"]
    table = frame.pivot(index="q", columns="k", values="weight").to_numpy()
    np.testing.assert_array_equal(table, cat_trace.weights[3, 1])
    assert len(frame) == size**2
    assert (frame["query"] == [cat_trace.tokens[q] for q in frame["q"]]).all()
    row = frame[frame["q"] == 8]
    np.testing.assert_allclose(attention.softmax(row["score"]), row["weight"], atol=1e-6)


def test_masked_cells_are_absent_from_a_frame():
    toy_trace = replace(ToyDecoder().trace("1 2 3 4"), is_causal=True)
    size = len(toy_trace.tokens)
    frame = toy_trace.to_frame(0, 1)
    assert len(frame) == size * (size + 1) // 2
    assert (frame["k"] <= frame["q"]).all()
    with pytest.raises(ValueError, match="no layer 0 head 99: the trace has layers 0 to"):
        toy_trace.to_frame(0, 99)


def test_a_translator_is_what_the_readme_says_it_is():
    pair = attention.load_translator()
    assert attention.available_translators()[0] == pair.name == "en-pt"
    names = list(inspect.signature(pair.translate).parameters)
    assert names == ["text", "edits", "cross_edits"]
    done = pair.translate("The bank by the river was steep.", (), (Cut(keys=(0,)),))
    assert isinstance(done.text, str)
    assert isinstance(done.source, attention.Tokens)
    assert isinstance(done.target, attention.Tokens)
    assert isinstance(done.encoder, attention.Trace)
    assert isinstance(done, attention.Translation)
    assert done.cross_weights.shape == (2, 8, len(done.target), len(done.source))
    assert done.cross_weights[..., 0].max() == 0
    assert done.encoder.weights.shape == (6, 8, len(done.source), len(done.source))
    assert len(done.next_token(0)) == 5
    assert "\n" not in repr(done)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (lambda model: model.trace(3), "a text is one str, got int"),
        (lambda model: model.trace(["a", "b"]), "a text is one str, got list"),
        (lambda model: model.trace("a", Cut(keys=(0,))), "edits are a tuple of Cut"),
        (lambda model: model.trace("a").find(3), "a word is a str, got int"),
        (lambda _: attention.load_model(3), "no model named 3; available: minilm"),
        (lambda _: attention.load_translator(3), "no translator named 3; available: en-pt"),
        (lambda _: attention.load_translator().translate(3), "a text is one str, got int"),
        (lambda _: Cut(keys=3), "keys must be a tuple of whole numbers, got 3"),
        (lambda _: Cut(queries="all"), "queries must be a tuple of whole numbers, got 'all'"),
        (lambda _: CutHeads((3,)), r"pairs must be a tuple of \(layer, head\), got \(3,\)"),
        (lambda _: CutHeads(3), r"pairs must be a tuple of \(layer, head\), got 3"),
        (lambda _: Add(1.0, keys=2), "keys must be a tuple of whole numbers, got 2"),
        (lambda _: SetRow((1.0,), queries=1), "queries must be a tuple of whole numbers, got 1"),
        (lambda _: attention.base_rate("cat"), r"weights must be numbers \(\.\.\., Q, K\), got"),
        (
            lambda _: attention.scaled_dot_product_attention([["a"]], [["a"]], [["a"]]),
            "attention needs real numbers, got <U1",
        ),
        (
            lambda _: attention.scaled_dot_product_attention([[1.0]], [[1.0]], [[1.0]], None, 0.1),
            "dropout",
        ),
    ],
)
def test_a_wrong_type_is_answered_with_what_is_expected(model, wrong, said):
    with pytest.raises(ValueError, match=said):
        wrong(model)
