"""Which heads matter: each removed alone, then more and more; and what goes to sinks."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import streamlit as st

from attention.analysis import frames, metrics, sinks, words
from attention.arrays import Array
from attention.charts.maps import head_grid
from attention.interventions import effects, pruning
from attention.interventions.ablation import head_effects
from attention.interventions.charts import effect_grid, pruning_curve
from attention.interventions.frames import band_frame
from attention.interventions.pruning import Order
from attention.models.decoder import CausalModel
from attention.runtime.timing import Progress
from attention.ui.interventions.edited import decoder
from attention.ui.measuring import bench, measured
from attention.ui.progress import kept
from attention.ui.readings import Reading
from attention.ui.show import draw, escape_markdown, notice
from attention.wording import head_name

LOSS_RISE, VECTOR_MOVE = 0.05, 0.05  # of the loss; a cosine distance
SEEDS = 5
_ORDERS = pruning.LEAST, pruning.WIDEST, pruning.RANDOM


@dataclass(frozen=True)
class Study:
    """What has been measured so far; NaN where nothing has."""

    singles: Array  # (L, H)
    orders: tuple[Order, ...] = ()
    counts: tuple[int, ...] = ()
    effects: Array | None = None  # (orders, counts)
    spare: tuple[int, ...] = ()  # of each order that is not random


def which_matter(chosen: Reading) -> None:
    """Measure what each head does, and how many can go."""
    controls = st.container(horizontal=True, vertical_alignment="bottom")
    place, model = bench(controls, key="measure_heads"), decoder(chosen)
    name = f"study {chosen.model_name} {chosen.text}"
    limit, unit = _limit(chosen, model)
    left, right = st.columns(2, gap="large")
    with left:
        grid = st.empty()
    with right:
        curve = st.empty()

    def show(found: list[Study]) -> None:
        with grid.container():
            _grid(found[-1], unit)
        if found[-1].effects is not None:
            with curve.container():
                _curve(found[-1], unit, limit)

    found = measured(name, place, {}, lambda progress: _study(chosen, limit, progress), show)
    if not found.results:
        heads = chosen.trace.weights.shape[0] * chosen.trace.weights.shape[1]
        grid.info(
            f"Nothing is measured yet. “Measure” removes each of the {heads} heads alone, then "
            f"more and more of them: {', '.join(_ORDERS)}. It can be stopped at any time and keeps "
            "what it has."
        )
        return
    show(found.results)
    with place.status:
        _tell(found.results[-1], limit)
    st.latex(
        r"\mathcal{L} = -\tfrac{1}{T-1} \textstyle\sum_t \log p(x_{t+1} \mid x_{\le t})"
        if model
        else r"\mathrm{distance} = 1 - \cos(a, b), \quad a = \tfrac{1}{T} \textstyle\sum_t h_t"
    )
    st.caption(
        f"The effect is the {unit}. A removed head writes nothing; the layers below it are not run "
        "again. By effect: the heads that matter least alone go first. By entropy: those that "
        f"spread widest go first. Random: the median of {SEEDS} orders, and the band between the "
        f"least and the most. Dashed: the limit, {limit:.3f}."
    )


def _limit(chosen: Reading, model: CausalModel | None) -> tuple[float, str]:
    """Return how large an effect may be, and what it is called."""
    if model is None or len(chosen.trace.tokens) < 2:
        return VECTOR_MOVE, "cosine distance (between the sentence vectors)"
    trace = chosen.trace
    loss = kept(
        "Reading the text",
        lambda _: effects.text_loss(model, trace.hidden[-1], trace.input.ids),
        chosen.model_name,
        chosen.text,
    )
    return LOSS_RISE * loss, f"rise of the loss (untouched: {loss:.3f} nats per token)"


def _study(chosen: Reading, limit: float, progress: Progress) -> Iterator[Study]:
    """Remove each head alone, then growing sets, then find how many can go, to the head."""
    model, trace = chosen.model, chosen.trace
    study = Study(np.full(trace.weights.shape[:2], np.nan))
    for found in head_effects(model, trace):
        study = Study(found.effects)
        progress(0.5 * found.share)
        yield study
    entropies = metrics.entropy_per_head(chosen.view)
    orders = tuple(
        order
        for order in pruning.removal_orders(study.singles, SEEDS, entropies)
        if order.name in _ORDERS
    )
    counts = pruning.removal_counts(study.singles.size)
    for found in pruning.growing_effects(model, trace, orders, counts):
        study = replace(study, orders=orders, counts=counts, effects=found.effects)
        progress(0.5 + 0.4 * found.share)
        yield study
    assert study.effects is not None
    spare = []
    for order, row in zip(orders, study.effects, strict=True):
        if order.name != pruning.RANDOM:
            within = pruning.removable(row.tolist(), counts, limit)
            beyond = [count for count in counts if count > within]
            between = within, (beyond[0] if beyond else within + 1)
            spare.append(
                pruning.spare_heads(model, trace, order, between, limit) if beyond else within
            )
    yield replace(study, spare=tuple(spare))


def _tell(study: Study, limit: float) -> None:
    if np.isnan(study.singles).all():
        return
    worst = divmod(int(np.nanargmax(study.singles)), study.singles.shape[1])
    done = int((~np.isnan(study.singles)).sum())
    told = (
        f"Of {done} heads removed alone, {head_name(worst)} is missed most "
        f"({study.singles[worst]:+.3f})."
    )
    if study.spare and study.effects is not None:
        named = [o for o in study.orders if o.name != pruning.RANDOM]
        can_go = ", ".join(
            f"{count} ({order.name})" for order, count in zip(named, study.spare, strict=True)
        )
        random = [
            pruning.removable(row.tolist(), study.counts, limit)
            for order, row in zip(study.orders, study.effects, strict=True)
            if order.name == pruning.RANDOM
        ]
        told += (
            f" Within the limit of {limit:.3f} can go: {can_go}, at least {min(random)} "
            f"to {max(random)} (random order)."
        )
    notice(told)


def _grid(study: Study, unit: str) -> None:
    st.markdown("**Each head removed alone**")
    measured_ones = study.singles[~np.isnan(study.singles)]
    highest = float(np.abs(measured_ones).max()) if measured_ones.size else 1.0
    worst = (
        [divmod(int(np.nanargmax(study.singles)), study.singles.shape[1])]
        if measured_ones.size
        else []
    )
    signed = bool((measured_ones < -1e-4).any())
    draw(
        effect_grid,
        frames.head_frame(study.singles, worst),
        key="effects",
        alt_text="What the removal of each head does",
        title=unit.split(" (")[0],
        domain=(0.0, float(f"{highest:.2g}") or 0.1),
        layers=study.singles.shape[0],
        heads=study.singles.shape[1],
        signed=signed,
    )


def _curve(study: Study, unit: str, limit: float) -> None:
    assert study.effects is not None
    st.markdown("**More and more heads removed**")
    draw(
        pruning_curve,
        band_frame(study.orders, study.counts, study.effects),
        key="pruning",
        alt_text=f"Effect against the number of removed heads: {', '.join(_ORDERS)}",
        orders=tuple(dict.fromkeys(order.name for order in study.orders)),
        heads=study.singles.size,
        title=unit.split(" (")[0],
        limit=round(limit, 4),
    )


def sink_balance(chosen: Reading) -> None:
    """Draw how much weight goes to sinks, and how much of what is written comes from them."""
    account = kept(
        "Adding up what each head writes",
        lambda _: sinks.sink_account(chosen.model, chosen.trace),
        chosen.model_name,
        chosen.text,
    )
    labels = [unit.label for unit in words.pieces(chosen.trace.input)]
    notice(sinks.sink_sentence(account, labels))
    apart = account.weight_share - account.written_share
    most = divmod(int(apart.argmax()), apart.shape[1])
    names = ", ".join(f"“{labels[i]}”" for i in account.sinks)
    left, right = st.columns(2, gap="large")
    for column, what, share in (
        (left, "Share of the weight", account.weight_share),
        (right, "Share of what is written", account.written_share),
    ):
        with column:
            st.markdown(f"**{what}**")
            draw(
                head_grid,
                frames.head_frame(share, [most]),
                key=what,
                alt_text=f"{what} that goes to or comes from sinks, for every head",
                title=what.lower(),
                domain=(0.0, 1.0),
                layers=len(share),
            )
    st.latex(
        r"\frac{\sum_q \sum_{k \in \text{sinks}} w_{qk}}{\sum_q \sum_k w_{qk}} \qquad "
        r"\frac{\sum_q \sum_{k \in \text{sinks}} w_{qk} \lVert v_k W_O \rVert}"
        r"{\sum_q \sum_k w_{qk} \lVert v_k W_O \rVert}"
    )
    st.caption(
        f"Sinks: the first token and special ones, here {escape_markdown(names)}; their own rows "
        "are left out. What is written is counted by length: vectors in different directions "
        "partly cancel in the stream. Framed: the head in which the two shares are furthest apart."
    )
