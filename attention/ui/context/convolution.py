"""The context page's tab on convolutional layers."""

from __future__ import annotations

from functools import partial

import streamlit as st

from attention.analysis.links import shown_window
from attention.arrays import Array
from attention.context import charts, reach, rnn_cnn
from attention.context import frames as context_frames
from attention.context.layer_runs import KERNELS
from attention.context.questions import layers_question
from attention.context.reach import ConvolutionReach
from attention.ui import inputs
from attention.ui.code_lines import of_view
from attention.ui.context.heads import path_head
from attention.ui.controls import word
from attention.ui.inputs import choice, stepped
from attention.ui.questions import predict
from attention.ui.readings import Reading
from attention.ui.show import draw, notice, show_check
from attention.ui.view_code import ViewCode, offer
from attention.wording import head_name

DILATIONS = {"1": "None", "2": "2 in every layer", "0": "Doubling: 1, 2, 4, …"}
_MOST_WORDS = 40  # of the picture of a stack of convolutions
SIDE = 12  # words on either side whose weights are compared


def cnn(chosen: Reading) -> None:
    """Draw which words a stack of convolutions reaches, and what its kernel cannot do."""
    stack = _stack(chosen)
    notice(stack.sentence)
    _cone(chosen, stack)
    predict(layers_question(stack.kernel))
    labels = chosen.view.labels
    claim = f"“{labels[stack.other]}” reaches “{labels[stack.output]}” in {stack.layers} layers"
    show_check(claim, bool(stack.cone[0, stack.other]))
    total = " + ".join(map(str, stack.dilated))
    st.latex(r"R = 1 + (k - 1)\sum_l d_l")
    st.latex(rf"1 + {stack.kernel - 1} \cdot ({total}) = {stack.field}")
    _fixed_against_changing(chosen, (stack.output, stack.other), stack.kernel)


def _stack(chosen: Reading) -> ConvolutionReach:
    """Draw the controls of the stack; return it."""
    view = chosen.view
    with st.container(horizontal=True, vertical_alignment="bottom"):
        output = word("Output word", view, reach.own_words(view)[-1])
        other = word("Word to reach", view, reach.far_link(view)[0], key="reach_word")
        kernel = stepped("Kernel k", KERNELS, 3, key="kernel")
        layers = inputs.slider("Layers", 1, 8, 3, key="cnn_layers", width=150)
        rule = int(choice("Dilation", DILATIONS, key="dilation"))
    return ConvolutionReach(view, output, other, kernel, layers, rule)


def _cone(chosen: Reading, stack: ConvolutionReach) -> None:
    labels, size = stack.view.labels, len(stack.view.units)
    around = shown_window(size, stack.output, _MOST_WORDS)
    shown = range(min(around.start, stack.other), max(around.stop, stack.other + 1))
    if len(shown) < size:
        st.warning(
            f"The text has {size} words; the picture shows number {shown[0]} to {shown[-1]}: those "
            "around the output word, up to the one to reach."
        )
    code = partial(_cone_code, chosen, stack, shown)
    offer(ViewCode(code, "cone", chosen.trace, chosen.text))
    own = context_frames.cone_frame(stack.cone, stack.dilated, stack.kernel, shown, labels)
    attended = context_frames.attention_cone_frame(
        stack.output, stack.layers, shown, labels, is_causal=stack.view.is_causal
    )
    cones = {"cone": ("Convolution", own), "attention-cone": ("Attention", attended)}
    for column, (key, (kind, data)) in zip(st.columns(2, gap="large"), cones.items(), strict=True):
        with column:
            st.markdown(f"**{kind}**")
            draw(
                charts.cone_chart,
                data,
                key=key,
                alt_text=f"{kind}: the words that {stack.layers} layers make one word from",
                labels=tuple(labels[k] for k in shown),
                first=shown[0],
                layers=stack.layers,
                output=stack.output,
                other=stack.other,
            )
    windowed = any(stack.view.windows)
    st.caption(
        f"Attention has {'every earlier word' if stack.view.is_causal else 'every word'} within "
        "one layer; in the layers below, only the way from each word to itself is drawn."
        + (" That is so without a window: layers of this model have one." if windowed else "")
    )


def _cone_code(chosen: Reading, stack: ConvolutionReach, shown: range) -> str:
    imports = [
        "from attention.context.charts import cone_chart",
        "from attention.context.frames import cone_frame",
        "from attention.context.reach import ConvolutionReach",
    ]
    places = f"{stack.output}, {stack.other}, {stack.kernel}, {stack.layers}, {stack.rule}"
    return of_view(chosen, imports, [
        f"stack = ConvolutionReach(view, {places})",
        f"shown = {shown}",
        "chart = plot.drawn(",
        "    cone_chart,",
        "    cone_frame(stack.cone, stack.dilated, stack.kernel, shown, view.labels),",
        "    labels=[view.labels[k] for k in shown], first=shown[0], layers=stack.layers,",
        "    output=stack.output, other=stack.other,",
        ")",
        "print(stack.sentence)",
    ])  # fmt: skip


def _fixed_against_changing(chosen: Reading, places: tuple[int, int], kernel: int) -> None:
    """Draw a kernel's weights around two words, and attention's."""
    st.subheader("A kernel is the same everywhere; attention is not")
    head = path_head(chosen)
    shares = _kernel_shares(kernel, chosen.model.word_embeddings.shape[1])
    data = context_frames.kernel_and_attention_frame(chosen.view, head, places, shares)
    titles = (f"Convolution, kernel {kernel}", f"Attention {head_name(head)}")
    for panel, column in enumerate(st.columns(2, gap="large")):
        with column:
            st.markdown(f"**{titles[panel]}**")
            draw(
                charts.offset_bars,
                data[data["panel"] == panel],
                key=f"offsets-{panel}",
                alt_text=f"{titles[panel]}: weights by distance around two words",
                places=tuple(chosen.view.labels[q] for q in places),
                side=SIDE,
            )
    st.caption(
        "Convolution: the share of a random kernel's weights at each offset. It is the same around "
        "both words, whatever stands there, and training leaves it so. Attention: the model's own "
        "rows of the two words."
    )


@st.cache_resource(max_entries=16, show_spinner=False)
def _kernel_shares(kernel: int, width: int) -> Array:
    """Return how much of a random convolution of this width weighs on each offset."""
    return reach.kernel_shares(rnn_cnn.random_kernel(kernel, width, seed=0), SIDE)
