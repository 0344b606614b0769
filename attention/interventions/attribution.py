"""What each part of a decoder writes for an answer, straight into the prediction.

The last row of the stream is a sum: the embedding, and what every head and every MLP has added. So
the log-odds of an answer are a sum, too, of what each part writes along one direction. This is the
direct effect alone: what later layers make of a part is counted with them, and taking a part out
changes what they do. A head can attend to a word and write against it.

Source: Elhage et al. 2021, "A mathematical framework for transformer circuits"; Wang et al. 2022,
"Interpretability in the wild", section 3.1.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from attention.arrays import Array
from attention.interventions.effects import Answer, answer_slope
from attention.models.decoder import CausalModel
from attention.models.layers import kv_head
from attention.models.trace import Trace
from attention.wording import Head, head_name

NO_SUM = (
    "it predicts no next word, or norms or caps stand between what heads write and the logits, so "
    "that these are no sum of parts"
)


@dataclass(frozen=True, eq=False)
class DirectWriting:
    """What each part adds to the log-odds of an answer, in nats; below 0 it writes against it."""

    heads: Array  # (L, H)
    biases: Array  # (L,) of W_O, which belongs to no head
    mlps: Array  # (L,)
    embedding: float
    constant: float  # the bias of the last norm, if it has one
    keys: Array  # (L, H, K): the share of each key in what a head adds; they sum to `heads`

    @property
    def total(self) -> float:
        """The sum of all parts: the weighted difference of the logits."""
        parts = self.heads.sum() + self.biases.sum() + self.mlps.sum()
        return float(parts) + self.embedding + self.constant

    def ranked(self, count: int) -> list[Head]:
        """Return the heads that write most, for or against, those first."""
        order = np.argsort(-np.abs(self.heads), axis=None, kind="stable")[:count].tolist()
        return [divmod(at, self.heads.shape[1]) for at in order]


def written_for(model: CausalModel, trace: Trace, answer: Answer) -> DirectWriting:
    """Return what every head, MLP and the embedding add to the log-odds of an answer.

    `z_h W_O_h . u` at the last token, with u from `CausalModel.readout`; of a key k
    `w_k v_k W_O_h . u`. Of several tokens an answer has, each counts by its present share: to
    first order.

    Raises
    ------
    ValueError : the text has no tokens, or the model's prediction is no sum of parts; see `NO_SUM`.
    """
    if not model.predicts or not model.sums_parts:
        raise ValueError(f"{model.name}: {NO_SUM}")
    if trace.next_logits is None:
        raise ValueError(f"{model.name} predicts no next token here: {trace.why_no_next}")
    slope = answer_slope(trace.next_logits, answer)
    last = trace.hidden[:, -1].astype(np.float64)  # (L + 1, D)
    u, constant = model.readout(trace.hidden[-1, -1], slope)
    keys = np.stack([_keys(model, trace, layer, u) for layer in range(len(trace.weights))])
    heads = keys.sum(axis=-1)
    biases = np.array([model.output_projection(layer)[1] @ u for layer in range(len(heads))])
    grown = np.diff(last @ u)  # what each layer adds
    return DirectWriting(
        heads, biases, grown - heads.sum(axis=1) - biases, float(last[0] @ u),
        constant, keys,
    )  # fmt: skip


def _keys(model: CausalModel, trace: Trace, layer: int, u: Array) -> Array:
    """Return what each key of each head of a layer adds at the last token, `(H, K)`."""
    heads, value = trace.weights.shape[1], trace.value[layer]
    w_o, _ = model.output_projection(layer)
    along = w_o.reshape(heads, value.shape[-1], -1) @ u  # (H, E)
    own = value[kv_head(np.arange(heads), heads, len(value))]  # (H, K, E)
    return trace.weights[layer, :, -1] * np.einsum("hke,he->hk", own, along)


def direct_sentence(
    found: DirectWriting, weights: Array, labels: Sequence[str], answer: str, key: int | None
) -> str:
    """Say which head writes most for the answer, and what one writes that attends to a word most.

    Parameters
    ----------
    weights : (L, H, K) of the last token's rows, over the words that `labels` name
    answer : "“Mary” against “John”"
    key : the word of the answer in the text, if it is there
    """
    best = divmod(int(found.heads.argmax()), found.heads.shape[1])
    said = (
        f"{head_name(best)} writes most for {answer}: {found.heads[best]:+.2f} of "
        f"{found.total:+.2f} nats in all."
    )
    if key is None:
        return said
    looks = divmod(int(weights[..., key].argmax()), weights.shape[1])
    own = float(found.heads[looks])
    said += (
        f" The head that attends to “{labels[key]}” most, {head_name(looks)} "
        f"({weights[looks][key]:.2f}), writes {own:+.2f}"
    )
    if own > 0:
        return f"{said}, for it."
    return f"{said}, against it: the weight alone does not say what a head does."
