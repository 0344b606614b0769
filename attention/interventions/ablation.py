"""Heads ablated, removed from the forward pass: each alone, or in any sets, as fast as can be.

Only what a removal changes is computed again. In the layer of an ablated head the scores and the
other heads stay as they are: what attention adds to the stream is short of one part, `z_h W_O_h`.
The layers below are untouched, and the heads of one layer go through those above side by side.

Source: Michel et al. 2019, "Are sixteen heads really better than one?", section 3.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from itertools import groupby

import numpy as np

from attention.arrays import Array
from attention.edits import CutHeads, Edits
from attention.interventions.effects import Answer, effect_on
from attention.interventions.passes import edited_figures, in_parts
from attention.models.model import Model
from attention.models.trace import Trace
from attention.runtime.timing import Progress
from attention.wording import Head

# What remains of a layer below which nothing changed is its MLP: two thirds of its work.
_WHOLE_LAYER, _AFTER_ATTENTION = 3, 2


def head_effects(
    model: Model,
    trace: Trace,
    on_progress: Progress = lambda share: None,
    answer: Answer = (),
    *,
    order: Sequence[Head] | None = None,
) -> Iterator[Array]:
    """Remove each head alone; yield the grid of effects `(L, H)` as it fills.

    NaN stands where nothing is measured yet. The effect is that of `effects.effect_on`; edits of
    the trace stay in force. Whoever takes no further grid stops the work.

    Parameters
    ----------
    order : in which heads are removed; by default the last layer comes first
    """
    layers, heads = model.config.num_hidden_layers, model.config.num_attention_heads
    effect = effect_on(model, trace, answer)
    effects = np.full((layers, heads), np.nan)
    order = order or [(layer, head) for layer in reversed(range(layers)) for head in range(heads)]

    def measure(own: list[Head]) -> Array:
        return effect(streams_without(model, trace, own))

    yield from each_head(measure, effects, order, len(trace.tokens), on_progress)


def each_head(
    measure: Callable[[list[Head]], Array],
    grid: Array,
    order: Sequence[Head],
    tokens: int,
    on_progress: Progress,
) -> Iterator[Array]:
    """Measure every head, some at once; yield the grid `(L, H)` as it fills.

    Parameters
    ----------
    measure : heads, by layer, the lowest first -> their figures
    grid : is overwritten
    """
    layers = len(grid)
    work = np.cumsum([_AFTER_ATTENTION + _WHOLE_LAYER * (layers - 1 - at) for at, _ in order])

    def some_of_them(some: slice) -> None:
        own = sorted(order[some])
        grid[*zip(*own, strict=True)] = measure(own)

    for some in in_parts(some_of_them, len(order), tokens):
        on_progress(float(work[some.stop - 1] / work[-1]))
        yield grid.copy()


def removal_effects(
    model: Model,
    trace: Trace,
    removals: Sequence[Collection[Head]],
    on_progress: Progress = lambda share: None,
    answer: Answer = (),
) -> Iterator[Array]:
    """Remove each of these sets of heads; yield their effects `(removals,)` as they come in.

    NaN stands where nothing is measured yet. Equal sets are run once.

    Raises
    ------
    ValueError : a head that is not there; the message has how many there are.
    """
    changes = [ablate(removal) for removal in removals]
    different = list(dict.fromkeys(changes))
    place = [different.index(change) for change in changes]
    effect = effect_on(model, trace, answer)
    for known in edited_figures(model, trace, different, effect, on_progress):
        yield known[place]


def streams_without(model: Model, trace: Trace, heads: Sequence[Head]) -> Array:
    """Return the last layer's streams without each of these heads alone, `(B, T, D)`.

    Parameters
    ----------
    heads : by layer, the lowest first
    """

    def without(layer: int, own: list[int]) -> Array:
        parts = head_parts(model, trace, layer)
        return parts.sum(axis=0) - parts[own]

    return streams_changed(model, trace, heads, without)


def streams_changed(
    model: Model,
    trace: Trace,
    heads: Sequence[Head],
    attended: Callable[[int, list[int]], Array],
) -> Array:
    """Return the last layer's streams with a change in each of these heads alone, `(B, T, D)`.

    On the way up those with a change in a head of the next layer join the others.

    Parameters
    ----------
    heads : by layer, the lowest first
    attended : what the heads of a layer add to the stream with each of these changed alone:
        (layer, heads) -> (len(heads), T, D)
    """
    streams = np.empty((0, *trace.hidden.shape[1:]), np.float32)
    at = 0
    for layer, group in groupby(heads, key=lambda head: head[0]):
        if len(streams):
            streams = model.resume(streams, at, trace.edits, stop=layer + 1)
        own = [head for _, head in group]
        joining = _finished(model, trace, layer, attended(layer, own))
        streams, at = np.concatenate([streams, joining]), layer + 1
    return model.resume(streams, at, trace.edits)


def head_parts(model: Model, trace: Trace, layer: int) -> Array:
    """Return what each head of a layer adds to the stream, `z_h W_O_h`: `(H, T, D)`.

    Their sum and the bias of W_O are all that attention adds.
    """
    head_output = trace.head_output[layer]  # (H, T, E)
    w_o, _ = model.output_projection(layer)
    heads, _, width = head_output.shape
    return head_output @ w_o.reshape(heads, width, -1)


def ablate(heads: Collection[Head]) -> Edits:
    """Return the edits that ablate these heads; none where there are none.

    >>> ablate({(5, 11)})
    (CutHeads(pairs=((5, 11),)),)
    """
    return (CutHeads(tuple(heads)),) if heads else ()


def _finished(model: Model, trace: Trace, layer: int, attended: Array) -> Array:
    """Return what a layer gives for what its heads add, without the bias of W_O: `(B, T, D)`."""
    _, bias = model.output_projection(layer)
    attended = attended + bias
    x = np.broadcast_to(trace.hidden[layer], attended.shape)
    rows = -1, attended.shape[-1]
    finished = model.after_attention(layer, x.reshape(rows), attended.reshape(rows))
    return finished.reshape(attended.shape)
