"""A survey from its texts to its file: part by part, on any number of processors or machines.

Memory does not grow with the texts: so many are read as workers are busy with, and every part is a
file of its own until all are there. A run that ended early goes on where it was. What a part holds
depends on its texts only, so that the file is the same, byte for byte, whoever measured them.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterable, Iterator, Sequence, Sized
from dataclasses import dataclass
from io import StringIO
from itertools import islice
from pathlib import Path
from time import perf_counter

import pyarrow.parquet as pq

from attention.survey.measure import SurveySettings, digest, schema
from attention.survey.workers import Work, measured_parts

SURVEY_DRAWS, PART = 50, 16


@dataclass(frozen=True)
class Pace:
    """How far a survey is."""

    done: int  # texts, with those that were done before
    before: int  # texts that an earlier run had done
    seconds: float  # of this run
    total: int | None = None  # texts, where that is known

    @property
    def rate(self) -> float:
        """Texts a second in this run; 0 before the first."""
        return (self.done - self.before) / self.seconds if self.seconds > 0 else 0.0

    @property
    def left(self) -> float | None:
        """Seconds that are left at this rate, where they can be told."""
        if self.total is None or self.rate == 0:
            return None
        return (self.total - self.done) / self.rate


@dataclass(frozen=True)
class _Part:
    number: int
    first: int
    texts: tuple[str, ...]


def run(
    texts: Iterable[str],
    model: str,
    out: str | Path,
    *,
    workers: int = 1,
    scheduler: str | None = None,
    draws: int = SURVEY_DRAWS,
    seed: int = 0,
    part: int = PART,
    on_progress: Callable[[Pace], object] = lambda pace: None,
) -> Path:
    """Measure roles, chance and figures of every head of a model on texts, into a parquet file.

    Parts stand in a folder beside the file until all are done. A run with the same texts and
    settings takes over those that an earlier one has left.

    Parameters
    ----------
    texts : read once, one after the other; a text that the model refuses is kept with the reason
    model : its name; that of a translator, whose encoder is measured; or that with `-decoder`
        behind it, whose cross-attention is
    out : the file to be made; one row a text, see `measure.schema`
    workers : processes on this machine; with a scheduler, parts in flight for each of its workers
    scheduler : the address of a Dask scheduler, `tcp://...`, whose workers measure
    draws : how often positions or words are shuffled for chance
    seed : of the shuffling, the same for every text
    part : texts of a part
    on_progress : called with the pace after every part

    Raises
    ------
    ValueError : no such model, no text, a file that is there already, or parts of another survey.
    """
    out, folder = Path(out), Path(f"{out}.parts")
    if out.exists():
        raise ValueError(f"{out} is there already")
    if workers < 1:
        raise ValueError(f"workers must be at least 1, got {workers}")
    settings = SurveySettings.of(model, draws, seed, part)
    folder.mkdir(parents=True, exist_ok=True)
    _note_settings(folder, settings)
    to_do = _ToDo(texts, settings, folder)
    total = len(texts) if isinstance(texts, Sized) else None
    start, done = perf_counter(), 0
    for each, file in measured_parts(iter(to_do), workers, scheduler):
        _write(_file(folder, each.number), file)
        done += len(each.texts)
        on_progress(Pace(to_do.before + done, to_do.before, perf_counter() - start, total))
    if not to_do.parts:
        raise ValueError("there is no text to measure")
    _join(folder, to_do.parts, settings, out)
    shutil.rmtree(folder)
    return out


class _ToDo:
    """The parts of a survey that an earlier run has not left, and how many there are in all."""

    def __init__(self, texts: Iterable[str], settings: SurveySettings, folder: Path) -> None:
        self.texts, self.settings, self.folder = texts, settings, folder
        self.parts = self.before = 0  # texts that an earlier run had done

    def __iter__(self) -> Iterator[tuple[_Part, Work]]:
        for each in _parts(self.texts, self.settings.part):
            self.parts += 1
            if _is_done(self.folder, each):
                self.before += len(each.texts)
            else:
                yield each, (self.settings, each.first, each.texts)


def _parts(texts: Iterable[str], size: int) -> Iterator[_Part]:
    stream, number = iter(texts), 0
    while some := tuple(islice(stream, size)):
        yield _Part(number, number * size, some)
        number += 1


def _file(folder: Path, number: int) -> Path:
    return folder / f"{number:06d}.parquet"


def _is_done(folder: Path, part: _Part) -> bool:
    """Return whether a part is there; refuse one of other texts."""
    file = _file(folder, part.number)
    if not file.exists():
        return False
    noted = (pq.read_schema(file).metadata or {})[b"texts"].decode()
    if noted != digest(part.texts):
        raise ValueError(f"{file} is of other texts than these: move it away to begin again")
    return True


def _note_settings(folder: Path, settings: SurveySettings) -> None:
    """Keep the settings beside the parts; refuse parts that were made with others."""
    note, own = folder / "survey.json", settings.to_bytes()
    if note.exists() and note.read_bytes() != own:
        raise ValueError(
            f"{folder} has parts of another survey, {note.read_text()}: move it away to begin again"
        )
    _write(note, own)


def _write(path: Path, content: bytes) -> None:
    """Write a file as a whole: whoever finds it finds all of it, even after a crash."""
    beside = path.with_suffix(".unfinished")
    with open(beside, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    os.replace(beside, path)


def _join(folder: Path, count: int, settings: SurveySettings, out: Path) -> None:
    """Put the parts into one file, one after the other."""
    beside = out.with_name(f"{out.name}.unfinished")
    columns = schema(settings)
    with pq.ParquetWriter(beside, columns, compression="zstd") as writer:
        for number in range(count):
            writer.write_table(pq.read_table(_file(folder, number)).cast(columns))
    os.replace(beside, out)


def larger_survey(
    rate: float, file_bytes: int, texts: int, count: int, workers: int = 1
) -> tuple[float, float]:
    """Return the seconds and the bytes that a larger survey takes at the rate of a smaller one.

    Parameters
    ----------
    rate : texts a second of one worker
    file_bytes, texts : of the smaller survey
    count : texts of the larger
    workers : that are as quick as the one, none of which waits for another

    >>> larger_survey(rate=4.0, file_bytes=3_000, texts=3, count=1_000_000, workers=10)
    (25000.0, 1000000000.0)
    """
    return count / (rate * workers), count * file_bytes / texts


def texts_in(content: bytes) -> list[str]:
    """Return the texts of a file as it was sent, read as `TextFiles` reads it.

    Raises
    ------
    ValueError : it is no text in UTF-8, or has none.

    >>> texts_in(b"one\\n\\n two \\n")
    ['one', 'two']
    """
    try:
        found = list(_texts(StringIO(content.decode("utf-8"), newline=None)))
    except UnicodeDecodeError as error:
        raise ValueError(f"it is no text in UTF-8: {error.reason}, byte {error.start}") from None
    if "\0" in "".join(found):
        raise ValueError("it is no text: it has bytes of 0")
    if not found:
        raise ValueError("it has no text, a line each")
    return found


def _texts(lines: Iterable[str]) -> Iterator[str]:
    return (text for line in lines if (text := line.strip()))


class TextFiles:
    """The texts of files one after the other, a line each; empty lines are left out.

    Read anew, and never all at once, whenever they are gone through.
    """

    def __init__(self, paths: Sequence[str | Path]) -> None:
        """Keep where they are."""
        self.paths = paths

    def __iter__(self) -> Iterator[str]:
        """Read them."""
        for path in self.paths:
            with open(path, encoding="utf-8") as file:
                yield from _texts(file)

    def __len__(self) -> int:
        """Return how many there are."""
        return sum(1 for _ in self)
