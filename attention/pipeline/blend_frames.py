"""What the chart of a blend draws: its rows, and how its axis goes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import pandas as pd

from attention.analysis import frames
from attention.arrays import Array
from attention.pipeline.blending import BlendedWords

DIMENSIONS = 12


class BlendBars(NamedTuple):
    """The rows of the blend's chart, and how its axis goes."""

    frame: pd.DataFrame
    title: str
    domain: tuple[float, float]

    @property
    def labels(self) -> tuple[str, ...]:
        """What each bar stands for."""
        return tuple(self.frame.drop_duplicates("s")["meaning"])


def meaning_bars(blended: BlendedWords, vectors: Mapping[str, Array]) -> BlendBars:
    """Return how near a blend is to each of some meanings, by what each word puts in."""
    frame = frames.blend_frame(
        blended.labels, blended.colours, blended.folded, blended.before,
        list(vectors), np.stack(list(vectors.values())),
    )  # fmt: skip
    low, high = frames.stack_domain(frame, 0.25, 1.0)
    return BlendBars(frame, "cosine of the blend with the meaning", (low, max(high, 1.0)))


def dimension_bars(blended: BlendedWords) -> BlendBars:
    """Return the raw dimensions of a blend that are furthest from 0."""
    frame = frames.dimension_frame(
        blended.labels, blended.colours, blended.folded, blended.before, DIMENSIONS
    )
    title = f"{DIMENSIONS} of {len(blended.before)} dimensions, those furthest from 0"
    return BlendBars(frame, title, frames.stack_domain(frame, 0.02))
