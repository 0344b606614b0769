"""What whoever serves the dashboard to many readers allows, as environment variables say."""

from __future__ import annotations

import os
from collections.abc import Sequence

READERS_ALLOWED, TOKENS_ALLOWED, OFFERED, MEGABYTES_ALLOWED = (
    "ATTENTION_MOST_READERS", "ATTENTION_MOST_TOKENS", "ATTENTION_OFFERED",
    "ATTENTION_MOST_MEGABYTES",
)  # fmt: skip
MOST_SURVEYED, MOST_SURVEYED_WORDS, LONGEST_SURVEYED = 300, 20_000, 300  # texts, words, of a text
LONGEST_TEXT = 50_000  # characters that are looked at: tokens are counted of no longer text


def number_said(name: str) -> int | None:
    """Return the number that a variable says; None where it is not set.

    Raises
    ------
    ValueError : it is no whole number of at least 1.
    """
    said = os.environ.get(name, "").strip()
    if not said:
        return None
    if not said.isdecimal() or int(said) < 1:
        raise ValueError(f"{name} must be a whole number of at least 1, got {said!r}")
    return int(said)


def offered() -> tuple[str, ...] | None:
    """Return the names of the models that are offered; None where all that are found are.

    >>> os.environ[OFFERED] = "minilm, en-pt"
    >>> offered()
    ('minilm', 'en-pt')
    >>> del os.environ[OFFERED]
    """
    said = [name.strip() for name in os.environ.get(OFFERED, "").split(",")]
    return tuple(name for name in said if name) or None


def check_text(text: str) -> None:
    """Refuse a text that is too long even to be counted in tokens.

    Raises
    ------
    ValueError : with both numbers.
    """
    if len(text) > LONGEST_TEXT:
        raise ValueError(
            f"The text has {len(text):,} characters; at most {LONGEST_TEXT:,} are looked at."
        )


def check_survey(texts: Sequence[str]) -> None:
    """Refuse texts that are too many or too long to be surveyed for one reader.

    Raises
    ------
    ValueError : with both numbers.
    """
    lengths = [len(text.split()) for text in texts]
    longest = max(range(len(texts)), key=lengths.__getitem__)
    letters = max(map(len, texts))
    for count, most, what in (
        (len(texts), MOST_SURVEYED, "texts"),
        (sum(lengths), MOST_SURVEYED_WORDS, "words"),
        (lengths[longest], LONGEST_SURVEYED, f"words in text {longest + 1}"),
        (letters, LONGEST_TEXT, "characters in a text"),
    ):
        if count > most:
            raise ValueError(f"it has {count:,} {what}; at most {most:,} are surveyed here")


def check_tokens(count: int) -> None:
    """Refuse a text of more tokens than this server allows.

    Raises
    ------
    ValueError : with both numbers.
    """
    most = number_said(TOKENS_ALLOWED)
    if most is not None and count > most:
        raise ValueError(f"The text has {count} tokens; this server reads at most {most}.")
