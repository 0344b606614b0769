"""Which heads matter: each ablated alone, then more and more; and what goes to sinks."""

from __future__ import annotations

from functools import partial

import numpy as np
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from attention.analysis import frames, metrics, sinks, words
from attention.arrays import Array
from attention.charts.maps import head_grid
from attention.interventions import study
from attention.interventions.charts import effect_grid, pruning_curve
from attention.interventions.effects import Answer
from attention.interventions.estimate import can_estimate
from attention.interventions.frames import band_frame, effect_frame
from attention.interventions.study import SEEDS, STUDIED, Limit, Study
from attention.ui import inputs
from attention.ui.code_lines import of_view
from attention.ui.interventions.answer import answer
from attention.ui.interventions.edited import SIDES, decoder, row_height, two_pictures
from attention.ui.measuring import Bench, Sweep, bench, measured
from attention.ui.progress import kept
from attention.ui.readings import Reading
from attention.ui.show import draw, escape_markdown, notice
from attention.ui.view_code import ViewCode, drawn_last, offer
from attention.wording import Head

AT_ONCE = 64  # tokens of a text whose heads are estimated unasked: half a second
_EFFECTS = "effects"  # the key of a chart
_SHARES = "Share of the weight", "Share of what is written"
BY = {"answer": "Your answer", "text": "The whole text"}


def which_matter(chosen: Reading) -> None:
    """Measure what each head does, and how many can go."""
    left, right = st.columns(SIDES, gap="medium")
    with left:
        followed = _measure(chosen)
        place = bench(
            st.container(horizontal=True, vertical_alignment="bottom"), key="measure_heads"
        )
        limit = kept(
            "Running the model on the text",
            lambda _: study.limit_for(chosen.model, chosen.trace, followed),
            chosen.model_name, chosen.text, repr(followed),
        )  # fmt: skip
    with right:
        one, other = two_pictures()
        grid, curve = one.empty(), other.empty()
    sweep = _measured(chosen, followed, place, limit, grid, curve)
    if not sweep.results:
        layers, heads, *_ = chosen.trace.weights.shape
        grid.info(
            f"Nothing is measured yet. “Measure” {_first(chosen)}ablates each of the "
            f"{layers * heads} heads alone, then more and more of them: {', '.join(STUDIED)}. It "
            "can be stopped at any time and keeps what it has."
        )
        return
    if sentence := study.study_sentence(sweep.results[-1], limit.most):
        with place.status:
            notice(sentence)
    code = partial(_study_code, chosen, followed, sweep.results[-1])
    offer(ViewCode(code, _EFFECTS, chosen.trace, chosen.text))
    with left:
        _explain(limit, followed, curves=sweep.results[-1].effects is not None)
    _formula(chosen, followed)


def _study_code(chosen: Reading, followed: Answer, result: Study) -> str:
    imported, drawing = drawn_last(_EFFECTS).code()
    measured = bool(result.known.size)
    made = [f"study = first_study(model, trace, {followed})"]
    if measured:  # to its end, where it was stopped on the page
        made = [
            "entropies = entropy_per_head(view)",
            f"*_, study = study_heads(model, trace, entropies, limit, answer={followed})",
        ]
    imports = [
        *(["from attention.analysis.metrics import entropy_per_head"] if measured else []),
        "from attention.interventions.frames import effect_frame",
        "from attention.interventions.study import (",
        f"    {'study_heads' if measured else 'first_study'}, limit_for, study_sentence",
        ")",
        imported,
    ]
    return of_view(chosen, imports, [
        f"limit = limit_for(model, trace, {followed}).most",
        *made,
        "measured = study.singles == study.singles  # the others are NaN",
        "data = effect_frame(study.best_known, measured, [study.worst])",
        *drawing,
        "print(study_sentence(study, limit))",
    ])  # fmt: skip


def _measure(chosen: Reading) -> Answer:
    """Draw what a decoder's heads are measured by; return the answer, empty for the whole text."""
    model = decoder(chosen)
    if model is None or inputs.choice("Measured by", BY, key="by") == "text":
        return ()
    return answer(chosen, model).ids


def _measured(
    chosen: Reading, followed: Answer, place: Bench, limit: Limit, grid: DeltaGenerator,
    curve: DeltaGenerator,
) -> Sweep[Study]:  # fmt: skip
    """Measure where the reader wants it, and draw the last results, or those so far."""

    def show(results: list[Study]) -> None:
        with grid.container():
            _grid(results[-1], limit)
        if results[-1].effects is not None:
            with curve.container():
                _curve(results[-1], results[-1].effects, limit)

    entropies = metrics.entropy_per_head(chosen.view)
    sweep = measured(
        f"study {chosen.model_name} {chosen.text} {followed or ''}".rstrip(),
        place,
        {},
        lambda progress: study.study_heads(
            chosen.model, chosen.trace, entropies, limit.most, progress, followed
        ),
        show,
        before=lambda: _estimated(chosen, followed),
    )
    if sweep.results:
        show(sweep.results)
    return sweep


def _estimated(chosen: Reading, followed: Answer) -> Sweep[Study]:
    """Return what is known before anything is ablated, where it takes no second."""
    if len(chosen.trace.tokens) > AT_ONCE or not can_estimate(chosen.model, chosen.trace):
        return Sweep({}, [])
    first = kept(
        "Estimating what each head does",
        lambda _: study.first_study(chosen.model, chosen.trace, followed),
        chosen.model_name, chosen.text, repr(followed),
    )  # fmt: skip
    return Sweep({}, [first])


