"""Patches: a part of what a model makes of one text, put into a pass over another.

Source: Vig et al. 2020, "Investigating gender bias in language models using causal mediation
analysis", section 3; Meng et al. 2022, "Locating and editing factual associations in GPT", section
2.1; Wang et al. 2023, "Interpretability in the wild", section 3.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from attention.edits.numbers import Numbers, make_canonical

PATCHED = "head", "weights", "stream"  # parts of a pass
MOST_SOURCE = 4_000  # characters of the other text


@dataclass(frozen=True)
class Patch:
    """Take a part of the pass over another text, `source`, where positions stand side by side.

    "head" : the outputs z of heads at the queries
    "weights" : what queries give to keys; the rest of a row is scaled so that it sums to 1 again
    "stream" : the hidden state that enters the layers, at the queries

    The n-th of `queries` takes what the n-th of `from_queries` has in the other text, keys
    likewise. None means all, side by side as they stand: then both texts have as many tokens.

    >>> Patch("Mary gave it to", "head", layers=(9,), heads=(1,))
    Patch(source='Mary gave it to', part='head', layers=(9,), heads=(1,), queries=None, \
from_queries=None, keys=None, from_keys=None)
    """

    source: str
    part: Literal["head", "weights", "stream"]
    layers: Numbers = None
    heads: Numbers = None
    queries: Numbers = None
    from_queries: Numbers = None
    keys: Numbers = None
    from_keys: Numbers = None

    def __post_init__(self) -> None:
        """Sort and check the numbers."""
        if self.part not in PATCHED:
            raise ValueError(f"a part is one of {', '.join(PATCHED)}, got {self.part!r:.100}")
        if not isinstance(self.source, str) or len(self.source) > MOST_SOURCE:
            raise ValueError(f"the other text must be a str of at most {MOST_SOURCE:,} characters")
        if self.part == "stream" and self.heads is not None:
            raise ValueError("a hidden state has no heads")
        if self.part != "weights" and (self.keys is not None or self.from_keys is not None):
            raise ValueError(f"keys are of weights, not of “{self.part}”")
        make_canonical(self, "layers", "heads", "queries", "from_queries", "keys", "from_keys")
        for here, there in self.sides:
            if (here is None) != (there is None) or len(here or ()) != len(there or ()):
                raise ValueError(
                    f"positions of the two texts go in pairs, got {len(here or ())} and "
                    f"{len(there or ())}"
                )

    @property
    def sides(self) -> tuple[tuple[Numbers, Numbers], tuple[Numbers, Numbers]]:
        """Queries and keys, each as positions in the text and in the other one."""
        return (self.queries, self.from_queries), (self.keys, self.from_keys)


def check_patch(patch: Patch, tokens: int, there: int) -> None:
    """Check that the positions of a patch are in both texts.

    Parameters
    ----------
    tokens : of the text that is patched
    there : of the other text

    Raises
    ------
    ValueError : one is not, or all are meant and the texts have different numbers of tokens.
    """
    needed = patch.sides if patch.part == "weights" else patch.sides[:1]
    if tokens != there and any(own is None for own, _ in needed):
        raise ValueError(
            f"the texts have {tokens} and {there} tokens: name those that stand side by side"
        )
    for own, other in needed:
        for name, numbers, count in (("text", own, tokens), ("other text", other, there)):
            if max(numbers or (), default=-1) >= count:
                raise ValueError(
                    f"no position {max(numbers or ())}: the {name} has {count} tokens, 0 to "
                    f"{count - 1}"
                )
