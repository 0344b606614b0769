"""How often a head is said to have a role where there is none.

The weights are real, of the texts that come with the package; what they are said of is shuffled, in
one of three ways. The weights of every row among the keys that it may attend to: rows stay as
uneven as they are. The keys, in all rows alike: a head that rests on one key still does (not of
decoders, whose rows see other keys each). The words: columns and distances stay, so only roles that
are about words are counted. Each role that a head gets is chance.

`python -m attention.survey.by_chance attention/analysis/chance_rates.json` makes the file anew; the
same numbers wherever it is run, but for rounding.
"""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from attention.analysis.chance_rates import ANY, KEYS, ROWS
from attention.analysis.role_kinds import ROLES
from attention.analysis.roles import head_roles
from attention.analysis.words import View, view
from attention.survey.measure import reader
from attention.survey.running import SURVEY_DRAWS, TextFiles
from attention.survey.summary import SHIPPED

_WORDS = "words"
_TEXTS, _SHUFFLES = 70, 4  # so many of the texts, each shuffled so often
_MODELS = "minilm", "en-pt", "smollm2"
# A shuffle leaves evenness as it is; nouns are known of few texts.
_MEASURED = tuple(name for name in ROLES if name not in ("broad", "pronoun"))
_BY_WORD = "duplicate", "induction", "punctuation"


def rows_shuffled(seen: View, rng: np.random.Generator) -> View:
    """Return a view whose rows give the same weights to other keys, each row to its own."""
    shuffled = np.zeros_like(seen.weights)
    for layers in seen.layer_groups:
        own, moved = seen.weights[layers], shuffled[layers]
        for q, mask in enumerate(seen.seen_in(layers[0])):
            moved[:, :, q, mask] = rng.permuted(own[:, :, q, mask], axis=-1)
        shuffled[layers] = moved
    return replace(seen, weights=shuffled)


def keys_shuffled(seen: View, rng: np.random.Generator) -> View:
    """Return a view whose keys stand elsewhere, in all rows and heads alike."""
    return replace(seen, weights=seen.weights[..., rng.permutation(len(seen.units))])


def words_shuffled(seen: View, rng: np.random.Generator) -> View:
    """Return a view whose ordinary words stand elsewhere; the weights stay."""
    places = [i for i, unit in enumerate(seen.units) if unit.ordinary]
    units = list(seen.units)
    for place, other in zip(places, rng.permutation(places), strict=True):
        units[place] = seen.units[other]
    return replace(seen, units=tuple(units))


_WAYS: dict[str, tuple[Callable[[View, np.random.Generator], View], tuple[str, ...]]] = {
    ROWS: (rows_shuffled, _MEASURED),
    KEYS: (keys_shuffled, _MEASURED),
    _WORDS: (words_shuffled, _BY_WORD),
}


def called_by_chance(views: Iterable[View], way: str, times: int = _SHUFFLES) -> dict[str, Any]:
    """Return how many heads there are, and how many of them get each role, or any.

    Parameters
    ----------
    way : to shuffle
    times : how often each view is shuffled
    """
    shuffle, names = _WAYS[way]
    rng, heads, called = np.random.default_rng(0), 0, Counter[str]()
    for seen in views:
        for _ in range(times):
            found = head_roles(shuffle(seen, rng), draws=SURVEY_DRAWS, only=names)
            heads += found.main.size
            called[ANY] += int(found.has.any(axis=0).sum())
            for name in names:
                called[name] += int(found.has[found.names.index(name)].sum())
    return {"heads": heads, "called": dict(called)}


def chance_texts(count: int = _TEXTS) -> list[str]:
    """Return some of the texts that come with the package, of all kinds."""
    every = list(TextFiles(sorted((SHIPPED.parent / "texts").glob("*.txt"))))
    return [every[i] for i in np.linspace(0, len(every) - 1, count).round().astype(int)]


def _main(arguments: Sequence[str]) -> None:
    """Measure all models, and write the file that is named."""
    texts, models = chance_texts(), {}
    for name in _MODELS:
        views = [view(reader(name).trace(text)) for text in texts]
        ways = [way for way in _WAYS if not (way == KEYS and views[0].is_causal)]
        models[name] = {way: called_by_chance(views, way) for way in ways}
        print(name, models[name])
    stored = {"texts": len(texts), "models": models}
    Path(arguments[0]).write_text(json.dumps(stored, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    _main(sys.argv[1:])
