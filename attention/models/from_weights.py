"""A trace of weights alone: what another framework has computed, its tokens beside it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from attention.arrays import Array
from attention.models.trace import Tokens, Trace

_FAR_FROM_1 = 0.02  # sums of 512 weights in bfloat16 are within 0.01
_SPECIAL = re.compile(
    r"\[(CLS|SEP|PAD)\]|<(s|/s|pad|bos|eos|start_of_turn|end_of_turn)>|<\|[\w-]+\|>"
)
_EAGER = 'transformers keeps weights with attn_implementation="eager", output_attentions=True'


def trace_of_weights(
    tokens: Tokens | Sequence[str],
    weights: Any,
    *,
    keys: Tokens | Sequence[str] | None,
    special: Sequence[bool] | None,
    is_causal: bool | None,
    name: str,
) -> Trace:
    """Return what `Trace.from_weights` does."""
    held = as_weights(weights)
    asking = tokens if isinstance(tokens, Tokens) else tokens_of(tokens, special)
    asked = asking if keys is None else keys if isinstance(keys, Tokens) else tokens_of(keys)
    if held.shape[2:] != (len(asking), len(asked)):
        raise ValueError(
            f"weights are {held.shape} (L, H, Q, K), but there are {len(asking)} query tokens and "
            f"{len(asked)} key tokens" + ("" if keys else "; keys of another text go in `keys`")
        )
    causal = keys is None and (_looks_causal(held) if is_causal is None else is_causal)
    return Trace.holding(
        model=name,
        input=asking,
        weights=held,
        is_causal=causal,
        keys=None if keys is None else asked,
    )


def as_weights(weights: Any) -> Array:
    """Return weights of any framework as `(L, H, Q, K)` float32.

    Parameters
    ----------
    weights : an array `(L, H, Q, K)` or `(L, 1, H, Q, K)`, or one `(H, Q, K)` or `(1, H, Q, K)` for
        each layer, as the `attentions` of a transformers output

    Raises
    ------
    ValueError : they are none, or of a batch, or do not sum to 1 over keys.

    >>> as_weights([np.full((1, 2, 3, 3), 1 / 3)]).shape
    (1, 2, 3, 3)
    """
    if weights is None or (isinstance(weights, Sequence) and any(w is None for w in weights)):
        raise ValueError(f"there are no weights in what was given (None): {_EAGER}")
    listed = isinstance(weights, Sequence)
    parts = [as_numpy(layer) for layer in weights] if listed else as_numpy(weights)
    shapes = {part.shape for part in parts} if listed else set()
    if len(shapes) > 1:
        raise ValueError(f"all layers must be of one shape, got {sorted(shapes)}")
    held = np.array(parts, np.float32)  # a copy: that of the caller may go on to change
    if held.ndim == 5 and held.shape[1] == 1:
        held = held[:, 0]
    if held.ndim == 5:
        raise ValueError(
            f"weights are of a batch of {held.shape[1]} texts, {held.shape}: take one of them, such"
            " as [layer[:1] for layer in weights]"
        )
    if held.ndim != 4 or not held.size:
        raise ValueError(f"weights must be (L, H, Q, K), got {held.shape}")
    _check_sums(held)
    return held


def as_numpy(array: Any) -> Array:
    """Return an array of any framework as NumPy's, without importing that framework.

    A tensor of PyTorch may be on a device, in a graph, or of a type that NumPy does not have.
    """
    for step in ("detach", "cpu"):
        if hasattr(array, step):
            array = getattr(array, step)()
    if hasattr(array, "float") and hasattr(array, "numpy"):
        return np.asarray(array.float().numpy(), np.float32)
    return np.asarray(array, np.float32)


def tokens_of(pieces: ArrayLike | Sequence[str], special: Sequence[bool] | None = None) -> Tokens:
    """Return tokens that are known by their spelling alone; their numbers are not, and are -1.

    `Ġcat` and `▁cat` begin with a space, `##s` goes on with the word before. Where none of these
    signs is in a text, every piece is a word.

    >>> tokens_of(["[CLS]", "un", "##seen", "cats", "[SEP]"]).text
    'unseen cats'
    """
    found = tuple(str(piece) for piece in pieces)  # type: ignore[union-attr]
    marked = (
        [bool(_SPECIAL.fullmatch(piece)) for piece in found]
        if special is None
        else [bool(one) for one in special]
    )
    if len(marked) != len(found):
        raise ValueError(f"{len(found)} tokens, but {len(marked)} values of special")
    spaced = any(piece[:1] in ("Ġ", "▁", " ") for piece in found)
    text, spans, texts = "", [], []
    for piece, apart in zip(found, marked, strict=True):
        said = piece if apart else _said(piece, spaced, first=not text)
        texts.append(piece if apart or not spaced else said)
        start = len(text) + (said != said.lstrip(" ") and not spaced)
        text = text if apart else text + said
        spans.append((0, 0) if apart else (start, len(text)))
    ids = np.full(len(found), -1)
    return Tokens(text, ids, found, tuple(spans), tuple(marked), tuple(texts))


def _said(piece: str, spaced: bool, *, first: bool) -> str:
    if spaced:
        return _from_signs(piece)
    if piece.startswith("##") and len(piece) > 2:
        return piece[2:]
    return piece if first else f" {piece}"


def _from_signs(piece: str) -> str:
    """Return what a piece says whose spaces, or whose bytes, are written as signs."""
    from attention.models.spelling import said_by_bytes

    if "▁" in piece:
        return piece.replace("▁", " ")
    return said_by_bytes(piece)


def _looks_causal(weights: Array) -> bool:
    """Return whether no query attends to what comes after it."""
    queries, keys = weights.shape[2:]
    return queries > 1 and not weights[..., np.triu(np.ones((queries, keys), bool), 1)].any()


def _check_sums(weights: Array) -> None:
    """Refuse what is no weights; a row that may attend to nothing is zeros."""
    sums = weights.sum(axis=-1, dtype=np.float64)
    wrong = (np.abs(sums - 1) > _FAR_FROM_1) & (sums != 0)
    if not np.isfinite(sums).all() or wrong.any() or weights.min() < 0:
        raise ValueError(
            f"weights are those after softmax: rows sum to 1 over keys. Here they sum to "
            f"{sums.min():.4g} up to {sums.max():.4g}, and the smallest is {weights.min():.4g}"
        )
