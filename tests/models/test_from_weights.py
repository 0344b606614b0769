"""Weights of another framework as a trace: what works on them, and what is refused in words."""

import copy
import pickle

import numpy as np
import pytest

import attention
from attention import Trace
from attention.analysis import metrics, sentences, telling
from attention.models.from_weights import as_numpy, tokens_of

PIECES = ["[CLS]", "un", "##seen", "cats", "[SEP]"]


class Tensor:
    """What is asked of a tensor: NumPy sees nothing of it before it is detached and on the host."""

    def __init__(self, array, at="detach"):
        self.array, self.at = np.asarray(array), at

    def _next(self, step, after):
        assert self.at == step, f"{step} before {self.at}"
        return Tensor(self.array, after)

    def detach(self):
        return self._next("detach", "cpu")

    def cpu(self):
        return self._next("cpu", "float")

    def float(self):
        return self._next("float", "numpy")

    def numpy(self):
        assert self.at == "numpy"
        return self.array

    def __array__(self, *_, **__):
        raise TypeError("got unsupported ScalarType BFloat16")


def weights(*shape):
    drawn = np.random.default_rng(7).random(shape)
    return (drawn / drawn.sum(axis=-1, keepdims=True)).astype(np.float32)


@pytest.mark.parametrize(
    "given",
    [
        lambda w: w,
        lambda w: w[:, None],
        lambda w: tuple(w),
        lambda w: tuple(layer[None] for layer in w),
        lambda w: tuple(Tensor(layer[None]) for layer in w),
        lambda w: Tensor(w),
        lambda w: w.tolist(),
        lambda w: w.astype(np.float64),
    ],
)
def test_all_that_frameworks_return_is_taken(given):
    held = weights(3, 2, 5, 5)
    trace = Trace.from_weights(PIECES, given(held))
    np.testing.assert_allclose(trace.weights, held, atol=1e-7)
    assert trace.weights.dtype == np.float32
    assert not trace.weights.flags.writeable
    assert repr(trace) == "Trace of weights: 5 tokens, 3 x 2 heads"


def test_weights_of_a_model_give_what_its_own_trace_gives(cat_trace):
    trace = Trace.from_weights(cat_trace.input, cat_trace.weights)
    own, other = attention.view(cat_trace), attention.view(trace)
    assert other.labels == own.labels
    np.testing.assert_array_equal(other.weights, own.weights)
    assert telling.telling_link(other) == telling.telling_link(own)
    for figure, again in zip(
        metrics.figures_for(own).values(), metrics.figures_for(other).values(), strict=True
    ):
        np.testing.assert_array_equal(figure.per_head(own), again.per_head(other))
    assert sentences.describe(other, 3, 1) == sentences.describe(own, 3, 1)
    frame = cat_trace.to_frame(3, 1).drop(columns="score")
    assert trace.to_frame(3, 1).equals(frame)
    assert trace.find("it") == 8
    by_pieces = attention.view(Trace.from_weights(cat_trace.tokens, cat_trace.weights))
    assert by_pieces.labels[1:-1] == tuple(map(str.lower, own.labels[1:-1]))


def test_pieces_are_joined_as_their_signs_say():
    trace = Trace.from_weights(PIECES, weights(1, 1, 5, 5))
    view = attention.view(trace)
    assert view.labels == ("[CLS]", "unseen", "cats", "[SEP]")
    np.testing.assert_allclose(view.weights.sum(axis=-1), 1, atol=1e-6)
    assert attention.view(trace, special=False).labels == ("unseen", "cats")


@pytest.mark.parametrize(
    ("pieces", "text", "words"),
    [
        (["<s>", "The", "Ġcat", "Ġs", "at", "</s>"], "The cat sat", ("The", "cat", "sat")),
        (["▁The", "▁c", "at", "▁sat"], " The cat sat", ("The", "cat", "sat")),
        (["the", "cat", "sat"], "the cat sat", ("the", "cat", "sat")),
        (["Ġcaf", "Ã©"], " café", ("café",)),
    ],
)
def test_every_kind_of_spelling_is_read(pieces, text, words):
    tokens = tokens_of(pieces)
    assert tokens.text == text
    size = len(pieces)
    view = attention.view(Trace.from_weights(tokens, weights(1, 1, size, size)), special=False)
    assert view.words == words


