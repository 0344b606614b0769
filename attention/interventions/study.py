"""Which heads matter: each ablated alone, more and more together, and how many can go."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from attention.arrays import Array
from attention.interventions import pruning
from attention.interventions.ablation import head_effects
from attention.interventions.effects import Answer, log_odds, text_loss
from attention.interventions.estimate import by_size, first_order_effects
from attention.interventions.pruning import Order
from attention.models.model import Model, predictor
from attention.models.trace import Trace
from attention.runtime.timing import Progress, part_of
from attention.wording import Head, head_name

LOSS_RISE, VECTOR_MOVE = 0.05, 0.05  # of the loss; a cosine distance
ODDS_DROP = float(np.log(2))  # nats of log-odds: the odds are half of what they were
SEEDS = 5
STUDIED = pruning.LEAST, pruning.WIDEST, pruning.RANDOM


@dataclass(frozen=True)
class Limit:
    """How large an effect may be, and what it is."""

    most: float
    unit: str
    note: str  # on the unit

    def __str__(self) -> str:
        """Return the unit with its note."""
        return f"{self.unit} ({self.note})"


@dataclass(frozen=True)
class Study:
    """What has been measured so far; NaN where nothing has."""

    singles: Array  # (L, H)
    estimate: Array | None = None  # (L, H), of all heads at once; see `estimate`
    orders: tuple[Order, ...] = ()
    counts: tuple[int, ...] = ()
    effects: Array | None = None  # (orders, counts)
    spare: tuple[int, ...] = ()  # of each order that is not random

    @property
    def known(self) -> Array:
        """The effects of single heads that have been measured."""
        return self.singles[~np.isnan(self.singles)]

    @property
    def best_known(self) -> Array:
        """What has been measured and, where nothing has, what is estimated, if it is: `(L, H)`."""
        if self.estimate is None:
            return self.singles
        return np.where(np.isnan(self.singles), self.estimate, self.singles)

    @property
    def worst(self) -> Head | None:
        """The head whose removal has the largest effect, as far as it is known or estimated."""
        if np.isnan(self.best_known).all():
            return None
        layer, head = divmod(int(np.nanargmax(self.best_known)), self.singles.shape[1])
        return layer, head

    @property
    def curves(self) -> list[tuple[Order, Array]]:
        """Each order with its effects, one for each count."""
        return [] if self.effects is None else [*zip(self.orders, self.effects, strict=True)]


def limit_for(model: Model, trace: Trace, answer: Answer = ()) -> Limit:
    """Return the limit of what may be lost.

    Of an answer half of its odds, else of a decoder 5 % of the loss, else a distance.
    """
    decoder, ids = predictor(model), trace.input.ids
    if decoder is not None and answer:
        own = float(log_odds(decoder.logits(trace.hidden[-1, -1]), answer))
        return Limit(ODDS_DROP, "drop of the log-odds", f"untouched: {own:.3f} nats")
    if decoder is None or len(ids) < 2:
        return Limit(VECTOR_MOVE, "cosine distance", "between the sentence vectors")
    loss = text_loss(decoder, trace.hidden[-1], ids)
    return Limit(LOSS_RISE * loss, "rise of the loss", f"untouched: {loss:.3f} nats per token")


def first_study(model: Model, trace: Trace, answer: Answer = ()) -> Study:
    """Return what is known before anything is ablated: the estimate, where there is one."""
    nothing = np.full(trace.weights.shape[:2], np.nan)
    return Study(nothing, first_order_effects(model, trace, answer))


def study_heads(
    model: Model,
    trace: Trace,
    entropies: Array,
    limit: float,
    on_progress: Progress = lambda share: None,
    answer: Answer = (),
) -> Iterator[Study]:
    """Ablate each head alone, then growing sets, then find how many can go, to the head.

    Where there is an estimate it comes first, and the heads with the largest are ablated first.

    Parameters
    ----------
    entropies : (L, H) as from `metrics.entropy_per_head`
    limit : the largest effect with which heads still can go
    answer : of a decoder, what the effect is on; without any it is on the whole text
    """
    study, order = first_study(model, trace, answer), None
    if study.estimate is not None:
        yield study
        order = by_size(study.estimate)
    report = part_of(on_progress, 0.0, 0.5)
    for singles in head_effects(model, trace, report, answer, order=order):
        study = replace(study, singles=singles)
        yield study
    every = pruning.removal_orders(study.singles, SEEDS, entropies)
    orders = tuple(order for order in every if order.name in STUDIED)
    counts = pruning.removal_counts(study.singles.size)
    grown = pruning.growing_effects(
        model, trace, orders, counts, part_of(on_progress, 0.5, 0.9), answer
    )
    for effects in grown:
        study = replace(study, orders=orders, counts=counts, effects=effects)
        yield study
    spare = (
        _spare(
            model,
            trace,
            order,
            dict(zip(counts, row.tolist(), strict=True)),
            limit,
            answer,
            part_of(on_progress, 0.9, 1.0),
        )
        for order, row in study.curves
        if order.name != pruning.RANDOM
    )
    yield replace(study, spare=tuple(spare))


def _spare(
    model: Model,
    trace: Trace,
    order: Order,
    curve: dict[int, float],
    limit: float,
    answer: Answer,
    on_progress: Progress,
) -> int:
    """Return how many heads of an order can go; `curve` has the effects of some counts."""
    within = pruning.removable([*curve.values()], [*curve], limit)
    beyond = next((count for count in curve if count > within), None)
    if beyond is None:
        return within
    between = within, beyond
    return pruning.spare_heads(model, trace, order, between, limit, answer, on_progress)


def study_sentence(study: Study, limit: float) -> str:
    """Say which head matters most and, where it is known, how many can go; empty for nothing.

    >>> study_sentence(Study(np.array([[0.1, np.nan], [0.25, 0.2]])), 0.05)
    'Of 3 heads ablated alone, L1 H0 has the largest effect (+0.250).'
    """
    worst = study.worst
    if worst is None:
        return ""
    sentence = f"{_heads_so_far(study)}, {head_name(worst)} has the largest effect "
    sentence += f"({study.best_known[worst]:+.3f})."
    if not study.spare:
        return sentence
    named = [order.name for order in study.orders if order.name != pruning.RANDOM]
    spare = [f"{n} ({name})" for name, n in zip(named, study.spare, strict=True)]
    random = [
        pruning.removable(row.tolist(), study.counts, limit)
        for order, row in study.curves
        if order.name == pruning.RANDOM
    ]
    return (
        f"{sentence} The effect stays within the limit of {limit:.3f} for up to "
        f"{', '.join(spare)} ablated heads, in random order for at least {min(random)} to "
        f"{max(random)}."
    )


def _heads_so_far(study: Study) -> str:
    """Say how many heads are ablated and how many estimated, and how good estimates were."""
    known, heads = study.known.size, study.singles.size
    if study.estimate is None or known == heads:
        return f"Of {known} heads ablated alone"
    if not known:
        return f"Of {heads} heads, each estimated to first order"
    off = np.abs(study.estimate - study.singles)
    return (
        f"Of {known} heads ablated alone and {heads - known} estimated to first order (where both "
        f"are known, the estimate is off by {np.nanmedian(off):.3f} at the median)"
    )
