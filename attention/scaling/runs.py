"""Measured times as a file: with the machine, the versions and the settings that they belong to.

A file may come from anywhere, so reading one checks everything in it.
"""

from __future__ import annotations

import json
import platform
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import psutil
from threadpoolctl import threadpool_info

from attention.runtime import threads
from attention.wording import human_bytes

FORMAT = "attention-run-1"
LARGEST_FILE = 1_000_000  # bytes; a long sweep of six methods takes about 20,000
_MOST_POINTS, _MOST_FACTS, _LONGEST_TEXT = 5_000, 40, 200
_LONGEST_N, _MOST_SECONDS = 10**9, 1e9
_LIBRARIES = ("numpy", "streamlit", "threadpoolctl", "torch")

Facts = Mapping[str, str | int | float]


@dataclass(frozen=True)
class Point:
    """Seconds of one method at one length: the median, the fastest and the slowest round."""

    series: str
    n: int
    seconds: float
    low: float
    high: float


@dataclass(frozen=True)
class Run:
    """One sweep, and what must be known to compare it with another."""

    kind: str  # what was timed
    made: str  # UTC, to the minute
    machine: Facts
    libraries: Facts
    settings: Facts
    points: tuple[Point, ...]


def record(kind: str, settings: Facts, points: Sequence[Point]) -> Run:
    """Return a run that was made here and now.

    It says what kind of machine this is, but neither its name nor whose it is.

    >>> record("test", {"width": 64}, [Point("plain", 8, 1.0, 0.5, 2.0)]).settings
    {'width': 64}
    """
    made = datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC")
    return Run(kind, made, _machine(), _versions(), dict(settings), tuple(points))


def to_json(run: Run) -> str:
    """Return a run as the text of a file."""
    return json.dumps({"format": FORMAT, **asdict(run)}, indent=1, ensure_ascii=False)


def from_json(data: bytes) -> Run:
    """Return the run in a file.

    Raises
    ------
    ValueError : the file is not such a run; one sentence says what is wrong with it.

    >>> run = record("test", {}, [Point("plain", 8, 1.0, 0.5, 2.0)])
    >>> from_json(to_json(run).encode()) == run
    True
    """
    if len(data) > LARGEST_FILE:
        raise ValueError(
            f"the file has {human_bytes(len(data))}; runs take at most {human_bytes(LARGEST_FILE)}"
        )
    try:
        content = json.loads(data)
    except (ValueError, RecursionError):
        raise ValueError("the file is not JSON in UTF-8") from None
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        raise ValueError(f"the file is not a saved run: its format is not {FORMAT!r}")
    points = content.get("points")
    if not isinstance(points, list) or not 1 <= len(points) <= _MOST_POINTS:
        raise ValueError(f"a run has 1 to {_MOST_POINTS:,} points in a list, this file has not")
    return Run(
        _text(content, "kind"),
        _text(content, "made"),
        _facts(content, "machine"),
        _facts(content, "libraries"),
        _facts(content, "settings"),
        tuple(_point(number, point) for number, point in enumerate(points)),
    )


def machine_text(run: Run) -> str:
    """Return when and on what kind of machine a run was made, in words."""
    facts = {**run.machine, **run.libraries}
    return (
        f"{run.made}, {facts['system']} on {facts['architecture']} with {facts['memory']} of "
        f"memory, Python {facts['python']}, NumPy {facts['numpy']}, {facts.get('BLAS', 'no BLAS')}"
    )


def _machine() -> Facts:
    return {
        "processors used": threads.processors(),
        "architecture": platform.machine(),
        "system": platform.system(),
        "memory": human_bytes(psutil.virtual_memory().total),
    }


def _versions() -> Facts:
    versions = {"python": platform.python_version()}
    for name in _LIBRARIES:
        try:
            versions[name] = version(name)
        except PackageNotFoundError:
            continue
    for blas in threadpool_info():
        if blas["user_api"] == "blas":
            kind = (blas["internal_api"], blas["version"], blas.get("architecture"))
            versions["BLAS"] = " ".join(str(part) for part in kind if part)
    return versions


def _text(content: Mapping[str, Any], field: str) -> str:
    value = content.get(field)
    if not isinstance(value, str) or not 1 <= len(value) <= _LONGEST_TEXT:
        raise ValueError(f"{field!r} must be a text of 1 to {_LONGEST_TEXT} characters")
    return value


def _facts(content: Mapping[str, Any], field: str) -> Facts:
    value = content.get(field)
    if not isinstance(value, dict) or len(value) > _MOST_FACTS:
        raise ValueError(f"{field!r} must be an object of at most {_MOST_FACTS} entries")
    for name, fact in value.items():
        number = isinstance(fact, int | float) and -1e300 < fact < 1e300
        if len(name) > _LONGEST_TEXT or not (
            number or (isinstance(fact, str) and len(fact) <= _LONGEST_TEXT)
        ):
            raise ValueError(f"{field!r} may hold short texts and numbers only")
    return value


def _point(number: int, point: Any) -> Point:
    if not isinstance(point, dict):
        raise ValueError(f"point {number} is not an object")
    n = point.get("n")
    if not isinstance(n, int) or isinstance(n, bool) or not 1 <= n <= _LONGEST_N:
        raise ValueError(f"n of point {number} must be a whole number of 1 to {_LONGEST_N:,}")
    low, seconds, high = (_seconds(point, field, number) for field in ("low", "seconds", "high"))
    if not low <= seconds <= high:
        raise ValueError(f"low, seconds and high of point {number} must be in that order")
    return Point(_text(point, "series"), n, seconds, low, high)


def _seconds(point: Mapping[str, Any], field: str, number: int) -> float:
    value = point.get(field)
    if isinstance(value, int | float) and value is not True and 0 < value <= _MOST_SECONDS:
        return float(value)
    raise ValueError(
        f"{field!r} of point {number} must be a number above 0 and up to {_MOST_SECONDS:,.0f}"
    )
