"""What a change to a forward pass does, in words."""

from __future__ import annotations

from collections.abc import Sequence

from attention.analysis import words
from attention.analysis.words import Unit
from attention.edits import Add, Cut, CutHeads, Edit, Numbers, SetRow
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
    '1 bc reads nothing from 0 a, in L5 H11'
    >>> edit_text(Cut(queries=(2,), keys=(0,)), shown, text)
    '##c of 1 bc reads nothing from 0 a, in every head'
    """
    if isinstance(edit, CutHeads):
        return f"{', '.join(head_name(pair) for pair in edit.pairs)} silent"
    every = "every token"
    asks, place = _named(edit.queries, units, tokens, every), _place(edit)
    if isinstance(edit, Cut):
        rest = "" if edit.renormalise else ", the rest of the row as it was"
        read = _named(edit.keys, units, tokens, "any")
        return f"{asks} reads nothing from {read}, {place}{rest}"
    if isinstance(edit, Add):
        read = _named(edit.keys, units, tokens, every)
        return f"{edit.amount:+g} on the score of {read} when {asks} asks, {place}"
    return f"a row of weights set for {asks}, {place}"


def _place(edit: Cut | Add | SetRow) -> str:
    if edit.layers is None and edit.heads is None:
        return "in every head"
    if edit.layers is None:
        return f"in head {_numbers(edit.heads)} of every layer"
    if edit.heads is None:
        return f"in every head of layer {_numbers(edit.layers)}"
    if len(edit.layers) == 1:
        return f"in {', '.join(head_name((edit.layers[0], head)) for head in edit.heads)}"
    return f"in heads {_numbers(edit.heads)} of layers {_numbers(edit.layers)}"


def _named(positions: Numbers, units: Sequence[Unit], tokens: Tokens, whole: str) -> str:
    """Name the units that tokens make up; those that are not shown are named without a number."""
    if positions is None:
        return whole
    pieces, chosen = words.pieces(tokens), set(positions)
    found = [
        (own[0], _part(own, f"{i} {unit.label}", unit, pieces))
        for i, unit in enumerate(units)
        if (own := [position for position in unit.positions if position in chosen])
    ]
    shown = {position for unit in units for position in unit.positions}
    found += [(position, pieces[position].label) for position in chosen - shown]
    named = [name for _, name in sorted(found)]
    more = f" and {len(named) - 4} more" if len(named) > 4 else ""
    return ", ".join(named[:4]) + more


def _part(own: Sequence[int], name: str, unit: Unit, pieces: Sequence[Unit]) -> str:
    """Name a unit, or the tokens of it that are meant."""
    if len(own) == len(unit.positions):
        return name
    return f"{', '.join(pieces[position].label for position in own)} of {name}"


def _numbers(numbers: Numbers) -> str:
    return ", ".join(map(str, numbers or ()))
