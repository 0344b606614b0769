"""Real pretrained transformers in NumPy: which there are, and loading them."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from attention.models.bert import Bert

_EMBEDDED = {"minilm": Path(__file__).parent / "minilm"}


def available_models() -> list[str]:
    """Return the names that `load_model` takes, the embedded default first."""
    return list(_EMBEDDED)


@cache
def load_model(name: str = "minilm") -> Bert:
    """Return the model, loaded once per process and shared.

    Raises
    ------
    ValueError : no model of that name; the message lists those there are.
    """
    from attention.models.bert import Bert  # late: `import attention` loads no tokenizer

    if name not in _EMBEDDED:
        raise ValueError(f"no model named {name!r}; available: {', '.join(available_models())}")
    return Bert.from_folder(name, _EMBEDDED[name])
