"""The program: which commands there are, and how what goes wrong is told."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from typing import NoReturn

from attention.commands.bench import add_bench
from attention.commands.plots import add_plot
from attention.commands.serve import add_serve
from attention.commands.surveys import add_survey
from attention.commands.tables import add_models
from attention.commands.traces import add_trace
from attention.commands.translations import add_translate

OK, FAILED, STOPPED = 0, 1, 130  # 2 is argparse's, for a command that is misspelled

# Each adds a command to the program and says by `set_defaults(run=...)` what does it.
COMMANDS: tuple[Callable[[argparse._SubParsersAction[argparse.ArgumentParser]], None], ...] = (
    add_serve,
    add_models,
    add_trace,
    add_plot,
    add_translate,
    add_bench,
    add_survey,
)
_EXAMPLES = """examples:
  attention serve                                  open the dashboard
  attention models                                 which models are here
  attention trace "The cat sat" --out cat.npz      every array of a forward pass, as a file
  attention plot head-map "The cat sat" --heads L3H1 --out cat.svg
  attention translate "The bank by the river was steep."
  attention bench --most 2048                      how the time grows with the length, here
  attention survey texts.txt --model minilm --out survey.parquet

Each has a --help of its own, with examples."""


class OneLineParser(argparse.ArgumentParser):
    """A parser that says in one line what it does not understand."""

    def error(self, message: str) -> NoReturn:
        """End with exit code 2."""
        self.exit(2, f"{self.prog}: {message}; {self.prog} --help has examples\n")


def program() -> OneLineParser:
    """Return the parser of the whole command line."""
    parser = OneLineParser(
        "attention",
        description="Attention on real pretrained transformers, in NumPy, offline.",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=_version())
    commands: argparse._SubParsersAction[argparse.ArgumentParser]
    commands = parser.add_subparsers(  # type: ignore[assignment]
        required=True, metavar="COMMAND", title="commands"
    )
    for add in COMMANDS:
        add(commands)
    return parser


def main(words: Sequence[str] | None = None) -> int:
    """Run a command and return its exit code: 0 done, 1 could not be done, 2 not understood."""
    arguments = program().parse_args(words)
    try:
        arguments.run(arguments)
        sys.stdout.flush()
    except (ValueError, OSError) as problem:
        if isinstance(problem, BrokenPipeError):  # whoever reads has seen enough
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            return OK
        print(f"attention: {_one_line(problem)}", file=sys.stderr)
        return FAILED
    except KeyboardInterrupt:
        return STOPPED
    return OK


def _one_line(problem: Exception) -> str:
    if isinstance(problem, OSError) and problem.filename is not None:
        return f"{problem.strerror}: {problem.filename}"
    return " ".join(str(problem).split())


def _version() -> str:
    from attention import __version__

    return f"attention {__version__}"
