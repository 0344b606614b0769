"""The foggy window: a translation whose cross-attention sees only the start of its source."""

from __future__ import annotations

from attention.analysis.words import Unit
from attention.edits import Cut, Edits
from attention.models.marian import LONGEST_FACTOR
from attention.models.translation import Translation
from attention.translation.cut_line import words_of


def window_edits(units: tuple[Unit, ...], shown: int) -> Edits:
    """Return the edits to cross-attention that leave only the first words to look at.

    With none of them the end of the text, `</s>`, is left: a row must have something to sum to 1.

    >>> three = Unit("a", (0,), False), Unit("b", (1, 2), False), Unit("</s>", (3,), True)
    >>> window_edits(three, 1), window_edits(three, 0), window_edits(three, 2)
    ((Cut(queries=None, keys=(1, 2, 3), layers=None, heads=None, renormalise=True),), \
(Cut(queries=None, keys=(0, 1, 2), layers=None, heads=None, renormalise=True),), ())
    """
    words = [unit for unit in units if not unit.special]
    if shown >= len(words):
        return ()
    seen = words[:shown] or [unit for unit in units if unit.special]
    hidden = tuple(p for unit in units if unit not in seen for p in unit.positions)
    return (Cut(keys=hidden),)


def window_sentence(through: Translation, shown: int, count: int) -> str:
    """Say what was written through the window, how many different words, and why it ended."""
    words = [unit.label for unit in words_of(through.target)] if len(through.target) else []
    if not words:
        return f"With {shown} of {count} words in the window it says nothing at all."
    ended = (
        "It came to an end by itself."
        if through.ended
        else f"It found no end: it was stopped at {len(through.target)} tokens, "
        f"{LONGEST_FACTOR:g} times those of the source."
    )
    return (
        f"With {shown} of {count} words in the window it writes {len(words)} words, "
        f"{len(set(words))} of them different. {ended}"
    )
