"""Receipts held to pencil figures, to the trace, and to what their own code prints."""

import contextlib
import io
import math
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import attention
from attention.models.llama import Llama
from attention.models.trace import Tokens, Trace
from attention.pipeline.receipt import (
    ReceiptCell,
    output_code,
    output_steps,
    receipt_of,
    six_digits,
    weight_code,
    weight_steps,
)
from attention.runtime.threads import one_blas_thread
from tests.models import tiny

ROOT = Path(__file__).parents[2]
TEXTS = [
    "The cat sat on the mat because it was tired",
    """It's "quoted", and 'both'""",
    "two\nlines\\n and a backslash \\",
    "emoji 🔦 and 👩‍🚀, שלום \u202eright to left",
    "'); import os; print(1)  #",
    '"""',
    "a lone surrogate \ud800 and a NUL \x00",
]


def ran(code):
    """Return what the code prints, and nothing else."""
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(code, {"__name__": "__main__"})
    return printed.getvalue()


@pytest.fixture(scope="module")
def pencil():
    """One layer, one head of width 4, two tokens: the score is half the dot product."""
    log9 = 2 * math.log(9.0)
    arrays = {
        "query": [[1, 0, 0, 0], [0, 0, 0, 0]],
        "key": [[0, 5, 0, 0], [log9, 0, 0, 0]],
        "value": [[10, 1, 0, 0], [20, 2, 0, 0]],
    }
    arrays = {name: np.array(rows, np.float64)[None, None] for name, rows in arrays.items()}
    tokens = Tokens("a b", np.array([1, 2]), ("a", "b"), ((0, 1), (2, 3)), (False, False))
    none = np.zeros((1, 1, 2, 2))
    return Trace("pencil", tokens, **arrays, weights=none, head_output=none, hidden=none)


def test_receipt_by_hand(pencil):
    receipt = receipt_of(pencil, ReceiptCell(0, 0, query=0, key=1, column=0))
    assert np.allclose(receipt.products, [2 * math.log(9), 0, 0, 0])
    assert np.allclose(receipt.scores, [0, math.log(9)])
    assert np.allclose(receipt.terms, [1 / 9, 1])
    assert np.allclose(receipt.weights, [0.1, 0.9])
    assert receipt.weight == pytest.approx(0.9)
    assert np.allclose(receipt.parts, [1, 18])
    assert receipt.output == pytest.approx(19)


def test_the_steps_end_at_the_weight_and_at_the_output(pencil):
    receipt = receipt_of(pencil, ReceiptCell(0, 0, query=0, key=1, column=0))
    figures = [line.rpartition("= ")[2] for line in weight_steps(receipt).splitlines()]
    assert figures == ["4.39445", "2.19722", "2.19722", "1", "1.11111", "0.9"]
    figures = [line.rpartition("= ")[2] for line in output_steps(receipt).splitlines()]
    assert figures == ["0.9", "20", "18", "1", "19"]


@pytest.mark.parametrize("layer", range(6))
def test_receipts_are_the_models_own_figures(cat_trace, layer):
    for cell in (
        ReceiptCell(layer, 3, 8, 2, 31),
        ReceiptCell(layer, 11, 0, 11, 0),
        ReceiptCell(layer, 0, 11, 0, 16),
    ):
        receipt = receipt_of(cat_trace, cell)
        row = cat_trace.weights[layer, cell.head, cell.query]
        assert np.abs(receipt.weights - row).max() < 1e-5
        assert receipt.weight == receipt.weights[cell.key]
        output = cat_trace.head_output[layer, cell.head, cell.query, cell.column]
        assert receipt.output == pytest.approx(output, abs=1e-5)
        assert receipt.products.sum() == pytest.approx(receipt.dots[cell.key])
        assert receipt.parts.sum() == pytest.approx(receipt.output)


@pytest.mark.parametrize("text", TEXTS)
@pytest.mark.parametrize("place", [(5, 11, 1, 2, 0), (0, 4, 2, 0, 31), (3, 1, 0, 1, 7)])
def test_the_code_prints_the_number_of_the_receipt(model, text, place):
    cell = ReceiptCell(*place)
    with one_blas_thread():
        trace = model.trace(text)
    receipt = receipt_of(trace, cell)
    weight = ran(weight_code(trace, cell))
    assert weight == six_digits(receipt.weight) + "\n"
    held = trace.weights[cell.layer, cell.head, cell.query, cell.key]
    assert float(weight) == pytest.approx(float(held), rel=1e-4, abs=1e-6)
    output = ran(output_code(trace, cell))
    assert output == six_digits(receipt.output) + "\n"
    held = trace.head_output[cell.layer, cell.head, cell.query, cell.column]
    assert float(output) == pytest.approx(float(held), rel=1e-4, abs=1e-5)


def test_the_code_of_two_texts_reads_both(model):
    trace, cell = model.trace("Who's tired?", pair='The "cat"'), ReceiptCell(3, 1, 2, 7)
    weight = ran(weight_code(trace, cell))
    assert float(weight) == pytest.approx(float(trace.weights[3, 1, 2, 7]), rel=1e-4)


@pytest.mark.slow
@pytest.mark.parametrize("make", [weight_code, output_code])
def test_the_code_runs_in_a_session_of_its_own(model, make):
    cell = ReceiptCell(5, 11, 8, 2, 5)
    text = 'It\'s a "cat" 🐈\non a mat, tired'
    code = make(model.trace(text), cell)
    done = subprocess.run(
        [sys.executable, "-W", "error", "-X", "utf8", "-"],
        input=code.encode(),
        cwd=ROOT,
        capture_output=True,
        check=True,
    )
    with one_blas_thread():
        receipt = receipt_of(model.trace(text), cell)
    wanted = receipt.weight if make is weight_code else receipt.output
    assert done.stdout.decode().strip() == six_digits(wanted)


@pytest.mark.slow
def test_a_text_is_one_literal_on_one_line(model):
    for text in TEXTS:
        for make in (weight_code, output_code):
            trace = model.trace(text)
            lines = make(trace, ReceiptCell(0, 0, 0, 0)).splitlines()
            assert sum("load_model" in line for line in lines) == 1
            assert lines[5].endswith(f".trace({trace.text!r})")
            assert len(lines) == len(
                make(model.trace("plain"), ReceiptCell(0, 0, 0, 0)).splitlines()
            )


def test_a_decoder_reads_shared_keys_up_to_the_query(tmp_path, monkeypatch):
    llama = Llama.from_folder("tiny", tiny.write(tmp_path / "tiny", "llama"))
    trace = llama.trace("the cat sat on the mat")
    cell = ReceiptCell(1, 3, 4, 2, 1)
    receipt = receipt_of(trace, cell)
    assert len(receipt.weights) == 5
    assert np.abs(receipt.weights - trace.weights[1, 3, 4, :5]).max() < 1e-6
    assert receipt.output == pytest.approx(trace.head_output[1, 3, 4, 1], abs=1e-6)
    monkeypatch.setattr(attention, "load_model", lambda name: llama)
    assert ran(weight_code(trace, cell)) == six_digits(receipt.weight) + "\n"
    assert ran(output_code(trace, cell)) == six_digits(receipt.output) + "\n"
    with pytest.raises(ValueError, match="key 3 comes after query 2"):
        receipt_of(trace, ReceiptCell(1, 3, 2, 3))
