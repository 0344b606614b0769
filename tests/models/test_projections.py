"""The weights of a head, as an engineer asks for them, make the trace's own arrays."""

import numpy as np
import pytest

from attention.models.layers import merge_heads


@pytest.mark.parametrize(("layer", "head"), [(0, 0), (2, 7), (5, 11)])
def test_projections_make_query_key_and_value(model, cat_trace, layer, head):
    x, w = cat_trace.hidden[layer], model.projections(layer, head)
    assert [array.shape for array in w] == [(384, 32), (32,)] * 3
    assert np.abs(x @ w.w_q + w.b_q - cat_trace.query[layer, head]).max() < 1e-5
    assert np.abs(x @ w.w_k + w.b_k - cat_trace.key[layer, head]).max() < 1e-5
    assert np.abs(x @ w.w_v + w.b_v - cat_trace.value[layer, head]).max() < 1e-5


@pytest.mark.parametrize("layer", [0, 5])
def test_the_rest_of_a_layer_makes_the_next_hidden_state(model, cat_trace, layer):
    w_o, b_o = model.output_projection(layer)
    assert (w_o.shape, b_o.shape) == ((384, 384), (384,))
    attended = merge_heads(cat_trace.head_output[layer]) @ w_o + b_o
    mixed = model.add_and_norm(layer, cat_trace.hidden[layer], attended)
    leaves = model.feed_forward(layer, mixed)
    assert np.abs(leaves - cat_trace.hidden[layer + 1]).max() < 1e-5


def test_the_models_weights_can_not_be_written_to(model):
    for array in (*model.projections(1, 1), *model.output_projection(1)):
        with pytest.raises(ValueError, match="read-only"):
            array[...] = 0


@pytest.mark.parametrize(("layer", "head"), [(6, 0), (0, 12), (-1, 0), (0, -1)])
def test_a_head_that_is_not_there_is_refused_with_the_numbers(model, layer, head):
    with pytest.raises(ValueError, match=f"no layer {layer} head {head}: .* 0 to 5 .* 0 to 11"):
        model.projections(layer, head)


def test_a_layer_that_is_not_there_is_refused(model, cat_trace):
    x = cat_trace.hidden[0]
    for ask in (
        lambda: model.output_projection(6),
        lambda: model.add_and_norm(6, x, x),
        lambda: model.feed_forward(-1, x),
    ):
        with pytest.raises(ValueError, match="layers 0 to 5"):
            ask()
