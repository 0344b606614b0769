"""Weights by the length of what is written, and rollout: by pencil, by slow loops, and laws."""

import numpy as np
import pytest

import attention
from attention.analysis import words, written
from attention.models import registry
from tests.optional import with_smollm2


@pytest.mark.parametrize(
    "name", [registry.EMBEDDED, pytest.param(registry.SMOLLM2, marks=with_smollm2)]
)
def test_shares_against_a_slow_loop(name):
    model = attention.load_model(name)
    trace = model.trace("The cat sat on the mat")
    found = written.written_shares(model, trace)
    layers, heads, size, _ = trace.weights.shape
    rng = np.random.default_rng(0)
    for _ in range(4):
        layer, head, q = (int(rng.integers(n)) for n in (layers, heads, size))
        group = head * trace.value.shape[1] // heads
        w_o = model.output_projection(layer)[0]
        width = trace.value.shape[-1]
        lengths = [
            float(np.linalg.norm(trace.value[layer, group, k] @ w_o[head * width :][:width]))
            for k in range(size)
        ]
        row = [float(w) * n for w, n in zip(trace.weights[layer, head, q], lengths, strict=True)]
        assert found[layer, head, q] == pytest.approx(np.array(row) / sum(row), abs=1e-5)


def test_what_sinks_write_is_less_than_their_weight(model, cat_trace, cat_view):
    by_length = written.written_view(model, cat_trace)
    cls = cat_view.weights[4, 5, 1:-1, 0].mean()
    assert by_length.weights[4, 5, 1:-1, 0].mean() < cls
    assert by_length.units == cat_view.units
    assert np.allclose(by_length.weights.sum(axis=-1), 1, atol=1e-5)


def test_rollout_by_pencil():
    one = np.array([[[0.5, 0.5], [1.0, 0.0]]])  # one head
    found = written.rollout(one[None])
    assert found[0].tolist() == [[0.75, 0.25], [0.5, 0.5]]
    twice = written.rollout(np.stack([one, one]))
    assert twice[1] == pytest.approx(np.array([[0.75, 0.25], [0.5, 0.5]]) @ found[0])


def test_rollout_against_a_slow_loop(cat_trace):
    found = written.rollout(cat_trace.weights)
    size = len(cat_trace.tokens)
    before = [[float(q == k) for k in range(size)] for q in range(size)]
    for layer in range(2):
        heads = cat_trace.weights[layer].astype(float)
        after = [[0.0] * size for _ in range(size)]
        for q in range(size):
            for middle in range(size):
                share = sum(heads[h, q, middle] for h in range(12)) / 12 / 2 + (q == middle) / 2
                for k in range(size):
                    after[q][k] += share * before[middle][k]
        before = after
        assert found[layer] == pytest.approx(np.array(after), abs=1e-9)
    assert np.allclose(found.sum(axis=-1), 1)


@with_smollm2
def test_rollout_of_a_decoder_looks_at_nothing_later():
    trace = attention.load_model(registry.SMOLLM2).trace("The cat sat on the mat")
    found = written.rollout(trace.weights)
    assert found[-1][np.triu_indices(len(trace.tokens), 1)].max() == 0
    view = written.rollout_view(trace)
    assert view.weights.shape[:2] == (30, 2)
    assert view.is_causal
    assert view.units == words.view(trace).units


def test_a_translation_by_what_is_written_against_a_slow_loop():
    pair = attention.load_translator("en-pt")
    done = pair.translate("The bank by the river was steep.")
    found = written.written_translation(pair, done).cross_weights
    assert np.allclose(found.sum(axis=-1), 1, atol=1e-5)
    for layer, head, step in ((0, 0, 0), (0, 5, 3), (1, 7, 8)):
        here, own = f"decoder.{layer}.attention", slice(head * 32, head * 32 + 32)
        kv, bias = pair.decoder._matrix_and_bias(f"{here}.kv")
        w_o, _ = pair.decoder._matrix_and_bias(f"{here}.output")
        row = []
        for s, state in enumerate(done.encoder.hidden[-1]):
            value = (state @ kv + bias)[kv.shape[1] // 2 :][own]
            length = np.linalg.norm(value @ w_o[own])
            row.append(float(done.cross_weights[layer, head, step, s] * length))
        assert found[layer, head, step] == pytest.approx(np.array(row) / sum(row), abs=1e-5)
