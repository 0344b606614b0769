"""What goes into attention, checked once: shapes, types, masks and options."""

from __future__ import annotations

import functools
import inspect
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ParamSpec, TypedDict, TypeVar

import numpy as np
from numpy.typing import ArrayLike

from attention.arrays import Array
from attention.core.masks import KeyRange, Window, key_range

_P = ParamSpec("_P")
_R = TypeVar("_R")


class WindowOptions(TypedDict, total=False):
    """The keywords that every kind of attention takes, but `is_causal`; see `plain_attention`."""

    scale: float | None
    enable_gqa: bool
    softcap: float | None
    window: Window
    query_offset: ArrayLike
    key_lengths: ArrayLike | None


class AttentionOptions(WindowOptions, total=False):
    """The keywords that every kind of attention takes; see `plain_attention`."""

    is_causal: bool


@dataclass(frozen=True, eq=False)
class Options:
    """What becomes of the product of queries and keys: checked, and with defaults filled in."""

    scale: float
    softcap: float | None
    mask: Array | None  # bool or float, broadcastable to (..., H, Q, K)
    seen: KeyRange  # broadcastable to (..., H, Q)


def checked_options(
    arrays: tuple[Array, ...],
    attn_mask: ArrayLike | None,
    *,
    is_causal: bool = False,
    scale: float | None = None,
    enable_gqa: bool = False,
    softcap: float | None = None,
    window: Window = None,
    query_offset: ArrayLike = 0,
    key_lengths: ArrayLike | None = None,
) -> Options:
    """Check query, key and, where it is given, value, and return the options, normalised.

    The parameters are those of `attention.scaled_dot_product_attention`.
    """
    query, key, *value = arrays
    check_shapes(query, key, value[0] if value else None, enable_gqa)
    if softcap is not None and not (softcap > 0 and math.isfinite(softcap)):
        raise ValueError(f"softcap must be a positive finite number, got {softcap}")
    shape = _scores_shape(query, key, enable_gqa)
    seen = key_range(
        *shape[-2:],
        is_causal=is_causal,
        window=window,
        query_offset=query_offset,
        key_lengths=key_lengths,
    )
    lead = {"query_offset": query_offset, "key_lengths": 0 if key_lengths is None else key_lengths}
    for name, given in lead.items():
        if not _broadcasts(np.shape(given), shape[:-2]):
            raise ValueError(
                f"{name} {np.shape(given)} does not broadcast to the leading dimensions of the "
                f"scores {shape}"
            )
    return Options(
        1.0 / math.sqrt(max(query.shape[-1], 1)) if scale is None else scale,
        softcap,
        None if attn_mask is None else checked_mask(attn_mask, shape),
        seen,
    )


def spelled_out(function: Callable[_P, _R]) -> Callable[_P, _R]:
    """Show in the signature of a function, one by one, the keywords that it passes on to here."""
    signature = inspect.signature(function)
    own = [p for p in signature.parameters.values() if p.kind is not p.VAR_KEYWORD]
    names = {p.name for p in own}
    options = inspect.signature(checked_options).parameters.values()
    passed = [p for p in options if p.kind is p.KEYWORD_ONLY and p.name not in names]
    names |= {p.name for p in passed}

    @functools.wraps(function)
    def named(*arguments: _P.args, **keywords: _P.kwargs) -> _R:
        if unknown := keywords.keys() - names:
            name = f"{function.__name__}()"
            raise TypeError(f"{name} got an unexpected keyword argument {min(unknown)!r}")
        return function(*arguments, **keywords)

    shown = signature.replace(parameters=[*own, *passed])
    named.__signature__ = shown  # type: ignore[attr-defined]
    return named


def checked_mask(attn_mask: ArrayLike, scores_shape: tuple[int, ...]) -> Array:
    """Return the mask as an array; `ValueError` where it cannot be one of these scores."""
    mask = np.asarray(attn_mask)
    if _is_bfloat16(mask.dtype):
        mask = mask.astype(np.float32)
    if mask.dtype.kind not in "bf":
        raise ValueError(f"attn_mask must be bool or float, got {mask.dtype}")
    if not _broadcasts(mask.shape, scores_shape):
        raise ValueError(f"attn_mask {mask.shape} does not broadcast to the scores {scores_shape}")
    if mask.dtype.kind == "f" and not np.all(mask < np.inf):
        raise ValueError(f"attn_mask {mask.shape} has NaN or +inf in it")
    return mask


