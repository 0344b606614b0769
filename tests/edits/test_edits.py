"""Edits: what may be asked for, their short form in a link, and what they do in the real model."""

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from attention.edits import Add, Cut, CutHeads, Patch, SetRow, check_edits, first_layer
from attention.edits.codes import MOST_CHARACTERS, MOST_EDITS, decode, encode
from attention.models.editing import weights_in_place

TEXT = "The cat sat on the mat because it was tired"
IT, CAT = 8, 2  # their tokens, after [CLS]

numbers = st.none() | st.lists(st.integers(0, 4095), min_size=1, max_size=6).map(tuple)
pairs = st.lists(st.tuples(st.integers(0, 99), st.integers(0, 31)), min_size=1, max_size=20)
amounts = st.just(-math.inf) | st.floats(-10_000, 10_000)
rows = st.lists(st.floats(0, 1, width=32), min_size=1, max_size=8).filter(lambda row: sum(row) > 0)
positions = st.lists(st.integers(0, 4095), min_size=1, max_size=6, unique=True).map(tuple)
beside = st.just((None, None)) | positions.flatmap(
    lambda own: st.tuples(
        st.just(own),
        st.lists(st.integers(0, 4095), min_size=len(own), max_size=len(own), unique=True).map(
            tuple
        ),
    )
)
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)
patch = st.one_of(
    st.builds(lambda t, n, q: Patch(t, "stream", n, None, *q), texts, numbers, beside),
    st.builds(lambda t, n, h, q: Patch(t, "head", n, h, *q), texts, numbers, numbers, beside),
    st.builds(
        lambda t, n, h, q, k: Patch(t, "weights", n, h, *q, *k),
        texts, numbers, numbers, beside, beside,
    ),
)  # fmt: skip
own_edit = st.one_of(
    st.builds(Cut, numbers, numbers, numbers, numbers, st.booleans()),
    st.builds(CutHeads, pairs.map(tuple)),
    st.builds(Add, amounts, numbers, numbers, numbers, numbers),
    st.builds(SetRow, rows.map(tuple), numbers, numbers, numbers, st.booleans()),
)
edit = own_edit | patch  # patches are tested in tests/interventions/test_patching.py


# what may be asked for


def test_equal_edits_are_one_key():
    assert len({Cut(keys=(2, 1, 2)), Cut(keys=(1, 2))}) == 1
    assert len({CutHeads(((1, 0), (0, 5))), CutHeads(((0, 5), (1, 0), (1, 0)))}) == 1
    assert len({Add(-0.0), Add(0)}) == 1
    assert len({SetRow((0.1,)), SetRow((np.float32(0.1),))}) == 1
    assert Cut(keys=(1,)) != Cut(keys=(1,), renormalise=False)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Cut(queries=(-1,)), "queries must be whole numbers from 0 to 4095, got -1"),
        (lambda: Cut(keys=(4096,)), "keys must be whole numbers from 0 to 4095, got 4096"),
        (lambda: Cut(layers=(0.5,)), "layers must be whole numbers from 0 to 4095, got 0.5"),
        (lambda: Cut(heads=()), "heads: no number given"),
        (lambda: CutHeads(()), "layers: no number given"),
        (lambda: CutHeads(((0, -1),)), "heads must be whole numbers"),
        (lambda: Add(math.inf), "amount must be -inf or from -10000 to 10000, got inf"),
        (lambda: Add(math.nan), "got nan"),
        (lambda: Add(10_001), "got 10001"),
        (lambda: SetRow((0.5, 1.5)), "weights must be from 0 to 1, got 1.5"),
        (lambda: SetRow((math.nan,)), "weights must be from 0 to 1, got nan"),
        (lambda: SetRow((0.0, 0.0)), "2 weights with the sum 0"),
        (lambda: Patch("a", "mlp"), "a part is one of head, weights, stream, got 'mlp'"),
        (lambda: Patch("a" * 4001, "head"), "at most 4,000 characters"),
        (lambda: Patch("a", "stream", heads=(1,)), "a hidden state has no heads"),
        (lambda: Patch("a", "head", keys=(1,), from_keys=(1,)), "keys are of weights"),
        (lambda: Patch("a", "head", queries=(1, 2), from_queries=(1,)), "in pairs, got 2 and 1"),
        (lambda: Patch("a", "weights", keys=(1,)), "in pairs, got 1 and 0"),
        (lambda: SetRow((0.5,) * 4097), "got 4097 weights; the limit is 4096"),
    ],
)
def test_impossible_edits_are_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()


