"""How the heads of one layer attend, in every architecture: scores, weights, outputs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from attention.arrays import Array
from attention.models.editing import weights_in_place
from attention.models.layers import softmax_rows_in_place
from attention.models.patching import Acting, outputs_in_place
from attention.models.scoring import Scoring

_CACHED_SCORES = 250_000  # numbers, 1 MB: heads are taken together while theirs stay in the cache
_QUERIES_AT_ONCE = 64  # of a causal head: what all of them may not see is not computed


def attend(
    query: Array,
    key: Array,
    value: Array,
    weights: Array,
    output: Array,
    edits: Sequence[Acting] = ((),),
    layer: int = 0,
    first_head: int = 0,
    *,
    is_causal: bool = False,
    scoring: Scoring | None = None,
) -> None:
    """Write the weights and the outputs of consecutive heads of a layer, `first_head` first.

    Parameters
    ----------
    query : (B, H, Q, E), of B texts
    key, value : (B, G, K, E); H / G heads in a row share each
    weights : (B, H, Q, K), overwritten
    output : (B, H, Q, E), overwritten
    edits : of each text
    is_causal : the last query is the last key: with fewer queries than keys the others came before
    scoring : what becomes of scores before edits and softmax, if anything does
    """
    texts, heads, queries, width = query.shape
    groups, keys = key.shape[1:3]

    def grouped(array: Array) -> Array:
        if heads == groups:  # quicker as it is
            return array
        return array.reshape(texts, groups, heads // groups, *array.shape[2:])

    scaled = grouped(query * np.float32(width**-0.5))
    turned, values = key.mT, value
    if heads > groups:
        turned, values = turned[:, :, None], values[:, :, None]
    for rows in _blocks(queries, _QUERIES_AT_ONCE if is_causal else queries):
        first = keys - queries + rows.start if is_causal else rows.start
        end = first + rows.stop - rows.start if is_causal else keys
        scores = weights[:, :, rows, :end]
        if end < keys:
            weights[:, :, rows, end:] = 0
        np.matmul(scaled[..., rows, :], turned[..., :end], out=grouped(scores))
        if scoring is not None:
            scoring.in_place(scores, layer, first_head, first)
        if any(edits):
            for own, each in zip(scores, edits, strict=True):
                weights_in_place(own, each, layer, first_head, first, is_causal=is_causal)
        else:
            softmax_rows_in_place(scores, is_causal=is_causal)
        np.matmul(grouped(scores), values[..., :end, :], out=grouped(output[:, :, rows]))
        if any(edits):
            for own, each in zip(output[:, :, rows], edits, strict=True):
                outputs_in_place(own, each, layer, first_head, first)


def parts_at_once(
    some: slice, heads: int, shared: int, scores: int
) -> Iterator[tuple[slice, slice]]:
    """Yield the texts and the heads to take together, for `some` of all texts times all heads.

    Where `shared` heads in a row use the same keys and values, a part of a text's heads has those
    of one such group only.

    Parameters
    ----------
    scores : how many numbers those of one head are

    >>> [*parts_at_once(slice(1, 8), heads=6, shared=3, scores=100_000)]
    [(slice(0, 1, None), slice(1, 3, None)), (slice(0, 1, None), slice(3, 5, None)), \
(slice(0, 1, None), slice(5, 6, None)), (slice(1, 2, None), slice(0, 2, None))]
    >>> [*parts_at_once(slice(6, 18), heads=6, shared=3, scores=9)]
    [(slice(1, 3, None), slice(0, 6, None))]
    """
    together = max(1, _CACHED_SCORES // max(scores, 1))
    first = some.start
    while first < some.stop:
        text, head = divmod(first, heads)
        whole = 0 if head else min(together, some.stop - first) // heads
        end = heads if shared == 1 else head - head % shared + shared
        last = heads if whole else min(head + together, end, head + some.stop - first)
        yield slice(text, text + max(whole, 1)), slice(head, last)
        first += max(whole, 1) * (last - head)


def _blocks(count: int, size: int) -> Iterator[slice]:
    for start in range(0, count, max(size, 1)):
        yield slice(start, min(start + size, count))
