"""Heads removed with what stays the same reused, against whole passes."""

import numpy as np
import pytest
from threadpoolctl import threadpool_info

from attention.edits import Add, Cut, CutHeads
from attention.interventions import ablation, effects, passes, pruning
from attention.interventions.ablation import ablate, head_effects, removal_effects
from attention.interventions.frames import band_frame
from attention.models.layers import merge_heads
from attention.models.model import Decoder
from tests.toy_decoder import HEADS, LAYERS, ToyDecoder

TEXT = "The cat sat on the mat because it was tired"
NUMBERS = "3 1 4 1 5 9 2 6"
ROUNDING = 1e-5  # of a loss: float32 logits of up to 20
STEERED = (Add(1.5, (4,), (2,)), CutHeads(((1, 3),)))


@pytest.fixture(scope="module")
def toy():
    return ToyDecoder()


@pytest.fixture
def few_at_once(monkeypatch):
    monkeypatch.setattr(passes, "_ROWS_AT_ONCE", 16)


class Counting:
    """A model that remembers which layers it ran, on how many streams, and how many edited."""

    def __init__(self, model):
        self.model, self.runs, self.edited = model, [], 0

    def __getattr__(self, name):
        return getattr(self.model, name)

    def resume(self, x, layer, edits=(), *, stop=LAYERS):
        self.runs.append((range(layer, stop), len(x)))
        return self.model.resume(x, layer, edits, stop=stop)

    def last_streams(self, trace, changes):
        self.edited += len(changes)
        return self.model.last_streams(trace, changes)


def whole_passes(model, trace):
    effect = effects.effect_on(model, trace)
    grid = np.zeros(trace.weights.shape[:2])
    for head in np.ndindex(grid.shape):
        hidden = model.hidden(trace.text, (*trace.edits, *ablate({head})))
        grid[head] = effect(hidden[None, -1])[0]
    return grid


def blas_threads():
    return {each["num_threads"] for each in threadpool_info() if each["user_api"] == "blas"}


def last(measurement):
    *_, effects = measurement
    return effects


def test_the_two_kinds_of_models_are_told_apart(model, toy):
    assert isinstance(toy, Decoder)
    assert not isinstance(model, Decoder)


# each head alone


@pytest.mark.slow
@pytest.mark.parametrize("edits", [(), STEERED])
def test_encoder_against_a_whole_pass_for_each_head(model, edits):
    trace = model.trace(TEXT, edits)
    assert last(head_effects(model, trace)) == pytest.approx(whole_passes(model, trace), abs=1e-7)


@pytest.mark.parametrize("edits", [(), STEERED])
def test_decoder_against_a_whole_pass_for_each_head(toy, edits):
    trace = toy.trace(NUMBERS, edits)
    grid = last(head_effects(toy, trace))
    assert grid == pytest.approx(whole_passes(toy, trace), abs=ROUNDING)
    assert np.ptp(grid) > 0.01


def test_a_head_that_is_silent_already_has_no_effect(model):
    grid = last(head_effects(model, model.trace(TEXT, (CutHeads(((1, 3),)),))))
    assert grid[1, 3] == pytest.approx(0, abs=1e-9)
    assert (np.delete(grid, 15) > 1e-6).all()


def test_the_grid_fills_from_the_last_layer_and_the_share_to_one(model, cat_trace, few_at_once):
    shares = []
    grids = list(head_effects(model, cat_trace, shares.append))
    assert len(shares) == len(grids)
    assert shares == sorted(set(shares))
    assert shares[-1] == 1.0
    for grid in grids:
        known = ~np.isnan(grid).any(axis=1)
        assert list(known) == sorted(known)
    assert not np.isnan(grids[-1]).any()
    assert np.isnan(grids[0][0]).all()  # not overwritten by later steps


def test_whoever_stops_asking_stops_the_work(toy, few_at_once):
    before, counting = blas_threads(), Counting(toy)
    steps = head_effects(counting, toy.trace(NUMBERS))
    next(steps)
    done = len(counting.runs)
    assert blas_threads() == {1}
    steps.close()
    assert blas_threads() == before
    assert len(counting.runs) == done
    assert all(layers == range(LAYERS, LAYERS) for layers, _ in counting.runs)


def test_layers_below_a_removed_head_are_not_run_again(toy):
    counting = Counting(toy)
    list(head_effects(counting, toy.trace(NUMBERS)))
    streams = [sum(n for layers, n in counting.runs if at in layers) for at in range(LAYERS)]
    assert streams == [HEADS * at for at in range(LAYERS)]  # of each layer, the heads below


@pytest.mark.parametrize("rows", [1, 20, 10_000])
def test_how_many_run_side_by_side_changes_nothing(toy, monkeypatch, rows):
    monkeypatch.setattr(passes, "_ROWS_AT_ONCE", rows)
    trace = toy.trace(NUMBERS)
    assert last(head_effects(toy, trace)) == pytest.approx(whole_passes(toy, trace), abs=ROUNDING)


@pytest.mark.slow
def test_a_text_so_long_that_the_model_shares_its_own_work(model):
    trace = model.trace("cat dog " * 100)  # 202 tokens
    first = next(head_effects(model, trace))
    effect = effects.effect_on(model, trace)
    for head in np.flatnonzero(~np.isnan(first[5])):
        hidden = model.hidden(trace.text, ablate({(5, int(head))}))
        assert first[5, head] == pytest.approx(effect(hidden[None, -1])[0], abs=1e-7)


