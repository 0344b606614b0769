"""What a change to a forward pass does, in words."""

from __future__ import annotations

from collections.abc import Sequence

from attention.analysis import words
from attention.analysis.words import Unit
from attention.edits import Add, Cut, CutHeads, Edit, Numbers, Patch, SetRow
from attention.models.trace import Tokens
from attention.wording import head_name


def edit_text(edit: Edit, units: Sequence[Unit], tokens: Tokens) -> str:
    """Return what an edit does, in words, numbered as the units that are shown.

    >>> import numpy as np
    >>> from attention.models.trace import Tokens
    >>> shown = (Unit("a", (0,), False), Unit("bc", (1, 2), False))
    >>> import numpy as np
    >>> spans, special = ((0, 1), (2, 3), (3, 4)), (False, False, False)
    >>> text = Tokens("a bc", np.arange(3), ("a", "b", "##c"), spans, special)
    >>> edit_text(Cut(queries=(1, 2), keys=(0,), layers=(5,), heads=(11,)), shown, text)
    'cut from 1 bc to 0 a, in L5 H11'
    >>> edit_text(Cut(queries=(2,), keys=(0,)), shown, text)
    'cut from ##c of 1 bc to 0 a, in every head'
    """
    if isinstance(edit, CutHeads):
        return f"{', '.join(head_name(pair) for pair in edit.pairs)} ablated"
    if isinstance(edit, Patch):
        return _patch_text(edit, units, tokens)
    query, place = _named(edit.queries, units, tokens), _place(edit)
    if isinstance(edit, Cut):
        rest = "" if edit.renormalise else ", the rest of the row as it was"
        return f"cut from {query} to {_named(edit.keys, units, tokens)}, {place}{rest}"
    if isinstance(edit, Add):
        key = _named(edit.keys, units, tokens)
        return f"{edit.amount:+g} on the scores of {query} for {key}, {place}"
    return f"a row of weights set for {query}, {place}"


_PARTS = {"head": "outputs", "weights": "weights", "stream": "hidden states"}


def _patch_text(patch: Patch, units: Sequence[Unit], tokens: Tokens) -> str:
    """Say what a patch puts in; the other text is named by its first letters."""
    source = patch.source if len(patch.source) <= 40 else f"{patch.source[:39]}…"
    if patch.part == "stream":
        layers = "every layer" if patch.layers is None else f"layer {_numbers(patch.layers)}"
        place = f"that enter {layers}"
    else:
        place = _place(patch)
    key = "" if patch.keys is None else f" to {_named(patch.keys, units, tokens)}"
    query = _named(patch.queries, units, tokens)
    return f"{_PARTS[patch.part]} of {query}{key}, {place}, as in “{source}”"


def _place(edit: Cut | Add | SetRow | Patch) -> str:
    if edit.layers is None:
        return "in every head" if edit.heads is None else f"in {_heads(edit.heads)} of every layer"
    if edit.heads is None:
        return f"in every head of layer {_numbers(edit.layers)}"
    if len(edit.layers) == 1:
        return f"in {', '.join(head_name((edit.layers[0], head)) for head in edit.heads)}"
    return f"in {_heads(edit.heads)} of layers {_numbers(edit.layers)}"


def _named(positions: Numbers, units: Sequence[Unit], tokens: Tokens) -> str:
    """Name the units that tokens make up; those that are not shown are named without a number."""
    if positions is None:
        return "every token"
    pieces, chosen = words.pieces(tokens), set(positions)
    names = [
        (own[0], _part(own, f"{i} {unit.label}", unit, pieces))
        for i, unit in enumerate(units)
        if (own := [position for position in unit.positions if position in chosen])
    ]
    shown = {position for unit in units for position in unit.positions}
    names += [(position, pieces[position].label) for position in chosen - shown]
    named = [name for _, name in sorted(names)]
    more = f" and {len(named) - 4} more" if len(named) > 4 else ""
    return ", ".join(named[:4]) + more


def _part(own: Sequence[int], name: str, unit: Unit, pieces: Sequence[Unit]) -> str:
    """Name a unit, or the tokens of it that are meant."""
    if len(own) == len(unit.positions):
        return name
    return f"{', '.join(pieces[position].label for position in own)} of {name}"


def _heads(numbers: Sequence[int]) -> str:
    return f"head{'s' if len(numbers) > 1 else ''} {_numbers(numbers)}"


def _numbers(numbers: Sequence[int]) -> str:
    return ", ".join(map(str, numbers))
