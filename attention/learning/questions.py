"""What the learning page asks before it shows."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import fmean

from attention.learning.experiment import Experiment, Picture
from attention.learning.measure import AccuracyPoint
from attention.question import Question
from attention.wording import percent

MAJORITY_ASKED = Experiment("majority", n=8, steps=120, beside="none")
_EVEN, _BETWEEN, _BRIGHT = "about even", "something in between", "one bright cell"


def breaks_question(points: Sequence[AccuracyPoint]) -> Question:
    """Ask at how many books the widest GRU gets less than half right."""
    own = sorted((p for p in points if p.series.startswith("GRU")), key=lambda p: p.parameters)
    widest = own[-1].series
    of_it = sorted((p for p in own if p.series == widest), key=lambda p: p.n)
    means = {p.n: fmean(p.accuracies) for p in of_it}
    options = (*(f"{n} books" for n in means if n > 1), "none of these")
    first = next((n for n, mean in means.items() if mean < 0.5), None)
    listed = ", ".join(f"{n}: {percent(mean)}" for n, mean in means.items())
    return Question(
        key="breaks",
        text=f"From how many books on does a GRU of {widest.removeprefix('GRU, ')}, trained, get "
        "less than half right?",
        options=options,
        answer=f"{first} books" if first else "none of these",
        because=f"Mean of {len(of_it[0].accuracies)} seeds, by the number of books: {listed}. All "
        "of a shelf goes through one state of fixed width; attention looks back at every book.",
    )


def even_question(last: Picture) -> Question:
    """Ask what a row of weights looks like when the most frequent word is asked for.

    Parameters
    ----------
    last : of `MAJORITY_ASKED`, after all its steps
    """
    n, steps = MAJORITY_ASKED.n, MAJORITY_ASKED.steps
    largest = float(last.weights.max(axis=-1).mean())
    options = (_EVEN, _BETWEEN, _BRIGHT)
    even = largest < 2 / n
    return Question(
        key="even",
        text=f"Asked for the most frequent of {n} words, what does a row of the map become?",
        options=options,
        answer=_EVEN if even else _BRIGHT if largest > 0.5 else _BETWEEN,
        because=f"After {steps} steps the largest weight of a row is {percent(largest)} on "
        f"average, where an even row has {percent(1 / n)} everywhere; "
        f"{percent(last.progress[0].accuracy)} of the answers are right. Every word counts here: "
        "where to look depends on the task.",
    )
