"""Minimal pairs: one word turns the meaning, and with it what the pronoun stands for.

Does attention turn with it? A head prefers the candidate that the pronoun reads more. Source of the
idea: Levesque et al. 2012, "The Winograd schema challenge". The pairs were written for this
project, but for the two of `CLASSICS`, which no score uses.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from attention.analysis import words
from attention.arrays import Array
from attention.runtime import threads

if TYPE_CHECKING:
    from attention.analysis.words import View
    from attention.models.model import Model


@dataclass(frozen=True)
class Pair:
    """Two sentences that differ in one word; `first` and `second` stand in this order."""

    template: str  # with {} where they differ
    pronoun: str
    first: str
    second: str
    fillers: tuple[str, str]  # with the one the pronoun means `first`, with the other `second`

    @property
    def texts(self) -> tuple[str, str]:
        """Both sentences."""
        one, other = self.fillers
        return self.template.format(one), self.template.format(other)


def _pair(template: str, pronoun: str, candidates: str, fillers: str) -> Pair:
    first, second = candidates.split()
    one, other = fillers.split()
    return Pair(template, pronoun, first, second, (one, other))


TROPHY = _pair(
    "The trophy wouldn't fit in the suitcase because it was too {}",
    "it",
    "trophy suitcase",
    "big small",
)
ANIMAL = _pair(
    "The animal didn't cross the street because it was too {}", "it", "animal street", "tired wide"
)
TURNS, FIRST, SECOND, WRONG, TIED = range(5)  # what a head makes of a pair
CLASSICS = (TROPHY, ANIMAL)

PAIRS = (
    _pair("The lorry could not pass under the bridge because it was too {}",
          "it", "lorry bridge", "tall low"),
    _pair("The ladder did not reach the window because it was too {}",
          "it", "ladder window", "short high"),
    _pair("The knife could not cut the bread because it was too {}",
          "it", "knife bread", "blunt hard"),
    _pair("The dog did not catch the rabbit because it was too {}",
          "it", "dog rabbit", "slow fast"),
    _pair("The ice would not carry the car because it was too {}",
          "it", "ice car", "thin heavy"),
    _pair("The shelf collapsed under the statue because it was too {}",
          "it", "shelf statue", "weak heavy"),
    _pair("The boat could not cross the lake because it was {}",
          "it", "boat lake", "leaking frozen"),
    _pair("The hammer cracked the plate because it was so {}",
          "it", "hammer plate", "heavy fragile"),
    _pair("The lamp could not light the hall because it was too {}",
          "it", "lamp hall", "dim large"),
    _pair("The horse would not jump the fence because it was too {}",
          "it", "horse fence", "nervous high"),
    _pair("The cat could not climb the tree because it was too {}",
          "it", "cat tree", "fat smooth"),
    _pair("The climbers avoided the peaks because they were too {}",
          "they", "climbers peaks", "tired steep"),
    _pair("The students failed the exams because they were so {}",
          "they", "students exams", "lazy difficult"),
    _pair("The children ran from the wolves because they were so {}",
          "they", "children wolves", "timid fierce"),
    _pair("The guests did not eat the oysters because they were {}",
          "they", "guests oysters", "full spoiled"),
    _pair("The farmers left the fields because they were {}",
          "they", "farmers fields", "exhausted flooded"),
    _pair("The tourists skipped the museums because they were {}",
          "they", "tourists museums", "bored closed"),
    _pair("The birds left the branches because they were {}",
          "they", "birds branches", "scared rotten"),
    _pair("The swimmers avoided the waves because they were too {}",
          "they", "swimmers waves", "weak high"),
    _pair("The voters ignored the leaflets because they were {}",
          "they", "voters leaflets", "busy dull"),
    _pair("The buyers rejected the apples because they were {}",
          "they", "buyers apples", "picky rotten"),
    _pair("The teacher scolded the pupil because she was so {}",
          "she", "teacher pupil", "strict noisy"),
    _pair("The manager fired the clerk because he was {}",
          "he", "manager clerk", "ruthless lazy"),
    _pair("The doctor comforted the patient because she was {}",
          "she", "doctor patient", "compassionate frightened"),
    _pair("The boy carried the toddler because he was so {}",
          "he", "boy toddler", "strong tired"),
    _pair("The father forgave the son because he was {}",
          "he", "father son", "merciful sorry"),
    _pair("The coach replaced the goalkeeper because he was {}",
          "he", "coach goalkeeper", "dissatisfied injured"),
    _pair("The singer thanked the pianist because she was {}",
          "she", "singer pianist", "grateful helpful"),
    _pair("The girl guided the stranger because she was {}",
          "she", "girl stranger", "kind lost"),
    _pair("The water did not fill the tank because it was too {}",
          "it", "water tank", "scarce large"),
    _pair("The rope did not hold the anchor because it was too {}",
          "it", "rope anchor", "thin heavy"),
    _pair("The drill did not pierce the rock because it was too {}",
          "it", "drill rock", "feeble hard"),
    _pair("The mouse hid from the owl because it was {}",
          "it", "mouse owl", "frightened hunting"),
    _pair("The hen pecked the puppy because it was so {}",
          "it", "hen puppy", "angry annoying"),
    _pair("The camel carried the load easily because it was so {}",
          "it", "camel load", "strong light"),
    _pair("The bus could not climb the hill because it was too {}",
          "it", "bus hill", "old steep"),
    _pair("The tent did not survive the storm because it was too {}",
          "it", "tent storm", "flimsy violent"),
    _pair("The pump could not empty the cellar because it was {}",
          "it", "pump cellar", "broken enormous"),
    _pair("The umbrella was useless in the wind because it was too {}",
          "it", "umbrella wind", "fragile strong"),
    _pair("The bird could not crack the nut because it was too {}",
          "it", "bird nut", "young hard"),
    _pair("The blanket did not cover the bed because it was too {}",
          "it", "blanket bed", "short wide"),
    _pair("The screw would not go into the hole because it was too {}",
          "it", "screw hole", "thick narrow"),
    _pair("The camera missed the comet because it was too {}",
          "it", "camera comet", "slow faint"),
    _pair("The tractor got stuck in the field because it was so {}",
          "it", "tractor field", "heavy muddy"),
)  # fmt: skip


def same_words(one: Sequence[str], other: Sequence[str]) -> list[tuple[int, int]]:
    """Return the positions, in both, of the words before the first difference and after the last.

    >>> same_words(["it", "is", "big", "."], ["it", "is", "far", "away", "."])
    [(0, 0), (1, 1), (3, 4)]
    """
    shorter = min(len(one), len(other))
    start = next((i for i in range(shorter) if one[i] != other[i]), shorter)
    end = next((i for i in range(shorter - start) if one[-1 - i] != other[-1 - i]), shorter - start)
    pairs = [(i, i) for i in range(start)]
    return pairs + [(len(one) - i, len(other) - i) for i in range(end, 0, -1)]


def preferences(views: Sequence[View], asks: Sequence[int], reads: Array) -> Array:
    """Return what the asking word reads of each candidate in each sentence: `(2, 2, L, H)`.

    Parameters
    ----------
    views : one per sentence
    asks : the pronoun's position in each
    reads : (2, 2) positions; `reads[s, c]` is candidate c in sentence s
    """
    return np.stack(
        [
            np.stack([view.weights[:, :, query, key] for key in keys])
            for view, query, keys in zip(views, asks, reads, strict=True)
        ]
    )


def right(weights: Array) -> Array:
    """Return whether each head prefers the candidate that is meant, `(..., 2, L, H)`.

    In the first sentence that is the first candidate, in the second the second. No preference at
    all is not right.

    Parameters
    ----------
    weights : (..., 2, 2, L, H) as from `preferences`
    """
    one, other = weights[..., 0, :, :, :], weights[..., 1, :, :, :]  # by sentence
    return np.stack(
        [one[..., 0, :, :] > one[..., 1, :, :], other[..., 1, :, :] > other[..., 0, :, :]], axis=-3
    )


def outcomes(weights: Array) -> Array:
    """Return for each head what it prefers: TURNS with the meaning, FIRST or SECOND in both, WRONG.

    `(2, 2, L, H) -> (L, H)`. WRONG is a head that turns the other way, TIED one that reads both
    alike in one of the sentences, as a decoder's does that may see neither.
    """
    first, second = weights[:, 0] > weights[:, 1], weights[:, 0] < weights[:, 1]  # by sentence
    found = [first[0] & second[1], first.all(0), second.all(0), second[0] & first[1]]
    return np.select(found, [TURNS, FIRST, SECOND, WRONG], TIED)


def turning_sentence(
    weights: Array, base: Array, names: Sequence[str], head: tuple[int, int]
) -> str:
    """Return what one head prefers in both sentences, and how many heads turn with the meaning.

    Parameters
    ----------
    weights : (2, 2, L, H) as from `preferences`
    base : (2, 2) what the other words give each candidate in this head
    names : of the candidates
    """
    told = [
        f"“{name}” {weight:.2f}" + ("" if np.isnan(usual) else f" (the other words: {usual:.2f})")
        for name, weight, usual in zip(
            (*names, *names), weights[..., head[0], head[1]].ravel(), base.ravel(), strict=True
        )
    ]
    found = outcomes(weights)
    mean = outcomes(weights.mean(axis=(-2, -1), keepdims=True)).item()
    said = (
        "It turns with the meaning.",
        f"It prefers “{names[0]}” both times: the meaning does not turn it.",
        f"It prefers “{names[1]}” both times: the meaning does not turn it.",
        "It turns against the meaning: both times it prefers the one that is not meant.",
        "It reads both alike in at least one of the sentences.",
    )[found[head]]
    return (
        f"In L{head[0]} H{head[1]} the pronoun gives {told[0]} and {told[1]}; in the second "
        f"sentence {told[2]} and {told[3]}. {said} Of {found.size} heads "
        f"{int((found == TURNS).sum())} turn with the meaning and {int((found == WRONG).sum())} "
        f"against it; the mean of all {'turns' if mean == TURNS else 'does not turn'} with it."
    )


def is_read(model: Model, pair: Pair) -> bool:
    """Whether a model reads both sentences, and finds the words of the pair in them."""
    for text in pair.texts:
        try:
            labels = [unit.label for unit in words.whole_words(model.tokenize(text))]
        except ValueError:  # too long for it
            return False
        if not {pair.pronoun, pair.first, pair.second} <= set(labels):
            return False
    return True


def read_pairs(
    model: Model,
    chosen: Sequence[Pair] = PAIRS,
    on_progress: Callable[[float], object] = lambda share: None,
) -> Array:
    """Run the model on every pair and return what the pronoun reads, `(P, 2, 2, L, H)`.

    Axes: pair, sentence, candidate, layer, head.

    Raises
    ------
    ValueError : a pair does not have its own words.
    """
    rows = []
    for done, pair in enumerate(chosen):
        with threads.one_blas_thread():  # short texts gain little from two, and lose much if busy
            views = [words.view(model.trace(text)) for text in pair.texts]
        found = [
            [_place(view, word) for word in (pair.pronoun, pair.first, pair.second)]
            for view in views
        ]
        rows.append(preferences(views, [f[0] for f in found], np.array([f[1:] for f in found])))
        on_progress((done + 1) / len(chosen))
    return np.stack(rows)


def fixed_choices(chosen: Sequence[Pair] = PAIRS) -> dict[str, Array]:
    """Return which sentences a rule gets right that never looks at the meaning: `(P, 2)` each.

    One rule always takes the candidate that comes first in the text, the other always the one
    nearest to the pronoun.
    """
    first, nearest = [], []
    for pair in chosen:
        spelled = pair.texts[0].casefold().split()
        ask, one, other = (spelled.index(w) for w in (pair.pronoun, pair.first, pair.second))
        first.append([one < other, other < one])
        near = abs(one - ask) < abs(other - ask)
        nearest.append([near, not near])
    return {"always the first": np.array(first), "always the nearest": np.array(nearest)}


def held_out(points: Array, splits: int = 200, seed: int = 0) -> Array:
    """Choose the best head on one half of the pairs and score it on the other: `(2 * splits,)`.

    The best of many heads looks better than it is on the pairs it was chosen by; on the other half
    it has no such advantage. Where several are best, their mean counts.

    Parameters
    ----------
    points : (P, L, H) what each head gets for each pair

    >>> held_out(np.array([[[1.0, 0.0]], [[1.0, 0.0]]]), splits=1)
    array([1., 1.])
    """
    table = points.reshape(len(points), -1).astype(float)  # (P, heads)
    rng = np.random.default_rng(seed)
    scores = []
    for _ in range(splits):
        order = rng.permutation(len(table))
        halves = np.array_split(order, 2)
        for chooses, scored in (halves, halves[::-1]):
            totals = table[chooses].sum(axis=0)
            scores.append(table[scored][:, totals == totals.max()].mean())
    return np.array(scores)


def _place(view: View, label: str) -> int:
    place = view.find(label)
    if place is None:
        raise ValueError(f"no word {label!r} in {' '.join(view.labels)!r}")
    return place
