"""Edits as a short string, made of characters that a link keeps as they are, and back.

code   = edit ("~" edit)*           edits, in order; no edit is the empty string
edit   = kind ("_" field)*
kind   = "cut" | "add" | "row" | "off" | "put"
field  = "a" number                 amount to add
       | "l" set | "h" set          layers, heads; a set left out means all
       | "q" set | "k" set          queries, keys
       | "w" number ("w" number)*   weights of a row
       | set "h" set                of "off": these heads of these layers
       | "raw"                      without renormalising
       | "t" letter* | "p" part     of "put": the other text, and what is taken from it
       | "s" set | "v" set          of "put": queries and keys in the other text
letter = a-z | 0-9 | "-"            itself; a space
       | "." hex "."                any other character by its number
set    = range ("." range)*         range = n or n-n, as in 3.5-7
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from itertools import chain, groupby, islice, product
from typing import Any

import numpy as np

from attention.edits import Add, Cut, CutHeads, Edit, Edits, Patch, SetRow
from attention.wording import Head

MOST_EDITS = 256
MOST_CHARACTERS = 20_000
MOST_WRITTEN_OUT = 200_000  # numbers in all their sets: a short "0-4095" stands for many

_SETS = {"l": "layers", "h": "heads", "q": "queries", "k": "keys"}
_RANGE = r"[0-9]{1,4}(?:-[0-9]{1,4})?"
_SET = re.compile(rf"{_RANGE}(?:\.{_RANGE})*")
_NUMBER = r"-?(?:[0-9]+(?:\.[0-9]+)?(?:e-?[0-9]{1,3})?|inf)"
_WEIGHTS = re.compile(rf"(?:w{_NUMBER})+")
_FROM = {"s": "from_queries", "v": "from_keys"}
_LETTERS = re.compile(r"(?:[a-z0-9-]|\.[0-9a-f]{1,6}\.)*")
_KINDS: dict[str, tuple[type[Cut | Add | SetRow | Patch], str]] = {
    "cut": (Cut, "lhqkr"),
    "add": (Add, "alhqk"),
    "row": (SetRow, "lhqwr"),
    "put": (Patch, "lhqktpsv"),
}


def encode(edits: Edits) -> str:
    """Return the edits as a string; `decode` makes equal edits of it.

    >>> encode((Cut(queries=(8,), keys=(1, 2, 3, 5)), CutHeads(((5, 11),)), Add(-1.5, keys=(2,))))
    'cut_q8_k1-3.5~off_5h11~add_a-1.5_k2'
    """
    return "~".join("_".join(_fields(edit)) for edit in edits)


def decode(code: str) -> Edits:
    """Return the edits that a string made by `encode` stands for.

    Raises
    ------
    ValueError : the string is too long, or no such string; says which part is wrong.

    >>> decode("cut_l5_h11_q8_k2_raw")
    (Cut(queries=(8,), keys=(2,), layers=(5,), heads=(11,), renormalise=False),)
    """
    if len(code) > MOST_CHARACTERS:
        raise ValueError(f"edits of {len(code):,} characters; the limit is {MOST_CHARACTERS:,}")
    parts = code.split("~") if code else []
    if len(parts) > MOST_EDITS:
        raise ValueError(f"{len(parts)} edits; the limit is {MOST_EDITS}")
    edits: list[Edit] = []
    left = MOST_WRITTEN_OUT
    for part in parts:
        edits.append(_edit(part, left))
        left -= _size(edits[-1])
    return tuple(edits)


def _size(edit: Edit) -> int:
    return sum(len(field) for field in vars(edit).values() if isinstance(field, tuple))


def _fields(edit: Edit) -> list[str]:
    if isinstance(edit, CutHeads):
        return ["off", *_head_sets(edit.pairs)]
    sets = [
        letter + _set(numbers)
        for letter, name in (_SETS | _FROM).items()
        if (numbers := getattr(edit, name, None)) is not None
    ]
    if isinstance(edit, Patch):
        return ["put", f"p{edit.part}", *sets, f"t{_letters(edit.source)}"]
    if isinstance(edit, Add):
        return ["add", f"a{_number(edit.amount)}", *sets]
    raw = [] if edit.renormalise else ["raw"]
    if isinstance(edit, SetRow):
        # the text of a float32 has the fewest digits that give the same float32 again
        weights = "".join(f"w{_number(np.float32(weight))}" for weight in edit.weights)
        return ["row", *sets, *([weights] if weights else []), *raw]
    return ["cut", *sets, *raw]


def _number(number: float | np.float32) -> str:
    return str(number).removesuffix(".0").replace("e+", "e")


def _letters(text: str) -> str:
    """Return any text in the characters that a link keeps as they are.

    >>> _letters("When Mary"), _text(_letters("When Mary"))
    ('.57.hen-.4d.ary', 'When Mary')
    """
    return "".join(
        "-" if c == " " else c if re.fullmatch("[a-z0-9]", c) else f".{ord(c):x}." for c in text
    )


def _text(letters: str) -> str:
    """Return what `_letters` wrote as text again."""
    parts = re.split(r"\.([0-9a-f]+)\.", letters)
    parts[1::2] = [chr(int(code, 16)) for code in parts[1::2]]
    parts[::2] = [part.replace("-", " ") for part in parts[::2]]
    text = "".join(parts)
    text.encode()  # no half of a pair of surrogates: UnicodeEncodeError is a ValueError
    return text


def _set(numbers: tuple[int, ...]) -> str:
    """Return sorted numbers as ranges.

    >>> _set((3, 5, 6, 7))
    '3.5-7'
    """
    ranges = []
    for _, run in groupby(enumerate(numbers), lambda pair: pair[1] - pair[0]):
        (_, first), *_, (_, last) = [*run] * 2
        ranges.append(str(first) if first == last else f"{first}-{last}")
    return ".".join(ranges)


def _head_sets(pairs: tuple[Head, ...]) -> list[str]:
    """Return the pairs as sets of layers with the same heads: `0-5h11`."""
    heads = defaultdict(list)
    for layer, head in pairs:
        heads[layer].append(head)
    layers = defaultdict(list)
    for layer, some in heads.items():
        layers[tuple(some)].append(layer)
    return [f"{_set(tuple(at))}h{_set(some)}" for some, at in layers.items()]


def _edit(code: str, most: int) -> Edit:
    """Return one edit of at most `most` numbers."""
    kind, *fields = code.split("_")
    try:
        if kind == "off":
            pairs = chain.from_iterable(map(_pairs, fields))
            edit: Edit = CutHeads(tuple(islice(pairs, most + 1)))
        elif kind in _KINDS:
            made, letters = _KINDS[kind]
            named = [_field(field, letters) for field in fields]
            if len(dict(named)) < len(named):
                raise ValueError("a field is given twice")
            edit = made(**dict(named))
        else:
            raise ValueError(f"an edit begins with {', '.join(_KINDS)} or off")
        if _size(edit) > most:
            raise ValueError(f"more than {MOST_WRITTEN_OUT:,} numbers in all")
        return edit
    except (ValueError, TypeError) as error:  # TypeError: a field that must be there is not
        shown = code if len(code) <= 80 else f"{code[:80]}..."
        raise ValueError(f"no such edit: {shown!r}: {error}") from None


def _field(field: str, letters: str) -> tuple[str, Any]:
    """Return one field as a keyword argument."""
    letter, value = field[:1], field[1:]
    if letter not in letters or not letter:
        raise ValueError(f"no field {field!r} here")
    if letter in letters and letter in _SETS | _FROM:
        return (_SETS | _FROM)[letter], _numbers(value)
    if letter == "p":
        return "part", value
    if letter == "t" and _LETTERS.fullmatch(value):
        return "source", _text(value)
    if letter == "a" and re.fullmatch(_NUMBER, value):
        return "amount", float(value)
    if letter == "w" and _WEIGHTS.fullmatch(field):
        return "weights", tuple(map(float, value.split("w")))
    if field == "raw":
        return "renormalise", False
    raise ValueError(f"cannot read {field!r}")


def _numbers(text: str) -> tuple[int, ...]:
    """Return what `_set` wrote as numbers again.

    >>> _numbers("3.5-7")
    (3, 5, 6, 7)
    """
    if not _SET.fullmatch(text):
        raise ValueError(f"cannot read the numbers {text!r}")
    ends = [[int(end) for end in part.split("-")] for part in text.split(".")]
    return tuple(sorted({n for part in ends for n in range(part[0], part[-1] + 1)}))


def _pairs(field: str) -> Iterator[Head]:
    layers, _, heads = field.partition("h")
    return product(_numbers(layers), _numbers(heads))
