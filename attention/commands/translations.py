"""`attention translate`: a sentence, and who looked at what."""

from __future__ import annotations

import argparse

from attention.commands.common import add_json, command, respond, text_of_command
from attention.edits.codes import decode
from attention.models import load_translator
from attention.models.registry import EN_PT
from attention.translation.aligned import Aligned

_EXAMPLES = """  attention translate "The bank by the river was steep."
  attention translate "The bank by the river was steep." --edits cut_q1_k4
  attention translate "The cat sat." --align
  cat sentences.txt | while read -r line; do attention translate "$line"; done"""


def add_translate(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command."""
    summary = "translate a sentence; with --align, say what each word attended to"
    parser = command(commands, "translate", _translate, summary, _EXAMPLES)
    parser.add_argument("text", help="a sentence, or - for what comes in through a pipe")
    parser.add_argument("--pair", default=EN_PT, help="the translator (default: %(default)s)")
    parser.add_argument("--edits", default="", metavar="CODE", help="changes in the encoder")
    parser.add_argument("--align", action="store_true", help="a line for each word")
    add_json(parser)


def _translate(arguments: argparse.Namespace) -> None:
    pair = load_translator(arguments.pair)
    done = pair.translate(text_of_command(arguments.text), decode(arguments.edits))
    aligned = Aligned(done, done.cross_weights.shape[0] - 1, None)
    looked = []
    for word, row in zip(aligned.target, aligned.weights, strict=True):
        best = int(row.argmax())
        looked.append((word.label, aligned.source[best].label, float(row[best])))
    lines = [done.text]
    if arguments.align:
        lines += [f"{word} <- {source} {weight:.2f}" for word, source, weight in looked]
    result = {
        "text": done.text,
        "ended": done.ended,
        "attended": [{"word": w, "most_to": s, "weight": x} for w, s, x in looked],
    }
    respond(arguments, result, "\n".join(lines))
