"""What a cut line of attention changes in a translation: its words, and how probable they are.

What a word was likely to be is told by the phrase up to it: a noun after an article that agrees
with it is certain, whatever was cut; that the article was chosen is what the line decided.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import NamedTuple

import numpy as np

from attention import wording
from attention.analysis.words import Unit, whole_words
from attention.arrays import Array
from attention.edits import Cut, Edits, Numbers
from attention.models.marian import Marian
from attention.models.trace import Tokens
from attention.models.translation import Translation
from attention.translation.aligned import joined_blanks
from attention.wording import Head, head_name, percent

_LEAST = 1e-4  # a smaller probability is written as a power of ten


class Phrase(NamedTuple):
    """Words of a translation, and all tokens from its start to their end."""

    text: str
    start: int  # how many of the tokens come before the words
    ids: tuple[int, ...]


@dataclass(frozen=True, eq=False)
class CutOutcome:
    """A translation without and with edits to the encoder's attention."""

    before: Translation
    after: Translation
    phrases: tuple[Phrase, ...]  # where both part: what each says there; else all, once
    chances: Array  # (phrases, 2): how probable each is without and with the edits

    @property
    def changed(self) -> bool:
        """Whether any word is another."""
        return self.before.text != self.after.text

    @property
    def sentence(self) -> str:
        """Say what becomes of the words, and of the probability of the phrases."""
        became = [
            f"“{phrase.text}” {wording.change(*map(chance_text, row))}"
            for phrase, row in zip(self.phrases, self.chances.tolist(), strict=True)
        ]
        if self.changed:
            said = "; ".join(became)
            return (
                f"It says something else. Probability of what is said there: {said}.{self._greedy}"
            )
        if not became:
            return "Not one word changes."
        whole = wording.change(*map(chance_text, self.chances[0].tolist()))
        return f"Not one word changes; the probability of the whole translation {whole}."

    @property
    def _greedy(self) -> str:
        """Why the less probable phrase was written, where it was."""
        if len(self.phrases) < 2 or self.chances[1, 1] >= self.chances[0, 1]:
            return ""
        return (
            " The first is still the more probable of the two: the likeliest token is written at "
            "each step, not the likeliest phrase."
        )


class MarkedWord(NamedTuple):
    """A word of a translation, with the space before it, and whether the other one lacks it."""

    label: str
    changed: bool
    space: str


def outcome_of(pair: Marian, before: Translation, after: Translation) -> CutOutcome:
    """Compare a translation with one of the same text under edits to the encoder."""
    phrases = parting_phrases(before.target, after.target)
    text, edits = before.source.text, after.encoder.edits
    chances = [[phrase_chance(pair, text, p, under) for under in ((), edits)] for p in phrases]
    return CutOutcome(before, after, phrases, np.array(chances).reshape(-1, 2))


def parting_phrases(before: Tokens, after: Tokens) -> tuple[Phrase, ...]:
    """Return what each says where they first part; the whole, once, where they say the same."""
    texts = words_of(before), words_of(after)
    parts = [part for part in _parts(*texts) if part[0] != "equal"]
    if not parts:
        return tuple(filter(None, [_phrase(before, texts[0], 0, len(texts[0]))]))
    _, first, last, other_first, other_last = parts[0]
    found = (
        _phrase(before, texts[0], first, max(last, first + 1)),
        _phrase(after, texts[1], other_first, max(other_last, other_first + 1)),
    )
    return tuple(filter(None, found))


def words_of(tokens: Tokens) -> tuple[Unit, ...]:
    """Return the words of a translation without its end."""
    return tuple(unit for unit in joined_blanks(whole_words(tokens)) if not unit.special)


def marked_words(before: Tokens, after: Tokens) -> tuple[list[MarkedWord], list[MarkedWord]]:
    """Return the words of both, those that the other has not marked."""
    parts = _parts(words_of(before), words_of(after))
    return (
        _marked(before, [(kind != "equal", a, b) for kind, a, b, _, _ in parts]),
        _marked(after, [(kind != "equal", a, b) for kind, _, _, a, b in parts]),
    )


def phrase_chance(pair: Marian, text: str, phrase: Phrase, edits: Edits) -> float:
    """Return how probable the words of a phrase are after what comes before them."""
    return float(pair.chances_on_the_way(text, phrase.ids, edits)[phrase.start :].prod())


def carried_by_heads(
    pair: Marian,
    text: str,
    phrase: Phrase,
    line: tuple[Numbers, Numbers],
    on_progress: Callable[[float], None] = lambda share: None,
) -> Array:
    """Return how probable a phrase is with a line cut in each head alone, `(L, H)`.

    Parameters
    ----------
    line : the tokens of its query and of its key
    """
    shape = pair.config.num_hidden_layers, pair.config.num_attention_heads
    chances = np.empty(shape)
    for done, head in enumerate(np.ndindex(shape)):
        layer, number = head
        cut = Cut(*line, layers=(layer,), heads=(number,))
        chances[head] = phrase_chance(pair, text, phrase, (cut,))
        on_progress((done + 1) / chances.size)
    return chances


def carrier_sentence(phrase: Phrase, untouched: float, everywhere: float, cut: Array) -> str:
    """Say which head alone costs a phrase most, beside the others and all heads at once.

    Parameters
    ----------
    untouched, everywhere : how probable the phrase is with no cut, and cut in every head
    cut : (L, H), cut in that head alone
    """
    head: Head = divmod(int(cut.argmin()), cut.shape[1])
    return (
        f"“{phrase.text}” has a probability of {chance_text(untouched)}. Cut in "
        f"{head_name(head)} alone: {chance_text(float(cut[head]))}, the lowest of {cut.size} "
        f"heads; the median head leaves {chance_text(float(np.median(cut)))}. Cut in every head: "
        f"{chance_text(everywhere)}."
    )


def chance_text(chance: float) -> str:
    """Return a probability as people read it.

    >>> chance_text(0.6581), chance_text(0.0000123)
    ('65.8 %', '1e-05')
    """
    return percent(chance) if chance >= _LEAST or not chance else f"{chance:.0e}"


def _marked(tokens: Tokens, parts: Sequence[tuple[bool, int, int]]) -> list[MarkedWord]:
    units = words_of(tokens)
    return [
        MarkedWord(unit.label, changed, _space_before(tokens, unit))
        for changed, a, b in parts
        for unit in units[a:b]
    ]


def _space_before(tokens: Tokens, unit: Unit) -> str:
    start = tokens.spans[unit.positions[0]][0]
    around = tokens.text[max(start - 1, 0) : start + 1]
    return " " if any(map(str.isspace, around)) else ""


def _parts(one: Sequence[Unit], other: Sequence[Unit]) -> list[tuple[str, int, int, int, int]]:
    labels = [[unit.label for unit in units] for units in (one, other)]
    matcher = SequenceMatcher(a=labels[0], b=labels[1], autojunk=False)
    return [(kind, a, b, c, d) for kind, a, b, c, d in matcher.get_opcodes()]


def _phrase(tokens: Tokens, units: Sequence[Unit], first: int, last: int) -> Phrase | None:
    """Return some words as a phrase; None where there are none."""
    said = units[first:last]
    if not said:
        return None
    end = said[-1].positions[-1] + 1
    text = " ".join(unit.label for unit in said)
    return Phrase(text, said[0].positions[0], tuple(tokens.ids[:end].tolist()))
