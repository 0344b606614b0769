"""The comparison that is stored with the package: what the learning page shows unmeasured."""

from __future__ import annotations

import json
from functools import cache
from importlib.resources import files
from typing import Any, NamedTuple

from attention.learning.measure import AccuracyPoint, learning_points
from attention.learning.tasks import LIBRARY, MARKED_WORD, Task
from attention.scaling.runs import Run


class Comparison(NamedTuple):
    """Accuracies of trained networks, and where, when and how they were made."""

    run: Run
    points: tuple[AccuracyPoint, ...]

    def of(self, task: Task) -> list[AccuracyPoint]:
        """Return the points of one task."""
        return [point for point in self.points if point.task == task.name]

    @property
    def library(self) -> list[AccuracyPoint]:
        """Return the points of the library."""
        return self.of(LIBRARY)

    @property
    def marked(self) -> list[AccuracyPoint]:
        """Return the points of the task with one marked word."""
        return self.of(MARKED_WORD)


def stored_comparison() -> Comparison:
    """Return the comparison that is stored with the package.

    >>> len(stored_comparison().library[0].accuracies)
    10
    """
    content = _accuracies()
    run = Run(
        content["kind"], content["made"], content["machine"], content["libraries"],
        content["settings"], (),
    )  # fmt: skip
    return Comparison(run, tuple(learning_points(content)))


@cache
def _accuracies() -> dict[str, Any]:
    found = (files("attention.learning") / "accuracies.json").read_bytes()
    content: dict[str, Any] = json.loads(found)
    return content
