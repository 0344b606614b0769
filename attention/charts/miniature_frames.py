"""All heads of a text as a table: a figure, the role with its evidence, and a small picture."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import numpy as np
import pandas as pd

from attention.analysis.frames import head_frame
from attention.analysis.role_sentences import evidence
from attention.analysis.roles import HeadRoles
from attention.analysis.words import View
from attention.arrays import Array
from attention.pictures import DARK_RAMP, RAMP, binned, data_url, map_png
from attention.wording import Head

CELLS = 64  # on a side of a picture: longer texts are in bins, the largest weight of each


def roles_frame(
    figures: Array, chosen: Sequence[Head], found: HeadRoles, shown: Collection[Head]
) -> pd.DataFrame:
    """Return `layer, head, name, value, chosen, role, on`: a figure of each head, and its role.

    Parameters
    ----------
    shown : the heads that stand out; the others are pale
    """
    frame = head_frame(figures, chosen)
    heads = list(zip(frame["layer"], frame["head"], strict=True))
    return frame.assign(role=evidence(found, heads), on=[head in shown for head in heads])


def picture_urls(view: View, *, dark: bool = False) -> list[str]:
    """Return the map of every head, layer by layer, each as an address that holds the picture.

    Cells that a mask hides are transparent.

    >>> import numpy as np
    >>> from attention.analysis.words import Unit
    >>> one = View((Unit("a", (0,), False),), np.ones((1, 2, 1, 1)), np.zeros((1, 2, 1)))
    >>> [address[:22] for address in picture_urls(one)]
    ['data:image/png;base64,', 'data:image/png;base64,']
    """
    small, ramp = binned(view.weights, CELLS), DARK_RAMP if dark else RAMP
    seen = np.broadcast_to(binned(view.seen, CELLS), small.shape)
    return [
        data_url(map_png(small[head], seen[head], ramp=ramp))
        for head in np.ndindex(small.shape[:2])
    ]
