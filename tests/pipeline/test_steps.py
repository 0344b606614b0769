"""The steps of a layer: their arrays against the trace and slow loops, their texts and shapes."""

import math
import re

import numpy as np
import pytest

from attention.pipeline import frames as step_frames
from attention.pipeline import steps
from attention.pipeline.head_state import HeadState
from attention.pipeline.matrix import HEADS, Matrix, limit, part_text
from attention.pipeline.receipt import ReceiptCell, receipt_of

STEPS = {step.key: step for step in steps.ENCODER_STEPS}


@pytest.fixture(scope="module")
def place(model, cat_trace):
    return HeadState(model, cat_trace, layer=5, head=11, query=8, key=2)


def named(place, key):
    return {matrix.name: matrix.values for matrix in STEPS[key].matrices(place)}


def test_keys_and_names_are_unique():
    assert len(STEPS) == len({step.name for step in STEPS.values()}) == 10


@pytest.mark.parametrize("layer", [0, 2, 5])
def test_every_step_that_can_be_checked_agrees_with_the_trace(model, cat_trace, layer):
    place = HeadState(model, cat_trace, layer, head=3, query=2, key=8)
    gaps = {key: step.gap(place) for key, step in STEPS.items() if step.gap}
    assert set(gaps) == {"qkv", "softmax", "blend", "back"}
    assert max(gaps.values()) < 1e-5


@pytest.mark.parametrize("key", STEPS)
def test_every_step_has_one_sentence_and_at_most_three_matrices(place, key):
    step = STEPS[key]
    assert 1 <= len(step.matrices(place)) <= 3
    assert "nan" not in step.sentence(place)
    assert all(formula.count("{") == formula.count("}") for formula in step.formulas)


@pytest.mark.parametrize("key", STEPS)
def test_letters_are_the_shapes(place, key):
    for matrix in STEPS[key].matrices(place):
        if matrix.letters[0] in place.sizes:
            shape = tuple(place.sizes[letter] for letter in matrix.letters)
            assert matrix.values.shape == shape, matrix.name


def test_shapes_are_written_with_letters_and_numbers(place):
    assert steps.shapes_text(STEPS["scores"], place) == (
        "Q (T × E) 12 × 32 · Kᵀ (E × T) 32 × 12 · S (T × T) 12 × 12"
    )


def test_scores_are_sums_of_products(place):
    matrices = named(place, "scores")
    slow = [sum(float(a) * float(b) for a, b in zip(place.q[8], k, strict=True)) for k in place.k]
    assert np.allclose(matrices["S"][8], slow, atol=1e-4)
    assert np.allclose(matrices["q × K"].sum(axis=1), slow, atol=1e-4)


def test_scaling_divides_by_the_root_of_the_width(place):
    matrices = named(place, "scale")
    assert np.allclose(matrices["S′"] * math.sqrt(32), matrices["S"], atol=1e-5)


def test_the_mask_hides_nothing_here_and_later_tokens_in_the_illustration(place):
    matrices = named(place, "mask")
    assert np.isfinite(matrices["S′"]).all()
    assert np.array_equal(np.isnan(matrices["Illustration"]), np.triu(np.ones((12, 12)), 1) == 1)
    assert "66" in STEPS["mask"].sentence(place)  # 12 * 11 / 2


def test_weights_are_terms_over_their_sum(place):
    matrices = named(place, "softmax")
    terms = matrices["exp(S″ − m)"]
    assert np.allclose(terms / terms.sum(axis=1, keepdims=True), matrices["A"])
    assert "“cat” most (0.682; the other words give it 0.641 on average)" in STEPS[
        "softmax"
    ].sentence(place)


def test_heads_side_by_side_and_what_each_writes(place):
    joined = {matrix.name: matrix for matrix in STEPS["concat"].matrices(place)}
    assert np.array_equal(joined["z"].values.ravel(), joined["Z"].values[8])
    assert joined["Z"].shown_columns([0]) == list(range(352, 384))
    written = named(place, "w_o")
    _, bias = place.model.output_projection(5)
    assert np.allclose(written["z W_O"].sum(axis=0) + bias, written["O"][8], atol=1e-5)


