"""`attention plot`: a figure of a text as a file."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from attention.analysis.words import view
from attention.commands.common import (
    add_json,
    add_text,
    command,
    head_of,
    respond,
    text_of_command,
    traced,
    word_of,
)
from attention.models import load_translator
from attention.models.registry import EN_PT
from attention.wording import human_bytes

_EXAMPLES = """  attention plot links "The cat sat because it was tired" --query it --out it.svg
  attention plot head-map "The cat sat" --heads L3H1 L5H11 --out maps.png
  attention plot head-grid "The cat sat" --model smollm2 --out all.html
  attention plot alignment "The bank by the river was steep." --query margem --out who.svg

.html can be clicked and loads nothing; .svg, .png and .html need vl-convert:
  pip install "attention-lab[figures]" """.rstrip()
_KINDS = ("links", "head-map", "head-grid", "rows", "blend", "alignment", "roles")
_TAKES = {
    "links": ("query", "heads"),
    "head-map": ("query", "heads"),
    "head-grid": (),
    "rows": ("query", "heads"),
    "blend": ("query", "heads"),
    "alignment": ("query", "heads"),
    "roles": (),
}


def add_plot(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command."""
    parser = command(commands, "plot", _plot, "draw a figure of a text into a file", _EXAMPLES)
    parser.add_argument("kind", choices=_KINDS, help="what is drawn")
    add_text(parser)
    parser.add_argument("--query", type=word_of, metavar="WORD", help="a word or its position")
    parser.add_argument("--heads", type=head_of, nargs="+", metavar="LxHy", help="such as L3H1")
    parser.add_argument(
        "--pair", default=EN_PT, help="of an alignment, the translator (default: %(default)s)"
    )
    parser.add_argument("--tokens", action="store_true", help="the model's tokens, not whole words")
    parser.add_argument("--no-special", action="store_true", help="without [CLS] and the like")
    parser.add_argument("--out", type=Path, required=True, metavar="FILE",
                        help=".svg, .png, .html or .json")  # fmt: skip
    add_json(parser)


def _plot(arguments: argparse.Namespace) -> None:
    from attention import plot  # it takes altair along

    asked = {"query": arguments.query, "heads": arguments.heads}
    asked = {name: value for name, value in asked.items() if value is not None}
    if idle := [name for name in asked if name not in _TAKES[arguments.kind]]:
        raise ValueError(f"{arguments.kind} takes no --{idle[0]}")
    made = plot.save(_drawn(plot, arguments, asked), arguments.out)
    size = made.stat().st_size
    respond(arguments, {"file": str(made), "bytes": size}, f"{made}: {human_bytes(size)}")


def _drawn(plot: Any, arguments: argparse.Namespace, asked: dict[str, Any]) -> Any:
    if arguments.kind == "alignment":
        if heads := asked.pop("heads", None):
            asked["layer"], asked["head"] = heads[0]
        pair = load_translator(arguments.pair)
        return plot.alignment(pair.translate(text_of_command(arguments.text)), **asked)
    trace = traced(arguments)
    if arguments.kind == "blend":
        if heads := asked.pop("heads", None):
            asked["head"] = heads[0]
        return plot.blend(trace, **asked)
    seen = view(trace, words=not arguments.tokens, special=not arguments.no_special)
    return getattr(plot, arguments.kind.replace("-", "_"))(seen, **asked)
