"""What a reader sees of a page."""

import contextlib
import json
import re
from collections.abc import Iterable

import pyarrow as pa
from google.protobuf.message import Message

_ESCAPED = re.compile(r":color\[\\(.)\]|\\([!-/:-@[-`{-~])")


def plain(markdown):
    """Return escaped text as a reader sees it: without backslashes and parts of no colour.

    What is not escaped stays as it is. That Streamlit does the same is seen in a real browser, in
    `tests/e2e/test_text.py`.
    """
    return _ESCAPED.sub(lambda found: found[1] or found[2], markdown)


def texts(app):
    """Yield every text that a page sends to the browser: in elements, charts and tables."""
    for element in app._tree:
        if hasattr(element, "proto"):
            yield from _texts(element.proto)


def _texts(value):
    if isinstance(value, str):
        yield value
        if value.startswith("{"):  # a chart, whose JSON spells characters as numbers
            with contextlib.suppress(json.JSONDecodeError):
                yield from _texts(json.loads(value))
    elif isinstance(value, bytes):
        table = pa.ipc.open_stream(value).read_all()
        yield from _texts([column.to_pylist() for column in table.columns])
    elif isinstance(value, dict):
        yield from _texts([*value.keys(), *value.values()])
    elif isinstance(value, Message):
        yield from _texts([field for _, field in value.ListFields()])
    elif isinstance(value, Iterable):
        for part in value:
            yield from _texts(part)
