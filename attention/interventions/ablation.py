"""Heads ablated, removed from the forward pass: each alone, or in any sets, as fast as can be.

Only what a removal changes is computed again. In the layer of an ablated head the scores and the
other heads stay as they are: what attention adds to the stream is short of one part, `z_h W_O_h`.
The layers below are untouched, and the heads of one layer go through those above side by side.

Source: Michel et al. 2019, "Are sixteen heads really better than one?", section 3.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence

import numpy as np

from attention.arrays import Array
from attention.edits import CutHeads, Edits, first_layer
from attention.interventions.effects import Answer, effect_on
from attention.models.model import Model
from attention.models.trace import Trace
from attention.runtime.threads import one_blas_thread, processors, team
from attention.runtime.timing import Progress
from attention.wording import Head

_ROWS_AT_ONCE = 256  # tokens of the passes that one processor runs side by side

# What remains of a layer below which nothing changed is its MLP: two thirds of its work.
_WHOLE_LAYER, _AFTER_ATTENTION = 3, 2


def head_effects(
    model: Model,
    trace: Trace,
    on_progress: Progress = lambda share: None,
    answer: Answer = (),
) -> Iterator[Array]:
    """Remove each head alone; yield the grid of effects `(L, H)` as it fills, the last layer first.

    NaN stands where nothing is measured yet. The effect is that of `effects.effect_on`; edits of
    the trace stay in force. Whoever takes no further grid stops the work.
    """
    layers, heads = model.config.num_hidden_layers, model.config.num_attention_heads
    effect = effect_on(model, trace, answer)
    effects = np.full((layers, heads), np.nan)
    work = [_AFTER_ATTENTION + _WHOLE_LAYER * (layers - 1 - layer) for layer in range(layers)]
    together, done = max(1, _ROWS_AT_ONCE // len(trace.tokens)) * processors(), 0
    with one_blas_thread():  # to the end: giving BLAS its threads back each time is slow
        for layer in reversed(range(layers)):
            parts = head_parts(model, trace, layer)

            def measure(some: slice, layer: int = layer, parts: Array = parts) -> None:
                streams = _without(model, trace, layer, parts, some)
                effects[layer, some] = effect(model.resume(streams, layer + 1, trace.edits))

            for some in _groups(heads, together):
                _share(measure, some)
                done += work[layer] * (some.stop - some.start)
                on_progress(done / (heads * sum(work)))
                yield effects.copy()


def removal_effects(
    model: Model,
    trace: Trace,
    removals: Sequence[Collection[Head]],
    on_progress: Progress = lambda share: None,
    answer: Answer = (),
) -> Iterator[Array]:
    """Remove each of these sets of heads; yield their effects `(removals,)` as they come in.

    NaN stands where nothing is measured yet. Equal sets are run once. A pass starts at the lowest
    layer with an ablated head.

    Raises
    ------
    ValueError : a head that is not there; the message has how many there are.
    """
    effect = effect_on(model, trace, answer)
    sets = [frozenset(removal) for removal in removals]
    different = list(dict.fromkeys(sets))
    known: dict[frozenset[Head], float] = {}

    def measure(some: slice) -> None:
        for heads in different[some]:
            stream = _last_stream(model, trace, ablate(heads))
            known[heads] = float(effect(stream[None])[0])

    with one_blas_thread():
        for some in _groups(len(different), processors()):
            _share(measure, some)
            on_progress(some.stop / len(different))
            yield np.array([known.get(heads, np.nan) for heads in sets])


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


def _without(model: Model, trace: Trace, layer: int, parts: Array, some: slice) -> Array:
    """Return what a layer gives without each of `some` of its heads: `(B, T, D)`."""
    _, bias = model.output_projection(layer)
    attended = parts.sum(axis=0) + bias - parts[some]  # (B, T, D)
    x = np.broadcast_to(trace.hidden[layer], attended.shape)
    rows = -1, attended.shape[-1]
    finished = model.after_attention(layer, x.reshape(rows), attended.reshape(rows))
    return finished.reshape(attended.shape)


def _last_stream(model: Model, trace: Trace, edits: Edits) -> Array:
    layers = model.config.num_hidden_layers
    start = min(first_layer(edits, layers), layers)  # a layer that is not there is for the model
    return model.resume(trace.hidden[start], start, trace.edits + edits)


def _groups(count: int, together: int) -> list[slice]:
    starts = range(0, count, together)
    return [slice(start, min(start + together, count)) for start in starts]


def _share(measure: Callable[[slice], None], some: slice) -> None:
    """Let every processor measure a part of `some`, whole passes without waiting for the others."""

    def part(own: slice) -> None:
        if own.stop > own.start:
            measure(slice(some.start + own.start, some.start + own.stop))

    with team(processors()) as share:
        share(part, some.stop - some.start)
