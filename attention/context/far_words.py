"""How a head attends to one word across more and more text in between."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from attention.analysis import words
from attention.analysis.words import Unit
from attention.arrays import Array
from attention.models.trace import Trace
from attention.models.transformer import Transformer
from attention.wording import Head, head_name, percent

QUERY_WORD, KEY_WORD, CONTROL_WORD = "deposit", "bank", "park"
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
class FarAttention:
    """How much one word attends to another far before it, in every head."""

    tokens: int  # T, of the whole text
    distance: int  # tokens from the key to the query
    weight: Array  # (L, H)
    rank: Array  # (L, H) 1 where no token gets more; 0 where the layer's window hides the key
    row: Array  # (L, H, T) the whole rows of the query


def far_text(sentences: int, word: str = KEY_WORD) -> str:
    """Return a text that names `word`, goes on about other things, and ends with a deposit.

    >>> far_text(1)
    'I went to the bank today. The morning was bright and quiet. At last I made the deposit.'
    """
    return " ".join([OPENING.format(word), *FILLER[:sentences], CLOSING])


def far_attention(trace: Trace, units: Sequence[Unit], query: str, key: str) -> FarAttention:
    """Measure how much the last word spelled `query` attends to the first spelled `key`.

    Words of several pieces are represented by their first piece.

    Raises
    ------
    ValueError : the text lacks one of the words.
    """
    queries = [unit.positions[0] for unit in units if unit.word == query]
    keys = [unit.positions[0] for unit in units if unit.word == key]
    if not queries or not keys:
        raise ValueError(f"the text needs the words {query!r} and {key!r}")
    row, distance = trace.weights[:, :, queries[-1]], queries[-1] - keys[0]  # (L, H, T)
    weight = row[..., keys[0]]
    rank = (row > weight[..., None]).sum(axis=-1) + 1
    if trace.scoring is not None:
        rank[[w is not None and w <= distance for w in trace.scoring.windows]] = 0
    return FarAttention(row.shape[-1], distance, weight, rank, row.copy())


def longest_far_text(model: Transformer) -> int:
    """Return how many sentences may stand in between for a model to read the text; -1 for none.

    And for the words that are followed to be units of their own, and in the window of some layer.
    """
    widest = None if model.scoring is None else model.scoring.widest

    def fits(count: int, word: str) -> bool:
        try:
            units = words.whole_words(model.tokenize(far_text(count, word)))
        except ValueError:  # too long for it
            return False
        places = {unit.label: unit.positions[0] for unit in units}
        if not {word, QUERY_WORD} <= places.keys():
            return False
        return widest is None or places[QUERY_WORD] - places[word] < widest

    counts = range(len(FILLER), -1, -1)
    return next((n for n in counts if all(fits(n, word) for word in (KEY_WORD, CONTROL_WORD))), -1)


def keeps_best(measured: Sequence[FarAttention]) -> Head:
    """Return the head whose smallest weight over all the distances is the largest."""
    worst = np.min([one.weight for one in measured], axis=0)  # (L, H)
    layer, head = np.unravel_index(np.argmax(worst), worst.shape)
    return int(layer), int(head)


@dataclass(frozen=True, eq=False)
class FarSweep:
    """Texts with more and more in between, one of them chosen, and a head to compare."""

    counts: list[int]  # sentences in between, of each text
    count: int  # of the chosen one
    measured: list[FarAttention]
    controls: list[FarAttention]  # with another word in the place of the key
    head: Head

    @property
    def best(self) -> Head:
        """The head that keeps its weight best."""
        return keeps_best(self.measured)

    @property
    def chosen(self) -> FarAttention:
        """What was measured on the chosen text."""
        return self.measured[self.counts.index(self.count)]

    @property
    def series(self) -> dict[str, tuple[list[FarAttention], Head]]:
        """What is drawn against distance: two heads, and the control of the better one."""
        best, other = head_name(self.best), head_name(self.head)
        return {
            f"{best}, which keeps it best": (self.measured, self.best),
            f"{other}, your choice": (self.measured, self.head),
            f"{best}, “{CONTROL_WORD}” in place of “{KEY_WORD}”": (self.controls, self.best),
        }

    @property
    def sentence(self) -> str:
        """Say what the key gets in both heads, and what another word gets in its place."""
        here, control = self.chosen, self.controls[self.counts.index(self.count)]
        best, name = self.best, head_name(self.best)
        return (
            f"“{QUERY_WORD}” attends to “{KEY_WORD}” across {here.distance} tokens in one step: "
            f"{name} gives it {percent(here.weight[best])}, rank {here.rank[best]} of "
            f"{here.tokens}; {head_name(self.head)} {_given(here, self.head)}. "
            f"With “{CONTROL_WORD}” in its place {name} gives "
            f"{percent(control.weight[best])}, rank {control.rank[best]}."
        )


def _given(far: FarAttention, head: Head) -> str:
    """Return what a head gives the far word, and that word's rank."""
    if not far.rank[head]:
        return "cannot attend so far: its window hides it"
    return f"{percent(far.weight[head])}, rank {far.rank[head]}"
