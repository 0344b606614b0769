"""Pipeline: the mechanics of one layer, step by step, with the model's own numbers."""

import streamlit as st

from attention import presets, ui, wording
from attention.pipeline import decoder_steps
from attention.pipeline.receipt import ReceiptCell
from attention.ui.pipeline import receipt, stepper

RECEIPTS = {"weight": "The weight", "output": "The output number"}

bar = ui.opening(
    "Pipeline",
    "**From words to vectors, step by step**: one layer, one head, with the model's own tokens "
    "and numbers. Click a step, or go on with the arrow keys.",
)
chosen = ui.reading(bar, presets.CAT.text, tokens_only=True)
focus = ui.focus(chosen)
all_steps = decoder_steps.steps_for(chosen.model)
tokens = chosen.view.labels

number, above = stepper.lit_step(all_steps), st.container()
with st.container(horizontal=True, vertical_alignment="bottom"):
    query = ui.word("Query token", chosen.view, focus.query)
    key = ui.word("Key token", chosen.view, focus.key, key="reads")
    layer, head = ui.layer_and_head(chosen.view, focus)
if chosen.trace.is_causal and key > query:
    st.warning(
        f"“{ui.escape_markdown(tokens[key])}” comes after “{ui.escape_markdown(tokens[query])}”: "
        "the mask hides it, and its weight is 0. Below, the query token attends to itself."
    )
    key = query
place = receipt.place(chosen, ReceiptCell(layer, head, query, key))
with above:
    stepper.draw_strip(all_steps, number, place)

step = all_steps[number]
left, right = st.columns([1, 2], gap="large")
with left:
    st.subheader(f"Step {number + 1} of {len(all_steps)}: {step.name}")
    stepper.explain(step, place)
with right:
    stepper.draw_matrices(step, place)
    ui.notice(step.sentence(place))
    if step.question and (question := step.question(place)):
        ui.predict(question)

stepper.offer_code(chosen, number, step, place)
sums = receipt.receipt_box()
with sums:
    if sums.open:
        st.markdown(
            f"Every product and every sum in {wording.head_name((layer, head))} between the query "
            f"of “{ui.escape_markdown(place.query_label)}” and the key of "
            f"“{ui.escape_markdown(place.key_label)}”, and from there to one number of the "
            "output. The code prints the same numbers in Python, wherever this package is "
            "installed; on another kind of processor the last digit can differ."
        )
        weight, output = ui.tabs(RECEIPTS, key="receipt")
        with weight:
            if weight.open:
                receipt.weight_receipt(chosen, ReceiptCell(layer, head, query, key))
        with output:
            if output.open:
                column = ui.index("Output column e", place.sizes["E"], 0, key="column")
                receipt.output_receipt(chosen, ReceiptCell(layer, head, query, key, column))
ui.closing()
