"""Folders with a model in formats that are not read here: what is missing, and how to make it."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from attention.models import places

_VOCABULARIES = ("vocab.txt", "vocab.json", "tokenizer.model", "sentencepiece.bpe.model")


def missing(folder: Path, config: Mapping[str, Any]) -> str | None:
    """Return what a folder lacks, if anything, and the command that makes it of what is there.

    transformers makes it; that needs PyTorch, and a folder to write to where the model lies in the
    Hugging Face cache.

    Parameters
    ----------
    config : the content of `config.json`
    """
    weights = None if _there(folder, places.WEIGHTS) else "model.safetensors"
    words = None if _there(folder, ["tokenizer.json"]) else "tokenizer.json"
    if weights is None and words is None:
        return None
    lacks = " and ".join(filter(None, (weights, words)))
    told = f"{lacks} {'is' if None in (weights, words) else 'are'} missing"
    sources = (weights, places.OTHER_WEIGHTS[:2]), (words, _VOCABULARIES)
    olds = [_there(folder, names) for name, names in sources if name]
    if None in olds:  # there is nothing to make it of
        return told
    return f"{told}; {_command(folder, config, weights, words)}"


def _there(folder: Path, names: Any) -> str | None:
    return next((name for name in names if os.path.isfile(folder / name)), None)


def _command(
    folder: Path, config: Mapping[str, Any], weights: str | None, words: str | None
) -> str:
    repository = places.repository(folder)
    if repository is not None and not re.fullmatch(r"[\w.-]+(/[\w.-]+)?", repository):
        return "transformers can make it"
    source, target, where = ".", ".", "run in its folder, this makes it"
    if repository is not None:
        source, target = repository, repository.rpartition("/")[-1]
        where = f"this writes a folder {target} with all, for {places.OWN_FOLDER}"
    made = [_class(config)] if weights or repository else []
    made += ["AutoTokenizer"] if words or repository else []
    steps = "; ".join(
        f"t.{name}.from_pretrained('{source}').save_pretrained('{target}')" for name in made
    )
    return f'{where}: python -c "import transformers as t; {steps}"'


def _class(config: Mapping[str, Any]) -> str:
    """Return the class that saved the model: any other would leave a head out or make one up."""
    names = config.get("architectures")
    first = names[0] if isinstance(names, list) and names else None
    return first if isinstance(first, str) and re.fullmatch(r"\w{1,60}", first) else "AutoModel"