def check_dropout(dropout_p: float) -> None:
    """Raise `ValueError` for any dropout: it is for training, and is random."""
    if dropout_p != 0.0:
        raise ValueError(
            f"dropout_p must be 0.0, got {dropout_p!r}: dropout is for training; here equal inputs "
            "give equal outputs"
        )


def check_shapes(query: Array, key: Array, value: Array | None, enable_gqa: bool) -> None:
    """Raise `ValueError` with all shapes where they do not fit together."""
    shapes = f"query {query.shape}, key {key.shape}"
    if value is not None:
        shapes += f", value {value.shape}"
    others = [key] if value is None else [key, value]
    if any(a.ndim < 2 for a in [query, *others]):
        raise ValueError(f"attention needs at least (tokens, width) each, got {shapes}")
    if query.shape[-1] != key.shape[-1]:
        raise ValueError(f"query and key must have the same width, got {shapes}")
    if value is not None and key.shape[-2] != value.shape[-2]:
        raise ValueError(f"key and value must have the same length, got {shapes}")
    batches = [a.shape[:-2] for a in [query, *others]]
    if enable_gqa:
        if any(a.ndim < 3 for a in [query, *others]):
            raise ValueError(f"enable_gqa needs a head axis: (heads, tokens, width), got {shapes}")
        if any(a.shape[-3] == 0 or query.shape[-3] % a.shape[-3] for a in others):
            raise ValueError(f"enable_gqa: key heads must divide the query heads, got {shapes}")
        batches = [a.shape[:-3] for a in [query, *others]]
    try:
        np.broadcast_shapes(*batches)
    except ValueError:
        hint = "" if enable_gqa else " (enable_gqa=True lets query heads share key heads)"
        raise ValueError(f"leading dimensions do not broadcast, got {shapes}{hint}") from None


def compute_dtype(*arrays: Array) -> np.dtype[Any]:
    """Return the type to compute in: float32 and float64 stay, narrower ones widen to float32."""
    dtype = _common_dtype(*arrays)
    if dtype.kind in "biu":
        return np.dtype(np.float64)
    if dtype.kind != "f" and not _is_bfloat16(dtype):
        raise ValueError(f"attention needs real numbers, got {dtype}")
    return np.dtype(np.float32) if dtype.itemsize < 4 else dtype


def result_dtype(*arrays: Array) -> np.dtype[Any]:
    """Return the type of the result: the inputs' own float type, or float64 for whole numbers."""
    dtype = _common_dtype(*arrays)
    return np.dtype(np.float64) if dtype.kind in "biu" else dtype


def _common_dtype(*arrays: Array) -> np.dtype[Any]:
    try:
        return np.result_type(*arrays)
    except TypeError:
        types = ", ".join(str(a.dtype) for a in arrays)
        raise ValueError(f"attention needs types with one in common, got {types}") from None


def _is_bfloat16(dtype: np.dtype[Any]) -> bool:
    """Recognise the type of the library ml_dtypes, which NumPy knows by name only."""
    return dtype.name == "bfloat16"


def _scores_shape(query: Array, key: Array, enable_gqa: bool) -> tuple[int, ...]:
    """Return `(..., H, Q, K)`."""
    tokens = query.shape[-2], key.shape[-2]
    if enable_gqa:
        batch = np.broadcast_shapes(query.shape[:-3], key.shape[:-3])
        return *batch, query.shape[-3], *tokens
    return *np.broadcast_shapes(query.shape[:-2], key.shape[:-2]), *tokens


def _broadcasts(shape: tuple[int, ...], full: tuple[int, ...]) -> bool:
    """Say whether `shape` broadcasts to `full` without making it any larger."""
    try:
        return np.broadcast_shapes(shape, full) == full
    except ValueError:
        return False
