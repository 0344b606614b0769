"""The lesson's story in short steps: a picture of a few lines, a sentence, a link to its page."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import pandas as pd
import streamlit as st

from attention.learning.experiment import Picture
from attention.lesson import story, story_charts, story_frames
from attention.lesson.story import StoryStep
from attention.lesson.takeaways import LessonExample
from attention.ui.code_lines import of_view
from attention.ui.context.relay import relay_on_text
from attention.ui.links import link
from attention.ui.readings import Reading
from attention.ui.show import draw, escape_markdown
from attention.ui.view_code import ViewCode, drawn_last, offer

_KEY = "story-"  # how the keys of charts begin
_OPTIONS: dict[str, Any] = {"learned": {"columns": 2 * story.LEARNED.n + 1}}  # of a chart
_MADE = {  # what makes the table of a step, and the step, in Python
    "relay": ("handed_frame(example, left)", "relay_step(example, float(left[-1]))"),
    "fan": ("fan_frame(example)", "fan_step(example)"),
    "products": ("products_frame(example)", "products_step(example)"),
    "average": ("average_frame(example)", "average_step(example)"),
    "learned": ("before_after_frame(before, after)", "learned_step(after)"),
    "price": ("price_frame_of(example)", "price_step(example)"),
}
_FIRST = {  # and the lines before
    "relay": (
        "units = [view.units[k] for k in reach.own_words(view)]",
        "places = [reach.own_words(view).index(k) for k in story.way(example)]",
        "network = story.HIDDEN, story.GAIN, story.SEED",
        "_, gru = reach.relayed(model, trace.input, units, places[0], *network)",
        "left = gru[: len(places)]",
    ),
    "learned": ("before, after = story.before_and_after()",),
}


def steps(chosen: Reading, example: LessonExample) -> None:
    """Draw the story's steps beside each other."""
    own = [k for k, unit in enumerate(example.view.units) if unit.ordinary]
    places = story.way(example)
    start, end = own.index(places[0]), own.index(places[-1])
    _, gru = relay_on_text(chosen, start, story.HIDDEN, story.GAIN, story.SEED)
    left = gru[: end - start + 1]
    before, after = _learned()
    pictures: dict[str, tuple[Callable[..., Any], pd.DataFrame]] = {
        "relay": (story_charts.handed_on, story_frames.handed_frame(example, left)),
        "fan": (story_charts.fan, story_frames.fan_frame(example)),
        "products": (story_charts.products, story_frames.products_frame(example)),
        "average": (story_charts.average, story_frames.average_frame(example)),
        "learned": (story_charts.learned_maps, story_frames.before_after_frame(before, after)),
        "price": (story_charts.all_pairs, story_frames.price_frame_of(example)),
    }
    told = story.story(example, float(left[-1]), after)
    for column, step in zip(st.columns(len(told), gap="small"), told, strict=True):
        with column, st.container(border=True, height="stretch", gap="small"):
            _step(step, *pictures[step.key])
        code = partial(_code, chosen, example, step.key)
        offer(ViewCode(code, f"{_KEY}{step.key}", chosen.trace, chosen.text))


def _code(chosen: Reading, example: LessonExample, key: str) -> str:
    imported, drawing = drawn_last(f"{_KEY}{key}").code()
    data, step = _MADE[key]
    place = f"{example.query}, {example.key}, {example.layer}, {example.head}"
    imports = [
        *(["from attention.context import reach"] if key == "relay" else []),
        "from attention.lesson import story, story_frames",
        "from attention.lesson.takeaways import LessonExample",
        imported,
    ]
    return of_view(chosen, imports, [
        f"example = LessonExample(trace, view, {place})",
        *_FIRST.get(key, ()),
        f"data = story_frames.{data}",
        *drawing,
        f"print(story.{step}.text)",
    ])  # fmt: skip


@st.cache_resource(show_spinner=False)
def _learned() -> tuple[Picture, Picture]:
    return story.before_and_after()


def _step(step: StoryStep, build: Callable[..., Any], data: pd.DataFrame) -> None:
    st.markdown(f"**{step.title}**")
    options = _OPTIONS.get(step.key, {})
    draw(build, data, key=f"{_KEY}{step.key}", alt_text=step.alt_text, **options)
    st.caption(escape_markdown(step.text))
    link(step.link.page, step.link.label, step.link.state)
