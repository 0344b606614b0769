"""Real pretrained transformers in NumPy: which there are, and loading them."""

from __future__ import annotations

from functools import cache
from threading import Lock
from typing import TYPE_CHECKING, cast

from attention.lazily import submodules
from attention.models import registry

if TYPE_CHECKING:
    from attention.models.marian import Marian
    from attention.models.transformer import Transformer

# Two readers who come first at once still share one model; nobody waits for another's model.
_LOADING: dict[str, Lock] = {}


def available_models() -> list[str]:
    """Return the names that `load_model` takes: the embedded ones, then those found installed.

    Found are SmolLM2 (`registry.INSTALL_SMOLLM2`), models of the families that the table
    `registry.ARCHITECTURES` has and translators in the folders that the environment variable
    ATTENTION_MODELS names, and those in the local Hugging Face cache.
    """
    return [entry.name for entry in registry.entries().values() if entry.problem is None]


def unavailable_models() -> dict[str, str]:
    """Return what was found but cannot be loaded, with the reason."""
    found = registry.entries().values()
    return {entry.name: entry.problem for entry in found if entry.problem is not None}


def memory_needed() -> dict[str, int]:
    """Return how many bytes of memory it takes to load each model that can be loaded."""
    found = registry.entries().values()
    return {entry.name: entry.needed for entry in found if entry.problem is None}


def load_model(name: str = registry.EMBEDDED) -> Transformer:
    """Return the model, loaded once per process and shared.

    Raises
    ------
    ValueError : no model of that name, the message lists those there are; or it needs more memory
        than is free, with both figures; or its files are damaged, the message says how.
    """
    entry = registry.entries().get(name) if isinstance(name, str) else None
    if entry is None:
        raise ValueError(f"no model named {name!r}; available: {', '.join(available_models())}")
    with _LOADING.setdefault(name, Lock()):
        return _load(name)


def available_translators() -> list[str]:
    """Return the names that `load_translator` takes: the embedded default, then those found.

    Found are Marian's files for a pair of languages, each in a folder with its vocabulary, in the
    folders that the environment variable ATTENTION_MODELS names.
    """
    found = registry.entries().values()
    return [entry.name for entry in found if entry.translates and entry.problem is None]


def load_translator(name: str = registry.EN_PT) -> Marian:
    """Return a translator, loaded once per process and shared; its encoder is a model of that name.

    Raises
    ------
    ValueError : no translator of that name, the message lists those there are; or as `load_model`.
    """
    entry = registry.entries().get(name) if isinstance(name, str) else None
    if entry is None or not entry.translates:
        there = ", ".join(available_translators())
        raise ValueError(f"no translator named {name!r}; available: {there}")
    return cast("Marian", load_model(name))


@cache
def _load(name: str) -> Transformer:
    return registry.entries()[name].load()


__getattr__, __dir__ = submodules(__name__, __path__)
