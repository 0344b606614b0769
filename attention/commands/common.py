"""What several commands share: their arguments, the text, heads, and how results are said."""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections.abc import Callable, Mapping
from typing import Any

from attention.edits import Edits
from attention.edits.codes import decode
from attention.models import load_model
from attention.models.registry import EMBEDDED
from attention.models.trace import Trace
from attention.wording import Head

Doing = Callable[[argparse.Namespace], None]
_HEAD = re.compile(r"L([0-9]+)\s?H([0-9]+)", re.IGNORECASE)
_STDIN = "-"


def command(
    commands: argparse._SubParsersAction[argparse.ArgumentParser],
    name: str,
    run: Doing,
    summary: str,
    examples: str,
) -> argparse.ArgumentParser:
    """Add a command with its help, which ends with examples, and return its parser."""
    parser = commands.add_parser(
        name,
        help=summary,
        description=f"{summary[0].upper()}{summary[1:]}.",
        epilog=f"examples:\n{examples}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.set_defaults(run=run)
    return parser


def add_text(parser: argparse.ArgumentParser) -> None:
    """Add the text, and the model that reads it."""
    parser.add_argument("text", help="a sentence, or - for what comes in through a pipe")
    parser.add_argument(
        "--model", default=EMBEDDED, help="a name of `attention models` (default: %(default)s)"
    )
    parser.add_argument(
        "--edits", default="", metavar="CODE",
        help="changes inside the model, as the address of a page spells them: cut_l3_h1_q8_k2",
    )  # fmt: skip


def add_json(parser: argparse.ArgumentParser) -> None:
    """Add the choice of an answer for programs."""
    parser.add_argument("--json", action="store_true", help="answer as JSON")


def traced(arguments: argparse.Namespace) -> Trace:
    """Return the trace that is asked for."""
    edits: Edits = decode(arguments.edits)
    return load_model(arguments.model).trace(text_of_command(arguments.text), edits)


def text_of_command(said: str) -> str:
    """Return the text: what is said, or what comes in through a pipe."""
    return sys.stdin.read().rstrip("\n") if said == _STDIN else said


def head_of(said: str) -> Head:
    """Return a head by its short name.

    >>> head_of("L3H1"), head_of("l3 h11")
    ((3, 1), (3, 11))
    """
    found = _HEAD.fullmatch(said.strip())
    if found is None:
        raise argparse.ArgumentTypeError(f"{said!r} is no head: L3H1 is one")
    return int(found[1]), int(found[2])


def word_of(said: str) -> int | str:
    """Return a word: its position where it is a number, else its text.

    >>> word_of("8"), word_of("it")
    (8, 'it')
    """
    return int(said) if said.isdecimal() else said


def respond(arguments: argparse.Namespace, result: Mapping[str, Any], lines: str) -> None:
    """Print a result: for people, or for programs where they ask."""
    print(json.dumps(result, ensure_ascii=True) if arguments.json else printable(lines))


def printable(text: str) -> str:
    """Return a text that any terminal takes, and that moves nothing in it.

    >>> printable("a\\x1b[2J b")
    'a<U+001B>[2J b'
    """
    from attention.characters import unseen_as_codes

    shown = "\n".join(map(unseen_as_codes, text.split("\n")))
    encoding = sys.stdout.encoding or "utf-8"
    return shown.encode(encoding, "backslashreplace").decode(encoding)
