"""What a survey says, in a sentence each."""

from __future__ import annotations

import numpy as np

from attention.analysis.role_kinds import ROLES
from attention.arrays import Array
from attention.survey.measure import SURVEY_COLUMNS
from attention.survey.summary import Summary
from attention.wording import Head, head_name, percent

FIGURE_LABELS = {
    "entropy": "entropy (bits)",
    "distance": "distance (positions)",
    "active": "active",
}
MEANINGS = {
    "entropy": "how widely its rows spread: 0 is one word only",
    "distance": "how many positions away it attends",
    "active": "weight on words of the text other than its first token",
}


def column_label(column: str) -> str:
    """Return what a role or figure is called."""
    return ROLES[column].label if column in ROLES else FIGURE_LABELS[column]


def column_meaning(column: str) -> str:
    """Return what its number is."""
    return ROLES[column].meaning if column in ROLES else MEANINGS[column]


def column_sentence(summary: Summary, column: str) -> str:
    """Say how many heads have a role over the texts, and which has it most."""
    values = summary.of(column)
    best = highest_head(values)
    count = int(summary.counts[SURVEY_COLUMNS.index(column)])
    if column not in ROLES:
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
        f"{heads} of {summary.model} {verb} the role “{ROLES[column].label}” over {count} texts. "
        f"{head_name(best)} scores highest: {values[best]:.2f} against {chance:.2f} ± {spread:.3f} "
        f"by chance; it has the role on {percent(float(summary.of(column, 'share')[best]))} of the "
        "texts."
    )


def head_sentence(summary: Summary, head: Head) -> str:
    """Say which roles one head has over the texts, if any."""
    own = [
        f"{ROLES[name].label} ({summary.of(name)[head]:.2f} against "
        f"{summary.of(name, 'chance')[head]:.2f} by chance)"
        for name in ROLES
        if name in SURVEY_COLUMNS
        and summary.counts[SURVEY_COLUMNS.index(name)]
        and summary.has(name)[head]
    ]
    said = ", ".join(own) if own else "no role that reaches its threshold, which is an answer"
    return (
        f"{head_name(head)} over {summary.texts} texts: {said}. It gives "
        f"{percent(float(summary.of('active')[head]))} of its weight to words other than the first "
        "token."
    )


def highest_head(values: Array) -> Head:
    """Return the head with the highest value; those that were not measured have none."""
    layer, head = divmod(int(np.nanargmax(values)), values.shape[1])
    return layer, head
