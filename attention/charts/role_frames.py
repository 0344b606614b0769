"""The roles of all heads as a table: a row a head, its score beside chance."""

from __future__ import annotations

import pandas as pd

from attention.analysis.role_kinds import ROLES
from attention.analysis.roles import HeadRoles
from attention.charts.look import CATEGORIES
from attention.wording import all_heads

NO_ROLE = "none of these"
_LETTERS = 5
_GREEN, _BRIGHT = slice(3, 5), 0x98  # how much green tells which colours take dark letters


def role_grid_frame(found: HeadRoles) -> pd.DataFrame:
    """Return `layer, head, name, role, says, meaning, score, chance, spread`, a row per head.

    `short` is how the role's name begins, `bright` whether its colour takes dark letters. A head
    without a role has no numbers, and its `role` is None.
    """
    names = all_heads(*found.main.shape)
    rows = []
    for name, head in names.items():
        role = found.role_of(head)
        score, chance, spread = found.at(role, head) if role else (None, None, None)
        kind = ROLES[role] if role else None
        rows.append(
            {
                "layer": head[0], "head": head[1], "name": name,
                "role": kind.label if kind else None, "says": kind.label if kind else NO_ROLE,
                "meaning": kind.meaning if kind else "",
                "short": kind.label.split()[0][:_LETTERS] if kind else "",
                "bright": role is not None and _takes_dark([*ROLES].index(role)),
                "score": score, "chance": chance, "spread": spread,
            }
        )  # fmt: skip
    return pd.DataFrame(rows)


def _takes_dark(place: int) -> bool:
    return int(CATEGORIES[place][_GREEN], 16) >= _BRIGHT