@pytest.mark.parametrize(
    ("edit", "message"),
    [
        (Cut(layers=(6,)), "no layer 6: tiny has layers 0 to 5 and heads 0 to 11"),
        (Add(1, heads=(12,)), "no head 12"),
        (CutHeads(((6, 0),)), "no layer 6"),
        (CutHeads(((0, 12),)), "no head 12"),
        (Cut(queries=(3,)), "no position 3: the text has 3 tokens, 0 to 2"),
        (Add(1, keys=(4,)), "no position 4"),
        (SetRow((1.0, 0, 0), queries=(3,)), "no position 3"),
        (SetRow((0.5, 0.5)), "a row of 2 weights for a text of 3 tokens"),
        (SetRow((0, 0, 1.0), queries=(1, 2)), "query 1 cannot attend to key 2"),
    ],
)
def test_edits_that_do_not_fit_the_model_or_the_text(edit, message):
    with pytest.raises(ValueError, match=message):
        check_edits((edit,), "tiny", layers=6, heads=12, tokens=3, is_causal=True)


def test_a_row_may_look_back_in_a_decoder_and_anywhere_in_an_encoder():
    sizes = ("tiny", 6, 12, 3)
    check_edits((SetRow((0, 0.5, 0.5), queries=(2,)),), *sizes, is_causal=True)
    check_edits((SetRow((0, 0.5, 0.5), queries=(0,)),), *sizes)


def test_a_row_may_look_back_as_far_as_the_windows_of_its_layers():
    sizes, windows = ("tiny", 3, 4, 5), (None, 3, 2)
    far, near = SetRow((0, 1, 0, 0, 0), queries=(2, 3)), SetRow((0, 0, 1, 0, 0), queries=(2, 3))
    for edit, layers in ((far, (0,)), (far, (0, 1)), (near, None)):
        check_edits((replace(edit, layers=layers),), *sizes, is_causal=True, windows=windows)
    with pytest.raises(ValueError, match="query 3 cannot attend to key 1: it sees 2 keys"):
        check_edits((far,), *sizes, is_causal=True, windows=windows)


def test_the_first_layer_that_changes():
    assert first_layer((), layers=6) == 6
    assert first_layer((Cut(layers=(4,)), CutHeads(((3, 0), (5, 0)))), layers=6) == 3
    assert first_layer((Cut(layers=(4,)), Add(1.0)), layers=6) == 0


# in a link


@given(st.lists(edit, max_size=5).map(tuple))
def test_a_code_gives_the_same_edits_again(edits):
    code = encode(edits)
    assert decode(code) == edits
    assert encode(decode(code)) == code
    assert set(code) <= set("abcdefghijklmnopqrstuvwxyz0123456789._~-")  # what links leave alone


def test_codes_are_short():
    heads = tuple((layer, head) for layer in range(6) for head in range(12))
    assert encode((CutHeads(heads),)) == "off_0-5h0-11"
    assert encode((Cut(),)) == "cut"
    assert encode((Cut((8,), (2,), (5,), (11,), renormalise=False),)) == "cut_l5_h11_q8_k2_raw"
    assert encode((SetRow((0, 0.1, 1), (1,)),)) == "row_q1_w0w0.1w1"
    patch = Patch("The cat", "head", (9,), (1,), (2, 3, 4), (1, 2, 3))
    assert encode((patch,)) == "put_phead_l9_h1_q2-4_s1-3_t.54.he-cat"
    assert encode((Add(-math.inf), Add(1e-5))) == "add_a-inf~add_a1e-05"


@pytest.mark.parametrize(
    "code",
    [
        "nonsense",
        "cut_",
        "cut~",
        "~",
        "cut_x3",
        "cut_q",
        "cut_q-1",
        "cut_q5.",
        "cut_q5-3",
        "cut_q4096",
        "cut_q12345",
        "cut_q٣",
        "cut_q1_q2",
        "cut_a1",
        "cut_rawr",
        "cut_w0.5",
        "add",
        "add_q1",
        "add_anan",
        "add_ainf",
        "add_a1e9",
        "add_a0x10",
        "add_a1_raw",
        "row_q1",
        "row_w",
        "row_w2",
        "row_w0",
        "row_k1_w1",
        "off",
        "put",
        "put_phead",
        "put_ta",
        "put_ta_pmlp",
        "put_ta_phead_q1",
        "put_tA_phead",
        "put_t.d800._phead",
        "put_t.ffffff._phead",
        "put_t.54_phead",
        "cut_s1",
        "cut_phead",
        "add_a1_ta",
        "off_5",
        "off_h3",
        "off_0-4095h0-4095",
        "~".join(["off_0-511h0-255"] * 2),
        "~".join(["cut"] * (MOST_EDITS + 1)),
        "cut_q" + "1." * MOST_CHARACTERS + "1",
    ],
)
def test_bad_codes_are_refused(code):
    with pytest.raises(ValueError, match="edit"):
        decode(code)


