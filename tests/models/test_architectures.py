"""An architecture is added by one class and one row; all else is found out from what it says."""

import json
import math

import numpy as np
import pytest
from safetensors.numpy import save_file

import attention
from attention.edits import Add, Cut, CutHeads
from attention.models import _load, places, registry
from attention.models.model import predictor
from attention.pipeline.decoder_steps import steps_for
from attention.pipeline.head_state import HeadState
from tests.models import tiny
from tests.models.new_architecture import MixedConfig

TEXT = "the cat sat on the mat"
CONFIG = {
    "model_type": "mixed",
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "hidden_size": 16,
    "intermediate_size": 24,
    "vocab_size": len(tiny.WORDS),
    "max_position_embeddings": 20,
    "norm_eps": 1e-5,
    "rope_theta": 50.0,
}


def weights():
    rng = np.random.default_rng(4)
    return {
        name: rng.normal(0, 0.3, shape).astype("f4")
        for name, shape in MixedConfig.from_dict(CONFIG).shapes().items()
    }


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Return a folder with a model of the new kind, which is where models are looked for."""
    made = tmp_path / "own" / "mine"
    made.mkdir(parents=True)
    (made / "config.json").write_text(json.dumps(CONFIG))
    save_file(weights(), made / "model.safetensors")
    tiny.write_tokenizer(made)
    monkeypatch.setenv(places.OWN_FOLDER, str(tmp_path / "own"))
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "none"))
    registry.entries.cache_clear()
    _load.cache_clear()
    yield made
    registry.entries.cache_clear()
    _load.cache_clear()


@pytest.fixture
def mixed(folder, monkeypatch):
    row = "tests.models.new_architecture:Mixed"
    monkeypatch.setitem(registry.ARCHITECTURES, "mixed", row)
    return attention.load_model("mine")


def slow_layer(w, block, x):
    """Return the weights of each head and what the layer gives, position by position."""

    def norm(name, row):
        row = (row - row.mean()) / math.sqrt(row.var() + 1e-5)
        return row * w[f"{name}.weight"] + w[f"{name}.bias"]

    def turned(row, position):
        angles = position * 50.0 ** (-np.arange(2) / 2)
        pairs = (row[:2] + 1j * row[2:]) * np.exp(1j * angles)
        return np.concatenate([pairs.real, pairs.imag])

    made = [
        norm(f"{block}.a", row) @ w[f"{block}.qkv.weight"] + w[f"{block}.qkv.bias"] for row in x
    ]
    rows = np.stack(made).reshape(len(x), 8, 4)  # 4 query heads, 2 of keys, 2 of values
    weights, given = np.zeros((4, len(x), len(x))), []
    for q in range(len(x)):
        joined = []
        for head in range(4):
            key, value = 4 + head // 2, 6 + head // 2
            asks = turned(rows[q, head], q)
            scores = [asks @ turned(rows[k, key], k) / 2 for k in range(q + 1)]
            weights[head, q, : q + 1] = np.exp(scores) / np.exp(scores).sum()
            joined.append(sum(weights[head, q, k] * rows[k, value] for k in range(q + 1)))
        y = x[q] + np.concatenate(joined) @ w[f"{block}.o.weight"]
        inner = np.tanh(norm(f"{block}.b", y) @ w[f"{block}.up.weight"])
        given.append(y + inner @ w[f"{block}.down.weight"])
    return weights, np.stack(given)


def test_without_its_row_it_is_refused_by_its_kind(folder):
    told = f"model_type is 'mixed'; supported are {', '.join(registry.ARCHITECTURES)}"
    assert attention.unavailable_models() == {"mine": told}


def test_every_row_of_the_table_is_a_class_that_says_what_it_is():
    for row in registry.ARCHITECTURES.values():
        kind = registry.resolve_name(row)
        assert kind.norm in ("LayerNorm", "RMSNorm")
        assert {type(kind.is_causal), type(kind.norm_first), type(kind.gated_mlp)} == {bool}


def test_its_pass_is_that_of_slow_loops(mixed):
    trace, w = mixed.trace(TEXT), weights()
    x = w["words.weight"][trace.input.ids].astype(float)
    for layer in range(2):
        expected, x = slow_layer(w, f"blocks.{layer}", x)
        np.testing.assert_allclose(trace.weights[layer], expected, atol=1e-5)
        np.testing.assert_allclose(trace.hidden[layer + 1], x, atol=1e-5)
    np.testing.assert_allclose(mixed.resume(trace.hidden[1], 1), x, atol=1e-5)


def test_it_is_edited_resumed_and_written_on_like_any_other(mixed):
    edits = (Cut(keys=(1,)), Add(2.0, queries=(4,), keys=(2,)))
    trace, plain = mixed.trace(TEXT, edits), mixed.trace(TEXT)
    assert trace.weights[:, :, 1:, 1].max() == 0
    both = np.stack([trace.hidden[1], plain.hidden[1]])
    np.testing.assert_allclose(mixed.resume(both, 1, edits)[0], trace.hidden[2], atol=1e-6)
    assert predictor(mixed) is mixed
    first = next(mixed.generate(TEXT, temperature=0))
    assert first.text == plain.next_token(1)[0][0]


def test_its_steps_are_put_together_from_what_it_says(mixed):
    place = HeadState(mixed, mixed.trace(TEXT), layer=1, head=3, query=4, key=2)
    steps = {step.key: step for step in steps_for(mixed)}
    assert list(steps)[:5] == ["stream", "norm", "qkv", "rotate", "scores"]
    assert "LayerNorm" in steps["norm"].formulas[0]
    assert "b_Q" in steps["qkv"].formulas[0]
    assert "share" in steps["qkv"].what
    assert "b_O" not in steps["w_o"].formulas[0]
    assert len(steps["back"].formulas) == 2  # no gate
    assert all(step.gap is None or step.gap(place) < 1e-5 for step in steps.values())
    assert all(step.sentence(place) for step in steps.values())


@pytest.mark.parametrize("head", range(4))
def test_the_matrices_of_a_head_make_its_queries_keys_and_values(mixed, head):
    x = mixed.trace(TEXT).hidden[1]
    made, w, read = mixed.unrotated(1, x), mixed.projections(1, head), mixed.normalised(1, x)
    np.testing.assert_allclose(read @ w.w_q + w.b_q, made.query[head], atol=1e-6)
    np.testing.assert_allclose(read @ w.w_k + w.b_k, made.key[head // 2], atol=1e-6)
    np.testing.assert_allclose(read @ w.w_v + w.b_v, made.value[head // 2], atol=1e-6)


@pytest.mark.parametrize("edits", [(), (Cut(layers=(0,)),), (CutHeads(((1, 2),)),)])
@pytest.mark.parametrize("kind", registry.ARCHITECTURES)
def test_a_text_without_tokens_can_be_edited(tmp_path, kind, edits):
    model = registry.resolve_name(registry.ARCHITECTURES[kind])
    model = model.from_folder("m", tiny.write(tmp_path / "m", kind))
    trace = model.trace("", edits)
    assert trace.weights.shape[2:] == (0, 0)


def test_models_and_traces_are_told_on_one_line(mixed, model, cat_trace):
    assert repr(mixed) == "Mixed mine: 2 x 4 heads, 16 wide, 11 words"
    assert repr(model) == "Bert minilm: 6 x 12 heads, 384 wide, 30,522 words"
    assert repr(cat_trace) == "Trace of minilm: 12 tokens, 6 x 12 heads"
    edited = mixed.trace("cat", (Add(1.0),))
    assert repr(edited) == "Trace of mine: 1 token, 2 x 4 heads, 1 edit"
