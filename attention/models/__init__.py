"""Real pretrained transformers in NumPy: which there are, and loading them."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from attention.models.bert import Bert

_EMBEDDED = {"minilm": Path(__file__).parent / "minilm"}
_LOADING = Lock()  # two readers who come first at once still share one model


def available_models() -> list[str]:
    """Return the names that `load_model` takes, the embedded default first."""
    return list(_EMBEDDED)


def load_model(name: str = "minilm") -> Bert:
    """Return the model, loaded once per process and shared.

    Raises
    ------
    ValueError : no model of that name; the message lists those there are.
    """
    if name not in _EMBEDDED:
        raise ValueError(f"no model named {name!r}; available: {', '.join(available_models())}")
    with _LOADING:
        return _load(name)


@cache
def _load(name: str) -> Bert:
    from attention.models.bert import Bert  # late: `import attention` loads no tokenizer

    return Bert.from_folder(name, _EMBEDDED[name])
