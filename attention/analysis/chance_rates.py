"""How often a head is said to have a role by chance, as `survey.by_chance` has measured it."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

ROWS, KEYS, ANY = "rows", "keys", "any"  # two of the ways to shuffle; any role


@dataclass(frozen=True)
class ChanceRates:
    """Heads of the built-in models on built-in texts whose weights or words were shuffled."""

    texts: int
    heads: Mapping[str, int]  # way -> heads on texts, of all models that were shuffled so
    called: Mapping[str, Mapping[str, int]]  # way -> role, or any -> how many of them got it

    def share(self, way: str, role: str = ANY) -> float:
        """Return the share of heads that got a role, or any."""
        return self.called[way][role] / self.heads[way]


@cache
def chance_rates() -> ChanceRates:
    """Return what comes with the package.

    >>> 0 < chance_rates().share(ROWS) < chance_rates().share(KEYS) < 0.1
    True
    """
    stored = json.loads((files("attention.analysis") / "chance_rates.json").read_bytes())
    heads, called = Counter[str](), dict[str, Counter[str]]()
    for ways in stored["models"].values():
        for way, found in ways.items():
            heads[way] += found["heads"]
            called.setdefault(way, Counter()).update(found["called"])
    return ChanceRates(stored["texts"], heads, called)
