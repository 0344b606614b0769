"""Pictures of a trace in one call each, for notebooks and files.

Each function takes a trace, or a `View` of one where words and special tokens are chosen once. It
points at what tells most where it is not told what to show, and returns an Altair chart: let it be
the last line of a cell, or write it to a file with `save`. Heads are `(layer, head)`, counted from
0; a word is its position or its text, which is the first word so spelled.
"""

from attention.charts.files import offline, save
from attention.plot.drawing import drawn
from attention.plot.of_heads import head_grid, head_map, links, rows
from attention.plot.of_words import alignment, blend, roles

__all__ = [
    "alignment",
    "blend",
    "drawn",
    "head_grid",
    "head_map",
    "links",
    "offline",
    "roles",
    "rows",
    "save",
]
