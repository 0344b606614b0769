"""Traces as files: all of it comes back, and nothing that is no trace is taken for one."""

import io
from dataclasses import fields

import numpy as np
import pytest

import attention
from attention import Cut, Trace
from attention.models.trace import Tokens
from tests.optional import with_smollm2

NAMES = [field.name for field in fields(Trace) if field.name != "spelling"]
TEXTS = ["The cat sat", "emoji 🔦, שלום \u202e, a lone surrogate \ud800", '\'; \\ "quoted"\n']


def again(trace):
    held = io.BytesIO()
    trace.save(held)
    held.seek(0)
    return Trace.load(held)


def same(one, other):
    if isinstance(one, np.ndarray):
        return one.dtype == other.dtype and np.array_equal(one, other)
    if isinstance(one, Tokens):
        return all(same(getattr(one, f.name), getattr(other, f.name)) for f in fields(Tokens))
    return one == other


@pytest.mark.parametrize("text", TEXTS)
def test_all_of_a_trace_comes_back(model, text):
    trace = model.trace(text, (Cut(queries=(1,), keys=(0,)),))
    found = again(trace)
    for name in NAMES:
        assert same(getattr(trace, name), getattr(found, name)), name
    assert not found.weights.flags.writeable
    np.testing.assert_array_equal(found.scores, trace.scores)
    assert attention.view(found).labels == attention.view(trace).labels


@with_smollm2
def test_a_decoder_still_says_what_comes_next():
    trace = attention.load_model("smollm2").trace("The sky is")
    assert again(trace).next_token(3) == trace.next_token(3)


def test_weights_alone_stay_weights_alone():
    held = np.full((1, 1, 2, 3), 1 / 3)
    trace = again(Trace.from_weights("ab", held, keys="xyz", name="mine"))
    assert repr(trace) == "Trace of mine: 2 tokens attending to 3, 1 x 1 heads"
    assert trace.keys.pieces == ("x", "y", "z")
    assert not hasattr(trace, "query")


def test_numpy_reads_a_file_by_itself(cat_trace, tmp_path):
    cat_trace.save(tmp_path / "cat.npz")
    with np.load(tmp_path / "cat.npz", allow_pickle=False) as found:
        np.testing.assert_array_equal(found["weights"], cat_trace.weights)
        assert sorted(found.files) == sorted(
            ["about", "ids", "weights", "query", "key", "value", "head_output", "hidden"]
        )


def test_what_is_no_trace_is_refused(tmp_path):
    empty, other, text = (tmp_path / name for name in ("empty.npz", "other.npz", "text.npz"))
    empty.write_bytes(b"")
    np.savez(other, a=np.zeros(3))
    text.write_text("hello")
    for path in (empty, other, text):
        with pytest.raises(ValueError, match=f"{path.name} holds no trace: "):
            Trace.load(path)
    harmful = tmp_path / "harmful.npz"
    np.savez(harmful, about=np.array([print], dtype=object))
    with pytest.raises(ValueError, match="holds no trace"):
        Trace.load(harmful)
    with pytest.raises(FileNotFoundError):
        Trace.load(tmp_path / "none.npz")
