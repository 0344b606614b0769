"""What the three kinds of layer cost, counted with a pencil and timed."""

import numpy as np
import pytest

from attention.context import layer_costs
from attention.context.rnn_cnn import CellWeights, run_cell


def test_table_1_by_hand():
    recurrent, convolution, attention = layer_costs.prices(n=100, width=64, kernel=3)
    assert (recurrent.path, recurrent.steps, recurrent.operations) == (99, 100, 409_600)
    assert (convolution.path, convolution.steps, convolution.operations) == (7, 1, 1_228_800)
    assert (attention.path, attention.steps, attention.operations) == (1, 1, 1_280_000)


def test_attention_is_the_cheaper_one_while_the_text_is_shorter_than_half_the_width():
    """2 n^2 d < n d^2 where n < d / 2."""
    for n, cheaper in ((31, True), (32, False), (33, False)):
        recurrent, _, attention = layer_costs.prices(n, width=64, kernel=3)
        assert (attention.operations < recurrent.operations) == cheaper


def test_one_word_needs_no_path():
    assert [price.path for price in layer_costs.prices(1, 8, 3)[:2]] == [0, 0]


def test_every_layer_is_timed_at_every_length(monkeypatch):
    monkeypatch.setattr(layer_costs, "_MOST_SECONDS", 0.0)
    times = layer_costs.time_layers([4, 8], width=4, kernel=3)
    assert [(time.layer, time.n) for time in times] == [
        (layer, n) for n in (4, 8) for layer in layer_costs.LAYERS
    ]
    assert all(0 < time.low <= time.median <= time.high for time in times)
    assert {time.rounds for time in times} == {3}


def test_the_timed_loop_is_the_recurrent_layer():
    rng = np.random.default_rng(0)
    x, recurrent = rng.standard_normal((5, 3)), rng.standard_normal((3, 3))
    cell = CellWeights(np.eye(3)[None], recurrent[None])
    assert layer_costs.recurrent_layer(x, recurrent) == pytest.approx(run_cell(cell, x)[1:])


def test_what_is_counted_and_timed_is_said():
    seconds = {"recurrent": 4e-3, "convolution": 1e-3, "self-attention": 2e-3}
    times = [
        layer_costs.LayerTime(layer, n, median, median / 3, 1.0, 3)
        for n in (100, 512)
        for layer, median in seconds.items()
    ]
    costs = layer_costs.LayerComparison(100, 64, 3, times)
    assert costs.sentence == (
        "At n = 100 and d = 64 self-attention multiplies 3.1 times as often as a recurrent layer "
        "and took 0.5 times as long. Quickest of the three: convolution, 1 ms."
    )
    assert "the loop takes 2 times as long as the call" in costs.loop_sentence
    assert costs.unsteady == pytest.approx(3)