def test_the_questions_are_answered_from_the_figures(place):
    scale = STEPS["scores"].question(place)
    assert scale.answer == "larger"
    assert scale.answer in scale.options
    part = STEPS["softmax"].question(place)
    assert part.answer == part.options[0]  # “cat” has both
    for query in range(12):
        other = HeadState(place.model, place.trace, 4, 5, query, 0)
        sizes = np.linalg.norm(other.parts, axis=1)
        same = other.weights[query].argmax() == sizes.argmax()
        assert STEPS["softmax"].question(other).answer == part.options[0 if same else 1]


def test_a_long_text_shows_the_chosen_and_the_most_read(model):
    trace = model.trace(" ".join(f"word{i}" for i in range(40)))
    place = HeadState(model, trace, 2, 2, query=40, key=70)
    shown = steps.shown_tokens(place, 24)
    assert len(shown) == 24
    assert shown == sorted(shown)
    assert {40, 70} <= set(shown)
    kept = sorted(place.weights[40][[k for k in shown if k not in (40, 70)]])
    left = np.delete(place.weights[40], shown)
    assert left.max() <= kept[0]
    assert steps.shown_tokens(place, 1000) == list(range(len(trace.tokens)))


# matrices and their tables

SMALL = Matrix("M", "small", ("T", "E"), np.arange(6.0).reshape(3, 2) - 2, marked=1)


def test_table_of_a_matrix():
    table = step_frames.matrix_frame(SMALL, ("a", "b", "c"), [1, 2])
    assert table[["r", "c", "value"]].to_numpy().tolist() == [
        [0, 0, 0], [0, 1, 1], [1, 0, 2], [1, 1, 3],
    ]  # fmt: skip
    assert table["row"].tolist() == ["1 b", "1 b", "2 c", "2 c"]
    assert table["column"].tolist() == ["column 0", "column 1"] * 2
    assert table["mark"].tolist() == [True, False, False, False]
    assert step_frames.row_labels(SMALL, ("a", "b", "c"), [1, 2]) == ("b", "c")
    assert limit([SMALL], [0, 1]) == 2
    assert part_text(SMALL, [1, 2]) == "Drawn: 2 of 3 rows; the rest is left out. From 0 to 3."
    assert part_text(SMALL, [0, 1, 2]) == ""


def test_a_square_matrix_is_keyed_by_what_is_shown_and_leaves_hidden_cells_out():
    values = np.array([[1.0, np.nan], [2.0, 3.0]])
    square = Matrix("S", "", ("T", "T"), values, 1, marked_column=0, columns="tokens")
    table = step_frames.matrix_frame(square, ("a", "a"), [0, 1])
    assert list(zip(table["r"], table["c"], strict=True)) == [(0, 0), (1, 0), (1, 1)]
    assert table["mark"].tolist() == [False, True, False]
    assert limit([square], [0, 1]) == 3


def test_wide_matrices_show_the_columns_they_say():
    wide = Matrix("Z", "", ("H", "D"), np.zeros((2, 384)), 0, rows=HEADS, first=352)
    assert wide.shown([5]).shape == (2, 32)
    assert "32 of 384 columns (352 to 383)" in part_text(wide, [5])
    assert step_frames.row_labels(wide, (), [5]) == ("H0", "H1")
    assert step_frames.matrix_frame(wide, (), [5])["row"].unique().tolist() == ["head 0", "head 1"]


def test_tables_of_a_receipt_hold_every_product_and_term(cat_trace):
    receipt = receipt_of(cat_trace, ReceiptCell(5, 11, 8, 2, 5))
    products = step_frames.product_frame(receipt)
    assert len(products) == 32
    assert np.allclose(products["query q"] * products["key k"], products["q × k"])
    terms = step_frames.softmax_frame(receipt, cat_trace.tokens)
    assert np.allclose(terms["exp(s − m)"] / terms["exp(s − m)"].sum(), terms["weight"])
    output = step_frames.output_frame(receipt, cat_trace.tokens)
    assert output["key"].tolist() == list(cat_trace.tokens)
    assert output["weight × v"].sum() == pytest.approx(receipt.output)


def test_formulas_use_commands_that_exist():
    known = {"ell", "top", "sum", "frac", "sqrt", "text", "infty", "mathrm", "max", "mid", "dots"}
    for step in STEPS.values():
        for formula in step.formulas:
            assert set(re.findall(r"\\([a-zA-Z]+)", formula)) <= known
