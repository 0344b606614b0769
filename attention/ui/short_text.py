"""A field for a short text beside the page's own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import streamlit as st

from attention.ui import inputs
from attention.ui.show import escape_markdown


def short_text(
    label: str, example: str, refusal: Callable[[str], str | None], *, key: str, **more: Any
) -> str | None:
    """Draw a field for a text; one that cannot be shown is answered with the reason.

    None where the example cannot be shown either, as by a model that reads too little at once.

    Parameters
    ----------
    refusal : called with a text, returns why it cannot be shown, if it cannot
    more : as `inputs.text` takes them
    """
    typed = inputs.text(label, example, key=key, **more)
    why = refusal(typed)
    if why is None:
        return typed
    example_too = refusal(example) is not None
    advice = "Write one that fits." if example_too else "Below is its example."
    st.warning(f"{label}: {escape_markdown(why)} {advice}")
    return None if example_too else example
