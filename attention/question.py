"""Predict, then reveal: a short question whose answer is computed from the model's figures."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Question:
    """A question, what can be answered, and what the figures say."""

    key: str  # short and stable: the answer is kept under it for the visit
    text: str
    options: tuple[str, ...]
    answer: str  # one of the options, computed
    because: str  # the figures that decide it
