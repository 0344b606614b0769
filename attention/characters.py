"""Characters as people see them: which belong together, where words are, and what cannot be seen.

What a reader sees as one character can be several code points, a grapheme cluster: a letter with
its accents, a family of emoji. Source: Unicode Standard Annex 29, "Unicode text segmentation".

A byte that is not a whole character stands in a text as the surrogate that `bytes.decode` makes of
it with `errors="surrogateescape"` (PEP 383).
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import accumulate
from typing import NamedTuple

import regex

SPACE = "␣"  # how a space is shown where it counts
_SIGNS = {" ": SPACE, "\n": "⏎", "\t": "⇥"}
_NAMES = {SPACE: "a space", "⏎": "a new line", "⇥": "a tab"}

# A word is a run of letters and digits with inner apostrophes ("wouldn't") and whatever format
# characters, such as soft hyphens, are in it; Chinese, Japanese and Korean characters and
# everything else that is not a space stand alone.
_LETTER = r"[[\w\p{N}]--[\p{Han}\p{Hiragana}\p{Katakana}\p{Hangul}ー]]"
_FORMAT = r"[\p{Cf}--\u200b]"  # but for the zero-width space, which parts words
_WORD = regex.compile(
    rf"{_FORMAT}*{_LETTER}(?:{_FORMAT}*['’]?{_FORMAT}*{_LETTER})*{_FORMAT}*|\S", regex.V1
)

# What leaves no ink. Some of it changes how its neighbours are drawn, and stays with them: a
# selector after its sign, a joiner between two signs, the letters of a flag.
_HIDDEN = r"\p{Cc}\p{DI}[\p{Cf}--\p{GCB=Prepend}]"
_INK = rf"[^\s\p{{Z}}\p{{Cs}}{_HIDDEN}]"
_NEEDED = (
    rf"(?<={_INK})\p{{VS}}"
    rf"|(?<={_INK}\p{{VS}}?)[\u200c\u200d](?={_INK})"
    r"|(?<=🏴[\U000e0020-\U000e007f]*)[\U000e0020-\U000e007f]"
)
_IDLE = regex.compile(rf"(?:{_NEEDED})(*SKIP)(*FAIL)|[[{_HIDDEN}]--\s]", regex.V1)
# A reader who types one of the signs that stand for white space is not taken for typing that.
_UNSEEN = regex.compile(
    rf"(?:{_NEEDED})(*SKIP)(*FAIL)|[\s\p{{Z}}\p{{Cs}}{''.join(_SIGNS.values())}{_HIDDEN}]", regex.V1
)


class Segments(NamedTuple):
    """Which cluster and which word each code point of a text belongs to."""

    cluster: list[int]  # counted from 0
    word: list[int]  # counted from 0; -1 for white space
    starts: list[int]  # of each cluster, and the end of the last


def segments(text: str) -> Segments:
    """Return the clusters and words of a text. No word begins or ends inside a cluster.

    >>> segments("e\\u0301t 1")
    Segments(cluster=[0, 0, 1, 2, 3], word=[0, 0, 0, -1, 1], starts=[0, 2, 3, 4, 5])
    """
    clusters = regex.findall(r"\X", text)
    word = [-1] * len(clusters)
    for number, found in enumerate(_WORD.finditer("".join(cluster[0] for cluster in clusters))):
        word[found.start() : found.end()] = [number] * len(found[0])
    cluster = [number for number, own in enumerate(clusters) for _ in own]
    starts = list(accumulate(map(len, clusters), initial=0))
    return Segments(cluster, [word[number] for number in cluster], starts)


def shown(text: str) -> str:
    """Return a text with signs for white space and codes for all else that cannot be seen.

    An accent or vowel sign that has lost its letter gets a circle in its place.

    >>> shown(" cat\\n"), shown("a\\u00adb"), shown(b"\\xe4\\xbd".decode(errors="surrogateescape"))
    ('␣cat⏎', 'a<U+00AD>b', '<E4><BD>')
    """
    if text.isascii() and text.isalnum():
        return text
    seen = _UNSEEN.sub(lambda found: _SIGNS.get(found[0]) or _code(found[0]), text)
    return f"◌{seen}" if regex.match(r"\p{M}", seen) else seen


def drawn(text: str) -> str:
    """Return what a text looks like: without what cannot be seen, inner white space as signs.

    As `shown` where nothing of it can be seen.

    >>> drawn(" so\\u00adlar cell "), drawn("\\n")
    ('solar␣cell', '⏎')
    """
    plain = text.isascii() and text.isprintable()  # as most are
    seen = text if plain else _IDLE.sub("", text)
    return shown(seen.strip() or text.strip() or text)


def legend(labels: Iterable[str]) -> str:
    """Say what the signs in these labels mean; nothing where there are none.

    >>> legend(["cat", "␣sat", "<E4>"])
    '␣ is a space. <E4> is a byte that is not a whole character.'
    """
    text = " ".join(labels)
    parts = [f"{sign} is {name}." for sign, name in _NAMES.items() if sign in text]
    if byte := regex.search("<[0-9A-F]{2}>", text):
        parts.append(f"{byte[0]} is a byte that is not a whole character.")
    return " ".join(parts)


def with_codes(text: str) -> str:
    """Return a text with codes for the bytes that are not a whole character; all else as it is.

    >>> with_codes(" \\udcf0\\udc9f")
    ' <F0><9F>'
    """
    return regex.sub(r"[\udc80-\udcff]", lambda found: _code(found[0]), text)


def unseen_as_codes(text: str) -> str:
    """Return a text with codes for what moves a cursor or turns the reading direction.

    >>> unseen_as_codes("a\\x1b[2J \\u202eb")
    'a<U+001B>[2J <U+202E>b'
    """
    return regex.sub(r"[\p{Cc}\p{Cf}\p{Cs}]", lambda found: _code(found[0]), text)


def joined(text: str) -> str:
    """Return a text with the characters that bytes in it make together.

    >>> joined("a\\udcc3" + "\\udca9")
    'aé'
    """
    return text.encode(errors="surrogateescape").decode(errors="surrogateescape")


def _code(character: str) -> str:
    number = ord(character)
    return f"<{number - 0xDC00:02X}>" if 0xDC80 <= number <= 0xDCFF else f"<U+{number:04X}>"
