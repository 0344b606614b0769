"""A trace as a file, in NumPy's own format: nothing in it runs when it is read."""

from __future__ import annotations

import json
import zipfile
from dataclasses import fields
from functools import partial
from os import PathLike
from typing import BinaryIO

import numpy as np

from attention.arrays import Array
from attention.edits.codes import decode, encode
from attention.models.scoring import Scoring
from attention.models.trace import Tokens, Trace

_FORMAT = 1
_ARRAYS = ("weights", "query", "key", "value", "head_output", "hidden", "next_logits")
_PARTS = (  # of tokens, but for their ids
    "text", "pieces", "spans", "special", "texts", "unknown", "second", "segments",
)  # fmt: skip
_BIAS = "score_bias"

Place = str | PathLike[str] | BinaryIO


def write_trace(trace: Trace, file: Place) -> None:
    """Write all arrays of a trace, each under its own name, and `about`: the rest, as JSON text.

    `numpy.load(file)["weights"]` reads one of them without this package.
    """
    about = {
        "format": _FORMAT,
        "model": trace.model,
        "is_causal": trace.is_causal,
        "edits": encode(trace.edits),
        "input": _told(trace.input),
        "keys": None if trace.keys is None else _told(trace.keys),
    }
    arrays = {name: getattr(trace, name, None) for name in _ARRAYS}
    held = {name: array for name, array in arrays.items() if array is not None}
    ids = {"ids": trace.input.ids} | ({} if trace.keys is None else {"key_ids": trace.keys.ids})
    if trace.scoring is not None:
        about["scoring"] = {"cap": trace.scoring.cap, "windows": trace.scoring.windows}
        held |= {} if trace.scoring.bias is None else {_BIAS: trace.scoring.bias}
    text = np.frombuffer(json.dumps(about).encode("ascii"), np.uint8)
    np.savez_compressed(file, about=text, **ids, **held)  # type: ignore[arg-type]


def read_trace(file: Place) -> Trace:
    """Return a trace that `write_trace` has written.

    Raises
    ------
    ValueError : the file holds no trace.
    """
    try:
        with np.load(file, allow_pickle=False) as found:
            about = json.loads(found["about"].tobytes())
            arrays = {name: found[name] for name in found.files if name != "about"}
        if about["format"] != _FORMAT:
            raise ValueError(f"its format is {about['format']}, known is {_FORMAT}")
        return _trace(about, arrays)
    except (ValueError, TypeError, LookupError, AttributeError, EOFError, zipfile.BadZipFile) as e:
        raise ValueError(f"{getattr(file, 'name', file)} holds no trace: {e}") from None


def _trace(about: dict[str, object], arrays: dict[str, Array]) -> Trace:
    keys = about["keys"]
    model = str(about["model"])
    held = {field.name: arrays[field.name] for field in fields(Trace) if field.name in arrays}
    return Trace.holding(
        model=model,
        input=_tokens(about["input"], arrays["ids"]),
        keys=None if keys is None else _tokens(keys, arrays["key_ids"]),
        is_causal=bool(about["is_causal"]),
        edits=decode(str(about["edits"])),
        spelling=partial(_spelled, model) if "next_logits" in held else None,
        scoring=_scoring(about.get("scoring"), arrays.get(_BIAS)),
        **{name: np.ascontiguousarray(array) for name, array in held.items()},
    )


def _scoring(told: object, bias: Array | None) -> Scoring | None:
    if not isinstance(told, dict):
        return None
    return Scoring(told["cap"], bias, tuple(told["windows"]))


def _told(tokens: Tokens) -> dict[str, object]:
    return {part: getattr(tokens, part) for part in _PARTS}


def _tokens(told: object, ids: Array) -> Tokens:
    if not isinstance(told, dict):
        raise ValueError("its tokens are missing")
    spans = tuple((int(start), int(end)) for start, end in told["spans"])
    pieces, special, texts, unknown, segments = (
        tuple(told.get(part, ())) for part in ("pieces", "special", "texts", "unknown", "segments")
    )
    return Tokens(
        told["text"], ids, pieces, spans, special, texts, unknown, told.get("second"), segments
    )


def _spelled(model: str, number: int) -> str:
    """Return what a token says, by the model that has it; it is loaded when first asked for."""
    from attention.models import load_model

    return load_model(model).spell(number)
