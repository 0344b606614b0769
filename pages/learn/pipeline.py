"""Pipeline: the mechanics of one layer, step by step, with the model's own numbers."""

from functools import partial

import streamlit as st

from attention import presets, ui, wording
from attention.pipeline import decoder_steps, matrix, steps
from attention.pipeline import frames as step_frames
from attention.pipeline.charts import matrix_map
from attention.pipeline.receipt import ReceiptCell
from attention.ui.pipeline import receipt

MOST_TOKENS = 24  # in a chart
RECEIPTS = {"weight": "The weight", "output": "The output number"}
BETWEEN = {False: r" \qquad ", True: r" \\[1ex] "}  # formulas stand below each other on a phone

st.title("Pipeline")
st.markdown(
    "**What happens between the words that go in and the vectors that come out?** One layer, one "
    "head, one step at a time; every number is the model's own. This page shows tokens, which is "
    "what the model reads: words may come in pieces, with special tokens around them."
)
chosen = ui.reading(presets.CAT.text, tokens_only=True)
focus = ui.focus(chosen)
STEPS = {step.key: step for step in decoder_steps.steps_for(chosen.model)}
ORDER = list(STEPS)
layer, head = ui.layer_and_head(chosen.view, focus)
tokens = chosen.view.labels


def go(to: str) -> None:
    """Show another step."""
    st.session_state["step"] = to


def click(chart: str, shown: list[int]) -> None:
    """Let the clicked cell say which token asks and which is read."""
    for cell in st.session_state[chart]["selection"]["cell"]:
        st.session_state.update(word=shown[cell["r"]], reads=shown[cell["c"]])


step = STEPS[ui.choice("Step", {s.key: s.name for s in STEPS.values()}, key="step")]
number = ORDER.index(step.key)
with st.container(horizontal=True, vertical_alignment="bottom"):
    back = partial(go, ORDER[number - 1])
    st.button("Back", icon=":material/arrow_back:", disabled=number == 0, on_click=back)
    last = number == len(ORDER) - 1
    st.button(
        "Next",
        icon=":material/arrow_forward:",
        type="primary",
        disabled=last,
        on_click=partial(go, ORDER[0 if last else number + 1]),
    )
    query = ui.word("Token that asks (query)", chosen.view, focus.query)
    key = ui.word("Token that is read (key)", chosen.view, focus.key, key="reads")
if chosen.trace.is_causal and key > query:
    st.warning(
        f"“{ui.escape_markdown(tokens[key])}” comes after “{ui.escape_markdown(tokens[query])}”: "
        "the mask hides it, and its weight is 0. Below, the asking token reads itself."
    )
    key = query
place = receipt.place(chosen, ReceiptCell(layer, head, query, key))

st.subheader(f"Step {number + 1} of {len(ORDER)}: {step.name}")
st.markdown(step.what)
st.latex(r"\begin{gathered}" + BETWEEN[ui.on_phone()].join(step.formulas) + r"\end{gathered}")
st.caption(f"Shapes: {steps.shapes_text(step, place)}")
ui.notice(step.sentence(place))
if step.gap:
    gap = step.gap(place)
    ui.show_check(f"computed again here, within {gap:.1g} of the model's own", gap < 1e-4)

# The matrices, side by side, of as many tokens as can be read.
shown = steps.shown_tokens(place, MOST_TOKENS)
if len(shown) < len(tokens):
    st.warning(
        f"The text has {len(tokens)} tokens. The charts show {len(shown)}: the chosen two and "
        "those that the asking token reads most. Every sum runs over all of them."
    )
matrices = step.matrices(place)
for drawn, beside in zip(matrices, st.columns(len(matrices)), strict=True):
    with beside:
        st.markdown(f"**{drawn.name}** {drawn.meaning}")
        chart = f"{step.key} {drawn.name} {query} {key}" if drawn.square else drawn.name
        ui.draw(
            matrix_map,
            step_frames.matrix_frame(drawn, tokens, shown),
            key=chart,  # of a square one new after every click: any cell can be clicked again
            alt_text=f"Matrix {drawn.name}: {drawn.meaning}",
            on_select=partial(click, chart, shown) if drawn.square else None,
            labels=step_frames.row_labels(drawn, tokens, shown),
            square=drawn.square,
            signed=drawn.signed,
            limit=matrix.limit(matrices if step.one_scale else [drawn], shown),
        )
        st.caption(matrix.part_text(drawn, shown))
if any(drawn.square for drawn in matrices):
    st.caption("Rows ask, columns are read. Click a cell to choose it for the receipt.")
if step.question and (question := step.question(place)):
    ui.predict(question)

st.subheader("Receipt for one cell")
st.markdown(
    f"Every product and every sum in {wording.head_name((layer, head))} between the query of "
    f"“{ui.escape_markdown(place.asks)}” and the key of “{ui.escape_markdown(place.reads)}”, and "
    "from there to one number of the output. The code prints the same numbers in Python, wherever "
    "this package is installed; on another kind of processor the last digit can differ."
)
weight, output = ui.tabs(RECEIPTS, key="receipt")
with weight:
    if weight.open:
        receipt.weight_receipt(chosen, ReceiptCell(layer, head, query, key))
with output:
    if output.open:
        column = ui.index("Output column e", place.sizes["E"], 0, key="column")
        receipt.output_receipt(chosen, ReceiptCell(layer, head, query, key, column))
ui.saving_hint()
