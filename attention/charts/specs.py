"""Charts as what a browser draws, without their data."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pandas as pd
from altair.utils.schemapi import debug_mode

from attention.charts import Chart


def unchecked_spec(
    build: Callable[..., Chart], columns: Sequence[str], options: Mapping[str, Any]
) -> dict[str, Any]:
    """Return what `build` makes of a table with these columns, not checked against the schema.

    Checking takes as long as all else; that charts are what Vega-Lite understands is tested.
    """
    with debug_mode(False):
        chart = build(pd.DataFrame(columns=list(columns)), **options)
        spec: dict[str, Any] = chart.to_dict(validate=False)
    del spec["data"], spec["datasets"]
    return spec
