"""How words reach each other in the model: over any distance, and by what they are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from attention.analysis.telling import distance_rate, ordinary, row_selectivity
from attention.analysis.words import Unit, View
from attention.arrays import Array
from attention.models.trace import Trace
from attention.wording import Head, spelled

ASKS, READS, CONTROL = "deposit", "bank", "park"
OPENING = "I went to the {} today."
CLOSING = "At last I made the deposit."
FILLER = (
    "The morning was bright and quiet.",
    "A light wind moved the leaves of the old tree in the yard.",
    "Two children played with a red ball near the gate.",
    "Their dog slept in the shade and did not stir.",
    "In the kitchen a kettle began to sing.",
    "Someone laughed and closed a door.",
    "The radio played a slow song from long ago.",
    "On the table lay a book with a green cover, a pair of glasses and a half eaten apple.",
    "The clock on the wall ticked on.",
    "Outside, a bicycle leaned against the fence.",
    "A cat crossed the lawn and jumped onto the roof of the shed.",
    "The neighbour was painting his window frames white.",
    "He whistled as he worked and waved to everyone who passed.",
    "Later a few clouds came up from the west.",
    "It rained for a short while, and the air smelled of grass and wet stone.",
    "Then the sun came back.",
    "The children put on their boots and ran from puddle to puddle.",
    "Their mother called them in for lunch.",
    "There was soup, fresh bread and a bowl of cherries.",
    "After lunch the house became still.",
    "The youngest fell asleep on the sofa with a picture book in her arms.",
    "In the afternoon a friend arrived with her guitar.",
    "They sat on the steps and tried an old tune together.",
    "A bird answered from the top of the chimney.",
    "The shadows grew longer and the street lamps came on one by one.",
    "A train passed far away behind the hills.",
    "Somebody was baking, and the smell of cinnamon drifted through the open windows.",
    "The evening was warm enough to eat outside.",
    "They lit a candle, told stories and counted the first stars.",
    "The dog woke up, stretched and looked for his supper.",
    "When it was dark they carried the chairs inside.",
    "The moon stood above the tall trees, round and pale.",
    "The last light went out in the house across the road.",
    "Nothing moved but the curtains.",
)


@dataclass(frozen=True, eq=False)
class FarLook:
    """What one word reads of another far before it, in every head."""

    tokens: int  # T, of the whole text
    distance: int  # tokens from the word that is read to the one that asks
    weight: Array  # (L, H)
    rank: Array  # (L, H) 1 where no token is read more
    row: Array  # (L, H, T) all that the asking word reads


def far_text(sentences: int, word: str = READS) -> str:
    """Return a text that names `word`, goes on about other things, and ends with a deposit.

    >>> far_text(1)
    'I went to the bank today. The morning was bright and quiet. At last I made the deposit.'
    """
    return " ".join([OPENING.format(word), *FILLER[:sentences], CLOSING])


def far_look(trace: Trace, units: Sequence[Unit], asks: str, reads: str) -> FarLook:
    """Measure what the last word spelled `asks` reads of the first spelled `reads`.

    Words of several pieces are looked at by their first piece.

    Raises
    ------
    ValueError : the text lacks one of the words.
    """
    asking = [unit.positions[0] for unit in units if unit.word == asks]
    read = [unit.positions[0] for unit in units if unit.word == reads]
    if not asking or not read:
        raise ValueError(f"the text needs the words {asks!r} and {reads!r}")
    row = trace.weights[:, :, asking[-1]]  # (L, H, T)
    weight = row[..., read[0]]
    rank = (row > weight[..., None]).sum(axis=-1) + 1
    return FarLook(row.shape[-1], asking[-1] - read[0], weight, rank, row.copy())


def keeps_best(looks: Sequence[FarLook]) -> Head:
    """Return the head whose smallest weight over all the distances is the largest."""
    worst = np.min([look.weight for look in looks], axis=0)  # (L, H)
    layer, head = np.unravel_index(np.argmax(worst), worst.shape)
    return int(layer), int(head)


def shared_words(one: View, other: View) -> tuple[str, ...]:
    """Return the words that both texts have, the longest first; special tokens are left out."""
    labels = [
        {unit.word.casefold(): None for unit in view.units if unit.ordinary}
        for view in (one, other)
    ]
    both = [label for label in labels[0] if label in labels[1]]
    return tuple(sorted(both, key=len, reverse=True))


def changing_head(one: View, other: View, words: tuple[int, int]) -> Head:
    """Return the head in which a word is most selective for what only its own text has.

    More than the other words give the same key, and more than they give at the same distance: a
    head that reads the word before, whatever it is, depends on no content. In both texts: the
    smaller of the two figures decides.

    Parameters
    ----------
    words : where the word stands in each text
    """
    strongest = []
    for view, against, query in zip((one, other), (other, one), words, strict=True):
        known = {unit.word.casefold() for unit in against.units}
        own = [
            k
            for k, unit in enumerate(view.units)
            if unit.ordinary and unit.word.casefold() not in known
            if k or not view.is_causal  # a decoder's first word is read for lack of another
        ]
        habit = distance_rate(view.weights, query, ordinary(view))  # (L, H, W)
        beyond = view.weights[:, :, query] - np.nan_to_num(habit)
        row = np.minimum(row_selectivity(view, query), beyond)
        strongest.append(row[..., own].max(axis=-1) if own else np.zeros(row.shape[:2]))
    both = np.minimum(*strongest)
    layer, head = np.unravel_index(np.argmax(both), both.shape)
    return int(layer), int(head)


def contextual(trace: Trace, unit: Unit) -> Array:
    """Return what a word has become after each layer, the mean of its pieces: `(L + 1, D)`."""
    return trace.hidden[:, list(unit.positions)].mean(axis=1)


def cosine(a: Array, b: Array) -> Array:
    """Return the cosine between the last axes of two arrays: `a . b / (|a| |b|)`.

    >>> cosine(np.array([[1.0, 0.0], [1.0, 1.0]]), np.array([[2.0, 0.0], [1.0, -1.0]]))
    array([1., 0.])
    """
    lengths = np.linalg.norm(a, axis=-1) * np.linalg.norm(b, axis=-1)
    product = (a * b).sum(axis=-1)
    return np.divide(product, lengths, out=np.zeros_like(product), where=lengths > 0)


def unlike_cosine(one: tuple[Trace, View], other: tuple[Trace, View]) -> Array:
    """Return how alike two different words of the two texts are after each layer: `(L + 1,)`.

    The mean cosine over all pairs, special tokens left out: what is left of "alike" when the word
    is not the same. NaN where there is no such pair.
    """
    (vectors, labels), (others, names) = (_ordinary(*text) for text in (one, other))
    unlike = np.array([[a != b for b in names] for a in labels])
    pairs = _directions(vectors) @ np.swapaxes(_directions(others), 1, 2)  # (L + 1, W, W)
    return pairs[:, unlike].mean(axis=1) if unlike.any() else np.full(len(pairs), np.nan)


def reach_sentence(view: View, own: Sequence[int], heard: Mapping[str, Array]) -> str:
    """Say what reaches the last word from the earlier word that attention reads most.

    In a decoder the first word is taken last: it is where heads rest weight that they do not need.

    Parameters
    ----------
    own : the positions of the text's words
    heard : series -> (T,) over these words: a tanh network, a GRU, and a head of the model
    """
    labels = [view.labels[k] for k in own]
    if len(labels) < 2:
        return f"“{labels[0]}” has no word before it: there is no way to compare yet."
    row = list(heard.values())[-1]
    first = 1 if view.is_causal and len(row) > 2 else 0
    far = first + int(np.argmax(row[first:-1]))
    tanh, gru, attended = (_share(values, far) for values in heard.values())
    every = view.weights[:, :, own[-1]][..., list(own)].reshape(-1, len(own))  # (L * H, T)
    usual = float(np.median([_share(values, far) for values in every]))
    steps, last = len(labels) - 1 - far, spelled(labels, len(labels) - 1)
    return (
        f"{spelled(labels, far)} stands {steps} words before {last}. Of all that {last} hears, "
        f"{_percent(attended)} comes from it through {list(heard)[-1]}, one of {len(every)} heads "
        f"(their median: {_percent(usual)}; equal shares: {_percent(1 / len(labels))}), in 1 step. "
        f"Through recurrent networks that are random and untrained it is {_percent(tanh)} (tanh) "
        f"and {_percent(gru)} (GRU), after {steps} steps: with another gain, another figure."
    )


def _share(values: Array, place: int) -> float:
    total = float(values.sum())
    return float(values[place]) / total if total > 0 else 0.0


def _percent(share: float) -> str:
    """Return a share as people read it, with two figures where it is small."""
    return f"{100 * share:.0f} %" if share >= 0.1 else f"{100 * share:.2g} %"


def offset_weights(row: Array, query: int, side: int) -> Array:
    """Return a row's weights by how far the key stands from the query: `(2 side + 1,)`.

    NaN beyond the ends of the text.

    >>> offset_weights(np.array([0.1, 0.2, 0.7]), query=1, side=2)
    array([nan, 0.1, 0.2, 0.7, nan])
    """
    padded = np.pad(row.astype(np.float64), side, constant_values=np.nan)
    return padded[query : query + 2 * side + 1]


def kernel_shares(kernel: Array, side: int) -> Array:
    """Return how much of a kernel (S, D, N) weighs on each offset: `|W_s| / sum`, `(2 side + 1,)`.

    >>> kernel_shares(np.array([[[3.0]], [[-4.0]], [[1.0]]]), side=2)
    array([0.   , 0.375, 0.5  , 0.125, 0.   ])
    """
    norms = np.linalg.norm(kernel, axis=(1, 2))
    shares = np.zeros(2 * side + 1)
    first = side - len(kernel) // 2
    shares[first : first + len(kernel)] = norms / norms.sum()
    return shares


def _directions(vectors: Array) -> Array:
    return vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)


def _ordinary(trace: Trace, view: View) -> tuple[Array, list[str]]:
    """Return the contextual vectors (L + 1, W, D) and the spelling of a text's own words."""
    units = [unit for unit in view.units if unit.ordinary]
    vectors = np.stack([contextual(trace, unit) for unit in units], axis=1)
    return vectors, [unit.word.casefold() for unit in units]
