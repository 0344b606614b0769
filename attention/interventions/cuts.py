"""Connections and heads as clicks cut them, and which pairs of words a cut leaves apart."""

from __future__ import annotations

from collections.abc import Sequence

from attention.analysis.words import Unit
from attention.arrays import Array
from attention.edits import Cut, CutHeads, Edit, Edits, Numbers
from attention.interventions.effects import cosine_distance
from attention.models.model import Model
from attention.models.trace import Trace
from attention.wording import Head


def heads_meant(head: Head, where: str) -> tuple[Numbers, Numbers]:
    """Return the layers and heads of a cut in one "head", in its whole "layer", or in "all".

    >>> heads_meant((3, 1), "head"), heads_meant((3, 1), "layer"), heads_meant((3, 1), "all")
    (((3,), (1,)), ((3,), None), (None, None))
    """
    layer, own = head
    return (None if where == "all" else (layer,)), ((own,) if where == "head" else None)


def toggle_edit(edits: Edits, edit: Edit) -> Edits:
    """Return the edits without this one or, if it is not among them, with it.

    >>> toggle_edit((Cut(keys=(1,)),), Cut(keys=(1,)))
    ()
    """
    rest = tuple(other for other in edits if other != edit)
    return rest if len(rest) < len(edits) else (*edits, edit)


def ablated_heads(edits: Edits) -> set[Head]:
    """Return the heads that are ablated.

    >>> ablated_heads((CutHeads(((5, 11),)), Cut(keys=(1,))))
    {(5, 11)}
    """
    return {pair for edit in edits if isinstance(edit, CutHeads) for pair in edit.pairs}


def toggle_head(edits: Edits, head: Head) -> Edits:
    """Return the edits with one more head ablated, or one less; all of them in one edit, the last.

    >>> toggle_head((CutHeads(((5, 11),)),), (0, 2))
    (CutHeads(pairs=((0, 2), (5, 11))),)
    """
    others = tuple(edit for edit in edits if not isinstance(edit, CutHeads))
    pairs = tuple(ablated_heads(edits) ^ {head})
    return (*others, CutHeads(pairs)) if pairs else others


def cut_pairs(
    edits: Edits, head: Head, units: Sequence[Unit], *, is_causal: bool
) -> set[tuple[int, int]]:
    """Return the pairs of units, query and key, that a cut keeps apart in this head.

    >>> two = [Unit("a", (0,), False), Unit("b", (1, 2), False)]
    >>> cut_pairs((Cut(queries=(2,), keys=(0,)),), (0, 0), two, is_causal=True)
    {(1, 0)}
    """
    unit_of = {position: i for i, unit in enumerate(units) for position in unit.positions}
    cuts = [edit for edit in edits if isinstance(edit, Cut) and _acts(edit, head)]
    return {
        (unit_of[q], unit_of[k])
        for edit in cuts
        for q in (unit_of if edit.queries is None else edit.queries)
        for k in (unit_of if edit.keys is None else edit.keys)
        if q in unit_of and k in unit_of and (k <= q or not is_causal)
    }


def named_units(edits: Edits, units: Sequence[Unit], most: int) -> list[int]:
    """Return the units that the last cuts are about: of each the query and key, if it has one each.

    Parameters
    ----------
    most : how many are returned

    >>> two = [Unit("a", (0,), False), Unit("bc", (1, 2), False)]
    >>> named_units((CutHeads(((0, 0),)), Cut(queries=(2,), keys=(0,)), Cut(keys=(0,))), two, 4)
    [0, 1]
    """
    unit_of = {position: i for i, unit in enumerate(units) for position in unit.positions}
    cut = [edit for edit in reversed(edits) if isinstance(edit, Cut)]
    named = [p for edit in cut for part in (edit.keys, edit.queries) for p in part or ()]
    return list(dict.fromkeys(unit_of[p] for p in named if p in unit_of))[:most]


def _acts(edit: Cut, head: Head) -> bool:
    return (edit.layers is None or head[0] in edit.layers) and (
        edit.heads is None or head[1] in edit.heads
    )


def pair_effects(
    model: Model, trace: Trace, query: Unit, key: Unit, heads: Sequence[Head]
) -> Array:
    """Return how far the query's vector moves when one head's connection of a pair is cut, each.

    The cosine distance of its vector after the last layer, the mean of its pieces, `(heads,)`. The
    rest of the row is scaled up, as if the key had been masked.
    """
    changes: list[Edits] = [
        (Cut(query.positions, key.positions, (layer,), (head,)),) for layer, head in heads
    ]
    rows = list(query.positions)
    streams = model.last_streams(trace, changes)  # (heads, T, D)
    before = trace.hidden[-1, rows].mean(axis=0)
    return cosine_distance(streams[:, rows].mean(axis=1), before)
