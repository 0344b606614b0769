"""The lesson's sentences, figures and words, in one place."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType

import numpy as np

from attention.arrays import Array
from attention.wording import figures

_MONEY_OR_RIVER = ("money", "loan", "account", "cash", "river", "water", "shore", "boat")
_CAT_OR_MAT = ("cat", "kitten", "animal", "pet", "mat", "floor", "carpet", "tired")
_TROPHY_OR_SUITCASE = ("trophy", "prize", "medal", "suitcase", "bag", "luggage", "size", "big")


@dataclass(frozen=True)
class Preset:
    """A sentence with the pair of words to follow and meanings to compare a blend with."""

    text: str
    query: str  # the word whose row is shown first
    key: str  # the word it should be found to attend to
    meanings: tuple[str, ...]
    poles: tuple[str, str]  # two of the meanings, which readers know apart
    weights: Mapping[str, float] = field(default_factory=dict)  # the rest share what is left
    from_lesson: bool = False  # the weights are those of the lesson; else they are made up here
    rival: str | None = None  # another word that it could have attended to
    push: float = 0.0  # of its score, by which the next word changes visibly
    interests: str = ""  # next words whose odds are worth following, as `steering` takes them


BANK = Preset(
    "I went to the bank to deposit money",
    query="bank",
    key="deposit",
    meanings=_MONEY_OR_RIVER,
    poles=("river", "money"),
    weights=MappingProxyType({"deposit": 0.35, "money": 0.30, "bank": 0.15}),
    from_lesson=True,
)
RIVER = Preset(
    "We fished by the bank of the river",
    query="bank",
    key="river",
    meanings=_MONEY_OR_RIVER,
    poles=("river", "money"),
    weights=MappingProxyType({"river": 0.35, "fished": 0.30, "bank": 0.15}),
)
CAT = Preset(
    "The cat sat on the mat because it was tired",
    query="it",
    key="cat",
    meanings=_CAT_OR_MAT,
    poles=("mat", "cat"),
)
TROPHY_BIG = Preset(
    "The trophy wouldn't fit in the suitcase because it was too big",
    query="it",
    key="trophy",
    meanings=_TROPHY_OR_SUITCASE,
    poles=("suitcase", "trophy"),
)
TROPHY_SMALL = Preset(
    "The trophy wouldn't fit in the suitcase because it was too small",
    query="it",
    key="suitcase",
    meanings=_TROPHY_OR_SUITCASE,
    poles=("suitcase", "trophy"),
)
STEEP = Preset(
    "The bank by the river was steep",
    query="bank",
    key="river",
    meanings=_MONEY_OR_RIVER,
    poles=("river", "money"),
)
UNFINISHED = Preset(
    "The trophy wouldn't fit in the suitcase because it was too",
    query="it",
    key="trophy",
    meanings=_TROPHY_OR_SUITCASE,
    poles=("suitcase", "trophy"),
    rival="suitcase",
    push=4.0,
    interests="small | big, large",
)
GIFT = Preset(
    "When Mary and John went to the store, John gave a drink to",
    query="gave",
    key="Mary",
    meanings=("girl", "woman", "boy", "man", "shop", "water", "friend", "present"),
    poles=("boy", "girl"),
    rival="John",
    push=3.0,
    interests="Mary | John",
)
PRESETS = (BANK, RIVER, CAT, TROPHY_BIG, TROPHY_SMALL, STEEP)
TO_FINISH = (GIFT, UNFINISHED)  # for a model that predicts the next word

_BY_TEXT = {preset.text: preset for preset in (*PRESETS, *TO_FINISH)}


def preset_for(text: str) -> Preset | None:
    """Return the preset whose sentence this is, if it is one."""
    return _BY_TEXT.get(text.strip())


def illustrated(text: str, words: Sequence[str]) -> Preset | None:
    """Return the preset that gives weights to the words of this sentence, if there is one.

    Parameters
    ----------
    words : as a model reads them: one that spans words has no weight of its own
    """
    preset = preset_for(text)
    known = preset and preset.weights and {*preset.weights, preset.query} <= set(words)
    return preset if known else None


def illustrative_weights(preset: Preset, words: tuple[str, ...]) -> list[float]:
    """Return the preset's weight for each word; words it does not name share what is left.

    >>> bank = PRESETS[0]
    >>> [round(w, 2) for w in illustrative_weights(bank, tuple(bank.text.split()))]
    [0.04, 0.04, 0.04, 0.04, 0.15, 0.04, 0.35, 0.3]
    """
    rest = sum(word not in preset.weights for word in words)
    left = 1 - sum(preset.weights.get(word, 0) for word in words)
    return [preset.weights[word] if word in preset.weights else left / rest for word in words]


def softmax_receipt(
    labels: Sequence[str], scores: Array, temperature: float
) -> list[tuple[str, str, str]]:
    """Return softmax written out with the numbers of one row, a line per word and their sum.

    >>> for line in softmax_receipt(["a", "b"], np.array([0.0, np.log(3.0)]), 1.0):
    ...     print(*line, sep=" | ")
    a | exp(0.000 / 1.0) = 1 | 1 / 4 = 0.2500
    b | exp(1.099 / 1.0) = 3 | 3 / 4 = 0.7500
    sum | 4 | 1.0000
    """
    powers = np.exp(scores / temperature)
    total = float(powers.sum())
    lines = [
        (label, f"exp({score:.3f} / {temperature:.1f}) = {figures(power, 4)}",
         f"{figures(power, 4)} / {figures(total, 4)} = {power / total:.4f}")
        for label, score, power in zip(labels, scores, powers, strict=True)
    ]  # fmt: skip
    return [*lines, ("sum", figures(total, 4), f"{(powers / total).sum():.4f}")]
