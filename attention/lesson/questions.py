"""What the lesson asks before it shows."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from attention.analysis.words import View
from attention.question import Question
from attention.wording import head_name


def attends_most(view: View, query: int, layer: int, head: int) -> Question:
    """Ask which word one word attends to most in one head.

    The others to choose from are its neighbours and what it attends to next most.
    """
    row, name = view.weights[layer, head, query], head_name((layer, head))
    by_weight = [int(k) for k in np.argsort(-row, kind="stable")]
    near = [k for k in (query - 1, query + 1, query) if 0 <= k < len(row)]
    labels = list(dict.fromkeys(view.labels[k] for k in [by_weight[0], *near[:2], *by_weight[1:]]))
    options = sorted(labels[:4], key=view.labels.index)
    most, second = by_weight[0], by_weight[min(1, len(row) - 1)]
    return Question(
        key="reads",
        text=f"Which word does “{view.labels[query]}” attend to most in head {name}?",
        options=tuple(options),
        answer=view.labels[most],
        because=f"“{view.labels[most]}” gets {row[most]:.2f} of its attention, next comes "
        f"“{view.labels[second]}” with {row[second]:.2f}.",
    )


def turns(sentences: Sequence[str], names: Sequence[str], outcome: int, head: str) -> Question:
    """Ask what a head does when one word turns what the pronoun means.

    Parameters
    ----------
    names : of the candidates, that which is meant in the first sentence first
    outcome : 0 turns with the meaning, 1 stays with the first, 2 with the second, 3 turns against
    """
    first, second = names
    options = (
        f"from “{first}” to “{second}”, as the meaning does",
        f"“{first}” in both",
        f"“{second}” in both",
        f"from “{second}” to “{first}”, against the meaning",
    )
    return Question(
        key="turns",
        text=f"Which candidate does the pronoun prefer in {head}: first in “{sentences[0]}”, then "
        f"in “{sentences[1]}”?",
        options=options,
        answer=options[outcome],
        because=f"In {head} it is: {options[outcome]}.",
    )
