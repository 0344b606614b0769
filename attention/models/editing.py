"""Where edits take effect: between the scores of a layer and its weights, in every architecture."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from attention.arrays import Array
from attention.edits import Add, Cut, CutHeads, Edit, Edits, Numbers, SetRow
from attention.models.layers import softmax_rows_in_place
from attention.models.patching import Acting, Given, put_weights


def weights_in_place(
    scores: Array,
    edits: Acting,
    layer: int,
    first_head: int = 0,
    first_query: int = 0,
    *,
    is_causal: bool = False,
) -> Array:
    """Overwrite float32 `scores` with the weights of an edited layer; return them.

    Parameters
    ----------
    scores : (part of H, part of Q, K), those of consecutive heads and queries of one layer
    edits : checked with `check_edits`; those for other layers or heads change nothing here
    first_head, first_query : the head and the query of `scores[0, 0]`
    is_causal : the last query is the last key, and no query sees the keys after it

    >>> weights_in_place(np.zeros((1, 1, 2), np.float32), (Cut(keys=(0,)),), layer=3)
    array([[[0., 1.]]], dtype=float32)
    """
    scores_in_place(scores, edits, layer, first_head, first_query)
    softmax_rows_in_place(scores, is_causal=is_causal)
    ablated = [edit for edit in edits if isinstance(edit, CutHeads)]
    for edit in [*(edit for edit in edits if not isinstance(edit, CutHeads)), *ablated]:
        heads = _heads(edit, layer, first_head, len(scores))
        if heads and not isinstance(edit, Given):
            _change_weights(scores, edit, heads, first_query)
        elif heads and isinstance(edit, Given) and edit.acts("weights", layer):
            put_weights(scores, edit, layer, heads, first_head, first_query, is_causal=is_causal)
    return scores


def scores_in_place(
    scores: Array, edits: Acting, layer: int, first_head: int = 0, first_query: int = 0
) -> Array:
    """Change `scores` (part of H, part of Q, K) as edits of scores ask for; return them.

    A score of -inf stays so: no edit shows a query what the mask hides.
    """
    for edit in edits:
        if not (isinstance(edit, Add) or (isinstance(edit, Cut) and edit.renormalise)):
            continue
        if heads := _heads(edit, layer, first_head, len(scores)):
            amount = edit.amount if isinstance(edit, Add) else -math.inf
            scores[_cells(scores, heads, edit.queries, edit.keys, first_query)] += amount
    return scores


def at_query(edits: Edits, query: int) -> Edits:
    """Return the edits of one query, as if there were no other: it is at position 0.

    >>> at_query((Add(1.0, queries=(3, 4)), Cut(queries=(5,)), CutHeads(((0, 1),))), 4)[1:]
    (CutHeads(pairs=((0, 1),)),)
    """
    return tuple(
        edit if isinstance(edit, CutHeads) else replace(edit, queries=(0,))
        for edit in edits
        if isinstance(edit, CutHeads) or edit.queries is None or query in edit.queries
    )


def _change_weights(weights: Array, edit: Edit, heads: list[int], first_query: int) -> None:
    if isinstance(edit, CutHeads):
        weights[heads] = 0
    elif isinstance(edit, Cut) and not edit.renormalise:
        weights[_cells(weights, heads, edit.queries, edit.keys, first_query)] = 0
    elif isinstance(edit, SetRow):
        row = np.array(edit.weights)
        whole = row / row.sum() if edit.renormalise else row
        cells = _cells(weights, heads, edit.queries, None, first_query)
        weights[cells] = whole[: weights.shape[-1]]


def _heads(edit: Edit | Given, layer: int, first: int, count: int) -> list[int]:
    """Return the heads from `first` on in which the edit acts, counted from `first`."""
    if isinstance(edit, CutHeads):
        asked: Numbers = tuple(head for at, head in edit.pairs if at == layer)
    elif edit.layers is None or layer in edit.layers:
        asked = edit.heads
    else:
        asked = ()
    return _among(asked, first, count)


def _cells(
    array: Array, heads: list[int], queries: Numbers, keys: Numbers, first_query: int
) -> tuple[Array, ...]:
    """Return the index of every (head, query, key) of the sets; None is all of an axis."""
    _, all_queries, all_keys = array.shape
    return np.ix_(heads, _among(queries, first_query, all_queries), _among(keys, 0, all_keys))


def _among(asked: Numbers, first: int, count: int) -> list[int]:
    """Return which of `count` numbers from `first` on are asked for, counted from `first`."""
    if asked is None:
        return list(range(count))
    return [number - first for number in asked if first <= number < first + count]
