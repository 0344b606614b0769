"""What a survey says of every head: means over texts, their spread, chance, telling texts.

Texts are read one part at a time; what is kept is of one size, however many there are.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from attention.analysis.role_kinds import EVERY_ROLE, LEAST_ROWS, SPREADS
from attention.arrays import Array
from attention.runtime.limits import check_text
from attention.runtime.timing import Progress
from attention.survey.measure import FIGURES, SURVEY_COLUMNS, SURVEYED, SurveySettings, schema
from attention.wording import human_bytes

SHIPPED = Path(__file__).parent / "shipped"
TOP = 3  # texts in which a head is most active
QUANTILES = 0.1, 0.5, 0.9
_BINS = 1_000
_MOST_HEADS = 20_000  # a file may come from anybody
_FEWEST_HEADS = 64  # a text in fewer takes as long
_AT_ONCE = 16  # texts
_LARGEST_COLUMN = 2**26  # bytes of one group of rows
# Of a bin: bits, positions; else a share of 1 / 1,000.
_STEPS = {"entropy": 0.01, "mean_distance": 0.5}
_GRIDS = "score", "chance", "spread", "low", "middle", "high", "share"


@dataclass(frozen=True, eq=False)
class Summary:
    """Every head over the texts of a survey. `R` roles and figures, in order of `SURVEY_COLUMNS`.

    NaN where nothing was measured, and where a figure has no chance or share.
    """

    model: str
    sizes: str
    format: int
    draws: int
    texts: int  # measured
    refused: int
    tokens: int
    counts: Array  # (R, L, H) int, on how many texts each was measured
    rows: Array  # (R, L, H) int, and over how many queries
    score: Array  # (R, L, H) mean over queries; of figures over texts
    chance: Array  # (R, L, H) the same by chance
    spread: Array  # (R, L, H) the standard deviation of that mean by chance
    low: Array  # (R, L, H) what a tenth of the texts stay below
    middle: Array  # (R, L, H) the median text
    high: Array  # (R, L, H) what a tenth of the texts are above
    share: Array  # (R, L, H) of the texts with 3 queries or more, where the head has the role
    top: Array  # (L, H, TOP) int, the numbers of the texts in which the head is most active
    active: Array  # (L, H, TOP) how active
    said: dict[int, str]  # those texts

    def has(self, name: str) -> Array:
        """Return which heads have a role over all texts, `(L, H)` bool; see `roles.PooledRole`."""
        at = SURVEY_COLUMNS.index(name)
        above = self.score[at] - self.chance[at] > SPREADS * self.spread[at]
        return (
            (self.score[at] >= EVERY_ROLE[name].threshold) & above & (self.rows[at] >= LEAST_ROWS)
        )

    def of(self, name: str, grid: str = "score") -> Array:
        """Return one grid of a role or figure, `(L, H)`."""
        return np.asarray(getattr(self, grid)[SURVEY_COLUMNS.index(name)])


class _Sums:
    """What is kept while texts come in."""

    def __init__(self, layers: int, heads: int) -> None:
        count, every = len(SURVEY_COLUMNS), layers * heads
        self.shape = layers, heads
        self.score, self.chance, self.square = np.zeros((3, count, every))
        self.has = np.zeros((count, every), np.int64)
        self.counts, self.rows, self.enough = np.zeros((3, count, every), np.int64)
        self.bins = np.zeros((count, every, _BINS + 1), np.uint32)
        self.active, self.top = np.full((TOP, every), -1.0), np.full((TOP, every), -1)
        self.said: dict[int, str] = {}
        self.texts = self.refused = self.tokens = 0

    def add(self, row: dict[str, Any]) -> None:
        """Take in one text."""
        if row["refused"] is not None:
            self.refused += 1
            return
        self.texts, self.tokens = self.texts + 1, self.tokens + row["tokens"]
        for at, name in enumerate(SURVEYED):
            if row[f"score.{name}"] is not None:
                self._add_role(at, name, row)
        for at, name in enumerate(FIGURES, start=len(SURVEYED)):
            if row[name] is not None:
                self._add(at, name, np.array(row[name]), np.ones_like(self.rows[at]))
        if row["active"] is not None:
            self._rank(row["i"], row["text"], np.array(row["active"]))

    def _add_role(self, at: int, name: str, row: dict[str, Any]) -> None:
        score, chance, spread = (
            np.array(row[f"{part}.{name}"], np.float64) for part in ("score", "chance", "spread")
        )
        rows = np.repeat(np.broadcast_to(row[f"rows.{name}"], self.shape[0]), self.shape[1])
        rows[np.isnan(chance)] = 0  # too few draws had such a key
        score, chance, spread = (np.where(rows > 0, grid, 0) for grid in (score, chance, spread))
        self._add(at, name, score, rows)
        self.chance[at] += rows * chance
        self.square[at] += (rows * spread) ** 2
        above, enough = score - chance > SPREADS * spread, rows >= LEAST_ROWS
        self.enough[at] += enough
        self.has[at] += (score >= EVERY_ROLE[name].threshold) & above & enough

    def _add(self, at: int, name: str, figure: Array, rows: Array) -> None:
        """Take in a figure of each head, `(L * H,)`, over so many queries; none where 0."""
        own = np.flatnonzero(rows)
        self.score[at] += rows * figure
        self.counts[at, own] += 1
        self.rows[at] += rows
        place = np.rint(figure / _STEPS.get(name, 1 / _BINS)).astype(int).clip(0, _BINS)
        self.bins[at, own, place[own]] += 1

    def _rank(self, number: int, text: str, active: Array) -> None:
        """Keep the texts in which each head is most active; of equals the first."""
        every = np.concatenate([self.active, active[None]])
        numbers = np.concatenate([self.top, np.full((1, len(active)), number)])
        order = np.argsort(-every, axis=0, kind="stable")[:TOP]
        self.active = np.take_along_axis(every, order, axis=0)
        self.top = np.take_along_axis(numbers, order, axis=0)
        if (self.top == number).any():
            self.said[number] = text
        kept = set(self.top.ravel().tolist())
        self.said = {n: said for n, said in self.said.items() if n in kept}

    def grids(self) -> dict[str, Any]:
        """Return every grid of the summary, `(R, L, H)`."""
        rows = np.where(self.rows > 0, self.rows, np.nan)
        role = np.arange(len(SURVEY_COLUMNS))[:, None] < len(SURVEYED)
        enough = np.where(self.enough > 0, self.enough, np.nan)
        low, middle, high = (self._quantile(share) for share in QUANTILES)
        found = {
            "score": self.score / rows,
            "chance": np.where(role, self.chance / rows, np.nan),
            "spread": np.where(role, np.sqrt(self.square) / rows, np.nan),
            "low": low, "middle": middle, "high": high,
            "share": np.where(role, self.has / enough, np.nan),
        }  # fmt: skip
        return {name: grid.reshape(-1, *self.shape) for name, grid in found.items()}

    def _quantile(self, share: float) -> Array:
        """Return what so many of the texts stay at or below, to the width of a bin."""
        reached = self.bins.cumsum(axis=-1) >= share * self.counts[..., None]
        steps = np.array([_STEPS.get(name, 1 / _BINS) for name in SURVEY_COLUMNS])
        found = reached.argmax(axis=-1) * steps[:, None]
        return np.where(self.counts > 0, found, np.nan)


def summarise(
    path: str | Path | pa.NativeFile,
    *,
    most: int | None = None,
    on_progress: Progress = lambda share: None,
) -> Summary:
    """Return what a survey's file says of every head.

    Parameters
    ----------
    most : how many texts times heads are read, of a file that may come from anybody; a short one
        may hold any number of equal texts
    on_progress : called after every few texts; may raise to stop

    Raises
    ------
    ValueError : the file is no survey, or a larger one.
    """
    with _no_survey():
        file = pq.ParquetFile(path)
        settings = _settings(file)
        layers, heads = _sizes(file, settings)
    _check_size(file, layers * heads, most)
    sums = _Sums(layers, heads)
    for number, row in enumerate(_rows(file)):
        if most is not None:
            check_text(row["text"] or "")
        with _no_survey():
            sums.add(row)
        if number % _AT_ONCE == 0:
            on_progress(number / file.metadata.num_rows)
    return Summary(
        settings["model"], settings["sizes"], settings["format"], settings["draws"],
        sums.texts, sums.refused, sums.tokens, **sums.grids(),
        counts=sums.counts.reshape(-1, layers, heads), rows=sums.rows.reshape(-1, layers, heads),
        top=sums.top.T.reshape(layers, heads, TOP),
        active=sums.active.T.reshape(layers, heads, TOP), said=sums.said,
    )  # fmt: skip


@contextmanager
def _no_survey() -> Iterator[None]:
    try:
        yield
    except (pa.ArrowException, LookupError, TypeError, ValueError, ArithmeticError) as error:
        raise ValueError(f"this is no survey: {error}") from None


def _check_size(file: pq.ParquetFile, heads: int, most: int | None) -> None:
    """Refuse a file of more than is read, as it says itself, before anything of it is."""
    if most is None:
        return
    told, texts = file.metadata, file.metadata.num_rows
    allowed = most // max(heads, _FEWEST_HEADS)
    if texts > allowed:
        raise ValueError(
            f"it has {texts:,} texts of {heads:,} heads; at most {allowed:,} are read here, any "
            "number of them in a terminal, by --summary"
        )
    groups = (told.row_group(i) for i in range(told.num_row_groups))
    columns = (group.column(i) for group in groups for i in range(group.num_columns))
    largest = max(map(_bytes_at_once, columns), default=0)
    if largest > _LARGEST_COLUMN:
        raise ValueError(
            f"a column of it takes {human_bytes(largest)} at once; at most "
            f"{human_bytes(_LARGEST_COLUMN)} are read here"
        )


def _settings(file: pq.ParquetFile) -> dict[str, Any]:
    try:
        found: dict[str, Any] = json.loads((file.schema_arrow.metadata or {})[b"survey"])
        return found
    except RecursionError:
        raise ValueError("its settings are lists in lists without end") from None


def _bytes_at_once(column: pq.ColumnChunkMetaData) -> int:
    """Return what a column takes; one text may stand for all rows that are read at once."""
    times = _AT_ONCE if column.physical_type == "BYTE_ARRAY" else 1
    return int(column.total_uncompressed_size) * times


def _sizes(file: pq.ParquetFile, settings: dict[str, Any]) -> tuple[int, int]:
    """Return how many layers and heads a file is of; refuse one that has other columns."""
    layers, heads = int(settings["layers"]), int(settings["heads"])
    if not (layers > 0 and heads > 0 and layers * heads <= _MOST_HEADS):
        raise ValueError(f"{layers} layers of {heads} heads; the limit is {_MOST_HEADS:,} in all")
    if not file.schema_arrow.equals(schema(SurveySettings(**settings))):
        raise ValueError("its columns are not those of a survey of this model")
    return layers, heads


def _rows(file: pq.ParquetFile) -> Iterator[dict[str, Any]]:
    with _no_survey():
        for batch in file.iter_batches(batch_size=_AT_ONCE):
            yield from batch.to_pylist()


def save_summary(summary: Summary, path: str | Path) -> None:
    """Write a summary as a small parquet file: a row for each role or figure of each head."""
    columns = {grid: getattr(summary, grid).astype(np.float32).ravel() for grid in _GRIDS}
    noted = {
        field.name: value.tolist() if isinstance(value, np.ndarray) else value
        for field in fields(summary)
        if field.name not in _GRIDS
        for value in [getattr(summary, field.name)]
    }
    noted["counts"], noted["rows"] = map(_shared, (summary.counts, summary.rows))
    noted["active"] = np.round(summary.active, 4).tolist()
    noted["measured"] = list(SURVEY_COLUMNS)
    metadata = {b"summary": json.dumps(noted, ensure_ascii=False).encode()}
    pq.write_table(pa.table(columns).replace_schema_metadata(metadata), path, compression="zstd")


def _shared(counts: Array) -> list[Any]:
    """Return `(R, L, H)` as `(R,)` where all heads have the same, as they do without windows."""
    alike = (counts == counts[:, :1, :1]).all()
    return (counts[:, 0, 0] if alike else counts).tolist()


def load(path: str | Path) -> Summary:
    """Return a summary that `save_summary` has written.

    Raises
    ------
    ValueError : the file is none, or of other roles than these.
    """
    table = pq.read_table(path)
    noted = json.loads((table.schema.metadata or {}).get(b"summary", b"{}"))
    if noted.pop("measured", None) != list(SURVEY_COLUMNS):
        raise ValueError(f"{path} is no summary of the roles {', '.join(SURVEY_COLUMNS)}")
    arrays: dict[str, Any] = {
        name: np.array(noted.pop(name)) for name in ("counts", "rows", "top", "active")
    }
    shape = -1, *arrays["top"].shape[:2]
    for name in ("counts", "rows"):
        own = arrays[name].reshape(len(SURVEY_COLUMNS), *(arrays[name].shape[1:] or (1, 1)))
        arrays[name] = np.broadcast_to(own, (len(own), *shape[1:]))
    grids: dict[str, Any] = {name: table[name].to_numpy().reshape(shape) for name in _GRIDS}
    said = {int(number): text for number, text in noted.pop("said").items()}
    return Summary(**noted, **arrays, **grids, said=said)


def shipped() -> dict[str, Path]:
    """Return the summaries that come with the package, by the name of the model."""
    return {path.stem: path for path in sorted(SHIPPED.glob("*.parquet"))}