def _first(chosen: Reading) -> str:
    """Say what is drawn before anything is ablated, where there is such an estimate."""
    if not can_estimate(chosen.model, chosen.trace):
        return ""
    return "estimates the effect of all heads with one backward pass, then "


def _explain(limit: Limit, followed: Answer, *, curves: bool) -> None:
    effect = f"The effect is the {limit}. An ablated head writes nothing."
    halves = ": there, the odds are half of what they were" if followed else ""
    orders = (
        f" Random: the median of {SEEDS} orders, and the band between the least and the most. "
        f"Dashed: the limit, {limit.most:.3f}{halves}."
    )
    st.caption(effect + (orders if curves else ""))


def _formula(chosen: Reading, followed: Answer) -> None:
    if followed:
        other = "another" if len(followed) > 1 else "any other"
        st.latex(rf"\log \frac{{p(\text{{answer}})}}{{p(\text{{{other}}})}}")
    elif decoder(chosen):
        st.latex(r"\mathcal{L} = -\tfrac{1}{T-1} \textstyle\sum_t \log p(x_{t+1} \mid x_{\le t})")
    else:
        st.latex(r"1 - \cos(a, b), \quad a = \tfrac{1}{T} \textstyle\sum_t h_t")
    if can_estimate(chosen.model, chosen.trace):
        st.latex(
            r"\text{effect}_h \approx \textstyle\sum_t z_{h,t} \cdot \partial y / \partial z_{h,t}"
        )
        st.caption(
            "The first-order estimate: what a head writes, times how the measure y, the log-odds "
            "or the loss with its sign turned, changes with it (Michel et al. 2019, section 4.1). "
            "One backward pass gives all heads; it is off where y is bent on the way to 0."
        )


def _grid(result: Study, limit: Limit) -> None:
    effects, measured = result.best_known, ~np.isnan(result.singles)
    known = effects[~np.isnan(effects)]
    st.markdown("**Each head ablated alone**" if measured.any() else "**Each head, estimated**")
    if result.estimate is not None and not measured.all():
        so_far = f"Squares: {measured.sum()} heads ablated so far. " if measured.any() else ""
        st.caption(
            f"{so_far}Circles: {(~measured).sum()} estimated to first order, by one backward pass; "
            "“Measure” ablates each, those with the largest estimate first."
        )
    highest = float(np.abs(known).max()) if known.size else 1.0
    draw(
        effect_grid,
        effect_frame(effects, measured, [result.worst] if result.worst else []),
        key=_EFFECTS,
        alt_text="What the ablation of each head does",
        title=limit.unit,
        domain=(0.0, float(f"{highest:.2g}") or 0.1),
        layers=result.singles.shape[0],
        heads=result.singles.shape[1],
        signed=bool((known < -1e-4).any()),
        row=row_height(len(result.singles)),
    )


def _curve(result: Study, effects: Array, limit: Limit) -> None:
    st.markdown("**More and more heads ablated**")
    draw(
        pruning_curve,
        band_frame(result.orders, result.counts, effects),
        key="pruning",
        alt_text=f"Effect against the number of ablated heads: {', '.join(STUDIED)}",
        orders=tuple(dict.fromkeys(order.name for order in result.orders)),
        heads=result.singles.size,
        title=limit.unit,
        limit=round(limit.most, 4),
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
    apart = account.weight_share - account.written_share
    most = divmod(int(apart.argmax()), apart.shape[1])
    left, right = st.columns(SIDES, gap="medium")
    with left:
        notice(sinks.sink_sentence(account, labels))
        names = ", ".join(f"“{labels[i]}”" for i in account.sinks)
        st.caption(
            f"Sinks: the first token and special ones, here {escape_markdown(names)}; their own "
            "rows are left out. What is written is counted by length: vectors in different "
            "directions partly cancel in the stream. Framed: the head in which the two shares are "
            "furthest apart."
        )
    with right:
        one, other = two_pictures()
        with one:
            _share_grid(_SHARES[0], account.weight_share, most)
        with other:
            _share_grid(_SHARES[1], account.written_share, most)
    offer(ViewCode(partial(_sinks_code, chosen, most), _SHARES[0], chosen.trace, chosen.text))
    st.latex(
        r"\frac{\sum_q \sum_{k \in \text{sinks}} w_{qk}}{\sum_q \sum_k w_{qk}} \qquad "
        r"\frac{\sum_q \sum_{k \in \text{sinks}} w_{qk} \lVert v_k W_O \rVert}"
        r"{\sum_q \sum_k w_{qk} \lVert v_k W_O \rVert}"
    )


def _sinks_code(chosen: Reading, framed: Head) -> str:
    imported, drawing = drawn_last(_SHARES[0]).code()
    imports = [
        "from attention.analysis.frames import head_frame",
        "from attention.analysis.sinks import sink_account, sink_sentence",
        imported,
    ]
    return of_view(chosen, imports, [
        "account = sink_account(model, trace)  # its `written_share` is the other picture",
        f"data = head_frame(account.weight_share, [{framed}])",
        *drawing,
        "print(sink_sentence(account, view.labels))",
    ])  # fmt: skip


def _share_grid(what: str, share: Array, framed: Head) -> None:
    st.markdown(f"**{what}**")
    draw(
        head_grid,
        frames.head_frame(share, [framed]),
        key=what,
        alt_text=f"{what} that goes to or comes from sinks, for every head",
        title=what.lower(),
        domain=(0.0, 1.0),
        layers=len(share),
        row=row_height(len(share)),
    )