@given(st.text("cutaddrowoff_~lhqk0123456789.-w", max_size=30))
def test_any_code_gives_edits_or_one_kind_of_error(code):
    try:
        edits = decode(code)
    except ValueError:
        return
    assert decode(encode(edits)) == edits


# on scores, by hand


def edited(scores, *edits, layer=0, first_head=0):
    return weights_in_place(np.array(scores, np.float32), edits, layer, first_head).tolist()


ROW = [[[0.0, 0.0, math.log(2)]]]  # one head, one query: the weights are 1/4, 1/4, 1/2


@pytest.mark.parametrize(
    ("edit", "expected"),
    [
        (Cut(keys=(2,)), [1 / 2, 1 / 2, 0]),
        (Cut(keys=(2,), renormalise=False), [1 / 4, 1 / 4, 0]),
        (Cut(), [0, 0, 0]),
        (CutHeads(((0, 0),)), [0, 0, 0]),
        (Add(math.log(2), keys=(0,)), [2 / 5, 1 / 5, 2 / 5]),
        (Add(3.0), [1 / 4, 1 / 4, 1 / 2]),  # the same to all: nothing changes
        (Add(-math.inf, keys=(0, 1)), [0, 0, 1]),
        (Add(10_000, keys=(0,)), [1, 0, 0]),
        (SetRow((0.5, 0.0, 0.0)), [1, 0, 0]),
        (SetRow((0.5, 0.0, 0.0), renormalise=False), [0.5, 0, 0]),
        (SetRow((0.0, 0.0, 0.0), renormalise=False), [0, 0, 0]),
    ],
)
def test_one_row_by_hand(edit, expected):
    assert edited(ROW, edit)[0][0] == pytest.approx(expected, abs=1e-7)


def test_masked_keys_stay_masked():
    masked = [[[0.0, -math.inf]]]
    assert edited(masked, Add(5.0)) == [[[1, 0]]]
    assert edited(masked, Cut(keys=(0,))) == [[[0, 0]]]


def test_only_the_cells_named_change():
    same = [[[0.0, 0.0]] * 2] * 3
    one = Cut(queries=(1,), keys=(0,), layers=(2,), heads=(4,))
    assert edited(same, one, layer=2, first_head=3) == [
        [[0.5, 0.5], [0.5, 0.5]],
        [[0.5, 0.5], [0, 1]],
        [[0.5, 0.5], [0.5, 0.5]],
    ]
    assert edited(same, one, layer=1, first_head=3) == [[[0.5, 0.5]] * 2] * 3
    assert edited(same, one, layer=2, first_head=5) == [[[0.5, 0.5]] * 2] * 3


def test_scores_first_then_weights_then_whole_heads():
    # Whatever the order: the sum is known before the cell is cut, and a silent head stays silent.
    raw, add = Cut(keys=(0,), renormalise=False), Add(math.log(2), keys=(0,))
    row, silent = SetRow((0.0, 1.0)), CutHeads(((0, 0),))
    same = [[[0.0, 0.0]]]
    assert edited(same, raw, add)[0][0] == pytest.approx([0, 1 / 3])
    assert edited(same, row, raw) == edited(same, raw, row) == [[[0, 1]]]
    assert edited(same, silent, row) == [[[0, 0]]]


@settings(deadline=None)
@given(st.integers(0, 2**32 - 1), st.lists(own_edit, max_size=4))
def test_against_a_slow_loop(seed, edits):
    rng = np.random.default_rng(seed)
    edits = [_fitted(one, rng) for one in edits]
    scores = rng.normal(size=(2, 4, 4)).astype(np.float32)
    expected = [_slow_head(scores[head], edits, 1, head + 1) for head in range(2)]
    result = weights_in_place(scores.copy(), tuple(edits), 1, first_head=1)
    np.testing.assert_allclose(result, expected, rtol=2e-5, atol=1e-7)


