"""`attention survey`: what every head does over any number of texts, as a file."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from attention.commands.common import command
from attention.survey.running import PART, SURVEY_DRAWS, Pace, TextFiles, larger_survey, run
from attention.survey.summary import save_summary, summarise
from attention.wording import human_bytes, human_seconds

_MILLION = 1_000_000
_EXAMPLES = """  attention survey texts.txt --model minilm --out survey.parquet
  attention survey *.txt --model smollm2 --out survey.parquet --workers 8
  attention survey texts.txt --model minilm --out survey.parquet --scheduler tcp://10.0.0.1:8786

A run that was stopped goes on where it was when it is asked for again."""


def add_survey(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command."""
    summary = "measure the roles of every head over any number of texts"
    parser = command(commands, "survey", _survey, summary, _EXAMPLES)
    parser.add_argument("texts", nargs="+", help="files of texts, a line each")
    parser.add_argument(
        "--model", required=True, help="its name; a translator's, or that with -decoder"
    )
    parser.add_argument("--out", required=True, type=Path, help="the parquet file to be made")
    parser.add_argument("--summary", type=Path, help="also write a summary of every head there")
    parser.add_argument("--workers", type=int, default=1, help="processes (default: %(default)s)")
    parser.add_argument("--scheduler", help="the address of a Dask scheduler, tcp://...")
    parser.add_argument(
        "--draws", type=int, default=SURVEY_DRAWS, help="for chance (default: %(default)s)"
    )
    parser.add_argument(
        "--part", type=int, default=PART, help="texts of a part (default: %(default)s)"
    )


def _survey(options: argparse.Namespace) -> None:
    """Run a survey, saying on the way how far it is, and write what was asked for."""
    paces: list[Pace] = []

    def tell(pace: Pace) -> None:
        paces[:] = [pace]
        print(f"\r{pace_text(pace)}", end="", file=sys.stderr, flush=True)

    texts = TextFiles(options.texts)
    try:
        out = run(
            texts, options.model, options.out, workers=options.workers,
            scheduler=options.scheduler, draws=options.draws, part=options.part, on_progress=tell,
        )  # fmt: skip
    finally:
        if paces:
            print(file=sys.stderr)
    if options.summary:
        save_summary(summarise(out), options.summary)
    print(_result(out, len(texts), paces[0] if paces else None))


def _result(out: Path, count: int, pace: Pace | None) -> str:
    """Say what was made, and what a million such texts would take."""
    size = out.stat().st_size
    said = f"{out}: {count:,} texts, {human_bytes(size)}"
    if pace is None:
        return said
    seconds, more = larger_survey(pace.rate, size, count, _MILLION)
    return (
        f"{said}\nAt this rate a million such texts take {human_seconds(seconds)} and "
        f"{human_bytes(more)}."
    )


def pace_text(pace: Pace) -> str:
    """Say how far a survey is, how fast, and how long it takes still.

    >>> pace_text(Pace(done=30, before=10, seconds=10.0, total=90))
    '30 of 90 texts, 2 texts a second, 30 s left'
    """
    of = "" if pace.total is None else f" of {pace.total:,}"
    left = f", {human_seconds(pace.left)} left" if pace.left else ""
    return f"{pace.done:,}{of} texts, {pace.rate:.3g} texts a second{left}"
