"""One part of a survey: some texts in one model, every head of each, as a table."""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from attention.analysis import metrics
from attention.analysis.pair_sentences import known_nouns
from attention.analysis.role_kinds import EVERY_ROLE
from attention.analysis.roles import head_roles
from attention.analysis.telling import ordinary
from attention.analysis.words import View, merge, view
from attention.arrays import Array
from attention.models import available_translators, load_model, load_translator
from attention.models.marian import Marian
from attention.models.trace import Tokens
from attention.models.transformer import Transformer
from attention.runtime.threads import unshared
from attention.translation.alignment_role import alignment_role, both_units

SURVEYED = tuple(EVERY_ROLE)
OF_DECODER = "-decoder"  # after the name of a translator: its cross-attention is measured
SURVEY_FORMAT = 2  # another where what is measured, or how, changes
WINDOWED = 3  # the same, but how many queries there are is told of every layer
FIGURES = "entropy", "mean_distance", "active"  # no name is a role's, too
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
        if pair := _decoder_of(name):
            c, sizes = pair.config, f"the decoder of {pair!r}"
            return cls(name, sizes, c.decoder_layers, c.num_attention_heads, draws, seed, part)
        model = reader(name)
        layers, heads = model.config.num_hidden_layers, model.config.num_attention_heads
        windowed = model.scoring is not None and any(model.scoring.windows)
        kind = WINDOWED if windowed else SURVEY_FORMAT
        return cls(name, repr(model), layers, heads, draws, seed, part, kind)

    def to_bytes(self) -> bytes:
        """Return them as the metadata of a table."""
        return json.dumps(asdict(self)).encode()


def reader(name: str) -> Transformer:
    """Return a model by its name or, of a translator, its encoder; cheap the second time."""
    if name in available_translators():
        return load_translator(name)
    return load_model(name)


def _decoder_of(name: str) -> Marian | None:
    """Return the translator whose decoder is meant, if one is."""
    pair = name.removesuffix(OF_DECODER)
    return load_translator(pair) if pair != name and pair in available_translators() else None


def read_by(name: str) -> Callable[[str], Tokens]:
    """Return what makes tokens of a text before it is measured."""
    return (_decoder_of(name) or reader(name)).tokenize


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
    """Return the columns of a survey: a text a row, `L * H` numbers in every list.

    How many queries a role has is one number, or `L` where windows hide other keys in other layers.
    """
    every = pa.list_(pa.float32(), settings.layers * settings.heads)
    windowed = settings.format == WINDOWED
    queries = pa.list_(pa.int32(), settings.layers) if windowed else pa.int32()
    fields = [
        ("i", pa.int64()), ("text", pa.string()), ("tokens", pa.int32()), ("refused", pa.string()),
    ]  # fmt: skip
    for name in SURVEYED:
        parts = [(f"{part}.{name}", every) for part in ("score", "chance", "spread")]
        fields += [*parts, (f"rows.{name}", queries)]
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
    measured: Callable[[str], dict[str, Any]]
    if pair := _decoder_of(settings.model):
        measured = partial(_of_translation, pair, settings)
    else:
        measured = partial(_of_text, reader(settings.model), settings)
    with unshared():
        rows = [{"i": first + i, "text": text, **_tried(measured, text)}
                for i, text in enumerate(texts)]  # fmt: skip
    columns = schema(settings)
    noted = {**(columns.metadata or {}), b"texts": digest(texts).encode()}
    table = pa.Table.from_pylist(rows, columns).replace_schema_metadata(noted)
    file = io.BytesIO()
    pq.write_table(table, file, compression="zstd")
    return file.getvalue()


def _tried(measured: Callable[[str], dict[str, Any]], text: str) -> dict[str, Any]:
    """Return what is measured of one text; the reason where the model cannot read it."""
    try:
        return measured(text)
    except ValueError as refusal:
        return {"refused": str(refusal)}


def _of_text(model: Transformer, settings: SurveySettings, text: str) -> dict[str, Any]:
    """Return what is measured of a text on itself.

    Raises
    ------
    ValueError : the model cannot read it.
    """
    trace = model.trace(text)
    if not len(trace.tokens):
        raise ValueError("the text has no tokens")
    shown = view(trace)
    found = head_roles(
        shown, draws=settings.draws, seed=settings.seed, pronouns=known_nouns(shown, text)
    )
    windowed = settings.format == WINDOWED
    row: dict[str, Any] = {
        "tokens": len(trace.tokens), "rows.alignment": [0] * settings.layers if windowed else 0,
    }  # fmt: skip
    for at, name in enumerate(found.names):
        every = found.scores[at], found.null_mean[at], found.null_spread[at]
        queries = found.rows[at].tolist()
        row |= _role_columns(name, queries if windowed else queries[0], every)
    figures = {
        "entropy": metrics.entropy_per_head(shown),
        "mean_distance": metrics.distance_per_head(shown),
        "active": active_share(shown),
    }
    return row | {name: _numbers(figure) for name, figure in figures.items()}


def _of_translation(pair: Marian, settings: SurveySettings, text: str) -> dict[str, Any]:
    """Return what is measured of a decoder that looks at a text while it translates it.

    Raises
    ------
    ValueError : the translator cannot read it.
    """
    done = pair.translate(text)
    if not len(done.target):
        raise ValueError("the text has no tokens")
    row: dict[str, Any] = {"tokens": len(done.source)}
    row |= {f"rows.{name}": 0 for name in SURVEYED}
    if found := alignment_role(done, settings.draws, settings.seed):
        every = found.score, found.null_mean, found.null_spread
        row |= _role_columns("alignment", int(found.rows[0]), every)
    bits = metrics.entropy(merge(done.cross_weights, *both_units(done)))
    return row | {"entropy": _numbers(bits.mean(axis=-1))}


def _role_columns(
    name: str, rows: int | list[int], every: tuple[Array, Array, Array]
) -> dict[str, Any]:
    """Return the columns of one role; no scores where the text has no query for it."""
    if not np.any(rows):
        return {f"rows.{name}": rows}
    parts = zip(("score", "chance", "spread"), map(_numbers, every), strict=True)
    return {f"rows.{name}": rows} | {f"{part}.{name}": grid for part, grid in parts}


def _numbers(grid: Array) -> Array:
    return grid.ravel().astype(np.float32)
