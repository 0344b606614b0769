"""A text that a decoder goes on with, token by token, and the chances of its next token."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice
from time import perf_counter

import numpy as np

from attention.arrays import Array
from attention.interventions.effects import NextToken
from attention.models.decoder import CausalModel, Generated, chances
from attention.wording import percent


@dataclass(frozen=True)
class Sampling:
    """How the next token is chosen."""

    temperature: float
    top_k: int
    seed: int = 0


@dataclass
class Writing:
    """What a model has written on a text so far, and how long it took."""

    model: str
    start: str
    steps: list[Generated] = field(default_factory=list)
    seconds: float = 0.0


def write(writing: Writing, model: CausalModel, sampling: Sampling, count: int) -> Iterator[str]:
    """Let the model write up to `count` tokens; yield the whole text as it grows.

    Whoever takes no further text stops the work; what is written stays in `writing`.
    """
    start = perf_counter()
    steps = model.generate(
        writing.start,
        temperature=sampling.temperature,
        top_k=sampling.top_k,
        seed=sampling.seed,
    )
    for step in islice(steps, count):
        writing.steps.append(step)
        writing.seconds = perf_counter() - start
        yield whole_text(writing, model)


def whole_text(writing: Writing, model: CausalModel) -> str:
    """Return the text that the model was given, and what it has written."""
    return writing.start + model.spell_all([step.id for step in writing.steps])


def writing_sentence(writing: Writing, model: CausalModel) -> str:
    """Say how fast the model wrote, and which of its tokens were least and most probable."""
    steps = writing.steps
    most, least = (pick(steps, key=lambda step: step.probability) for pick in (max, min))
    return (
        f"{len(steps)} tokens in {writing.seconds:.1f} s, "
        f"{len(steps) / max(writing.seconds, 1e-9):.0f} a second: the keys and values of earlier "
        f"tokens are kept. Least probable: “{model.label(least.id)}” "
        f"({percent(least.probability)}); most probable: “{model.label(most.id)}” "
        f"({percent(most.probability)})."
    )


@dataclass(frozen=True)
class NextChances:
    """How probable the next tokens are in a model, and how probable with a way of choosing."""

    changes: list[NextToken]  # the most probable ones
    can_be_chosen: int
    of: int  # tokens in all

    @property
    def highest(self) -> float:
        """The largest probability of all."""
        return max(max(change.before, change.after) for change in self.changes)

    def sentence(self, label: str, top_k: int) -> str:
        """Say what becomes of the most probable token, which `label` names."""
        first = self.changes[0]
        return (
            f"The most probable token, “{label}”, has {percent(first.before)} in the model and "
            f"{percent(first.after)} with this temperature among the {top_k} best. "
            f"{self.can_be_chosen:,} of {self.of:,} tokens can be chosen."
        )


def next_chances(logits: Array, sampling: Sampling, count: int) -> NextChances:
    """Return the chances of the `count` most probable next tokens, from logits `(V,)`.

    >>> next_chances(np.log([0.5, 0.3, 0.2]), Sampling(0.0, 3), 2).changes[0].after
    1.0
    """
    before = chances(logits, 1.0, len(logits))
    after = chances(logits, sampling.temperature, sampling.top_k)
    best = np.argsort(-before, kind="stable")[:count].tolist()
    changes = [NextToken(i, float(before[i]), float(after[i])) for i in best]
    return NextChances(changes, int((after > 0).sum()), len(logits))
