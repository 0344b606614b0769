"""The context page's tab on recurrent layers."""

from __future__ import annotations

from functools import partial

import streamlit as st

import attention
from attention.analysis import words
from attention.arrays import Array
from attention.context import charts, reach
from attention.context import frames as context_frames
from attention.context.layer_costs import ATTENTION, RECURRENT, LayerComparison
from attention.context.reach import Influence, Relay
from attention.context.relay_charts import arc_chart, relay_chart
from attention.learning import compared
from attention.learning.stored import stored_comparison
from attention.ui import inputs
from attention.ui.code_lines import of_view
from attention.ui.context import timed
from attention.ui.context.heads import path_head
from attention.ui.context.relay import relay_on_text
from attention.ui.inputs import stepped
from attention.ui.learning.by_books import BOOKS_TOLD, draw_by_books, say_how
from attention.ui.links import link
from attention.ui.readings import Reading, trace
from attention.ui.show import draw, escape_markdown, notice
from attention.ui.view_code import ViewCode, offer
from attention.wording import Head, head_name, human_seconds


def rnn(chosen: Reading) -> None:
    """Draw a message that is handed on beside an arc of attention; below, how it is computed."""
    above = st.container()
    details = inputs.expander(
        "Details: the networks' settings, every word, derivatives, time",
        icon=":material/tune:",
        key="details",
    )
    with details:
        influence, settings, head = _influence(chosen)
        if details.open:
            _every_word(influence, settings[-1])
            _derivatives()
            _sequential_against_parallel()
    with above:
        _relay(chosen, influence, settings, head)
        _trained()


def _relay(
    chosen: Reading, influence: Influence, settings: tuple[int, float, int], head: Head
) -> None:
    """Draw the relay and the arc, and say what comes through either."""
    if len(influence.labels) < 2:
        notice(influence.sentence)
        return
    held = relay_on_text(chosen, influence.far, *settings)
    relay = Relay(influence, dict(zip(("tanh", "GRU"), held, strict=True)))
    st.caption(escape_markdown(relay.sentence))
    labels = tuple(influence.labels[k] for k in relay.places)
    name = list(influence.series)[-1]
    code = partial(_relay_code, chosen, head, settings)
    offer(ViewCode(code, "relay", chosen.trace, chosen.text))
    left, right = st.columns(2, gap="large")
    with left:
        st.markdown("**Recurrent: handed on, word by word**")
        draw(
            relay_chart,
            context_frames.relay_frame(relay),
            key="relay",
            alt_text="What is left of a word's message at each later word",
            labels=labels,
            series=tuple(relay.held),
        )
    with right:
        st.markdown("**Attention: one step**")
        draw(
            arc_chart,
            context_frames.arc_frame(relay),
            key="arc",
            alt_text="Arcs from the last word to the words before it",
            labels=labels,
            name=name,
        )
    some = len(influence.labels) - influence.far
    st.caption(
        "Left: how much the state of a random, untrained network still moves with the first of "
        "these words, 100 % where the word is read. Right: the weights of the last word in a head "
        "of the model."
        + (f" Of {some} words on the way {len(labels)} are drawn." if len(labels) < some else "")
    )


def _relay_code(chosen: Reading, head: Head, settings: tuple[int, float, int]) -> str:
    imports = [
        "from attention.context import reach",
        "from attention.context.frames import relay_frame",
        "from attention.context.reach import Influence, Relay",
        "from attention.context.relay_charts import relay_chart",
    ]
    return of_view(chosen, imports, [
        "own = reach.own_words(view)",
        "units = [view.units[k] for k in own]",
        f"settings = {settings}  # state width, gain, seed",
        "tanh, gru = reach.recurrent_norms(model, trace.input, units, *settings)",
        f"row = view.weights[{head}][own[-1], own]",
        f'series = {{"recurrent, tanh": tanh, "recurrent, GRU": gru, '
        f'"attention {head_name(head)}": row}}',
        f"influence = Influence(view, series, layer={head[0]})",
        "held = reach.relayed(model, trace.input, units, influence.far, *settings)",
        'relay = Relay(influence, dict(zip(("tanh", "GRU"), held)))',
        "chart = plot.drawn(",
        "    relay_chart, relay_frame(relay), series=tuple(relay.held),",
        "    labels=[influence.labels[k] for k in relay.places],",
        ")",
        "print(relay.sentence)",
    ])  # fmt: skip


