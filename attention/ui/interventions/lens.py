"""The logit lens: what each layer's stream would predict, where the reader opens it."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from attention.analysis.logit_lens import Lens, logit_lens
from attention.interventions.lens_charts import lens_bars, lens_map
from attention.interventions.steering import Interests
from attention.interventions.writing_frames import lens_frame
from attention.models.decoder import CausalModel
from attention.ui import inputs
from attention.ui.progress import kept
from attention.ui.readings import Reading
from attention.ui.show import draw

_WORDS = 16  # the last ones


def logit_lens_below(chosen: Reading, model: CausalModel, followed: Interests) -> None:
    """Draw, once the box is open, what each layer would predict after the last words."""
    box = inputs.expander(
        "Logit lens: what would each layer predict?", icon=":material/layers:", key="lens"
    )
    with box:
        if box.open:
            _draw(chosen, model, followed)


def _draw(chosen: Reading, model: CausalModel, followed: Interests) -> None:
    units = chosen.view.units[-_WORDS:]
    positions = [unit.positions[-1] for unit in units]
    lens = kept(
        "Reading every layer's stream",
        lambda report: logit_lens(model, chosen.trace, positions, followed.ids[0], report),
        chosen.model_name, chosen.text, chosen.words, repr(followed.ids),
    )  # fmt: skip
    labels = {unit.positions[-1]: unit.label for unit in units}
    data = lens_frame(lens, labels, model.label)
    left, right = st.columns(2, gap="medium")
    with left:
        _after_the_last(data, lens)
    with right:
        _after_each(data, lens, tuple(labels.values()))
    st.caption(
        "The last norm and the output matrix on every layer's stream, as if no layer followed. "
        f"From {lens.settled} layers on the most probable token is the model's own. The lens says "
        "what can be read off a stream in the last layer's terms; a layer that does not show a "
        "word may know it in terms of its own (nostalgebraist 2020; Belrose et al. 2023)."
    )


def _after_the_last(data: pd.DataFrame, lens: Lens) -> None:
    st.markdown("**After the last word**")
    draw(
        lens_bars,
        data[data["at"] == data["at"].max()],
        key="lens_bars",
        alt_text="The next token that each layer would predict after the last word",
        layers=len(lens.ids),
    )


def _after_each(data: pd.DataFrame, lens: Lens, labels: tuple[str, ...]) -> None:
    st.markdown(f"**After each of the last {len(labels)} words**")
    draw(
        lens_map,
        data,
        key="lens_map",
        alt_text="How probable each layer's own next token is, after each word",
        labels=labels,
        layers=len(lens.ids),
    )
