"""One head of a trace as a tidy table."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from attention.arrays import Array
    from attention.models.trace import Tokens, Trace


def trace_frame(trace: Trace, layer: int, head: int) -> pd.DataFrame:
    """Return what `Trace.to_frame` does.

    >>> from attention import load_model
    >>> trace_frame(load_model("minilm").trace("Hi"), 0, 0).columns.tolist()
    ['q', 'k', 'query', 'key', 'score', 'weight']
    """
    layers, heads = trace.weights.shape[:2]
    if not (0 <= layer < layers and 0 <= head < heads):
        raise ValueError(
            f"no layer {layer} head {head}: the trace has layers 0 to {layers - 1} and heads 0 to "
            f"{heads - 1}"
        )
    q, k = np.indices(trace.weights.shape[2:]).reshape(2, -1)
    if trace.is_causal:
        window = None if trace.scoring is None else trace.scoring.window(layer)
        seen = (k <= q) & (k > q - (window or len(trace.tokens)))
        q, k = q[seen], k[seen]
    said = _said(trace.input)
    columns = {"q": q, "k": k, "query": said[q], "key": _said(trace.keys or trace.input)[k]}
    if hasattr(trace, "query"):
        columns["score"] = trace.scores[layer, head, q, k]
    return pd.DataFrame({**columns, "weight": trace.weights[layer, head, q, k]})


def _said(tokens: Tokens) -> Array:
    return np.array([tokens.said(i) for i in range(len(tokens))], dtype=object)