def _fitted(edit, rng):
    """Return an edit of the same kind within layers 0-2, heads 0-3 and 4 tokens."""

    def some(count):
        return None if rng.random() < 0.3 else tuple(rng.integers(0, count, 2).tolist())

    if isinstance(edit, CutHeads):
        return CutHeads(tuple((a % 3, b % 4) for a, b in edit.pairs))
    if isinstance(edit, SetRow):
        row = tuple(rng.uniform(0, 1, 4).tolist())
        return SetRow(row, some(4), some(3), some(4), edit.renormalise)
    if isinstance(edit, Add):
        return Add(max(edit.amount, -20.0) % 20, some(4), some(4), some(3), some(4))
    return Cut(some(4), some(4), some(3), some(4), edit.renormalise)


def _slow_head(scores, edits, layer, head):
    weights = np.zeros((4, 4))
    for q in range(4):
        row = scores[q].astype(float).tolist()
        for one in edits:
            for k in range(4):
                if isinstance(one, Add) and _touches(one, layer, head, q, k):
                    row[k] += one.amount
                if isinstance(one, Cut) and one.renormalise and _touches(one, layer, head, q, k):
                    row[k] = -math.inf
        total = sum(map(math.exp, row))
        row = [math.exp(score) / total if total else 0 for score in row]
        for one in edits:
            for k in range(4):
                if isinstance(one, SetRow) and _touches(one, layer, head, q, k):
                    row[k] = one.weights[k] / (sum(one.weights) if one.renormalise else 1)
                if isinstance(one, Cut) and not one.renormalise:
                    row[k] *= not _touches(one, layer, head, q, k)
        if any(isinstance(one, CutHeads) and (layer, head) in one.pairs for one in edits):
            row = [0, 0, 0, 0]
        weights[q] = row
    return weights


def _touches(edit, layer, head, query, key):
    asked = (edit.layers, layer), (edit.heads, head), (edit.queries, query)
    asked += ((getattr(edit, "keys", None), key),)
    return all(numbers is None or number in numbers for numbers, number in asked)


# in the real model


ARRAYS = ("query", "key", "value", "weights", "head_output", "hidden", "scores")


def same(one, other, names=ARRAYS):
    return all(np.array_equal(getattr(one, name), getattr(other, name)) for name in names)


def test_no_edit_and_edits_without_effect_change_nothing_to_the_bit(model, cat_trace):
    row = tuple(cat_trace.weights[3, 4, IT].tolist())
    assert same(model.trace(TEXT, ()), cat_trace)
    assert same(model.trace(TEXT, (Add(0.0),)), cat_trace)
    itself = SetRow(row, (IT,), (3,), (4,), renormalise=False)
    assert same(model.trace(TEXT, (itself,)), cat_trace)
    assert same(model.trace(TEXT, decode(encode((itself,)))), cat_trace)


def test_a_row_set_to_itself_renormalised_changes_nothing_but_rounding(model, cat_trace):
    row = tuple(cat_trace.weights[3, 4, IT].tolist())
    changed = model.trace(TEXT, (SetRow(row, (IT,), (3,), (4,)),))
    assert changed.hidden == pytest.approx(cat_trace.hidden, abs=1e-5)


def test_a_layer_without_heads_has_no_attention_term(model, cat_trace):
    silent = model.trace(TEXT, (CutHeads(tuple((2, head) for head in range(12))),))
    _, bias = model.output_projection(2)
    x = cat_trace.hidden[2]
    expected = model.feed_forward(2, model.add_and_norm(2, x, np.broadcast_to(bias, x.shape)))
    assert np.array_equal(silent.hidden[:3], cat_trace.hidden[:3])
    assert silent.hidden[3] == pytest.approx(expected, abs=1e-6)
    assert not silent.weights[2].any()
    assert not silent.head_output[2].any()


def test_adding_minus_infinity_is_a_cut(model):
    where = {"queries": (IT,), "keys": (CAT,), "layers": (1, 5), "heads": (3, 11)}
    cut, added = (model.trace(TEXT, (one,)) for one in (Cut(**where), Add(-math.inf, **where)))
    assert same(cut, added)
    assert not cut.weights[1:6:4, 3:12:8, IT, CAT].any()
    assert cut.weights.sum(axis=-1) == pytest.approx(1, abs=1e-5)


