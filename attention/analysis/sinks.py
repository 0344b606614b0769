"""The sink account: what goes to the first and the special tokens, and what comes from them.

Many heads rest most of their weight on the first token or a special one. Such a weight need not
mean much: what a key writes into the stream is as long as its value makes it, and the values of
sinks are often short.

Source: Kobayashi et al. 2020, "Attention is not only a weight: analyzing transformers with vector
norms", section 3; Xiao et al. 2024, "Efficient streaming language models with attention sinks".
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from attention.analysis.telling import LARGE
from attention.arrays import Array
from attention.models.model import Model
from attention.models.trace import Tokens, Trace
from attention.runtime.threads import each


@dataclass(frozen=True, eq=False)
class SinkAccount:
    """What the other tokens give the sinks, and all they give; sums over their rows."""

    sinks: tuple[int, ...]  # positions
    rows: int  # how many tokens are no sinks
    weight: Array  # (L, H) that goes to sinks
    all_weight: Array  # (L, H)
    written: Array  # (L, H) weight times length of what is written, from sinks
    all_written: Array  # (L, H)

    @property
    def weight_share(self) -> Array:
        """The share of each head's weight that goes to sinks, `(L, H)`; 0 if it has none."""
        return _shares(self.weight, self.all_weight)

    @property
    def written_share(self) -> Array:
        """The share of what each head writes that comes from sinks, `(L, H)`; 0 for nothing."""
        return _shares(self.written, self.all_written)

    @property
    def total(self) -> tuple[float, float]:
        """Both shares over all heads: a head that writes more counts for more in the second."""
        weight = _shares(self.weight.sum(), self.all_weight.sum())
        return float(weight), float(_shares(self.written.sum(), self.all_written.sum()))


def sink_sentence(account: SinkAccount, labels: Sequence[str]) -> str:
    """Say how much goes to the sinks and comes from them; `labels` are the tokens as text."""
    names = ", ".join(f"“{labels[i]}”" for i in account.sinks)
    if not account.rows:
        return f"All tokens are sinks here ({names}): no other is left to attend to them."
    weight, written = account.total
    gives = f"The other tokens give {_percent(weight)} of their weight to {names}"
    comes = f"{_percent(written)} of what is written into the stream comes from there"
    if written >= weight:
        return f"{gives}, and {comes}."
    apart = account.weight_share - account.written_share
    layer, head = np.unravel_index(int(apart.argmax()), apart.shape)
    return (
        f"{gives}, but only {comes}. Furthest apart: L{layer} H{head}, with "
        f"{_percent(float(account.weight_share[layer, head]))} of its weight and "
        f"{_percent(float(account.written_share[layer, head]))} of what it writes."
    )


def _percent(share: float) -> str:
    return f"{100 * share:.1f} %"


def sink_positions(tokens: Tokens) -> tuple[int, ...]:
    """Return the positions that are sinks by custom: the first, and every special token."""
    return tuple(i for i in range(len(tokens)) if i == 0 or tokens.special[i])


def written_lengths(model: Model, trace: Trace) -> Array:
    """Return how long a vector each key would write into the stream if it got all the weight.

    `||v_k W_O_h||`, `(L, H, K)`. Query heads that share a value each have their own W_O.
    """
    own = partial(_lengths, model, trace)
    return np.stack(each(own, len(trace.weights), large=trace.weights.size > LARGE))


def sink_account(model: Model, trace: Trace, sinks: Sequence[int] | None = None) -> SinkAccount:
    """Return how much weight goes to sinks, and how much of what is written comes from them.

    What query q writes of key k is taken as `w_qk ||v_k W_O_h||`. These are lengths: vectors that
    point in different directions partly cancel in the stream. The sinks' own rows are left out.

    Parameters
    ----------
    sinks : positions; by default those of `sink_positions`

    Raises
    ------
    ValueError : a position that is not there.

    >>> from attention import load_model
    >>> model = load_model("minilm")
    >>> account = sink_account(model, model.trace("The cat sat"))
    >>> account.sinks, account.rows, account.weight_share.shape
    ((0, 4), 3, (6, 12))
    """
    tokens = len(trace.tokens)
    chosen = sink_positions(trace.input) if sinks is None else tuple(sorted(set(sinks)))
    if any(not 0 <= sink < tokens for sink in chosen):
        raise ValueError(f"no sinks {chosen}: the text has {tokens} tokens, 0 to {tokens - 1}")
    others = [i for i in range(tokens) if i not in chosen]
    weight = trace.weights[:, :, others].sum(axis=2, dtype=np.float64)  # (L, H, K)
    written = weight * written_lengths(model, trace)
    at = list(chosen)
    return SinkAccount(
        chosen,
        len(others),
        weight[..., at].sum(axis=-1),
        weight.sum(axis=-1),
        written[..., at].sum(axis=-1),
        written.sum(axis=-1),
    )


def _lengths(model: Model, trace: Trace, layer: int) -> Array:
    heads = trace.weights.shape[1]
    value = trace.value[layer]  # (H, K, E), or fewer heads that several queries share
    value = np.repeat(value, heads // len(value), axis=0)
    w_o, _ = model.output_projection(layer)  # (H * E, D)
    return np.linalg.norm(value @ w_o.reshape(heads, value.shape[-1], -1), axis=-1)


def _shares(part: Array, whole: Array) -> Array:
    return np.divide(part, whole, out=np.zeros_like(part), where=whole > 0)
