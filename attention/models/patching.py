"""Patches inside a forward pass: parts of the pass over another text take the place of its own."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from attention.arrays import Array
from attention.edits import Edit, Edits, Numbers, Patch

if TYPE_CHECKING:
    from attention.models.trace import Trace


@dataclass(frozen=True, eq=False)
class Given:
    """A patch with the pass over the other text that it takes from."""

    patch: Patch
    trace: Trace

    @property
    def layers(self) -> Numbers:
        """The layers in which it acts."""
        return self.patch.layers

    @property
    def heads(self) -> Numbers:
        """The heads in which it acts."""
        return self.patch.heads

    def acts(self, part: str, layer: int) -> bool:
        """Whether it puts in this part of a layer."""
        patch = self.patch
        return patch.part == part and (patch.layers is None or layer in patch.layers)

    def rows(self, first: int, count: int) -> tuple[list[int], list[int]]:
        """Return its queries among `count` from `first` on, counted from it, and their sources."""
        return _pairs(self.patch.queries, self.patch.from_queries, first, count)

    def columns(self, count: int) -> tuple[list[int], list[int]]:
        """Return its keys among the first `count`, and their sources."""
        return _pairs(self.patch.keys, self.patch.from_keys, 0, count)


Acting = Sequence[Edit | Given]  # edits, with what their patches put in


def with_sources(changes: Sequence[Edits], trace: Callable[[str], Trace]) -> Sequence[Acting]:
    """Return the edits of some passes with what their patches put in; each other text is run once.

    Parameters
    ----------
    trace : runs the model on a text
    """
    patches = [edit for edits in changes for edit in edits if isinstance(edit, Patch)]
    if not patches:
        return changes
    traces = {source: trace(source) for source in dict.fromkeys(p.source for p in patches)}
    return [
        [Given(e, traces[e.source]) if isinstance(e, Patch) else e for e in edits]
        for edits in changes
    ]


def put_weights(
    weights: Array,
    given: Given,
    layer: int,
    heads: list[int],
    first_head: int,
    first_query: int,
    *,
    is_causal: bool = False,
) -> None:
    """Put another text's weights into those of some heads `(part of H, part of Q, K)`.

    What a row gave to other keys is scaled so that it sums to 1 again; where it gave them nothing,
    what is put in is.
    """
    rows, from_rows = given.rows(first_query, weights.shape[1])
    keys, from_keys = given.columns(weights.shape[2])
    if not rows:
        return
    own_heads = [head + first_head for head in heads]
    new = given.trace.weights[layer][np.ix_(own_heads, from_rows, from_keys)]  # (h, q, k)
    if is_causal:  # what the mask hides here it may not have hidden there
        scoring, back = given.trace.scoring, np.array(rows)[:, None] + first_query - np.array(keys)
        window = None if scoring is None else scoring.window(layer)
        new = new * ((back >= 0) & (window is None or back < window))
    whole = weights[np.ix_(heads, rows)]  # (h, q, K), a copy
    whole[..., keys] = 0
    kept, put = (part.sum(axis=-1, keepdims=True) for part in (whole, new))
    whole *= np.divide(1 - put, kept, out=np.zeros_like(kept), where=kept > 0).clip(0)
    whole[..., keys] = np.divide(new, put, out=new.copy(), where=(kept <= 0) & (put > 0))
    weights[np.ix_(heads, rows)] = whole


def outputs_in_place(
    output: Array, edits: Acting, layer: int, first_head: int = 0, first_query: int = 0
) -> None:
    """Put another text's outputs into those of heads, `(part of H, part of Q, E)`."""
    for given in edits:
        if not (isinstance(given, Given) and given.acts("head", layer)):
            continue
        count = len(output)
        every = range(first_head, first_head + count) if given.heads is None else given.heads
        heads = [head for head in every if first_head <= head < first_head + count]
        rows, from_rows = given.rows(first_query, output.shape[1])
        put = given.trace.head_output[layer][np.ix_(heads, from_rows)]
        output[np.ix_([head - first_head for head in heads], rows)] = put


def streams_in_place(streams: Array, edits: Sequence[Acting], layer: int, first: int) -> None:
    """Put other texts' hidden states into those that enter a layer, `(B, Q, D)`.

    Parameters
    ----------
    edits : of each text
    first : the position of the first token
    """
    for own, each in zip(streams, edits, strict=True):
        for given in each:
            if isinstance(given, Given) and given.acts("stream", layer):
                rows, from_rows = given.rows(first, len(own))
                own[rows] = given.trace.hidden[layer][from_rows]


def _pairs(here: Numbers, there: Numbers, first: int, count: int) -> tuple[list[int], list[int]]:
    """Return which of `count` positions from `first` on are meant, and where they come from."""
    if here is None or there is None:
        return list(range(count)), list(range(first, first + count))
    pairs = [(a - first, b) for a, b in zip(here, there, strict=True) if first <= a < first + count]
    return [a for a, _ in pairs], [b for _, b in pairs]
