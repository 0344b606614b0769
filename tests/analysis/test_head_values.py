"""What a head writes, key by key, against the head's own output and slow loops."""

import numpy as np
import pytest

import attention
from attention import presets
from attention.analysis import head_values, words
from attention.models import registry
from tests.optional import with_smollm2
from tests.toy_decoder import HEADS, SHARED, ToyDecoder

TEXT = "The unbelievable xylophones didn't fit because it was too big"  # with words in pieces


@pytest.mark.parametrize("merged", [True, False])
@pytest.mark.parametrize(("layer", "head"), [(0, 0), (3, 1), (5, 11)])
def test_the_rows_weights_blend_the_units_into_the_heads_own_output(model, merged, layer, head):
    trace = model.trace(TEXT)
    view = words.view(trace, words=merged)
    w_o = model.output_projection(layer)[0].reshape(12, 32, 384)[head]
    for query, unit in enumerate(view.units):
        units = head_values.unit_outputs(model, trace, view.units, (layer, head), unit)
        blended = view.weights[layer, head, query] @ units
        own = trace.head_output[layer, head, list(unit.positions)].mean(axis=0) @ w_o
        assert np.abs(blended - own).max() < 1e-5


@pytest.mark.slow
@with_smollm2
def test_a_decoder_that_shares_values_too():
    model = attention.load_model(registry.SMOLLM2)
    trace = model.trace(presets.TROPHY_BIG.text)
    view = words.view(trace)
    unit, query = view.units[8], 8
    seen = words.seen_by(view, 17, query)
    units = head_values.unit_outputs(model, trace, seen.units, (17, 5), unit)
    w_o = model.output_projection(17)[0].reshape(9, 64, 576)[5]
    own = trace.head_output[17, 5, list(unit.positions)].mean(axis=0) @ w_o
    assert np.abs(seen.weights[17, 5, query] @ units - own).max() < 1e-4 * np.abs(own).max()


def test_query_heads_read_the_value_that_they_share():
    model = ToyDecoder()
    trace = model.trace("1 2 3")
    units = words.pieces(trace.input)
    for head in range(HEADS):
        found = head_values.unit_outputs(model, trace, units, (1, head), units[2])
        width = trace.value.shape[-1]
        w_o = model.layers[1].o[head * width : (head + 1) * width]
        for k in range(3):
            assert found[k] == pytest.approx(trace.value[1, head // SHARED, k] @ w_o, abs=1e-6)


def test_the_shares_of_a_sum_are_by_hand():
    assert head_values.makes_up(np.array([[2.0, 0.0], [2.0, 5.0], [0.0, -5.0]])).tolist() == [
        0.5, 0.5, 0.0,
    ]  # fmt: skip
    assert head_values.makes_up(np.array([[1.0], [-1.0]])).tolist() == [0, 0]
