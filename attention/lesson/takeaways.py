"""The lesson's takeaways, each with a figure from the reader's own sentence and where to go on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from attention.analysis import words
from attention.analysis.sentences import compared
from attention.analysis.telling import telling_heads
from attention.arrays import Array
from attention.core import softmax
from attention.wording import head_name, spelled

if TYPE_CHECKING:
    from attention.analysis.words import View
    from attention.models.trace import Trace

State = Mapping[str, str | Sequence[str]]  # key of a control -> its value, as an address spells it


@dataclass(frozen=True)
class Link:
    """Where to go on: a page, and the state that it opens in."""

    page: str
    label: str
    state: State


@dataclass(frozen=True)
class Takeaway:
    """One thing to remember, with a figure that was computed for this sentence."""

    title: str
    text: str
    figure: str
    meaning: str  # of the figure
    link: Link


@dataclass(frozen=True)
class LessonExample:
    """One word that attends to another in one head: what the lesson's figures are about."""

    trace: Trace
    view: View
    query: int
    key: int
    layer: int
    head: int

    @property
    def name(self) -> str:
        """The head's short name."""
        return head_name((self.layer, self.head))

    @property
    def query_label(self) -> str:
        """The word that attends."""
        return self.view.labels[self.query]

    @property
    def key_label(self) -> str:
        """The word that it attends to."""
        return self.view.labels[self.key]

    @property
    def weight(self) -> float:
        """How much it attends to it."""
        return float(self.view.weights[self.layer, self.head, self.query, self.key])

    @property
    def sentence(self) -> str:
        """What this example shows, with what the weight is to be held against."""
        query, key = (spelled(self.view.labels, i) for i in (self.query, self.key))
        head, weights = (self.layer, self.head), self.view.weights
        mean = float(weights[:, :, self.query, self.key].mean())
        count = weights.shape[0] * weights.shape[1]
        return (
            f"{query} attends to {key} in head {self.name} "
            f"({compared(self.view, head, self.query, self.key)}; the mean of all {count} heads is "
            f"{mean:.2f})."
        )

    @cached_property
    def scores(self) -> Array:
        """The scores of all that the word may attend to."""
        seen = words.seen_by(self.view, self.query)
        return words.row_scores(self.trace, seen, self.layer, self.head, self.query)

    @property
    def place(self) -> dict[str, str]:
        """This example as the controls of a page that shows words have it."""
        return {
            "q": self.trace.text,
            "word": str(self.query),
            "layer": str(self.layer),
            "head": str(self.head),
        }

    @property
    def token_place(self) -> dict[str, str]:
        """This example as the controls of the pipeline have it, which shows tokens."""
        query, key = (self.view.units[i].positions[0] for i in (self.query, self.key))
        return {**self.place, "word": str(query), "reads": str(key)}


def takeaways(example: LessonExample) -> list[Takeaway]:
    """Return the lesson's takeaways, in order."""
    return [_all_at_once(example), _query_key_value(example), _heads(example),
            _quadratic(example), _additive(example), _scaled(example)]  # fmt: skip


def _all_at_once(example: LessonExample) -> Takeaway:
    first, last = sorted((example.query, example.key))
    apart = last - first - sum(unit.blank for unit in example.view.units[first:last])
    return Takeaway(
        "All words at once",
        f"Every word attends to every {'earlier one' if example.view.is_causal else 'other'} in "
        "one step, however far apart they are. A recurrent network hands the news on from word to "
        "word.",
        f"1 step, not {apart}" if apart > 1 else "1 step",
        f"from “{example.key_label}” to “{example.query_label}”, {apart} words apart"
        if apart != 1
        else f"from “{example.key_label}” to “{example.query_label}”, its neighbour",
        Link(
            "pages/learn/context.py",
            "Compare with an RNN",
            {"q": example.trace.text, "view": "rnn"},
        ),
    )


def _query_key_value(example: LessonExample) -> Takeaway:
    score = example.scores[example.key]
    return Takeaway(
        "Query, key, value",
        "The query is what a word seeks, the key what a word offers, the value what is passed on. "
        "Query times key is the score; softmax turns scores into weights.",
        f"{score:.2f} → {example.weight:.2f}",
        f"score → weight of “{example.key_label}” for “{example.query_label}” in {example.name}",
        Link(
            "pages/learn/pipeline.py",
            "Follow every number",
            {**example.token_place, "step": "qkv"},
        ),
    )


def _heads(example: LessonExample) -> Takeaway:
    rows = example.view.weights[:, :, example.query]  # (L, H, W)
    favourites = len(np.unique(rows.argmax(axis=-1)))
    best = telling_heads(example.view, example.query, example.key, 3)
    codes = [head_name(head).replace(" ", "") for head in best]
    heads, several = rows[..., 0].size, favourites > 1
    return Takeaway(
        "Several heads",
        "Each head has queries, keys and values of its own, and so attends to something else. "
        "All of them work at the same time.",
        f"{favourites} word{'s' if several else ''}",
        f"{'get' if several else 'gets'} the largest weight of “{example.query_label}” in at least "
        f"one of the {heads} heads",
        Link(
            "pages/explore/heads.py",
            "Put heads side by side",
            {"q": example.trace.text, "word": str(example.query), "heads": codes},
        ),
    )


def _quadratic(example: LessonExample) -> Takeaway:
    tokens = len(example.trace.tokens)
    causal = example.trace.is_causal
    now, twice = (n * (n + 1) // 2 if causal else n * n for n in (tokens, 2 * tokens))
    return Takeaway(
        "The price: O(n²)",
        "n tokens make n × n weights in every head"
        + (", of which the mask of a decoder leaves n (n + 1) / 2" if causal else "")
        + f". Twice the text takes {'about ' if causal else ''}four times the weights.",
        f"{now:,} → {twice:,}",
        f"weights in each head, for these {tokens} tokens and for twice as many",
        Link("pages/measure/scaling.py", "Time it on this machine", {}),
    )


def _additive(example: LessonExample) -> Takeaway:
    tokens, width = example.trace.key.shape[-2:]
    return Takeaway(
        "2014: additive attention",
        "Bahdanau, Cho and Bengio let a translating recurrent network attend to the source. A "
        "small network with a tanh layer scores every pair.",
        f"{tokens**2 * width:,} × tanh",
        f"to score all pairs of these {tokens} tokens with an inner width of {width}; a dot "
        "product needs none",
        Link(
            "pages/learn/lesson.py",
            "Compare both scores",
            {"q": example.trace.text, "claim": BOTH_SCORES},
        ),
    )


def _scaled(example: LessonExample) -> Takeaway:
    width = example.trace.key.shape[-1]
    raw = softmax(example.scores * np.sqrt(width))[example.key]
    return Takeaway(
        "2017: scaled dot product",
        "Vaswani et al. kept only attention, and made the score a dot product divided by √E, so "
        "that softmax does not give nearly everything to one word.",
        f"{example.weight:.2f}, not {raw:.2f}",
        f"the weight of “{example.key_label}” with, not without, the division by √{width}",
        Link(
            "pages/learn/pipeline.py",
            "See the scale at work",
            {**example.token_place, "step": "scale"},
        ),
    )


UNDERSTANDING, MORE_HEADS, BOTH_SCORES = "understands", "heads", "additive"
CLAIMS = {
    UNDERSTANDING: "“Attention means the model understands”",
    MORE_HEADS: "“More heads are always better”",
    BOTH_SCORES: "Additive or dot product?",
}
