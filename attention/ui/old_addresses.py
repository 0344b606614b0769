"""Addresses of version 0.1, which spelled choices as the controls were worded then."""

from __future__ import annotations

import re
from collections.abc import Mapping

_FREE = {
    "q",
    "q2",
    "model",
    "beside",
    "shared",
    "meanings",
    "one",
    "two",
    "first",
    "interests",
    "edits",
}
_SHAPES = {
    "all-MiniLM-L6-v2": "all-minilm-l6-v2",
    "BERT base": "bert-base",
    "GPT-2 small": "gpt-2-small",
    "SmolLM2 135M": "smollm2-135m",
    "Mistral 7B": "mistral-7b",
    "Llama 3 8B": "llama-3-8b",
    "Llama 3 70B": "llama-3-70b",
}
_WHERE = {"Every head": "all", "One layer": "layer", "One head": "head"}
_CODES: dict[str, dict[str, str]] = {
    "claim": {
        "“Attention means the model understands”": "understands",
        "“More heads are always better”": "heads",
    },
    "removed_from": {"Your sentence": "own"},
    "points": {"Sentences right": "single", "Both sentences right": "both"},
    "start": {"The lesson's weights": "lesson", "A real head": "head", "Equal scores": "equal"},
    "dimensions": {
        "Meanings": "false",
        "meanings": "false",
        "Raw dimensions": "true",
        "dims": "true",
    },
    "step": {
        "Representation": "stream",
        "Normalise": "norm",
        "Query, key, value": "qkv",
        "Rotate (RoPE)": "rotate",
        "Scores": "scores",
        "Scale": "scale",
        "Mask": "mask",
        "Softmax": "softmax",
        "Weighted sum": "blend",
        "Concatenate": "concat",
        "Output W_O": "w_o",
        "Back to the stream": "back",
    },
    "receipt": {"The weight": "weight", "The output number": "output"},
    "view": {
        "RNN": "rnn",
        "CNN": "cnn",
        "Arbitrary range": "range",
        "Data-dependent": "pair",
        "Cost": "cost",
    },
    "dilation": {"None": "1", "2 in every layer": "2", "Doubling: 1, 2, 4, …": "0"},
    "mode": {"Single head": "single", "Multi-head": "multi"},
    "figure": {
        name: name.lower()
        for name in ("Entropy", "Distance", "Previous", "Next", "Same", "First", "Separator")
    },
    "more": {
        "One row, head by head": "row",
        "Beside another model": "beside",
        "Shared keys and values": "shared",
        "Rotation": "rotation",
        "Figures": "figures",
    },
    "do": {
        "Steer": "steer",
        "Cut": "cut",
        "Which heads matter": "matter",
        "Sink account": "sinks",
        "Write on": "write",
    },
    "how": {"From one word to another": "move", "A slider for every word": "each"},
    "where": _WHERE,
    "cuts": {"One connection": "cell", "A whole column": "column"},
    "cut_where": {"In this head": "head", "In its layer": "layer", "In every head": "all"},
    "lab": {
        "Cost of n²": "core",
        "Same answer, other cost": "methods",
        "Crossover": "crossover",
        "Memory": "memory",
        "Planner": "planner",
        "Saved runs": "runs",
    },
    "shape": _SHAPES,
    "layer_shape": _SHAPES,
    "cache_shape": _SHAPES,
    "machine": {
        "This machine, measured": "here",
        "NVIDIA A100 80 GB SXM, published": "a100",
        "NVIDIA H100 SXM, published": "h100",
    },
    "bytes": {"4 (float32)": "4", "2 (bfloat16)": "2", "1 (int8)": "1", "½ (int4)": "0.5"},
    "phase": {"reading the text": "prefill", "one more token": "decode"},
}
# A choice that is a box to open now, and where a map began that is now told what it is around.
_NAMES = {"as": "dimensions", "cut_from": "cut_at"}
_PATTERNS = (
    (re.compile(r"L(\d+) H(\d+)"), r"L\1H\2"),  # a head
    (re.compile(r"H(\d+)"), r"\1"),  # a head of the layer
    (re.compile(r"(\d+) .+", re.DOTALL), r"\1"),  # a word with its position
    (re.compile(r"(\d{1,3}),(\d{3})(?:,(\d{3}))?"), r"\1\2\3"),
)


def translated(said: Mapping[str, tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
    """Return an address of any version as this version spells it.

    >>> translated({"word": ("8 it",), "heads": ("L5 H11", "L3H1"), "n": ("1,024",)})
    {'word': ('8',), 'heads': ('L5H11', 'L3H1'), 'n': ('1024',)}
    """
    return {
        _name(key, values): tuple(_code(_NAMES.get(key, key), value) for value in values)
        for key, values in said.items()
    }


def _name(key: str, values: tuple[str, ...]) -> str:
    """Return the name of a control: one was that of a switch and of a text."""
    if key == "second" and values[-1] in ("true", "false"):
        return "both"
    return _NAMES.get(key, key)


def _code(key: str, value: str) -> str:
    if value in _CODES.get(key, {}):
        return _CODES[key][value]
    if key in _FREE or (key == "second"):
        return value
    for pattern, code in _PATTERNS:
        if match := pattern.fullmatch(value):
            return match.expand(code)
    return value
