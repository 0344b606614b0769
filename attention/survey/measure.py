"""One part of a survey: some texts in one model, every head of each, as a table."""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from attention.analysis import metrics
from attention.analysis.role_kinds import ROLES
from attention.analysis.roles import HeadRoles, head_roles
from attention.analysis.telling import ordinary
from attention.analysis.words import View, view
from attention.arrays import Array
from attention.models import available_translators, load_model, load_translator
from attention.models.transformer import Transformer
from attention.runtime.threads import unshared

SURVEYED = tuple(name for name in ROLES if name != "pronoun")  # that needs nouns that are known
SURVEY_FORMAT = 1  # another where what is measured, or how, changes
FIGURES = "entropy", "distance", "active"
SURVEY_COLUMNS = *SURVEYED, *FIGURES


@dataclass(frozen=True)
class SurveySettings:
    """What a survey's numbers depend on, besides its texts."""

    model: str
    sizes: str  # of the model, in words
    layers: int
    heads: int
    draws: int
    seed: int
    part: int  # texts
    format: int = SURVEY_FORMAT

    @classmethod
    def of(cls, name: str, draws: int, seed: int, part: int) -> SurveySettings:
        """Return the settings for a model by its name; `ValueError` where one cannot be."""
        if draws < 2 or part < 1:
            raise ValueError(f"draws must be at least 2 and a part 1 text, got {draws} and {part}")
        model = reader(name)
        layers, heads = model.config.num_hidden_layers, model.config.num_attention_heads
        return cls(name, repr(model), layers, heads, draws, seed, part)

    def to_bytes(self) -> bytes:
        """Return them as the metadata of a table."""
        return json.dumps(asdict(self)).encode()


def reader(name: str) -> Transformer:
    """Return a model by its name or, of a translator, its encoder; cheap the second time."""
    if name in available_translators():
        return load_translator(name)
    return load_model(name)


def active_share(shown: View) -> Array:
    """Return the weight that goes to words of the text other than the first token, `(L, H)`.

    The mean over ordinary words from the third position on. What is left goes to special tokens and
    to the first one, where heads rest that find nothing (Xiao et al. 2024, section 3).
    """
    rows = ordinary(shown)
    keys = rows.copy()
    rows[:2], keys[:1] = False, False
    if not rows.any():
        return np.zeros(shown.weights.shape[:2])
    return shown.weights[:, :, rows][..., keys].sum(axis=-1).mean(axis=-1)


def schema(settings: SurveySettings) -> pa.Schema:
    """Return the columns of a survey: a text a row, `L * H` numbers in every list."""
    every = pa.list_(pa.float32(), settings.layers * settings.heads)
    fields = [
        ("i", pa.int64()), ("text", pa.string()), ("tokens", pa.int32()), ("refused", pa.string()),
    ]  # fmt: skip
    for name in SURVEYED:
        parts = [(f"{part}.{name}", every) for part in ("score", "chance", "spread")]
        fields += [*parts, (f"rows.{name}", pa.int32())]
    fields += [(name, every) for name in FIGURES]
    return pa.schema(fields, metadata={b"survey": settings.to_bytes()})


def digest(texts: Sequence[str]) -> str:
    """Return what tells some texts from any others.

    >>> digest(["a", "b"]) == digest(["ab"])
    False
    """
    return hashlib.sha256(json.dumps(list(texts)).encode()).hexdigest()


def measure_part(settings: SurveySettings, first: int, texts: Sequence[str]) -> bytes:
    """Measure some texts; return the file of this part, the same bytes wherever it is run.

    Parameters
    ----------
    first : the number of the first text
    """
    model = reader(settings.model)
    with unshared():
        rows = [_row(model, settings, first + i, text) for i, text in enumerate(texts)]
    columns = schema(settings)
    noted = {**(columns.metadata or {}), b"texts": digest(texts).encode()}
    table = pa.Table.from_pylist(rows, columns).replace_schema_metadata(noted)
    file = io.BytesIO()
    pq.write_table(table, file, compression="zstd")
    return file.getvalue()


def _row(model: Transformer, settings: SurveySettings, number: int, text: str) -> dict[str, Any]:
    """Return what is measured of one text; the reason where the model cannot read it."""
    try:
        trace = model.trace(text)
        if not len(trace.tokens):
            raise ValueError("the text has no tokens")
    except ValueError as refusal:
        return {"i": number, "text": text, "refused": str(refusal)}
    shown = view(trace)
    found = head_roles(shown, draws=settings.draws, seed=settings.seed, only=SURVEYED)
    row: dict[str, Any] = {"i": number, "text": text, "tokens": len(trace.tokens)}
    for name in SURVEYED:
        row |= _role_columns(found, name)
    figures = {
        "entropy": metrics.entropy_per_head(shown),
        "distance": metrics.distance_per_head(shown),
        "active": active_share(shown),
    }
    return row | {name: _numbers(figure) for name, figure in figures.items()}


def _role_columns(found: HeadRoles, name: str) -> dict[str, Any]:
    """Return the columns of one role; none where the text has no query for it."""
    at = found.names.index(name)
    if not found.rows[at]:
        return {f"rows.{name}": 0}
    return {
        f"score.{name}": _numbers(found.scores[at]),
        f"chance.{name}": _numbers(found.null_mean[at]),
        f"spread.{name}": _numbers(found.null_spread[at]),
        f"rows.{name}": int(found.rows[at]),
    }


def _numbers(grid: Array) -> Array:
    return grid.ravel().astype(np.float32)