def _trained() -> None:
    """Draw what recurrent networks hold that were trained to, and attention beside them."""
    st.subheader("Trained to hold on to it")
    points = stored_comparison()
    notice(compared.told_books(points.library, BOOKS_TOLD))
    draw_by_books()
    st.caption(escape_markdown(compared.told_marked(points.marked)))
    say_how()
    link("pages/learn/learning.py", "Watch them learn", {"books": str(BOOKS_TOLD)})


def _every_word(influence: Influence, seed: int) -> None:
    """Draw what reaches the last word from each word."""
    st.caption(escape_markdown(influence.sentence))
    draw(
        charts.reach_chart,
        context_frames.reach_frame(influence.labels, influence.series),
        key="reach",
        alt_text="What reaches the last word from each word: recurrent layers and attention",
        labels=influence.labels,
        series=tuple(influence.series),
    )
    st.caption(
        "What reaches the last word from each word. The input of both recurrent layers is the "
        f"model's own word vectors, standardised. Their weights are random (seed {seed}) and "
        "untrained: training bends the curve, but leaves the number of factors in it. Each line is "
        "divided by its sum, so that norms and weights compare; attention's is the row of the "
        "model's own head over the words of the text. Shares below a millionth lie on the edge."
    )


def _influence(chosen: Reading) -> tuple[Influence, tuple[int, float, int], Head]:
    """Draw the controls; return what reaches the last word, the networks' settings, the head."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        hidden = stepped("State width N", (8, 16, 32, 64), 32, key="rnn_width")
        gain = _gain()
        seed = inputs.slider("Seed", 0, 20, 0, key="seed", width=140)
        head = path_head(chosen)
    own = reach.own_words(chosen.view)
    tanh, gru = _norms(chosen.model_name, chosen.text, chosen.words, hidden, gain, seed)
    series = {
        "recurrent, tanh": tanh,
        "recurrent, GRU": gru,
        f"attention {head_name(head)}": chosen.view.weights[head][own[-1], own],
    }
    return Influence(chosen.view, series, head[0]), (hidden, gain, seed), head


def _gain() -> float:
    return inputs.slider(
        "Recurrent gain",
        0.1,
        3.0,
        0.9,
        0.1,
        key="gain",
        width=180,
        help="The spectral radius of the recurrent matrices: their largest eigenvalue's size. "
        "A small one lets the product of the derivatives vanish, a large one lets it explode.",
    )


@st.cache_resource(max_entries=64, show_spinner=False)
def _norms(
    model: str, text: str, merged: bool, hidden: int, gain: float, seed: int
) -> tuple[Array, Array]:
    tokens = trace(model, text).input
    units = words.whole_words(tokens) if merged else words.pieces(tokens)
    own = [unit for unit in units if unit.ordinary]
    return reach.recurrent_norms(attention.load_model(model), tokens, own, hidden, gain, seed)


def _derivatives() -> None:
    st.latex(
        r"\text{recurrent: } \frac{\partial h_T}{\partial x_k} = "
        r"\frac{\partial h_T}{\partial h_{T-1}} \cdots "
        r"\frac{\partial h_{k+1}}{\partial h_k}\,\frac{\partial h_k}{\partial x_k}"
    )
    st.latex(r"\text{attention: } \frac{\partial z_T}{\partial v_k} = w_{Tk}\, I")


def _sequential_against_parallel() -> None:
    st.subheader("One after the other, or all at once")
    with st.container(horizontal=True, vertical_alignment="bottom"):
        n, width = timed.length_and_width()
        times, source = timed.layer_times(width, 3)
    costs = LayerComparison(n, width, 3, times)
    recurrent, _, attended = costs.counted
    loop, call = (human_seconds(costs.here[layer].median) for layer in (RECURRENT, ATTENTION))
    with st.container(horizontal=True):
        st.metric(f"Steps, token 1 to {n}, recurrent", f"{recurrent.path:,}", border=True)
        st.metric(f"Steps, token 1 to {n}, attention", f"{attended.path:,}", border=True)
        st.metric(f"{n} recurrent steps take", loop, border=True)
        st.metric("One attention call takes", call, border=True)
    st.caption(f"{source} {costs.loop_sentence}")
    timed.unsteady_note(costs)
