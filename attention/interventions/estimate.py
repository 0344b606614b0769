"""What the ablation of each head does, estimated for all heads at once by one backward pass.

Ablating a head takes its output z to 0. To first order an effect e is the slope times the step,
`-sum(z * de/dz)`; how far that is off depends on how bent it is on the way.

Source: Michel et al. 2019, "Are sixteen heads really better than one?", section 4.1, with its sign
kept; the same is called attribution patching (Nanda 2023, "Attribution patching").
"""

from __future__ import annotations

from typing import TypeGuard

import numpy as np

from attention.arrays import Array
from attention.interventions.effects import Answer, effect_gradient
from attention.models.backward import DifferentiableModel
from attention.models.model import Model
from attention.models.trace import Trace
from attention.runtime.threads import one_blas_thread
from attention.wording import Head


def first_order_effects(model: Model, trace: Trace, answer: Answer = ()) -> Array | None:
    """Return the effect of the ablation of each head, to first order: `(L, H)`.

    The effect is that of `effects.effect_on`: on the loss, or on the log-odds of an answer.

    None where there is no such estimate; see `can_estimate`.
    """
    if not can_estimate(model, trace):
        return None
    with one_blas_thread():
        slope = model.head_gradients(trace, effect_gradient(model, trace, answer))
    return np.asarray(-np.einsum("lhte,lhte->lh", slope, trace.head_output, dtype=np.float64))


def can_estimate(model: Model, trace: Trace) -> TypeGuard[DifferentiableModel]:
    """Return whether there is such an estimate.

    An encoder's effect is the distance between two vectors, which has no slope where they are
    equal. Nor is there one of a model whose gradient is not known or that predicts nothing, of a
    pass with edits, or of a single token.
    """
    known = isinstance(model, DifferentiableModel) and model.predicts
    return known and not trace.edits and len(trace.tokens) > 1


def by_size(estimate: Array) -> list[Head]:
    """Return the heads of a grid `(L, H)`, the largest estimate up or down first.

    >>> by_size(np.array([[0.1, -0.3], [0.2, 0.0]]))
    [(0, 1), (1, 0), (0, 0), (1, 1)]
    """
    order = np.argsort(-np.abs(estimate), axis=None, kind="stable").tolist()
    return [divmod(at, estimate.shape[1]) for at in order]
