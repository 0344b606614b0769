"""What the learning page says of what it draws; every figure is computed from it."""

from __future__ import annotations

import math

import numpy as np

from attention.learning.experiment import Experiment, Picture
from attention.learning.network import Network
from attention.wording import percent

_NOTHING = 5e-4  # what three decimals show as 0


def told_sizes(experiment: Experiment) -> str:
    """Return how many numbers each network learns, and from what.

    >>> print(told_sizes(Experiment(beside="none")))
    Numbers that are learned: attention, width 32: 5,168. By Adam, from batches of 64 examples.
    """
    other, batch = experiment.other, experiment.settings.batch
    networks = [experiment.network, *([other] if other else [])]
    sizes = (f"{network.parameter_count():,}" for network in networks)
    listed = "; ".join(
        f"{name}: {size}" for name, size in zip(experiment.series, sizes, strict=True)
    )
    same = "; both learn from the same ones, at the same rate" if other else ""
    return f"Numbers that are learned: {listed}. By Adam, from batches of {batch} examples{same}."


def chance(experiment: Experiment) -> float:
    """Return how often a guess is right."""
    return 1 / experiment.task.answers


def right_weight(experiment: Experiment, picture: Picture) -> float | None:
    """Return the mean weight of the tokens that the answer depends on; none where it is all.

    Over the examples that are looked at, of the head that has most of it.
    """
    relevant = experiment.looked_at.relevant
    if relevant.all():
        return None
    by_head = (picture.weights * relevant[:, None]).sum(axis=-1).mean(axis=0)  # (H,)
    return float(by_head.max())


def told_picture(experiment: Experiment, picture: Picture) -> str:
    """Say what the step that is looked at shows."""
    even = f"1/{experiment.n} = {percent(1 / experiment.n)}"
    if picture.step == 0:
        return f"Nothing is learned yet: every weight is {even}, whatever is asked."
    found = right_weight(experiment, picture)
    what = (
        "book that is asked for" if experiment.task_code == "library" else "word that is asked for"
    )
    if found is None:
        largest = float(picture.weights.max(axis=-1).mean())
        weight = (
            f"All words count, and the largest weight of a row is {percent(largest)} on average, "
            f"where an even row has {even}."
        )
    else:
        head = " in the head that has most" if experiment.heads > 1 else ""
        weight = f"The {what} has {percent(found)} of the weight on average{head} ({even} is even)."
    return f"After {_steps(picture.step)}: {_answers(experiment, picture)}. {weight}"


def told_push(experiment: Experiment, picture: Picture, row: int) -> str:
    """Say which scores of one example the loss pushes up and down."""
    relevant = experiment.looked_at.relevant[row]
    push = -picture.gradients[row].sum(axis=0)  # (n,)
    weights = picture.weights[row].mean(axis=0)
    heads = ", summed over the heads" if experiment.heads > 1 else ""
    if np.abs(push).max() < _NOTHING:
        return f"There is next to nothing to push: every push is below {_NOTHING} nats{heads}."
    if relevant.all():
        return f"All words count here; the pushes still sum to 0{heads}."
    right, others = push[relevant].sum(), push[~relevant]
    way = "up" if right > 0 else "down"
    first = f"The right one is pushed {way} ({right:+.3f} nats for 1 more of score{heads})"
    if abs(right) < _NOTHING:
        first = f"The right one is hardly pushed (less than {_NOTHING} nats{heads})"
    most = int(np.argmin(np.where(relevant, np.inf, push)))
    return (
        f"{first}; {int((others < 0).sum())} of the other {len(others)} down, hardest one that "
        f"has {percent(float(weights[most]))} of the weight. What is gained in a row is lost in "
        "it: the pushes sum to 0."
    )


def told_task(experiment: Experiment) -> str:
    """Say what is asked in the task."""
    n = experiment.n
    words = f"A text of {n} {'word' if n == 1 else 'words'}"
    return {
        "library": f"A shelf of {n} {'book' if n == 1 else 'books'}, each a title and a colour; "
        "then a title. Which colour has the book?",
        "back": f"{words}. Which one stands {experiment.back} back from the end?",
        "first": f"{words}. Which one is the first?",
        "majority": f"{words}, of four different ones. Which one is the most frequent?",
    }[experiment.task_code]


def highest_loss(experiment: Experiment) -> float:
    """Return where the axis of losses ends: a little above that of a guess."""
    return 1.4 * math.log(experiment.task.answers)


def _answers(experiment: Experiment, picture: Picture) -> str:
    shares = [percent(one.accuracy) for one in picture.progress]
    told = f"attention gets {shares[0]} right"
    if experiment.other:
        told += f", {_article(experiment.other)} {shares[1]}"
    batches = min(picture.step + 1, 20)
    last = "the last batch" if batches == 1 else f"the last {batches} batches"
    return f"{told} ({last}, all new; a guess: {percent(chance(experiment))})"


def _article(network: Network) -> str:
    return f"the {network.kind}" + (" of the same size" if network.kind != "attention" else "")


def _steps(count: int) -> str:
    return f"{count} step" if count == 1 else f"{count:,} steps"
