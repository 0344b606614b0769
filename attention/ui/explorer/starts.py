"""The explorer's starts: whose scores, and which vectors."""

from __future__ import annotations

from collections.abc import Callable

from streamlit.delta_generator import DeltaGenerator

from attention import presets
from attention.pipeline import blending
from attention.pipeline.blending import BlendStart
from attention.ui.controls import layer_and_head, word
from attention.ui.inputs import choice
from attention.ui.readings import Focus, Reading

LESSON, HEAD, EQUAL = "lesson", "head", "equal"
BLENDED = {"input": "The words' input vectors", "own": "The head's own values"}
_PLAIN = "Not in use here: these weights are of whole words, without special tokens."


def start_picker(row: DeltaGenerator) -> Callable[[Reading], str | None]:
    """Return what draws the choice of a start, and says why it shows whole words only."""

    def pick(plain: Reading) -> str | None:
        given = plain.preset and presets.illustrated(plain.text, plain.view.words)
        names = {HEAD: "A real head", EQUAL: "Equal scores"}
        if given:
            own = "The lesson's weights" if given.from_lesson else "Illustrative weights"
            names = {LESSON: own, **names}
        with row:
            picked = choice("Start from", names, key="start")
        return _PLAIN if picked == LESSON else None

    return pick


def start_from(row: DeltaGenerator, chosen: Reading, focus: Focus, kind: str) -> BlendStart:
    """Draw what a start needs, and return it."""
    return _head_start(row, chosen, focus) if kind == HEAD else _plain_start(chosen, kind)


def _plain_start(chosen: Reading, kind: str) -> BlendStart:
    given = presets.illustrated(chosen.text, chosen.view.words)
    if kind == LESSON and given:
        return blending.preset_start(chosen.model, chosen.trace, chosen.view, given)
    return blending.equal_start(chosen.model, chosen.trace, chosen.view)


def _head_start(row: DeltaGenerator, chosen: Reading, focus: Focus) -> BlendStart:
    with row:
        query = word("Query", chosen.view, focus.query)
        head = layer_and_head(chosen.view, focus)
        own = choice("What is blended", BLENDED, key="blended") == "own"
    return blending.head_start(chosen.model, chosen.trace, chosen.view, head, query, own=own)


def start_code(chosen: Reading, start: BlendStart) -> tuple[list[str], str]:
    """Return the imports and the line that make a start."""
    if start.head is not None:
        query = start.origin.rpartition(".")[2]
        made = f"start = head_start(model, trace, view, {start.head}, {query}, own={start.own})"
        return ["from attention.pipeline.blending import BlendedWords, head_start"], made
    if start.origin == EQUAL:
        made = "start = equal_start(model, trace, view)"
        return ["from attention.pipeline.blending import BlendedWords, equal_start"], made
    imports = ["from attention.pipeline.blending import BlendedWords, preset_start",
               "from attention.presets import illustrated"]  # fmt: skip
    return imports, (
        "start = preset_start(model, trace, view, illustrated(trace.text, view.words))"
    )