def test_a_cut_connection_leaves_the_rest_of_its_row_in_proportion(model, cat_trace):
    before = cat_trace.weights[5, 11, IT]
    cell = (IT,), (CAT,), (5,), (11,)
    kept, lost = (model.trace(TEXT, (Cut(*cell, renormalise=r),)) for r in (True, False))
    others = np.arange(12) != CAT
    row = kept.weights[5, 11, IT]
    assert row[others] == pytest.approx(before[others] / (1 - before[CAT]), abs=1e-6)
    row = lost.weights[5, 11, IT]
    assert np.array_equal(row[others], before[others])
    assert row.sum() == pytest.approx(1 - before[CAT], abs=1e-6)
    for changed in (kept, lost):
        assert np.array_equal(changed.hidden[:6], cat_trace.hidden[:6])
        moved = np.abs(changed.hidden[6] - cat_trace.hidden[6]).max(axis=-1)
        assert moved[IT] > 1e-2
        assert moved[np.arange(12) != IT] == pytest.approx(0, abs=1e-5)


def test_a_cut_column_is_read_by_nobody(model):
    changed = model.trace(TEXT, (Cut(keys=(0, 11)),))  # [CLS] and [SEP], everywhere
    assert not changed.weights[..., [0, 11]].any()
    assert changed.weights.sum(axis=-1) == pytest.approx(1, abs=1e-5)


def test_the_trace_knows_its_edits_and_its_scores_show_them(model, cat_trace):
    edits = (Add(2.5, (IT,), (CAT,), (0,), (7,)), Cut((1,), (3,), (4,), (2,)))
    changed = model.trace(TEXT, edits)
    assert changed.edits == edits
    assert cat_trace.edits == ()
    added = changed.scores[0, 7, IT, CAT] - cat_trace.scores[0, 7, IT, CAT]
    assert added == pytest.approx(2.5, abs=1e-5)
    assert changed.scores[4, 2, 1, 3] == -math.inf
    assert np.array_equal(changed.scores[0, :7], cat_trace.scores[0, :7])


def test_edits_in_a_text_long_enough_to_be_shared_between_threads(model):
    text = "cat " * 200
    edits = (Cut(keys=(5,), heads=(7,)), SetRow((1.0,) * 202, (9,), (3,), (11,)))
    changed = model.trace(text, edits)
    assert not changed.weights[:, 7, :, 5].any()
    assert changed.weights[:, :7, :, 5].all()
    assert changed.weights[3, 11, 9] == pytest.approx(1 / 202)


@pytest.mark.parametrize("edit", [Cut(layers=(6,)), CutHeads(((0, 12),)), Cut(queries=(12,))])
def test_the_model_refuses_what_is_not_there(model, edit):
    with pytest.raises(ValueError, match=r"layers 0 to 5|12 tokens, 0 to 11"):
        model.trace(TEXT, (edit,))


# restarting


@pytest.mark.parametrize("layer", range(7))
def test_a_restart_ends_where_the_whole_pass_does(model, cat_trace, layer):
    assert np.array_equal(model.resume(cat_trace.hidden[layer], layer), cat_trace.hidden[-1])


@pytest.mark.parametrize("text", [TEXT, "cat " * 120])
def test_streams_side_by_side_are_as_each_alone(model, text):
    other = text.replace("cat", "dog")
    pair = np.stack([model.hidden(one)[2] for one in (text, other)])
    edits = (CutHeads(((1, 0), (4, 3))), Add(1.0, (2,), (1,), (3,)))
    together = model.resume(pair, 2, edits)
    assert together.shape == pair.shape
    for alone, one in zip(together, pair, strict=True):
        assert alone == pytest.approx(model.resume(one, 2, edits), abs=5e-6)


def test_a_restart_with_edits_above_is_the_edited_pass(model, cat_trace):
    edits = (CutHeads(((4, 3),)), Add(1.0, (IT,), (CAT,), (5,)))
    start = first_layer(edits, layers=6)
    resumed = model.resume(cat_trace.hidden[start], start, edits)
    assert np.array_equal(resumed, model.hidden(TEXT, edits)[-1])


@pytest.mark.parametrize(("shape", "layer"), [((3, 383), 0), ((3, 384), 7), ((384,), 0)])
def test_a_stream_that_does_not_fit_is_refused(model, shape, layer):
    with pytest.raises(ValueError, match="384 wide and has layers 0 to 5"):
        model.resume(np.zeros(shape, np.float32), layer)
