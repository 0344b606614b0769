"""Roles that a head can have on a text: what each counts, from which share on, and its source."""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType

_CLARK = "Clark et al. 2019, “What does BERT look at?”, section 3"
_VOITA = "Voita et al. 2019, “Analyzing multi-head self-attention”, section 5.1"
_OLSSON = "Olsson et al. 2022, “In-context learning and induction heads”, section 2"

LEAST_ROWS = 3  # a role is said of so many queries at least
SPREADS = 2.5  # above the mean of chance, in its standard deviations


@dataclass(frozen=True)
class Role:
    """What a role is called, what its score is, and from where on a head has it."""

    label: str  # "previous word"
    meaning: str  # what its score is, in words
    formula: str  # the score; w is a weight, the mean is over the queries that have such a key
    threshold: float
    source: str
    chance: str  # what is shuffled for the null


_KEYS = "the positions of the keys"
_WORDS = "the words"
_HALF, _THIRD, _BROAD = 0.5, 1 / 3, 0.85

# Of roles that are about a few columns chance is measured by shifting, not by shuffling.
SHIFTED = frozenset({"first", "separator", "punctuation"})

ROLES = MappingProxyType({
    "previous": Role(
        "previous word", "weight on the word before", "mean_q w[q, q - 1]", _HALF, _VOITA, _KEYS
    ),
    "next": Role(
        "next word", "weight on the word after", "mean_q w[q, q + 1]", _HALF, _VOITA, _KEYS
    ),
    "same": Role("itself", "weight on the word itself", "mean_q w[q, q]", _HALF, _CLARK, _KEYS),
    "first": Role(
        "first token", "weight on the first token of all", "mean_q w[q, 0]", _HALF,
        "Xiao et al. 2024, “Efficient streaming language models with attention sinks”, section 3",
        _KEYS,
    ),
    "separator": Role(
        "separator", "weight on the last token, which closes the text", "mean_q w[q, T - 1]", _HALF,
        f"{_CLARK}.2", _KEYS,
    ),
    "duplicate": Role(
        "same word elsewhere", "weight on the other places of the same word",
        "mean_q sum_{k != q, word k = word q} w[q, k]", _THIRD,
        "Wang et al. 2022, “Interpretability in the wild”, section 3", _WORDS,
    ),
    "induction": Role(
        "induction", "weight on the word that came after an earlier place of the same word",
        "mean_q sum_{k < q, word k - 1 = word q} w[q, k]", _THIRD, _OLSSON, _WORDS,
    ),
    "punctuation": Role(
        "punctuation", "weight on punctuation marks",
        "mean_q sum_{word k is punctuation} w[q, k]", _HALF, f"{_CLARK}.2", _WORDS,
    ),
    "distance": Role(
        "fixed distance", "weight on the word d positions away, for the best d from 2 to 8",
        "max_d mean_q w[q, q + d]", _HALF,
        "Kovaleva et al. 2019, “Revealing the dark secrets of BERT”, section 4.1", _KEYS,
    ),
    "broad": Role(
        "broad", "entropy as a share of that of equal weights",
        "mean_q H(w[q]) / log2(keys of q)", _BROAD, f"{_CLARK}.3",
        "rows among the heads that may attend to the same keys",
    ),
    "pronoun": Role(
        "pronoun to noun", "weight of a pronoun on the noun that it stands for",
        "mean over pronouns q of w[q, noun of q]", _THIRD, f"{_CLARK}; section 4.2", _WORDS,
    ),
})  # fmt: skip

ALIGNMENT = Role(
    "alignment", "weight of a word of the translation on its counterpart, where that is known",
    "mean_t sum_{s is a counterpart of t} w[t, s]", _HALF,
    "Vaswani et al. 2017, “Attention is all you need”, section 3.2.3", "the words of the source",
)  # fmt: skip
EVERY_ROLE = MappingProxyType({**ROLES, "alignment": ALIGNMENT})  # of cross-attention, too
