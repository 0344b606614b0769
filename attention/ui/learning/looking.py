"""What is learned, in pictures: the map, the curves, a slider over the steps, what pushes."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import NamedTuple

import numpy as np
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from attention.learning import charts, frames, sentences
from attention.learning.experiment import Experiment, Picture
from attention.ui import inputs
from attention.ui.address import end_fragment
from attention.ui.code_lines import script
from attention.ui.learning.training import Trained, trained
from attention.ui.show import draw, escape_markdown, notice
from attention.ui.sliders import Slider, slider_column, standing
from attention.ui.view_code import ViewCode, code_box, drawn_last, offer

_SIZES = {1: 320, 2: 120, 4: 120, 8: 54}  # pixels of a map, by the number of heads
_TITLES = {True: ("asked for (query)", "book (key)"), False: ("text (query)", "word (key)")}
_MAP, _CURVES, _PUSHES = "learned_map", "curves", "pushes"  # the keys of charts
_LEAST_PUSH = 0.05  # where the axis of pushes ends at least


class Places(NamedTuple):
    """Where on the page things are drawn, again and again."""

    map: DeltaGenerator
    curves: DeltaGenerator
    told: DeltaGenerator


@st.fragment  # a slider over the steps that moves sends what depends on it, not the whole page
def learning(experiment: Experiment, stop: DeltaGenerator) -> None:
    """Train where that is asked for, and draw the step that is looked at."""
    status = st.empty()
    left, middle, right = st.columns([11, 12, 10], gap="medium")
    with left:
        st.markdown(f"**{_map_title(experiment)}**")
        map_place = st.empty()
    with middle:
        st.markdown("**Right answers, and the loss**")
        places = Places(map_place, st.empty(), status)
    scrubber = st.container()
    places = places._replace(told=st.empty())
    found = trained(experiment, stop, status, lambda so_far: _draw(so_far, -1, places))
    with scrubber:
        at, rests = _scrubber(found)
    _draw(found, at, places)
    with right:
        row = _pushes(found, at)
    _code_box(found, at, row)
    end_fragment(rests=rests)


def _code_box(found: Trained, at: int, row: int) -> None:
    """Draw the box with the code: this fragment may run again without the rest of the page."""
    told = "told_picture(experiment, picture)"
    of_each = {
        _CURVES: (f"learned_frame(experiment, learned, {at % len(found.pictures)})", told),
        _PUSHES: (f"push_frame(experiment, picture, {row})",
                  f"told_push(experiment, picture, {row})"),
        _MAP: ("weight_frame(experiment, picture)", told),
    }  # fmt: skip
    for figure, (data, said) in of_each.items():
        code = partial(_code, found, at, figure, data, said)
        offer(ViewCode(code, figure, text=found.experiment.task_code))
    code_box()


def _code(found: Trained, at: int, figure: str, data: str, told: str) -> str:
    imported, drawing = drawn_last(figure).code()
    imports = [
        "from itertools import takewhile",
        "from attention import plot",
        "from attention.learning.experiment import Experiment, pictures",
        f"from attention.learning.frames import {data.partition('(')[0]}",
        f"from attention.learning.sentences import {told.partition('(')[0]}",
        imported,
    ]
    return script(imports, [
        f"experiment = {found.experiment!r}",
        f"learned = list(takewhile(lambda p: p.step <= {found.steps}, pictures(experiment)))",
        f"picture = learned[{at}]",
        f"data = {data}",
        *drawing,
        f"print({told})",
    ])  # fmt: skip


def _map_title(experiment: Experiment) -> str:
    if experiment.task_code == "library":
        return "Asked for a title, which books are looked at?"
    return "In each text, which words are looked at?"


def _draw(found: Trained, at: int, places: Places) -> None:
    """Draw one of the pictures, and the curves up to the last."""
    experiment, picture = found.experiment, found.pictures[at]
    with places.map:
        _draw_map(experiment, picture)
    curves = frames.learned_frame(experiment, found.pictures, at % len(found.pictures))
    with places.curves:
        draw(charts.learning_curves, curves, key=_CURVES,
             alt_text="Right answers and loss against steps",
             series=experiment.series, steps=experiment.steps,
             chance=sentences.chance(experiment),
             highest=sentences.highest_loss(experiment))  # fmt: skip
    with places.told:
        notice(sentences.told_picture(experiment, picture))


def _draw_map(experiment: Experiment, picture: Picture) -> None:
    library, heads = experiment.task_code == "library", experiment.heads
    draw(
        charts.weight_maps,
        frames.weight_frame(experiment, picture),
        key=_MAP,
        alt_text="Weights of the examples that are looked at",
        labels=frames.shelf_labels(experiment),
        rows=frames.asked_labels(experiment),
        heads=heads,
        size=_SIZES[heads],
        titles=_TITLES[library],
    )


def _scrubber(found: Trained) -> tuple[int, bool]:
    """Draw the slider over the steps; return which picture is looked at, and whether it rests."""
    last, stride = found.steps, found.experiment.stride
    if last == 0:
        return 0, True
    slider = Slider("at", "Step", float(last), 0.0, float(last), float(stride))
    values = standing([slider], of=(found.experiment, last))
    rests = slider_column("scrubber", "Step", [slider], values, digits=0, signed=False)
    return min(int(values[0] // stride), len(found.pictures) - 1), rests


def _pushes(found: Trained, at: int) -> int:
    """Draw where the loss of one example pushes the scores, at the step that is looked at.

    Return which example it is.
    """
    experiment, picture = found.experiment, found.pictures[at]
    st.markdown("**What learning pushes**")
    rows = frames.asked_labels(experiment)
    row = inputs.select("Example", range(len(rows)), 0, key="asked", of=(experiment,),
                        text=lambda i: rows[i], label_visibility="collapsed")  # fmt: skip
    st.caption("To the right: a score is pushed up; to the left: down.")
    draw(
        charts.push_bars,
        frames.push_frame(experiment, picture, row),
        key=_PUSHES,
        alt_text="Where the loss pushes the score of each token",
        labels=frames.shelf_labels(experiment),
        largest=_axis_end(found.pictures, row),
        heads=experiment.heads,
    )
    st.caption(escape_markdown(sentences.told_push(experiment, picture, row)))
    return row


def _axis_end(pictures: Sequence[Picture], row: int) -> float:
    """Return the largest push of an example at any step, so that steps compare."""
    most = max(float(np.abs(picture.gradients[row]).max()) for picture in pictures)
    return max(most, _LEAST_PUSH) * 1.05
