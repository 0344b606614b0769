"""Changes to a forward pass, as values, as text in a link, in words."""

from attention.edits.kinds import (
    MOST_ADDED,
    MOST_NUMBER,
    Add,
    Cut,
    CutHeads,
    Edit,
    Edits,
    Numbers,
    SetRow,
    check_edits,
    first_layer,
    first_query,
    layers_of,
)
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
    "SetRow",
    "check_edits",
    "first_layer",
    "first_query",
    "layers_of",
]

__getattr__, __dir__ = submodules(__name__, __path__)
