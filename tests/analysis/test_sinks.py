"""The sink account, by hand and against slow loops."""

import numpy as np
import pytest

from attention.analysis import sinks
from attention.edits import Cut, CutHeads
from attention.models.trace import Tokens, Trace
from tests.toy_decoder import HEADS, LAYERS, SHARED, WIDTH, ToyDecoder

NUMBERS = "3 1 4 1 5 9 2 6"


class Plain:
    """One layer, one head, W_O the identity."""

    def output_projection(self, layer):
        return np.eye(2, dtype=np.float32), np.zeros(2, np.float32)


def by_hand():
    """Two words after a special token whose value is ten times as short as theirs."""
    weights = np.array([[[[1, 0, 0], [0.5, 0.5, 0], [0.75, 0, 0.25]]]], np.float32)
    value = np.array([[[[0.3, 0.4], [3.0, 4.0], [0.0, 5.0]]]], np.float32)
    tokens = Tokens("a b", np.arange(3), ("<s>", "a", "b"), ((0, 0),) * 3, (True, False, False))
    hidden = np.zeros((2, 3, 2), np.float32)
    return Trace("plain", tokens, value, value, value, weights, weights @ value, hidden)


def test_by_hand():
    account = sinks.sink_account(Plain(), by_hand())
    assert account.sinks == (0,)
    assert account.rows == 2
    assert account.weight_share == pytest.approx((0.5 + 0.75) / 2)
    # lengths 0.5, 5 and 5: the sink writes 1.25 * 0.5, the words 0.5 * 5 + 0.25 * 5
    assert account.written_share == pytest.approx(0.625 / (0.625 + 3.75))
    assert account.total == pytest.approx((0.625, 0.625 / 4.375))


def test_other_sinks_on_request():
    account = sinks.sink_account(Plain(), by_hand(), sinks=(1, 1))
    assert account.sinks == (1,)
    assert account.weight_share == 0  # the others read it nowhere
    with pytest.raises(ValueError, match=r"no sinks \(0, 3\): the text has 3 tokens, 0 to 2"):
        sinks.sink_account(Plain(), by_hand(), sinks=(3, 0))


def test_nothing_but_sinks_and_no_sinks_at_all():
    nobody = sinks.sink_account(Plain(), by_hand(), sinks=(0, 1, 2))
    assert nobody.rows == 0
    assert nobody.total == (0, 0)
    assert sinks.sink_account(Plain(), by_hand(), sinks=()).total == (0, 0)


def test_the_first_and_the_special_tokens_are_sinks(cat_trace):
    assert sinks.sink_positions(cat_trace.input) == (0, 11)
    assert sinks.sink_positions(ToyDecoder().tokenize(NUMBERS)) == (0,)


def test_encoder_against_a_slow_loop(model, cat_trace):
    account = sinks.sink_account(model, cat_trace)
    w_o, _ = model.output_projection(4)
    part = whole = 0.0
    for query in range(1, 11):
        for key in range(12):
            written = cat_trace.value[4, 7, key] @ w_o[7 * 32 : 8 * 32]
            length = cat_trace.weights[4, 7, query, key] * np.linalg.norm(written)
            whole += length
            part += length if key in (0, 11) else 0
    assert account.written_share[4, 7] == pytest.approx(part / whole, rel=1e-5)
    assert account.weight_share[4, 7] == pytest.approx(
        cat_trace.weights[4, 7, 1:11][:, [0, 11]].sum() / 10, rel=1e-5
    )


def test_the_heads_of_the_real_model_that_rest_on_sinks_write_less_than_they_weigh(
    model, cat_trace
):
    weight, written = sinks.sink_account(model, cat_trace).total
    assert 0 < written < weight < 1


def test_heads_that_share_a_value_have_their_own_projection():
    toy = ToyDecoder()
    trace = toy.trace(NUMBERS)
    lengths = sinks.written_lengths(toy, trace)
    assert lengths.shape == (LAYERS, HEADS, 8)
    for layer, head, key in np.ndindex(lengths.shape):
        w_o = toy.output_projection(layer)[0][head * WIDTH : (head + 1) * WIDTH]
        expected = np.linalg.norm(trace.value[layer, head // SHARED, key] @ w_o)
        assert lengths[layer, head, key] == pytest.approx(expected, rel=1e-5)


@pytest.mark.slow
def test_cut_columns_and_silent_heads_are_in_the_account(model):
    text = "The cat sat"
    cut = sinks.sink_account(model, model.trace(text, (Cut(keys=(0, 4)),)))
    assert not cut.weight.any()
    assert cut.all_weight == pytest.approx(3, abs=1e-5)
    silent = sinks.sink_account(model, model.trace(text, (CutHeads(((2, 5),)),)))
    assert silent.weight_share[2, 5] == silent.written_share[2, 5] == 0
