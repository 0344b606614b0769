"""The logit lens: which next token each layer's stream would already give, at each word.

Source: nostalgebraist 2020, "Interpreting GPT: the logit lens"; its limits: Belrose et al. 2023,
"Eliciting latent predictions from transformers with the tuned lens", section 2.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from attention.arrays import Array
from attention.core import softmax
from attention.models.model import Decoder
from attention.models.trace import Trace
from attention.runtime.timing import Progress


@dataclass(frozen=True, eq=False)
class Lens:
    """What the stream predicts below the first layer and after each, at P positions."""

    positions: tuple[int, ...]
    ids: Array  # (L + 1, P) the most probable next token
    chances: Array  # (L + 1, P) how probable it is
    followed: Array  # (L + 1, P) how probable the tokens are that the reader follows

    @property
    def settled(self) -> int:
        """From which layer's output on the last position predicts what the model predicts."""
        other = np.flatnonzero(self.ids[:, -1] != self.ids[-1, -1])
        return int(other[-1]) + 1 if len(other) else 0


def logit_lens(
    model: Decoder,
    trace: Trace,
    positions: Sequence[int],
    follow: Sequence[int] = (),
    on_progress: Progress = lambda share: None,
) -> Lens:
    """Return `softmax(Norm(h_l) E^T)` of every layer's stream, as if the later layers were absent.

    A stream that a later layer has yet to turn may not be in the last one's terms: that a layer
    does not predict a word here does not say that it does not know it.

    Parameters
    ----------
    positions : the tokens whose streams are read
    follow : tokens whose summed probability is kept, too

    Raises
    ------
    ValueError : a position that is not there.
    """
    size = len(trace.tokens)
    if wrong := [p for p in positions if not 0 <= p < size]:
        raise ValueError(f"no position {wrong[0]}: the text has {size} tokens")
    rows = trace.hidden[:, list(positions)]  # (L + 1, P, D)
    shape = rows.shape[:2]
    ids, chances, followed = np.zeros(shape, np.intp), np.zeros(shape), np.zeros(shape)
    for layer, own in enumerate(rows):
        made = softmax(model.logits(own))  # (P, V)
        ids[layer] = made.argmax(axis=-1)
        chances[layer] = made.max(axis=-1)
        followed[layer] = made[:, list(follow)].sum(axis=-1)
        on_progress((layer + 1) / len(rows))
    return Lens(tuple(positions), ids, chances, followed)
