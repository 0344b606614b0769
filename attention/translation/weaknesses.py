"""Sentences that the embedded translator gets wrong, or right for another reason than a line."""

from __future__ import annotations

from typing import NamedTuple

from attention.analysis.words import View
from attention.edits import Cut, Edits
from attention.translation.examples import OLD_CHAIR, TOO_SMALL, WOODEN_BAT


class Weakness(NamedTuple):
    """A sentence, a word of its translation, and what that word shows.

    Where there is a `line`, from a word to a word, it is cut in every head of the encoder.
    """

    text: str
    word: str
    shows: str
    line: tuple[str, str] | None = None

    def cut(self, view: View) -> Edits:
        """Return the edits that cut the line, if there is one; `view` is of the encoder."""
        if self.line is None:
            return ()
        query, key = (view.units[view.find(word) or 0].positions for word in self.line)
        return (Cut(query, key),)


WEAKNESSES = (
    Weakness(
        WOODEN_BAT.text,
        "morcego",
        "the animal, not the stick (taco)",
    ),
    Weakness(
        "The spring was broken, so the clock stopped.",
        "primavera",
        "the season, not the coil (mola)",
    ),
    Weakness(
        TOO_SMALL.text,
        "pequeno",
        "masculine, so it agrees with the trophy (o troféu); it is the suitcase (a mala) that is "
        "too small",
    ),
    Weakness(
        OLD_CHAIR.text,
        "velha",
        "feminine like the chair (a cadeira), which is right, though the line from “it” to "
        "“chair” is cut in every head of the encoder: here other ways carry the gender",
        ("it", "chair"),
    ),
)
