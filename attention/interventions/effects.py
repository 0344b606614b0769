"""How far a change moves what the model makes of a text: its vectors, or its next words.

An encoder's product are vectors: how far they turn is a cosine distance. A decoder's are the
probabilities of the next token: what counts is how well it still predicts the text.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from attention.analysis.embeddings import cosine
from attention.analysis.words import Unit
from attention.arrays import Array
from attention.core import softmax
from attention.core.plain import softmax_in_place
from attention.models.backward import DifferentiableModel
from attention.models.model import Decoder, Model, predictor
from attention.models.trace import Trace
from attention.runtime.threads import each

Effect = Callable[[Array], Array]
Answer = Sequence[Sequence[int]]  # next tokens that are an answer; then those of another, if any

_LOGITS_AT_ONCE = 6_000_000  # numbers, 24 MB


class Movement(NamedTuple):
    """How far vectors turn between two passes over one text: cosine distances, 0 to 2."""

    words: Array  # (L + 1, W): below the first layer, then after each; the mean of a word's pieces
    sentence: Array  # (L + 1,): the mean of all tokens


class NextToken(NamedTuple):
    """How probable one next token is in two passes."""

    id: int
    before: float
    after: float


def sentence_vector(hidden: Array) -> Array:
    """Return the mean over the tokens of the last layer, `(L + 1, T, D)` -> `(D,)`.

    All tokens, special ones included: that is how sentence-transformers makes a vector of MiniLM's
    output (its config `1_Pooling`), up to its length, which a cosine does not see.

    >>> sentence_vector(np.array([[[9.0, 9.0]] * 2, [[1.0, 0.0], [3.0, 2.0]]]))
    array([2., 1.])
    """
    return hidden[-1].mean(axis=0)


_DECIMALS = 12  # beyond, a vector would be some way from itself


def cosine_distance(one: Array, other: Array) -> Array:
    """Return `1 - cos(one, other)`: 0 for one direction, 1 at right angles, 2 for opposites.

    Parameters
    ----------
    one, other : (..., D), none of length 0

    >>> cosine_distance(np.array([[2.0, 0.0], [0.0, 3.0]]), np.array([0.0, 1.0]))
    array([1., 0.])
    """
    found = 1 - cosine(one.astype(np.float64), other.astype(np.float64))
    return np.maximum(0.0, found.round(_DECIMALS))


def movement(before: Trace, after: Trace, units: Sequence[Unit]) -> Movement:
    """Return how far each word's vector and the sentence's move from one trace to the other.

    Parameters
    ----------
    units : the words, as from `words.whole_words(before.input)`

    Raises
    ------
    ValueError : the traces are not of the same tokens in the same model.
    """
    if before.model != after.model or not np.array_equal(before.input.ids, after.input.ids):
        raise ValueError(
            f"two different passes: {len(before.tokens)} tokens in {before.model} and "
            f"{len(after.tokens)} in {after.model}"
        )
    words = [
        cosine_distance(*(t.hidden[:, list(unit.positions)].mean(axis=1) for t in (before, after)))
        for unit in units
    ]  # W of (L + 1,)
    sentence = cosine_distance(before.hidden.mean(axis=1), after.hidden.mean(axis=1))
    return Movement(np.reshape(words, (len(units), len(sentence))).T, sentence)


def surprise(logits: Array, ids: Array) -> Array:
    """Return the negative log-likelihood of each id, in nats: `log sum_v exp(l_v) - l_id`.

    Parameters
    ----------
    logits : (..., V)
    ids : (...)

    >>> surprise(np.log([[0.25, 0.75], [0.5, 0.5]]), np.array([0, 1])).round(4)
    array([1.3863, 0.6931])
    """
    highest = logits.max(axis=-1)
    powers = logits - highest[..., None]
    total = np.exp(powers, out=powers).sum(axis=-1, dtype=np.float64)
    return np.log(total) + highest - np.take_along_axis(logits, ids[..., None], axis=-1)[..., 0]


def text_losses(model: Decoder, streams: Array, ids: Array) -> Array:
    """Return how badly a decoder predicts a text: the mean surprise, in nats per token, `(B,)`.

    `mean_t -log p(id_t+1 | id_0 ... id_t)`; the first token is given, not predicted.

    Parameters
    ----------
    streams : (B, T, D), the last layer's of B passes over the text
    ids : (T,) the text

    Raises
    ------
    ValueError : fewer than two tokens.
    """
    following = np.tile(_following(ids), len(streams))
    rows = streams[:, :-1].reshape(-1, streams.shape[-1])  # (B * (T - 1), D)
    surprises = [
        surprise(model.logits(rows[part]), following[part])
        for part in _rows_at_once(model, len(following))
    ]
    return np.asarray(np.concatenate(surprises).reshape(len(streams), -1).mean(axis=1))


def _following(ids: Array) -> Array:
    """Return the token that each but the last is followed by."""
    if len(ids) < 2:
        raise ValueError(f"a text of {len(ids)} tokens has no next word; at least 2 are needed")
    return ids[1:]


def _rows_at_once(model: Decoder, rows: int) -> list[slice]:
    """Return the parts of so many rows whose logits fit into memory side by side."""
    step = max(1, _LOGITS_AT_ONCE // len(model.word_embeddings))
    return [slice(at, at + step) for at in range(0, rows, step)]


def loss_gradient(model: DifferentiableModel, stream: Array, ids: Array) -> Array:
    """Return how the loss of one pass changes with the last layer's stream, `(T, D)`.

    The gradient with respect to the logits of a row is `(softmax(l) - [v = id]) / (T - 1)`; the
    last row predicts nothing that is known, and gets 0.

    Raises
    ------
    ValueError : fewer than two tokens.
    """
    following = _following(ids)
    parts, gradient = _rows_at_once(model, len(following)), np.zeros_like(stream)

    def measure(at: int) -> None:
        rows = stream[:-1][parts[at]]
        slope = softmax_in_place(model.logits(rows))
        slope[np.arange(len(rows)), following[parts[at]]] -= 1
        gradient[:-1][parts[at]] = model.logits_gradient(rows, slope) / len(following)

    each(measure, len(parts), large=len(parts) > 1)
    return gradient


def text_loss(model: Decoder, stream: Array, ids: Array) -> float:
    """Return the loss of one pass, `(T, D)`; see `text_losses`."""
    return float(text_losses(model, stream[None], ids)[0])


def log_odds(logits: Array, answer: Answer) -> Array:
    """Return how much more probable an answer is than another, in nats, `(..., V)` -> `(...)`.

    `log sum_a p_a - log sum_b p_b`; of an answer alone b is every other token.

    >>> float(log_odds(np.log([0.5, 0.3, 0.2]), [[0], [2]]).round(4))  # log 2.5
    0.9163
    >>> float(log_odds(np.zeros(4), [[1]]).round(4))  # 1 : 3
    -1.0986
    """
    these, those = answer_sides(answer, logits.shape[-1])
    return _log_total(logits[..., these]) - _log_total(logits[..., those])


def answer_sides(answer: Answer, words: int) -> tuple[list[int], list[int]]:
    """Return the tokens of an answer and those of the other, of so many words."""
    these = list(dict.fromkeys(answer[0]))
    if len(answer) > 1:
        return these, list(dict.fromkeys(answer[1]))
    return these, np.delete(np.arange(words), these).tolist()


def _log_total(logits: Array) -> Array:
    """Return `log sum_i e^l_i` over the last axis."""
    highest = logits.max(axis=-1, keepdims=True)
    total = np.exp(logits - highest).sum(axis=-1, dtype=np.float64)
    return np.asarray(np.log(total) + highest[..., 0])


def answer_slope(logits: Array, answer: Answer) -> Array:
    """Return how the log-odds of an answer change with each logit, `(V,)` -> `(V,)` float64.

    The softmax over the answer's tokens less that over the other's: 1 and -1 for one token each.

    >>> answer_slope(np.log([0.5, 0.3, 0.2]), [[0], [2]]).tolist()
    [1.0, 0.0, -1.0]
    """
    slope = np.zeros(len(logits))
    for tokens, sign in zip(answer_sides(answer, len(logits)), (1, -1), strict=True):
        slope[tokens] += sign * softmax(logits[tokens].astype(np.float64))
    return slope


def effect_gradient(model: DifferentiableModel, trace: Trace, answer: Answer = ()) -> Array:
    """Return how the effect that `effect_on` measures changes with the last stream, `(T, D)`.

    That of the log-odds with respect to the logits is the softmax over the other tokens less that
    over the answer's: the effect is a fall.
    """
    stream = trace.hidden[-1]
    if not answer:
        return loss_gradient(model, stream, trace.input.ids)
    logits, gradient = model.logits(stream[-1:]), np.zeros_like(stream)
    slope = np.zeros_like(logits)
    for tokens, sign in zip(answer_sides(answer, logits.shape[-1]), (-1, 1), strict=True):
        slope[:, tokens] += sign * softmax(logits[:, tokens])
    gradient[-1:] = model.logits_gradient(stream[-1:], slope)
    return gradient


def effect_on(model: Model, trace: Trace, answer: Answer = ()) -> Effect:
    """Return the function that says how far changed streams are from those of `trace`.

    It takes `(B, T, D)`, the last layer's of B changed passes, and returns `(B,)`. For a model that
    predicts: by how much the log-odds of the answer fall, in nats; below 0 they rise. Without an
    answer: by how much the loss rises, in nats per token. For any other model: the cosine distance
    between the sentence vectors.
    """
    ids, decoder = trace.input.ids, predictor(model)
    if decoder is not None and answer:
        own = log_odds(decoder.logits(trace.hidden[-1, -1]), answer)
        return lambda streams: own - log_odds(decoder.logits(streams[:, -1]), answer)
    if decoder is not None:
        before = text_loss(decoder, trace.hidden[-1], ids)
        return lambda streams: text_losses(decoder, streams, ids) - before
    whole = sentence_vector(trace.hidden)
    return lambda streams: cosine_distance(streams.mean(axis=1), whole)


def next_token_changes(
    before: Array, after: Array, count: int, pinned: Sequence[int] = ()
) -> list[NextToken]:
    """Return the pinned tokens, then the `count` others that are most probable in either pass.

    Parameters
    ----------
    before, after : (V,) the logits of the two passes

    >>> next_token_changes(np.log([0.5, 0.3, 0.2]), np.log([0.5, 0.1, 0.4]), 1, pinned=[1])[1].id
    0
    """
    one, other = (softmax(logits.astype(np.float64)) for logits in (before, after))
    ranked = np.argsort(-np.maximum(one, other), kind="stable")[: count + len(pinned)].tolist()
    free = [i for i in ranked if i not in pinned][:count]
    return [NextToken(i, float(one[i]), float(other[i])) for i in [*pinned, *free]]


def odds(logits: Array, these: Sequence[int], those: Sequence[int]) -> float:
    """Return how many times as probable one set of next tokens is as another, `(V,)` logits.

    >>> round(odds(np.log([0.5, 0.3, 0.2]), [0], [1, 2]), 6)
    1.0
    """
    probabilities = softmax(logits.astype(np.float64))
    return float(probabilities[list(these)].sum() / probabilities[list(those)].sum())
