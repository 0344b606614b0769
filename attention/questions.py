"""Predict, then reveal: short questions whose answers are computed from the model's figures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from attention import metrics
from attention.core import Array, softmax
from attention.trend import Fit
from attention.words import View


@dataclass(frozen=True)
class Question:
    """A question, what can be answered, and what the figures say."""

    key: str  # short and stable: the answer is kept under it for the visit
    text: str
    options: tuple[str, ...]
    answer: str  # one of the options, computed
    because: str  # the figures that decide it


def reads_most(view: View, query: int, layer: int, head: int) -> Question:
    """Ask which word one word reads most in one head.

    The others to choose from are its neighbours and what it reads next most.
    """
    row, name = view.weights[layer, head, query], f"L{layer} H{head}"
    by_weight = [int(k) for k in np.argsort(-row, kind="stable")]
    near = [k for k in (query - 1, query + 1, query) if 0 <= k < len(row)]
    labels = list(dict.fromkeys(view.labels[k] for k in [by_weight[0], *near[:2], *by_weight[1:]]))
    options = sorted(labels[:4], key=view.labels.index)
    most, second = by_weight[0], by_weight[min(1, len(row) - 1)]
    return Question(
        key="reads",
        text=f"Which word does “{view.labels[query]}” read most in head {name}?",
        options=tuple(options),
        answer=view.labels[most],
        because=f"“{view.labels[most]}” gets {row[most]:.2f} of its attention, next comes "
        f"“{view.labels[second]}” with {row[second]:.2f}.",
    )


def looks_back(view: View) -> Question:
    """Ask which head reads the previous word; the others are those that do something else most."""
    previous = metrics.neighbour_share(view, -1)  # (L, H)
    others = (
        metrics.neighbour_share(view, 1),
        metrics.neighbour_share(view, 0),
        metrics.special_share(view),
        -previous,
    )
    best = int(previous.argmax())
    rivals = [int(figure.argmax()) for figure in others]
    chosen = sorted({best, *[head for head in rivals if head != best][:3]})
    names = {head: "L{} H{}".format(*divmod(head, previous.shape[1])) for head in chosen}
    shares = ", ".join(f"{names[head]} {previous.flat[head]:.2f}" for head in chosen)
    return Question(
        key="previous",
        text="Which of these heads looks at the previous word?",
        options=tuple(names.values()),
        answer=names[best],
        because=f"The share that goes to the word before, on this text: {shares}.",
    )


def flattened(labels: Sequence[str], scores: Array, temperature: float = 5.0) -> Question:
    """Ask what a high temperature makes of the largest weight."""
    weights, flat = softmax(scores), softmax(scores, temperature=temperature)
    top = int(weights.argmax())
    share = float(weights[top])
    guesses = {flat[top], share, share / temperature, min(1.0, 2 * share)}
    options = dict.fromkeys(f"{guess:.1%}" for guess in sorted(guesses))
    return Question(
        key="temperature",
        text=f"At the start “{labels[top]}” weighs {share:.1%}, at a temperature of 1. What does "
        f"it weigh at {temperature:g}?",
        options=tuple(options),
        answer=f"{flat[top]:.1%}",
        because=f"Every score is divided by {temperature:g} before the exponential: differences "
        f"shrink, and the weights move towards {1 / len(labels):.1%} each.",
    )


def times_longer(trend: Fit, factor: int = 10) -> Question:
    """Ask how much longer a call takes when the text is several times as long."""
    longer = factor**trend.exponent
    limits = [2 * factor, factor**2 // 2, 2 * factor**2]
    options = (
        f"less than {limits[0]} times",
        f"{limits[0]} to {limits[1]} times",
        f"{limits[1]} to {limits[2]} times",
        f"more than {limits[2]} times",
    )
    return Question(
        key="longer",
        text=f"How much longer does a call take for {factor} times as many words?",
        options=options,
        answer=options[int(np.searchsorted(limits, longer))],
        because=f"Time grows here as n to the power {trend.exponent:.2f}, so it takes "
        f"{longer:.0f} times as long: each of the {factor} times as many words reads "
        f"{factor} times as many.",
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
