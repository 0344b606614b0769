"""Many passes over one text, each with edits of its own: as many at once as is quickest."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial

import numpy as np

from attention.arrays import Array
from attention.edits import Edits, first_layer
from attention.models.model import Model
from attention.models.trace import Trace
from attention.runtime.threads import one_blas_thread, processors, team
from attention.runtime.timing import Progress

_ROWS_AT_ONCE = 512  # tokens of the passes that one processor runs side by side


def edited_figures(
    model: Model,
    trace: Trace,
    changes: Sequence[Edits],
    figures: Callable[[Array], Array],
    on_progress: Progress = lambda share: None,
) -> Iterator[Array]:
    """Run a pass with each of these edits; yield the figures of all `(B, ...)` as they come in.

    NaN stands where nothing is known yet. Those that change the upper layers only come first.
    Whoever takes no further figures stops the work.

    Parameters
    ----------
    trace : its own edits stay in force
    figures : of the last layer's streams `(b, T, D)` of some passes, `(b, ...)`
    """
    layers = model.config.num_hidden_layers
    order = sorted(range(len(changes)), key=lambda i: -first_layer(changes[i], layers))
    found: dict[int, Array] = {}

    def measure(some: slice) -> None:
        own = order[some]
        streams = model.last_streams(trace, [changes[i] for i in own])
        found.update(zip(own, figures(streams), strict=True))

    for some in in_parts(measure, len(order), len(trace.tokens)):
        on_progress(some.stop / len(order))
        shape = np.shape(found[order[0]])
        yield np.array([found.get(i, np.full(shape, np.nan)) for i in range(len(changes))])


def in_parts(measure: Callable[[slice], None], count: int, tokens: int) -> Iterator[slice]:
    """Measure `count` passes over so many tokens, every processor some of them; yield what is done.

    Each processor runs whole passes, without waiting for the others.
    """

    together = max(1, _ROWS_AT_ONCE // max(tokens, 1)) * processors()
    with one_blas_thread():  # to the end: giving BLAS its threads back each time is slow
        for start in range(0, count, together):
            some = slice(start, min(start + together, count))
            with team(processors()) as share:
                share(partial(_part, measure, start), some.stop - start)
            yield some


def _part(measure: Callable[[slice], None], start: int, own: slice) -> None:
    if own.stop > own.start:
        measure(slice(start + own.start, start + own.stop))