def test_what_heads_add_is_all_that_attention_adds(model, cat_trace):
    w_o, bias = model.output_projection(2)
    attended = merge_heads(cat_trace.head_output[2]) @ w_o + bias
    parts = ablation.head_parts(model, cat_trace, 2)
    assert parts.sum(axis=0) + bias == pytest.approx(attended, abs=1e-5)


# sets of heads


def test_sets_against_whole_passes(model, cat_trace):
    sets = [set(), {(5, 11)}, {(0, 2), (4, 7)}, {(i, j) for i in range(6) for j in range(12)}]
    found = last(removal_effects(model, cat_trace, sets))
    effect = effects.effect_on(model, cat_trace)
    expected = [effect(model.hidden(TEXT, ablate(heads))[None, -1])[0] for heads in sets]
    assert found == pytest.approx(expected, abs=1e-7)
    assert found[0] == pytest.approx(0, abs=1e-12)


def test_equal_sets_are_run_once(toy):
    counting, shares = Counting(toy), []
    sets = [{(1, 0), (2, 1)}, {(2, 2)}, [(2, 1), (1, 0)], ()]
    *_, effects = removal_effects(counting, toy.trace(NUMBERS), sets, shares.append)
    assert counting.edited == 3
    assert shares[-1] == 1.0
    assert effects[0] == effects[2]


def test_sets_keep_the_edits_of_the_trace(toy):
    trace = toy.trace(NUMBERS, (Cut(keys=(0,), layers=(2,)),))
    found = last(removal_effects(toy, trace, [{(1, 1)}]))
    hidden = toy.hidden(NUMBERS, (*trace.edits, CutHeads(((1, 1),))))
    assert found == pytest.approx(effects.effect_on(toy, trace)(hidden[None, -1]), abs=ROUNDING)


@pytest.mark.parametrize("head", [(6, 0), (0, 12), (9, 1)])
def test_a_head_that_is_not_there(model, cat_trace, head):
    with pytest.raises(ValueError, match="layers 0 to 5 and heads 0 to 11"):
        list(removal_effects(model, cat_trace, [{head}]))


# the pruning curve


def test_the_curve_of_a_decoder(toy):
    trace = toy.trace(NUMBERS)
    singles = last(head_effects(toy, trace))
    entropies = np.arange(LAYERS * HEADS, dtype=float).reshape(LAYERS, HEADS)
    orders = pruning.removal_orders(singles, seeds=3, entropies=entropies)
    counts = pruning.removal_counts(singles.size)
    curve = last(pruning.growing_effects(toy, trace, orders, counts))
    assert curve.shape == (6, len(counts))
    assert curve[:, 0] == pytest.approx(0, abs=ROUNDING)
    assert np.ptp(curve[:, -1]) == 0  # all heads: the order no longer matters
    assert curve[0, 1] == pytest.approx(singles.min(), abs=ROUNDING)
    assert curve[1, 1] == pytest.approx(singles.max(), abs=ROUNDING)
    three = (*ablate(orders[2].heads[:3]),)
    assert counts[3] == 3
    effect = effects.effect_on(toy, trace)
    assert curve[2, 3] == pytest.approx(
        effect(toy.hidden(NUMBERS, three)[None, -1])[0], abs=ROUNDING
    )
    band = band_frame(orders, counts, curve).query("order == @pruning.RANDOM")
    assert (band["low"] <= band["effect"]).all()
    assert (band["effect"] <= band["high"]).all()
    assert band["high"].iloc[1] in curve[3:, 1]


def test_a_curve_that_was_stopped_is_known_in_part(toy, few_at_once):
    trace = toy.trace(NUMBERS)
    orders = pruning.removal_orders(np.zeros((LAYERS, HEADS)), seeds=1)
    curve = next(pruning.growing_effects(toy, trace, orders, [0, 1, 12]))
    assert curve.shape == (3, 3)
    assert np.isnan(curve).any()
    assert not np.isnan(curve[:, 0]).any()  # nothing removed: one pass serves every order


def test_how_many_heads_can_go_to_the_head(toy):
    trace = toy.trace(NUMBERS)
    effect = effects.effect_on(toy, trace)
    order = pruning.removal_orders(last(head_effects(toy, trace)), seeds=0)[1]
    grown = [
        effect(toy.hidden(NUMBERS, ablate(order.heads[:count]))[None, -1])[0]
        for count in range(len(order.heads) + 1)
    ]
    limit = (grown[0] + max(grown)) / 2
    over = int(np.argmax(grown))
    spare = pruning.spare_heads(toy, trace, order, (0, over), limit)
    assert grown[spare] <= limit < grown[spare + 1]
    assert pruning.spare_heads(toy, trace, order, (4, 5), limit) == 4


@pytest.mark.parametrize("between", [(3, 3), (5, 2), (-1, 4), (0, 13)])
def test_how_many_heads_can_go_needs_two_ends(toy, between):
    order = pruning.Order("any", 0, [(i, j) for i in range(LAYERS) for j in range(HEADS)])
    with pytest.raises(ValueError, match=r"cannot search from -?\d+ to \d+ heads of 12"):
        pruning.spare_heads(toy, toy.trace(NUMBERS), order, between, most=0.1)
