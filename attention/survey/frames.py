"""A survey as tidy tables: one row a mark."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from attention.analysis.role_kinds import EVERY_ROLE
from attention.survey.measure import SURVEYED
from attention.survey.summary import Summary
from attention.wording import Head


def head_roles_frame(summary: Summary, head: Head) -> pd.DataFrame:
    """Return one head's roles: `i, role, score, chance, low, high, share, texts`.

    Only those that were measured; `i` is the place of a role among them.
    """
    measured = [name for name in SURVEYED if summary.of(name, "counts")[head]]
    return pd.DataFrame(
        {
            "i": range(len(measured)),
            "role": np.array([EVERY_ROLE[name].label for name in measured], dtype=object),
            **{
                grid: [float(summary.of(name, grid)[head]) for name in measured]
                for grid in ("score", "chance", "low", "high", "share")
            },
            "texts": [int(summary.of(name, "counts")[head]) for name in measured],
        }
    )


def ranked_frame(summaries: Mapping[str, Summary], column: str) -> pd.DataFrame:
    """Return all heads of some models, the highest first: `model, place, name, value`.

    `place` is the share of the model's heads that are at least as high, above 0 to 1.
    """
    tables = []
    for model, summary in summaries.items():
        values = summary.of(column)
        order = np.argsort(-values, axis=None, kind="stable")
        layers, heads = np.divmod(order, values.shape[1])
        tables.append(
            pd.DataFrame(
                {
                    "model": model,
                    "place": np.arange(1, values.size + 1) / values.size,
                    "name": [f"L{a} H{b}" for a, b in zip(layers, heads, strict=True)],
                    "value": values.ravel()[order].astype(float),
                }
            )
        )
    return pd.concat(tables, ignore_index=True)
