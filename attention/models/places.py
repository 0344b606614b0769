"""Where models may lie: in the reader's own folders and in the local Hugging Face cache.

Only names are looked at here, and nothing deeper than three folders; what a file holds is the
registry's business.
"""

from __future__ import annotations

import os
import re
from collections import deque
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import NamedTuple

OWN_FOLDER = "ATTENTION_MODELS"
WEIGHTS = ("model.safetensors", "model.safetensors.index.json")
OTHER_WEIGHTS = ("pytorch_model.bin", "pytorch_model.bin.index.json", "tf_model.h5")

_MARIAN = re.compile(r"model.*\.bin")
_DEEPEST = 2  # folders below one that is named: models/publisher/model
_MOST_MODELS, _MOST_FOLDERS = 200, 1_000  # a folder may hold anything
_REPOSITORY, _OTHER_REPOSITORIES = "models--", ("datasets--", "spaces--")


class Found(NamedTuple):
    """A folder or file that is a model, or, with the reason, one that is none though named."""

    name: str
    place: Path
    problem: str | None = None


def own_models() -> Iterator[Found]:
    """Find the models that the environment variable ATTENTION_MODELS names.

    It names folders with models, a folder that is one, or a GGUF file; several are parted as in
    PATH. What it names in vain is found, too, with the reason.
    """
    named = os.environ.get(OWN_FOLDER, "")
    whole = os.path.exists(_expanded(named))  # its name may have a colon
    for part in [named] if whole else named.split(os.pathsep):
        if part.strip():
            yield from _named(_expanded(part.strip()))


def cached_models() -> Iterator[Found]:
    """Find the models in the folder where huggingface_hub keeps what it has downloaded."""
    return _below(_hub_folder())


def repository(folder: Path) -> str | None:
    """Return the name of a repository for the folder of one of its snapshots in the cache.

    >>> repository(Path("hub/models--openai-community--gpt2/snapshots/607a30d7"))
    'openai-community/gpt2'
    """
    *_, place, snapshots, _ = ("", "", "", *folder.parts)
    if snapshots != "snapshots" or not place.startswith(_REPOSITORY):
        return None
    return place.removeprefix(_REPOSITORY).replace("--", "/")


def _named(place: Path) -> Iterator[Found]:
    if place.suffix.lower() == ".gguf":
        yield Found(place.stem, place)
    elif found := list(_below(place)):
        yield from found
    else:
        yield Found(place.name, place, f"{OWN_FOLDER} names it, but {_why_none(place)}")


def _why_none(place: Path) -> str:
    if not os.path.exists(place):
        return "it does not exist"
    if not os.path.isdir(place):
        return "it is neither a folder nor a GGUF file"
    if not os.access(place, os.R_OK | os.X_OK):
        return "that folder may not be read"
    return (
        "there is no model in that folder: none with config.json and weights, and no GGUF or "
        "Marian file"
    )


def _hub_folder() -> Path:
    for name in ("HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE"):  # in the order of huggingface_hub
        if hub := os.environ.get(name):
            return _expanded(hub)
    cache_home = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    return _expanded(os.environ.get("HF_HOME") or f"{cache_home}/huggingface") / "hub"


def _expanded(folder: str) -> Path:
    """Return a folder that may begin with `~` or name variables, as huggingface_hub reads it."""
    return Path(os.path.abspath(os.path.expandvars(os.path.expanduser(folder))))


def _below(top: Path) -> Iterator[Found]:
    """Find the models in a folder and in those below it, the nearest first; in none of a model."""
    waiting, models, folders = deque([(top, 0)]), 0, 0
    while waiting:
        folder, depth = waiting.popleft()
        found, whole = _in_folder(folder, is_top=depth == 0)
        yield from islice(found, _MOST_MODELS - models)
        models, folders = models + len(found), folders + 1
        if not whole and depth < _DEEPEST:
            waiting.extend((path, depth + 1) for path in _folders_in(folder))
        if models > _MOST_MODELS or folders == _MOST_FOLDERS:
            told = f"it has more than {_MOST_MODELS} models or {_MOST_FOLDERS} folders"
            yield Found(top.name, top, f"{told}; the rest was not looked at")
            return


def _in_folder(folder: Path, *, is_top: bool) -> tuple[list[Found], bool]:
    """Return the models, and whether they are all that there can be below this folder."""
    if folder.name.startswith(_REPOSITORY):
        return _in_repository(folder), True
    name = repository(folder)
    # Anything may have a config.json. A folder that is named is a model only if it has weights.
    found = _models_in(folder, name or folder.name, name, with_config=not is_top)
    return found, any(model.place == folder for model in found)


def _in_repository(folder: Path) -> list[Found]:
    """Return the models of the snapshot that `main` points to, or else of the last that has any."""
    name = folder.name.removeprefix(_REPOSITORY).replace("--", "/")
    try:
        main = (folder / "refs" / "main").read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError):
        main = ""
    snapshots = sorted(_folders_in(folder / "snapshots"), key=lambda path: path.name == main)
    for snapshot in reversed(snapshots):
        if found := _models_in(snapshot, name, name):
            return found
        inner = {f"{name}/{path.name}": path for path in _folders_in(snapshot)}
        if found := [model for at, path in inner.items() for model in _models_in(path, at, at)]:
            return found
    return []


def _models_in(
    folder: Path, name: str, prefix: str | None, *, with_config: bool = True
) -> list[Found]:
    """Return the GGUF files of a folder, and the folder itself where it is a model."""
    files = [path for path in _listed(folder) if path.suffix.lower() == ".gguf"]
    found = [Found(f"{prefix}/{path.stem}" if prefix else path.stem, path) for path in files]
    whole = _has(folder, WEIGHTS) or (not files and _has(folder, OTHER_WEIGHTS))
    whole = whole or bool(marian_files(folder))
    if whole or (not files and with_config and _has(folder, ["config.json"])):
        found.append(Found(name, folder))
    return found


def marian_files(folder: Path) -> list[Path]:
    """Return the files of Marian's in a folder, which has no `config.json` as others have."""
    if _has(folder, ["config.json"]):
        return []
    return [path for path in _listed(folder) if _MARIAN.fullmatch(path.name)]


def _has(folder: Path, names: Iterable[str]) -> bool:
    return any(os.path.isfile(folder / name) for name in names)


def _folders_in(folder: Path) -> list[Path]:
    hidden = (".", *_OTHER_REPOSITORIES)
    return [
        path for path in _listed(folder) if os.path.isdir(path) and not path.name.startswith(hidden)
    ]


def _listed(folder: Path) -> list[Path]:
    try:
        return sorted(folder.iterdir())
    except OSError:
        return []
