"""The context page's tabs on recurrent and convolutional layers, and on what layers cost."""

from __future__ import annotations

import numpy as np
import streamlit as st

from attention.analysis.links import shown_window
from attention.context import charts, layer_costs, reach, rnn_cnn
from attention.context import frames as context_frames
from attention.context.layer_runs import KERNELS
from attention.ui import inputs
from attention.ui.context import work
from attention.ui.controls import on_phone, word
from attention.ui.inputs import choice, stepped
from attention.ui.questions import predict
from attention.ui.readings import Reading
from attention.ui.show import draw, notice, show_check
from attention.wording import figures, head_name, human_seconds

DILATIONS = {"1": "None", "2": "2 in every layer", "0": "Doubling: 1, 2, 4, …"}
_DILATED = {1: "no dilation", 2: "a dilation of 2", 0: "doubling dilation"}
_MOST_WORDS = 40  # of the picture of a stack of convolutions
SIDE = 12  # words on either side whose weights are compared


def rnn(chosen: Reading) -> None:
    """Draw what the last word hears through a recurrent pass, and through attention."""
    view, own = chosen.view, work.own_words(chosen.view)
    labels = tuple(view.labels[k] for k in own)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        hidden = stepped("State width N", (8, 16, 32, 64), 32, key="rnn_width")
        gain = inputs.slider(
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
        seed = inputs.slider("Seed", 0, 20, 0, key="seed", width=140)
        head = work.path_head(chosen)
    tanh, gru = work.recurrent_norms(
        chosen.model_name, chosen.text, chosen.words, hidden, gain, seed
    )
    heard = {
        "recurrent, tanh": tanh,
        "recurrent, GRU": gru,
        f"attention {head_name(head)}": view.weights[head][own[-1], own],
    }
    data = context_frames.reach_frame(labels, heard)
    notice(reach.reach_sentence(view, own, heard))
    draw(
        charts.reach_chart,
        data,
        key="reach",
        alt_text="What the last word hears from each word: recurrent layers and attention",
        labels=labels,
        series=tuple(heard),
        narrow=on_phone(),
    )
    st.caption(
        "What the last word hears from each word. Both recurrent layers read the model's own word "
        f"vectors, standardised. Their weights are random (seed {seed}) and untrained: training "
        "bends the curve, but leaves the number of factors in it. Each line is divided by its sum, "
        "so that norms and weights compare; attention's is the row of the model's own head over "
        "the words of the text. Shares below a millionth lie on the edge."
    )
    st.latex(
        r"\text{recurrent: } \frac{\partial h_T}{\partial x_k} = "
        r"\frac{\partial h_T}{\partial h_{T-1}} \cdots "
        r"\frac{\partial h_{k+1}}{\partial h_k}\,\frac{\partial h_k}{\partial x_k}"
    )
    st.latex(r"\text{attention: } \frac{\partial z_T}{\partial v_k} = w_{Tk}\, I")
    _sequential_against_parallel()


def cnn(chosen: Reading) -> None:
    """Draw which words a stack of convolutions sees, and what its kernel cannot do."""
    view = chosen.view
    size = len(view.units)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        output = word("Word that looks", view, work.own_words(view)[-1])
        other = word("Word to reach", view, work.far_link(view)[0], key="reach_word")
        kernel = stepped("Kernel k", KERNELS, 3, key="kernel")
        layers = inputs.slider("Layers", 1, 8, 3, key="cnn_layers", width=150)
        rule = int(choice("Dilation", DILATIONS, key="dilation"))
    asks, reads, apart = view.labels[output], view.labels[other], abs(output - other)
    needed = rnn_cnn.layers_to_connect(apart, kernel, rule)
    dilated = rnn_cnn.dilations(layers, rule)
    reached = rnn_cnn.cone(kernel, dilated, size, output)
    notice(
        f"“{reads}” and “{asks}” are {apart} apart. Layers needed with kernel {kernel} and "
        f"{_DILATED[rule]}: {'no number is enough' if needed is None else needed}; with attention: "
        f"1. These {layers} layers make “{asks}” out of {int(reached[0].sum())} of the {size} "
        "positions."
    )
    predict(work.layers_question(kernel))
    around = shown_window(size, output, _MOST_WORDS)
    shown = range(min(around.start, other), max(around.stop, other + 1))
    if len(shown) < size:
        st.warning(
            f"The text has {size} words; the picture shows number {shown[0]} to {shown[-1]}: those "
            "around the word that looks, up to the one to reach."
        )
    draw(
        charts.cone_chart,
        context_frames.cone_frame(reached, dilated, kernel, shown, view.labels),
        key="cone",
        alt_text=f"The words that {layers} layers of convolution see from one word",
        labels=tuple(view.labels[k] for k in shown),
        first=shown[0],
        layers=layers,
        output=output,
        other=other,
    )
    show_check(f"“{asks}” sees “{reads}” through {layers} layers", bool(reached[0, other]))
    total = " + ".join(map(str, dilated))
    field = rnn_cnn.receptive_field(kernel, dilated)
    st.latex(r"R = 1 + (k - 1)\sum_l d_l")
    st.latex(rf"1 + {kernel - 1} \cdot ({total}) = {field}")
    _fixed_against_changing(chosen, (output, other), kernel)


def cost() -> None:
    """Show table 1 of the paper with the reader's numbers, and the time of each layer."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        n, width = work.length_and_width()
        kernel = stepped("Kernel k", KERNELS, 3, key="kernel")
        times, source = work.layer_times(width, kernel)
    prices = layer_costs.prices(n, width, kernel)
    here = {time.layer: time.median for time in times if time.n == n}
    quickest = min(here, key=lambda layer: here[layer])
    more = prices[2].operations / prices[0].operations
    longer = here[layer_costs.ATTENTION] / here[layer_costs.RECURRENT]
    notice(
        f"At n = {n} and d = {width} self-attention multiplies {figures(more, 2)} times as often "
        f"as a recurrent layer and took {figures(longer, 2)} times as long. Quickest of the "
        f"three: {quickest}, {human_seconds(here[quickest])}."
    )
    st.dataframe(
        context_frames.price_frame(prices, times, n),
        hide_index=True,
        alt="Path length, sequential steps and cost of three kinds of layer",
    )
    st.latex(r"\text{recurrent } n\,d^2 \quad \text{convolution } k\,n\,d^2")
    st.latex(r"\text{self-attention } 2\,n^2 d")
    st.caption(
        "After Vaswani et al. 2017, “Attention is all you need”, table 1. Paths join the first "
        "word to the last; that of the convolution is its number of layers with dilation 1, 2, 4, "
        "… Timed is what the table counts: the projections of the input, one product for all words "
        "in each case, are made before. Attention's two products both count as multiplications. "
        f"Medians of {times[0].rounds} rounds in float32 on one processor."
    )
    st.caption(source)
    work.unsteady_note(times, n)
    st.subheader("Time of one layer")
    draw(
        charts.layer_time_chart,
        context_frames.layer_time_frame(times),
        key="layer-time",
        alt_text="Time of a recurrent, a convolutional and an attention layer against length",
        n=n,
        narrow=on_phone(),
    )


def _sequential_against_parallel() -> None:
    st.subheader("One after the other, or all at once")
    with st.container(horizontal=True, vertical_alignment="bottom"):
        n, width = work.length_and_width()
        measured, source = work.layer_times(width, 3)
    recurrent, _, one = layer_costs.prices(n, width, 3)
    times = {time.layer: time.median for time in measured if time.n == n}
    slow, fast = times[layer_costs.RECURRENT], times[layer_costs.ATTENTION]
    with st.container(horizontal=True):
        st.metric(f"Steps, token 1 to {n}, recurrent", f"{recurrent.path:,}", border=True)
        st.metric(f"Steps, token 1 to {n}, attention", f"{one.path:,}", border=True)
        st.metric(f"{n} recurrent steps take", human_seconds(slow), border=True)
        st.metric("One attention call takes", human_seconds(fast), border=True)
    st.caption(
        f"{source} At n = {n}, d = {width} on one processor the loop takes "
        f"{figures(slow / fast, 2)} times as long as the call. No step of the loop can begin "
        "before the last one has ended. The call is two large products, which more processors "
        "could share. The tab “Cost” has every length."
    )
    work.unsteady_note(measured, n)


def _fixed_against_changing(chosen: Reading, places: tuple[int, int], kernel: int) -> None:
    """Draw a kernel's weights around two words, and attention's."""
    view = chosen.view
    st.subheader("A kernel is the same everywhere; attention is not")
    head = work.path_head(chosen)
    width = chosen.model.word_embeddings.shape[1]
    fixed = work.kernel_weights(kernel, width, SIDE)
    rows = [reach.offset_weights(view.weights[head][q], q, SIDE) for q in places]
    kernels = [np.where(np.isnan(row), np.nan, fixed) for row in rows]
    padded = ("",) * SIDE + view.labels + ("",) * SIDE
    around = [padded[q : q + 2 * SIDE + 1] for q in places]
    data = context_frames.offset_frame(SIDE, [kernels, rows], around)
    titles = (f"Convolution, kernel {kernel}", f"Attention {head_name(head)}")
    for panel, column in enumerate(st.columns(2, gap="large")):
        with column:
            st.markdown(f"**{titles[panel]}**")
            draw(
                charts.offset_bars,
                data[data["panel"] == panel],
                key=f"offsets-{panel}",
                alt_text=f"{titles[panel]}: weights by distance around two words",
                places=tuple(view.labels[q] for q in places),
                side=SIDE,
            )
    st.caption(
        "Convolution: the share of a random kernel's weights at each offset. It is the same around "
        "both words, whatever stands there, and training leaves it so. Attention: the model's own "
        "rows of the two words."
    )
