"""`attention trace`: a whole forward pass, as numbers in a file and in a few lines."""

from __future__ import annotations

import argparse
from pathlib import Path

from attention.analysis.sentences import compared
from attention.analysis.telling import telling_link
from attention.analysis.words import view
from attention.commands.common import add_json, add_text, command, respond, traced
from attention.models.trace import Trace
from attention.wording import head_name, human_bytes, spelled

_EXAMPLES = """  attention trace "The cat sat on the mat because it was tired"
  attention trace "The cat sat" --model smollm2 --out cat.npz
  attention trace "The cat sat" --edits cut_q2_k1 --json
  echo "The cat sat" | attention trace - --out cat.npz

in Python: attention.Trace.load("cat.npz"), or numpy.load("cat.npz")["weights"]"""
_NEXT = 5


def add_trace(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command."""
    summary = "run a model on a text and keep every array of the forward pass"
    parser = command(commands, "trace", _trace, summary, _EXAMPLES)
    add_text(parser)
    parser.add_argument("--out", type=Path, metavar="FILE.npz", help="where the arrays go")
    add_json(parser)


def _trace(arguments: argparse.Namespace) -> None:
    if arguments.out and arguments.out.suffix != ".npz":
        raise ValueError(f"{str(arguments.out)!r} does not end with .npz")
    trace = traced(arguments)
    result = {
        "model": trace.model,
        "text": trace.text,
        "tokens": list(trace.tokens),
        "shape": list(trace.weights.shape),
        "telling": _telling(trace),
        "next": [] if trace.next_logits is None else trace.next_token(_NEXT),
        "file": str(arguments.out) if arguments.out else None,
    }
    lines = [repr(trace), " ".join(trace.tokens), *_told(trace)]
    lines += [f"next: {text!r} {chance:.3f}" for text, chance in result["next"]]  # type: ignore[str-unpack,union-attr]
    if arguments.out:
        trace.save(arguments.out)
        lines.append(f"{arguments.out}: {human_bytes(arguments.out.stat().st_size)}")
    respond(arguments, result, "\n".join(lines))


def _telling(trace: Trace) -> dict[str, object] | None:
    if not trace.tokens:
        return None
    query, key, layer, head = telling_link(view(trace, words=False))
    weight = float(trace.weights[layer, head, query, key])
    return {"query": query, "key": key, "layer": layer, "head": head, "weight": weight}


def _told(trace: Trace) -> list[str]:
    seen = view(trace)
    if sum(unit.ordinary for unit in seen.units) < 2:
        return []
    query, key, *head = telling_link(seen)
    at = (head[0], head[1])
    words = (spelled(seen.labels, i) for i in (query, key))
    return [
        f"most selective: {' attends to '.join(words)} in {head_name(at)} "
        f"({compared(seen, at, query, key)})"
    ]
