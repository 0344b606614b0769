"""Changes to a forward pass, as values, as text in a link, in words."""

from attention.edits.kinds import (
    MOST_ADDED,
    Add,
    Cut,
    CutHeads,
    Edit,
    Edits,
    SetRow,
    check_edits,
    first_layer,
    first_query,
    layers_of,
)
from attention.edits.numbers import MOST_NUMBER, Numbers
from attention.edits.patches import Patch
from attention.lazily import submodules

__all__ = [
    "MOST_ADDED",
    "MOST_NUMBER",
    "Add",
    "Cut",
    "CutHeads",
    "Edit",
    "Edits",
    "Numbers",
    "Patch",
    "SetRow",
    "check_edits",
    "first_layer",
    "first_query",
    "layers_of",
]

__getattr__, __dir__ = submodules(__name__, __path__)
