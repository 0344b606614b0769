"""English sentences that show what a translator's attention does."""

from __future__ import annotations

from typing import NamedTuple

from attention.wording import Head


class SourceExample(NamedTuple):
    """A sentence, and the line of the encoder that the page offers to cut first."""

    text: str
    query: str = ""
    key: str = ""
    head: Head | None = None  # None: the head in which the query is most selective for the key
    rival: str = ""  # what it could say instead, to be guessed at


STEEP_BANK = SourceExample(
    "The bank by the river was steep.",
    "bank",
    "river",
    (1, 1),
    "O banco junto ao rio era íngreme.",
)
WOODEN_BAT = SourceExample("He hit the ball with a wooden bat.", "bat", "ball")
TOO_SMALL = SourceExample(
    "The trophy wouldn't fit in the suitcase because it was too small.", "it", "suitcase"
)
OLD_CHAIR = SourceExample("The chair broke because it was old.", "it", "chair")
SOURCE_EXAMPLES = (
    STEEP_BANK,
    SourceExample("I went to the bank to deposit money.", "bank", "deposit"),
    SourceExample(
        "The agreement on the European Economic Area was signed in August 1992.", "Area", "Economic"
    ),
    SourceExample("The plant closed because it was too expensive to run.", "plant", "closed"),
    SourceExample("The plant died because it had no water.", "plant", "died"),
    SourceExample(
        "The trophy wouldn't fit in the suitcase because it was too big.", "it", "trophy"
    ),
    TOO_SMALL,
    OLD_CHAIR,
    WOODEN_BAT,
    SourceExample(
        "The young woman who had won the race on Sunday was born in a small village near the sea, "
        "where her parents kept a shop, and when she came home after many years in the city, the "
        "neighbours met her at the station with flowers, music and a big cake.",
        "she",
        "woman",
    ),
)

# Without those that Portuguese has, too: a, as, do, me, no.
_COMMON = frozenset({
    "an", "and", "are", "at", "be", "because", "but", "by", "can", "did", "for",
    "from", "had", "has", "have", "he", "her", "his", "how", "i", "if", "in", "is", "it", "its",
    "my", "not", "of", "on", "or", "our", "she", "so", "that", "the", "their",
    "there", "they", "this", "to", "too", "was", "we", "were", "what", "when", "where", "which",
    "who", "will", "with", "would", "you", "your",
})  # fmt: skip
_ENOUGH = 4  # words: fewer may well hold none of the common ones


def source_example(text: str) -> SourceExample | None:
    """Return the example whose sentence this is, if it is one."""
    return next((one for one in SOURCE_EXAMPLES if one.text == text.strip()), None)


def looks_english(text: str) -> bool:
    """Return whether a text has one of the commonest English words, or is too short to tell.

    >>> looks_english("The cat slept on a mat"), looks_english("O gato dormiu no tapete")
    (True, False)
    """
    words = [word.strip(".,;:!?\"'“”()").casefold() for word in text.split()]
    return len(words) < _ENOUGH or not _COMMON.isdisjoint(words)
