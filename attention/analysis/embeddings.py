"""What a blend of word vectors means: readable directions in the model's embedding space."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from attention.arrays import Array
from attention.models.spelling import spelling
from attention.runtime.threads import one_blas_thread

if TYPE_CHECKING:
    from attention.analysis.words import Unit
    from attention.models.model import Model
    from attention.models.trace import Tokens


def unit_vectors(model: Model, tokens: Tokens, units: Sequence[Unit]) -> Array:
    """Return the learned vector of each unit, the mean of its pieces: `(W, D)`."""
    table = model.word_embeddings
    return np.stack([table[tokens.ids[list(unit.positions)]].mean(axis=0) for unit in units])


def word_vector(model: Model, word: str) -> Array:
    """Return the learned vector of one word, the mean of its pieces: `(D,)`.

    Raises
    ------
    ValueError : the word has no token.
    """
    ids = spelling(model.tokenizer).after_space(word)
    if not ids:
        raise ValueError(f"{word!r} has no token in this model's vocabulary.")
    return model.word_embeddings[ids].mean(axis=0)


def has_vector(model: Model, word: str) -> bool:
    """Whether the model's tokenizer has tokens for a word."""
    return bool(spelling(model.tokenizer).after_space(word))


def parse_words(text: str, most: int) -> tuple[str, ...]:
    """Split a reader's list at commas, without blanks and repeats.

    Raises
    ------
    ValueError : more than `most` words; the message has both numbers.

    >>> parse_words("river,  money, river,", most=5)
    ('river', 'money')
    """
    found = tuple(dict.fromkeys(" ".join(part.split()) for part in text.split(",")))
    found = tuple(word for word in found if word)
    if len(found) > most:
        raise ValueError(f"The list has {len(found)} words; the chart shows at most {most}.")
    return found


def cosine(a: Array, b: Array) -> Array:
    """Return the cosine between the last axes of two arrays: `a . b / (|a| |b|)`.

    >>> cosine(np.array([[1.0, 0.0], [1.0, 1.0]]), np.array([[2.0, 0.0], [1.0, -1.0]]))
    array([1., 0.])
    """
    lengths = np.linalg.norm(a, axis=-1) * np.linalg.norm(b, axis=-1)
    product = (a * b).sum(axis=-1)
    return np.divide(product, lengths, out=np.zeros_like(product), where=lengths > 0)


def cosine_parts(contributions: Array, directions: Array) -> Array:
    """Split the cosine between a blend and each direction into what each word put in.

    `cos(sum_k c_k, d) = sum_k (c_k . d) / (|sum_k c_k| |d|)`

    Parameters
    ----------
    contributions : (K, D), as returned by `blend`
    directions : (S, D)

    Returns
    -------
    (K, S) : the sum over K is the cosine; zeros where the blend is the zero vector

    >>> cosine_parts(np.array([[3.0, 0.0], [0.0, 4.0]]), np.array([[1.0, 0.0], [0.0, 2.0]]))
    array([[0.6, 0. ],
           [0. , 0.8]])
    """
    norm = np.linalg.norm(contributions.sum(axis=0))
    lengths = norm * np.linalg.norm(directions, axis=1)
    products = contributions @ directions.T
    return np.divide(products, lengths, out=np.zeros_like(products), where=lengths > 0)


def nearest_words(model: Model, vector: Array, count: int) -> tuple[tuple[str, float], ...]:
    """Return the `count` vocabulary words with the highest cosine to `vector` (D,), best first.

    Fewer where the vocabulary has fewer; none for the zero vector.
    """
    return _nearest_words(model, vector.astype(np.float32).tobytes(), count)


@lru_cache(maxsize=64)  # pages ask again and again where a blend started
def _nearest_words(model: Model, numbers: bytes, count: int) -> tuple[tuple[str, float], ...]:
    names, ids, lengths = _words_of(model)
    vector = np.frombuffer(numbers, np.float32)
    norm = np.linalg.norm(vector)
    if norm == 0 or not names:
        return ()
    with one_blas_thread():  # memory is the limit; a second thread would keep a processor busy
        cosine = (model.word_embeddings @ vector)[ids] / (lengths * norm)
    few = min(count, len(names) - 1)  # a small vocabulary has no more
    best = np.argpartition(-cosine, few)[:count]
    best = best[np.argsort(-cosine[best], kind="stable")]
    return tuple((names[i], float(cosine[i])) for i in best)


@lru_cache(maxsize=4)
def _words_of(model: Model) -> tuple[list[str], Array, Array]:
    """Return the whole words in the vocabulary, their ids, and the lengths of their vectors."""
    words = sorted(spelling(model.tokenizer).words().items())
    ids = np.array([i for i, _ in words], np.intp)
    return [name for _, name in words], ids, np.linalg.norm(model.word_embeddings[ids], axis=1)