def test_a_decoder_is_told_by_its_zeros_or_by_the_caller():
    lower = np.tril(np.ones((4, 4)))
    lower /= lower.sum(axis=-1, keepdims=True)
    assert Trace.from_weights("abcd", lower[None, None]).is_causal
    assert not Trace.from_weights("abcd", lower[None, None], is_causal=False).is_causal
    assert len(Trace.from_weights("abcd", lower[None, None]).to_frame(0, 0)) == 10
    assert not Trace.from_weights("abcd", weights(1, 1, 4, 4)).is_causal


def test_cross_attention_has_two_texts():
    held = weights(2, 2, 3, 5)
    trace = Trace.from_weights(["ein", "Hund", "</s>"], held, keys=PIECES, name="mine")
    assert repr(trace) == "Trace of mine: 3 tokens attending to 5, 2 x 2 heads"
    view = attention.view(trace)
    assert view.labels == ("ein", "Hund", "</s>")
    assert view.key_labels == ("[CLS]", "unseen", "cats", "[SEP]")
    np.testing.assert_allclose(view.weights[..., 1], held[..., 1] + held[..., 2], atol=1e-6)
    assert attention.view(trace, special=False).weights.shape == (2, 2, 2, 2)
    query, key, layer, head = telling.telling_link(view)
    own = attention.selectivity(view.weights, [True, True, False])
    assert own[layer, head, query, key] == own[:, :, :2, 1:3].max()
    assert list(metrics.figures_for(view)) == ["entropy"]
    frame = trace.to_frame(1, 0)
    assert frame["key"].tolist()[:5] == PIECES
    assert len(frame) == 15


@pytest.mark.parametrize("name", ["query", "key", "value", "scores", "head_output", "hidden"])
def test_what_needs_more_says_so(name):
    trace = Trace.from_weights("ab", weights(1, 1, 2, 2))
    with pytest.raises(ValueError, match=f"no {name}: it was made of weights alone"):
        getattr(trace, name)
    assert not hasattr(trace, name)


def test_other_names_are_missing_as_ever(cat_trace):
    trace = Trace.from_weights("ab", weights(1, 1, 2, 2))
    for one in (trace, cat_trace):
        with pytest.raises(AttributeError, match="no attribute 'wieghts'"):
            one.wieghts  # noqa: B018
    with pytest.raises(ValueError, match="weights predicts no next token"):
        trace.next_token()
    assert copy.copy(trace).tokens == pickle.loads(pickle.dumps(trace)).tokens == ("a", "b")


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (None, "attn_implementation"),
        ((None, None), "attn_implementation"),
        (weights(2, 3, 2, 4, 4), r"a batch of 3 texts, \(2, 3, 2, 4, 4\)"),
        (tuple(weights(2, 3, 2, 4, 4)), "a batch of 3 texts"),
        (weights(4, 4), r"must be \(L, H, Q, K\), got \(4, 4\)"),
        (weights(2, 2, 4, 5), "4 query tokens and 4 key tokens; keys of another text"),
        (2 * weights(1, 1, 4, 4), "sum to 2 up to 2"),
        (np.full((1, 1, 4, 4), np.nan), "sum to nan"),
        ([weights(1, 2, 4, 4), weights(1, 3, 4, 4)], "of one shape, got"),
    ],
)  # fmt: skip
def test_what_is_no_weights_is_refused(given, message):
    with pytest.raises(ValueError, match=message):
        Trace.from_weights("abcd", given)


def test_special_tokens_can_be_named():
    trace = Trace.from_weights("abc", weights(1, 1, 3, 3), special=[True, False, False])
    assert attention.view(trace, special=False).labels == ("b", "c")
    with pytest.raises(ValueError, match="3 tokens, but 1 values of special"):
        Trace.from_weights("abc", weights(1, 1, 3, 3), special=[True])


def test_arrays_of_other_libraries_are_copied():
    held = weights(1, 1, 2, 2)
    trace = Trace.from_weights("ab", held)
    held[:] = 0
    assert trace.weights.sum() == pytest.approx(2)
    assert as_numpy(Tensor([1.0])).tolist() == [1.0]
