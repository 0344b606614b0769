"""How alike all heads are, as tables: a place in the plane each, and the nearest of one."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import pandas as pd

from attention.analysis.head_map import nearest
from attention.analysis.role_sentences import evidence
from attention.analysis.roles import HeadRoles
from attention.arrays import Array
from attention.pictures import DARK_RAMP, RAMP, binned, data_url, map_png
from attention.wording import Head, all_heads, head_name

_PIXELS = 288  # of a side of the picture, at most


def place_frame(places: Array, found: HeadRoles, chosen: Collection[Head]) -> pd.DataFrame:
    """Return `layer, head, name, x, y, role, chosen`, a row per head.

    Parameters
    ----------
    places : (N, 2) as from `head_map.layout`
    """
    names = all_heads(*found.main.shape)
    heads = list(names.values())
    return pd.DataFrame(
        {
            "layer": [layer for layer, _ in heads],
            "head": [head for _, head in heads],
            "name": list(names),
            "x": places[:, 0],
            "y": places[:, 1],
            "role": evidence(found, heads),
            "chosen": [head in chosen for head in heads],
        }
    )


def nearest_frame(
    distances: Array, head: Head, found: HeadRoles, common: Array, count: int
) -> pd.DataFrame:
    """Return the heads nearest to one: `Head, Bits apart, In common, Role here`.

    Parameters
    ----------
    common : (N,) as from `head_map.in_common`
    """
    width = found.main.shape[1]
    own = head[0] * width + head[1]
    near = nearest(distances, own, count)
    heads: Sequence[Head] = [divmod(at, width) for at in near]
    return pd.DataFrame(
        {
            "Head": [head_name(one) for one in heads],
            "Bits apart": [float(distances[own, at]) for at in near],
            "In common": [float(common[at]) for at in near],
            "Role here": evidence(found, heads),
        }
    )


def ordered_picture(distances: Array, order: Sequence[int], *, dark: bool = False) -> pd.DataFrame:
    """Return the table of distances, heads in this order, as one row with the `url` of a picture.

    The stronger a pixel, the more alike two heads are: from 0 bits to the most of any two.
    """
    most = float(distances.max()) or 1.0
    alike = binned(1 - distances[list(order)][:, list(order)] / most, _PIXELS)
    png = map_png(alike, spread=1.0, ramp=DARK_RAMP if dark else RAMP)
    return pd.DataFrame({"url": [data_url(png)]})
