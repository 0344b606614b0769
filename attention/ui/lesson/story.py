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
from attention.ui.context.relay import relay_on_text
from attention.ui.links import link
from attention.ui.readings import Reading
from attention.ui.show import draw, escape_markdown

# One object, as charts are made once for each function.
_LEARNED_MAPS = partial(story_charts.learned_maps, columns=2 * story.LEARNED.n + 1)


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
        "learned": (
            _LEARNED_MAPS,
            story_frames.before_after_frame(before, after),
        ),
        "price": (story_charts.all_pairs, story_frames.price_frame_of(example)),
    }
    told = story.story(example, float(left[-1]), after)
    for column, step in zip(st.columns(len(told), gap="small"), told, strict=True):
        with column, st.container(border=True, height="stretch", gap="small"):
            _step(step, *pictures[step.key])


@st.cache_resource(show_spinner=False)
def _learned() -> tuple[Picture, Picture]:
    return story.before_and_after()


def _step(step: StoryStep, build: Callable[..., Any], data: pd.DataFrame) -> None:
    st.markdown(f"**{step.title}**")
    draw(build, data, key=f"story-{step.key}", alt_text=step.alt_text)
    st.caption(escape_markdown(step.text))
    link(step.link.page, step.link.label, step.link.state)
