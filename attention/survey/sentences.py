"""What a survey says, in a sentence each."""

from __future__ import annotations

import numpy as np

from attention.analysis.role_kinds import EVERY_ROLE, LEAST_ROWS
from attention.arrays import Array
from attention.survey.measure import SURVEYED
from attention.survey.summary import Summary
from attention.wording import Head, head_name, percent

FIGURE_LABELS = {
    "entropy": "entropy (bits)",
    "mean_distance": "distance (positions)",
    "active": "active",
}
MEANINGS = {
    "entropy": "how widely its rows spread: 0 is one word only",
    "mean_distance": "how many positions away it attends",
    "active": "weight on words of the text other than its first token",
}


def column_label(column: str) -> str:
    """Return what a role or figure is called."""
    return EVERY_ROLE[column].label if column in EVERY_ROLE else FIGURE_LABELS[column]


def column_meaning(column: str) -> str:
    """Return what its number is."""
    return EVERY_ROLE[column].meaning if column in EVERY_ROLE else MEANINGS[column]


def column_sentence(summary: Summary, column: str) -> str:
    """Say how many heads have a role over the texts, and which has it most."""
    values = summary.of(column)
    best = highest_head(values)
    count = int(summary.of(column, "counts").max())
    if column not in EVERY_ROLE:
        return (
            f"{head_name(best)} of {summary.model} has the highest figure, {values[best]:.2f} on "
            f"average over {count} texts; the median of {values.size} heads is "
            f"{np.nanmedian(values):.2f}."
        )
    has = summary.has(column)
    heads = f"{int(has.sum())} of {values.size} heads" if has.any() else "No head"
    verb = "have" if has.sum() > 1 else "has"
    chance, spread = (summary.of(column, grid)[best] for grid in ("chance", "spread"))
    return (
        f"{heads} of {summary.model} {verb} the role “{column_label(column)}” over {count} texts. "
        f"{head_name(best)} scores highest: {values[best]:.2f} against {chance:.2f} ± {spread:.3f} "
        f"by chance{_often(float(summary.of(column, 'share')[best]))}."
    )


def _often(share: float) -> str:
    """Say on how many texts a head has a role; nothing where each has too few queries."""
    if np.isnan(share):
        return ""
    return f"; it has the role on {percent(share)} of the texts with {LEAST_ROWS} queries or more"


def head_sentence(summary: Summary, head: Head) -> str:
    """Say which roles one head has over the texts, if any."""
    own = [
        f"{column_label(name)} ({summary.of(name)[head]:.2f} against "
        f"{summary.of(name, 'chance')[head]:.2f} by chance)"
        for name in SURVEYED
        if summary.has(name)[head]
    ]
    said = ", ".join(own) if own else "no role that reaches its threshold, which is an answer"
    active = float(summary.of("active")[head])
    gives = (
        f" From the third token on it gives {percent(active)} of its weight to words other than "
        "the first token."
    )
    told = "" if np.isnan(active) else gives
    return f"{head_name(head)} over {summary.texts} texts: {said}.{told}"


def highest_head(values: Array) -> Head:
    """Return the head with the highest value; those that were not measured have none."""
    layer, head = divmod(int(np.nanargmax(values)), values.shape[1])
    return layer, head
