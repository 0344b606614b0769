"""Tables that go into a chart as they are."""

from __future__ import annotations

from typing import Any

import altair as alt
import pandas as pd

_DECIMALS = 6


def inline(data: pd.DataFrame) -> Any:
    """Return a table that goes into a chart as it is, of any length, numbers to six decimals.

    Altair refuses tables of more than 5,000 rows, for a notebook is kept with them; six maps of 40
    words have 9,600, and that is what was asked for.
    """
    columns = {str(name): _plain(column) for name, column in data.items()}
    rows = zip(*columns.values(), strict=True)
    return alt.InlineData(values=[dict(zip(columns, row, strict=True)) for row in rows])


def _plain(column: pd.Series[Any]) -> list[Any]:
    """Return values as JSON has them: no number is one that it does not know."""
    number = column.dtype.kind == "f"
    values = (column.astype(float).round(_DECIMALS) if number else column).tolist()
    return [None if pd.isna(value) else value for value in values]
