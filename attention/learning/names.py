"""Names for what the tasks are made of: titles, what stands in a book, and words of a text."""

from __future__ import annotations

from attention.arrays import Array
from attention.learning.tasks import LIBRARY, TITLES, Batch, Task

TITLE_NAMES = (
    "Ants", "Bees", "Bread", "Cats", "Chess", "Clouds", "Dogs", "Fire",
    "Ghosts", "Hats", "Horses", "Ice", "Islands", "Jazz", "Kings", "Lions",
    "Maps", "Moon", "Music", "Night", "Owls", "Pearls", "Rain", "Roads",
    "Salt", "Ships", "Snow", "Stars", "Tea", "Tigers", "Trees", "Wine",
)  # fmt: skip
WORD_NAMES = (
    "red", "blue", "green", "yellow", "black", "white", "grey", "brown",
    "pink", "purple", "orange", "silver", "beige", "navy", "olive", "violet",
)  # fmt: skip


def key_labels(task: Task, batch: Batch) -> list[str]:
    """Return what stands below the columns of a map: titles, or places counted from the end.

    >>> from attention.learning.tasks import FIRST_WORD
    >>> key_labels(FIRST_WORD, FIRST_WORD.example(3, seed=0))
    ['3 back', '2 back', '1 back']
    """
    if task is LIBRARY:
        return [TITLE_NAMES[title] for title in batch.tokens[0, :-1, 0]]
    n = batch.tokens.shape[1] - 1
    return [f"{n - k} back" for k in range(n)]


def query_labels(task: Task, batch: Batch) -> list[str]:
    """Return what stands beside the rows of a map: the title asked for, or which text it is.

    >>> query_labels(LIBRARY, LIBRARY.example(2, seed=0))
    ['Ice?', 'Cats?']
    """
    if task is LIBRARY:
        return [f"{TITLE_NAMES[title]}?" for title in batch.tokens[:, -1, 0]]
    return [f"text {i}" for i in range(1, len(batch.tokens) + 1)]


def token_texts(task: Task, tokens: Array) -> list[str]:
    """Return each token of one example (T, F) in words, without the one that asks.

    >>> token_texts(LIBRARY, LIBRARY.example(2, seed=0).tokens[0])
    ['Ice: olive', 'Cats: black']
    """
    if task is LIBRARY:
        return [f"{TITLE_NAMES[t]}: {WORD_NAMES[c - TITLES]}" for t, c in tokens[:-1]]
    return [WORD_NAMES[token[0]] for token in tokens[:-1]]
