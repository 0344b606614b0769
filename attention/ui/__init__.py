"""Shared controls, cached work and drawing: the only package here that imports streamlit."""

from attention.ui.bar import model_only, reading
from attention.ui.controls import (
    focus,
    head_code,
    index,
    layer_and_head,
    meanings_input,
    on_phone,
    toggled,
    word,
)
from attention.ui.course import closing, opening
from attention.ui.inputs import choice, expander, select, several, slider, tabs
from attention.ui.questions import predict
from attention.ui.readings import Focus, Reading
from attention.ui.show import (
    draw,
    escape_markdown,
    notice,
    percent,
    show_check,
    special_tokens_note,
    table,
)
from attention.ui.view_code import code_box

__all__ = [
    "Focus",
    "Reading",
    "choice",
    "closing",
    "code_box",
    "draw",
    "escape_markdown",
    "expander",
    "focus",
    "head_code",
    "index",
    "layer_and_head",
    "meanings_input",
    "model_only",
    "notice",
    "on_phone",
    "opening",
    "percent",
    "predict",
    "reading",
    "select",
    "several",
    "show_check",
    "slider",
    "special_tokens_note",
    "table",
    "tabs",
    "toggled",
    "word",
]
