"""Write on: the next token under temperature and top-k, and a text that grows word by word."""

from __future__ import annotations

from itertools import islice
from time import perf_counter

import numpy as np
import streamlit as st

from attention.interventions import frames as intervention_frames
from attention.interventions.charts import next_bars
from attention.interventions.effects import NextToken
from attention.models.decoder import CausalModel, Generated, chances
from attention.ui import inputs
from attention.ui.interventions.edited import NEXT_SHOWN, decoder, logits_of, probability_axis
from attention.ui.measuring import alone
from attention.ui.readings import Reading
from attention.ui.show import draw, escape_markdown, notice, percent, signs_note

_MOST_TOKENS = 100
_WRITTEN = "_written"


def write_on(chosen: Reading) -> None:
    """Draw the controls, the chances of the next token, and what the model has written."""
    model = decoder(chosen)
    if model is None:
        st.info(
            f"{escape_markdown(chosen.model_name)} predicts no next token: "
            f"{chosen.trace.why_no_next}. Pick another model in the sidebar."
        )
        return
    with st.container(horizontal=True, vertical_alignment="bottom"):
        temperature = inputs.slider(
            "Temperature", 0.0, 2.0, 1.0, 0.1, key="heat", width=170,
            help="The logits are divided by it: below 1 the likely tokens gain, above 1 the rest. "
            "0 always takes the most probable one.",
        )  # fmt: skip
        top_k = inputs.slider(
            "Top k", 1, 100, 50, key="top_k", width=170,
            help="Only the k most probable tokens can be chosen.",
        )  # fmt: skip
        seed = inputs.slider("Seed", 0, 20, 0, key="dice", width=120)
        count = inputs.slider("Tokens", 1, _MOST_TOKENS, 25, key="count", width=150)
        pressed = st.button("Write", type="primary", icon=":material/edit:")
    status, place = st.empty(), st.empty()
    if pressed:
        alone(status, lambda: _write(chosen, model, (temperature, top_k, seed, count), place))
        status.empty()
    _show(chosen, model, place)
    st.subheader("The next token")
    _chances(chosen, model, temperature, top_k)


def _write(
    chosen: Reading,
    model: CausalModel,
    options: tuple[float, int, int, int],
    place: st.delta_generator.DeltaGenerator,
) -> None:
    """Write token by token; any click stops, and what is written stays."""
    temperature, top_k, seed, count = options
    steps: list[Generated] = []
    st.session_state[_WRITTEN] = chosen.model_name, chosen.text, steps, [0.0]
    seconds: list[float] = st.session_state[_WRITTEN][3]
    written = model.generate(chosen.text, temperature=temperature, top_k=top_k, seed=seed)
    start = perf_counter()
    for step in islice(written, count):
        steps.append(step)
        seconds[0] = perf_counter() - start
        place.text(_whole_text(model, chosen.text, steps))


def _whole_text(model: CausalModel, text: str, steps: list[Generated]) -> str:
    return text + model.spell_all([step.id for step in steps])


def _show(chosen: Reading, writer: CausalModel, place: st.delta_generator.DeltaGenerator) -> None:
    model, text, steps, (seconds,) = st.session_state.get(_WRITTEN, ("", "", [], [0.0]))
    if not steps or (model, text) != (chosen.model_name, chosen.text):
        place.info("“Write” lets the model go on with the sentence, one token after the other.")
        return
    surest, least = (pick(steps, key=lambda step: step.probability) for pick in (max, min))
    with place.container(border=True):
        st.text(_whole_text(writer, text, steps))
        st.caption(
            f"{len(steps)} tokens in {seconds:.1f} s, {len(steps) / max(seconds, 1e-9):.0f} a "
            "second, with the keys and values of what was read kept. Least expected: "
            f"“{escape_markdown(writer.label(least.id))}” ({percent(least.probability)}); surest: "
            f"“{escape_markdown(writer.label(surest.id))}” ({percent(surest.probability)})."
        )


def _chances(chosen: Reading, model: CausalModel, temperature: float, top_k: int) -> None:
    logits = logits_of(chosen.trace)
    plain = chances(logits, 1.0, len(logits))
    now = chances(logits, temperature, top_k)
    best = np.argsort(-plain, kind="stable")[:NEXT_SHOWN].tolist()
    changes = [NextToken(i, float(plain[i]), float(now[i])) for i in best]
    notice(
        f"The most probable token, “{model.label(best[0])}”, has {percent(plain[best[0]])} in the "
        f"model and {percent(now[best[0]])} with this temperature among the {top_k} best. "
        f"{int((now > 0).sum()):,} of {len(logits):,} tokens can be chosen."
    )
    draw(
        next_bars,
        intervention_frames.next_frame(changes, model.label, 0),
        key="chances",
        alt_text="Chances of the next token with temperature and top k, and without",
        labels=tuple(f"“{model.label(change.id)}”" for change in changes),
        highest=probability_axis(float(max(plain.max(), now[best].max()))),
    )
    signs_note(model.label(i) for i in best)
    st.latex(r"p_i = \frac{e^{l_i / \tau}}{\sum_{j \in \text{top } k} e^{l_j / \tau}}")
    st.caption("Bars: with temperature τ and top k. Marks: the model's own probabilities.")
