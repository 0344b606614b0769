"""What is asked for, a word and heads, as positions; the most telling ones where nothing is."""

from __future__ import annotations

from collections.abc import Sequence

from attention.analysis.telling import telling_heads, telling_link
from attention.analysis.words import View, view
from attention.models.trace import Trace
from attention.wording import Head

Word = int | str  # a position, or a text: the first word that is so spelled


def seen_in(of: Trace | View) -> View:
    """Return the words of a trace, special tokens among them; a view is what it is.

    Raises
    ------
    ValueError : it is neither, or there is no token in it.
    """
    seen = view(of) if isinstance(of, Trace) else of
    if not isinstance(seen, View):
        raise ValueError(f"a picture is of a Trace or a View, got {type(of).__name__}")
    if not seen.units or not seen.keys:
        raise ValueError("the text has no tokens, so there is nothing to draw")
    return seen


def word_and_heads(
    seen: View, query: Word | None, heads: Sequence[Head] | None, count: int = 1
) -> tuple[int, list[Head]]:
    """Return a word and heads; those of the most telling link where nothing is said.

    Parameters
    ----------
    count : how many heads, where none is said

    Raises
    ------
    ValueError : there is no such word or head; the message has those there are.
    """
    asked = None if query is None else word_at(seen.labels, query, seen.words)
    word, key, layer, head = telling_link(seen, query=asked)
    if heads is None:
        picked = [(layer, head)] if count == 1 else telling_heads(seen, word, key, count)
    else:
        picked = [(int(one), int(other)) for one, other in heads]
    layers, columns = seen.weights.shape[:2]
    if not picked:
        raise ValueError("no head is chosen: heads are pairs, such as [(3, 1)]")
    for one, other in picked:
        if not (0 <= one < layers and 0 <= other < columns):
            raise ValueError(f"no L{one} H{other}: there are {layers} layers of {columns} heads")
    return word if asked is None else asked, picked


def word_at(labels: Sequence[str], query: Word, spelling: Sequence[str] = ()) -> int:
    """Return the position of a word, ignoring case.

    Parameters
    ----------
    labels : of the words
    spelling : the words without marks, where labels have some

    Raises
    ------
    ValueError : there is no such word; the message has those there are.

    >>> word_at(["The", "cat"], "cat"), word_at(["The", "cat"], 0)
    (1, 0)
    """
    if isinstance(query, str):
        wanted = query.casefold()
        both = zip(labels, spelling or labels, strict=True)
        for i, (label, word) in enumerate(both):
            if wanted in (label.casefold(), word.casefold()):
                return i
        raise ValueError(f"no word {query!r}; the words are {', '.join(labels)}")
    if not 0 <= query < len(labels):
        raise ValueError(f"no word {query}: there are {len(labels)}, counted from 0")
    return int(query)
