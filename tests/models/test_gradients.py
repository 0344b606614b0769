"""Gradients held to finite differences in float64: of each part, and of whole decoders."""

from types import SimpleNamespace

import numpy as np
import pytest

import attention
from attention.core import attention_scores, causal_mask
from attention.edits import Add
from attention.interventions import effects
from attention.interventions.estimate import first_order_effects
from attention.models import gradients, layers
from attention.models.activations import ACTIVATIONS
from attention.models.backward import DifferentiableModel
from attention.models.layers import merge_heads
from tests.models import new_architecture, tiny

TEXT = "the cat sat on the mat it was"
STEP = 1e-5
MODELS = {kind: tiny.loader(kind) for kind in tiny.DECODERS}
GAIN, BIAS = np.random.default_rng(1).normal(1, 0.5, (2, 6))
PARTS = {
    "LayerNorm": (
        lambda x: layers.layer_norm(x, GAIN, BIAS, 1e-3),
        lambda x, u: gradients.layer_norm_gradient(x, GAIN, 1e-3, u),
    ),
    "RMSNorm": (
        lambda x: layers.rms_norm(x, GAIN, 1e-3),
        lambda x, u: gradients.rms_norm_gradient(x, GAIN, 1e-3, u),
    ),
    "softmax": (
        attention.softmax,
        lambda x, u: gradients.softmax_gradient(attention.softmax(x), u),
    ),
    **{
        name: (lambda x, f=f: f.in_place(x.copy()), lambda x, u, f=f: u * f.slope(x))
        for name, f in ACTIVATIONS.items()
    },
}


@pytest.mark.parametrize("part", PARTS)
def test_the_gradient_of_a_part_is_its_slope(part):
    forward, backward = PARTS[part]
    x, upstream, along = np.random.default_rng(0).normal(size=(3, 4, 6))
    ahead, behind = (np.sum(forward(x + d * along) * upstream) for d in (STEP, -STEP))
    slope = (ahead - behind) / (2 * STEP)
    assert np.sum(backward(x, upstream) * along) == pytest.approx(slope, rel=1e-8)


@pytest.fixture(scope="module", params=MODELS)
def decoder(request, tmp_path_factory):
    """Return a tiny decoder whose numbers are float64."""
    folder = tiny.write(tmp_path_factory.mktemp(request.param) / "m", request.param)
    made = MODELS[request.param].from_folder(request.param, folder)
    made._weights = {name: array.astype("f8") for name, array in made._weights.items()}
    made.word_embeddings = made._head = made.word_embeddings.astype("f8")
    return made


def slow_pass(model, added):
    """Run a pass in float64 with something added to what each head writes: `(L, H, T, E)`."""
    ids = model.tokenize(TEXT).ids
    hidden, kept = [model.embed(ids)], []
    for layer, more in enumerate(added):
        query, key, value = model.project(layer, hidden[-1])
        scores = attention_scores(query, key, enable_gqa=True)
        if model.scoring is not None:
            model.scoring.in_place(scores, layer)
        weights = attention.softmax(np.where(causal_mask(len(ids)), scores, -np.inf))
        z = weights @ np.repeat(value, len(query) // len(key), axis=0) + more
        w_o, bias = model.output_projection(layer)
        attended = merge_heads(z) @ w_o + bias
        kept.append((query, key, value, weights, z))
        hidden.append(model.after_attention(layer, hidden[-1], attended))
    query, key, value, weights, z = (np.array(arrays) for arrays in zip(*kept, strict=True))
    return SimpleNamespace(
        tokens=ids, query=query, key=key, value=value, weights=weights, head_output=z,
        hidden=np.array(hidden), edits=(), input=SimpleNamespace(ids=ids),
    )  # fmt: skip


def loss(model, added):
    run = slow_pass(model, added)
    return effects.text_loss(model, run.hidden[-1], run.input.ids)


@pytest.fixture
def untouched(decoder):
    c, tokens = decoder.config, len(decoder.tokenize(TEXT))
    return np.zeros((c.num_hidden_layers, c.num_attention_heads, tokens, c.head_dim))


def test_the_backward_pass_is_the_slope_of_the_loss(decoder, untouched):
    run = slow_pass(decoder, untouched)
    slope = decoder.head_gradients(
        run, effects.loss_gradient(decoder, run.hidden[-1], run.input.ids)
    )
    rng = np.random.default_rng(2)
    for layer in range(len(untouched)):
        along = np.zeros_like(untouched)
        along[layer] = rng.normal(size=along[layer].shape)
        ahead, behind = (loss(decoder, d * along) for d in (STEP, -STEP))
        assert np.sum(slope * along) == pytest.approx((ahead - behind) / (2 * STEP), rel=1e-6)


def test_the_estimate_is_the_first_step_of_a_removal(decoder, untouched):
    run = slow_pass(decoder, untouched)
    estimate = first_order_effects(decoder, run)
    for head in ((0, 0), (1, 3), (2, 2)):
        without = np.zeros_like(untouched)
        without[head] = -run.head_output[head]
        ahead, behind = (loss(decoder, d * without) for d in (STEP, -STEP))
        assert estimate[head] == pytest.approx((ahead - behind) / (2 * STEP), rel=1e-5)


@pytest.mark.parametrize("answer", [[[1, 2]], [[1], [3, 4]]])
def test_the_effect_on_an_answer_has_a_slope_too(decoder, untouched, answer):
    run = slow_pass(decoder, untouched)
    estimate, effect = (
        first_order_effects(decoder, run, answer),
        effects.effect_on(decoder, run, answer),
    )
    without = np.zeros_like(untouched)
    without[1, 2] = -run.head_output[1, 2]
    ahead, behind = (
        effect(slow_pass(decoder, d * without).hidden[-1:]).item() for d in (STEP, -STEP)
    )
    assert estimate[1, 2] == pytest.approx((ahead - behind) / (2 * STEP), rel=1e-5)


def test_float32_gives_the_same_but_for_rounding(decoder, untouched, tmp_path):
    kind = decoder.name
    single = MODELS[kind].from_folder("tiny", tiny.write(tmp_path / "m", kind))
    np.testing.assert_allclose(
        first_order_effects(single, single.trace(TEXT)),
        first_order_effects(decoder, slow_pass(decoder, untouched)),
        rtol=1e-3, atol=1e-5,
    )  # fmt: skip


def test_where_there_is_no_estimate(tmp_path, cat_trace):
    llama = MODELS["llama"].from_folder("tiny", tiny.write(tmp_path / "m", "llama"))
    assert first_order_effects(llama, llama.trace("the")) is None
    edited = llama.trace(TEXT, (Add(1.0),))
    assert first_order_effects(llama, edited) is None
    with pytest.raises(ValueError, match="a pass with 1 edits"):
        llama.head_gradients(edited, edited.hidden[-1])
    encoder = attention.load_model()
    assert first_order_effects(encoder, cat_trace) is None
    assert not issubclass(new_architecture.Mixed, DifferentiableModel)
