"""The lesson's example, and its takeaways: each with a figure or a formula, and where to go on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from attention.analysis import words
from attention.analysis.role_sentences import role_examples
from attention.analysis.sentences import attends_to, compared
from attention.analysis.telling import telling_heads, telling_link
from attention.arrays import Array
from attention.core import softmax
from attention.wording import head_name, most, spelled

if TYPE_CHECKING:
    from attention.analysis.roles import HeadRoles
    from attention.analysis.words import View
    from attention.models.trace import Trace

_NAMED_ROLES = 4

State = Mapping[str, str | Sequence[str]]  # key of a control -> its value, as an address spells it


@dataclass(frozen=True)
class Link:
    """Where to go on: a page, and the state that it opens in."""

    page: str
    label: str
    state: State


@dataclass(frozen=True)
class Takeaway:
    """One thing to remember, with a figure that was computed for this sentence or a formula."""

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
    def row(self) -> Array:
        """How much it attends to every word: `(W,)`."""
        row: Array = self.view.weights[self.layer, self.head, self.query]
        return row

    @property
    def weight(self) -> float:
        """How much it attends to it."""
        return float(self.row[self.key])

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

    @property
    def told(self) -> str:
        """What this example shows where its key gets most; else what does, which may be none."""
        head = self.layer, self.head
        if most(self.view.weights[head][self.query]) == [self.key]:
            return self.sentence
        query = spelled(self.view.labels, self.query)
        return f"In head {self.name} {query} {attends_to(self.view, head, self.query)}."

    @cached_property
    def scores(self) -> Array:
        """The scores of all that the word may attend to, from the first one on."""
        return words.row_scores(self.trace, self.view, self.layer, self.head, self.query)

    @property
    def at(self) -> int:
        """Which of the scores is that of the word it attends to."""
        return self.key - int(self.view.seen_in(self.layer)[self.query].argmax())

    @property
    def window(self) -> int | None:
        """How many tokens the layer sees, the word itself among them, if there is a limit."""
        return self.view.windows[self.layer] if self.view.windows else None

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


def example_of(trace: Trace, view: View, link: tuple[int, int, int, int], query: int
) -> LessonExample:  # fmt: skip
    """Return the example of a word in a head, with the word that it is most selective for.

    Parameters
    ----------
    link : query, key, layer and head of the text's most telling link
    query : the word that attends, that one or another
    """
    first, key, layer, head = link
    if query != first:
        key = telling_link(view.head(layer, head), 1, query=query)[1]
    return LessonExample(trace, view, query, key, layer, head)


def takeaways(example: LessonExample, found: HeadRoles | None = None) -> list[Takeaway]:
    """Return what to remember beside the story's steps, in order.

    Parameters
    ----------
    found : what the heads do on this text, to be told in words
    """
    return [_heads(example, found), _additive(example), _scaled(example)]


def _heads(example: LessonExample, found: HeadRoles | None) -> Takeaway:
    rows = example.view.weights[:, :, example.query]  # (L, H, W)
    same = int((rows.argmax(axis=-1) == example.key).sum())
    best = telling_heads(example.view, example.query, example.key, 3)
    codes = [head_name(head).replace(" ", "") for head in best]
    heads = rows[..., 0].size
    return Takeaway(
        "Several heads",
        "Each head has queries, keys and values of its own, and so attends to something else. "
        f"All of them work at the same time.{_roles_told(found)}",
        f"{same} of {heads}",
        f"heads in which “{example.query_label}” gives “{example.key_label}” its largest weight; "
        "in the others, another word or token",
        Link(
            "pages/explore/heads.py",
            "Put heads side by side",
            {"q": example.trace.text, "word": str(example.query), "heads": codes},
        ),
    )


def _roles_told(found: HeadRoles | None) -> str:
    """Say in words what some heads do on this text, and that others have no such role."""
    if found is None or not (named := role_examples(found, _NAMED_ROLES)):
        return ""
    none = int((found.main < 0).sum())
    return f" Roles on this text, with a head each: {named}; {none} of {found.main.size} have none."


def _additive(example: LessonExample) -> Takeaway:
    return Takeaway(
        "2014: additive attention",
        "Bahdanau, Cho and Bengio let a translating recurrent network attend to the source. A "
        "small network with a tanh layer scores every pair.",
        "v · tanh(W q + U k)",
        "the score of one pair: two matrices, a tanh for each inner number and a vector, all "
        "learned; a dot product of q and k needs none of these",
        Link(
            "pages/learn/translation.py",
            "Compare both scores",
            {"see": "scores"},
        ),
    )


def _scaled(example: LessonExample) -> Takeaway:
    width = example.trace.key.shape[-1]
    raw = float(softmax(example.scores * np.sqrt(width)).max())
    return Takeaway(
        "2017: scaled dot product",
        "Vaswani et al. kept only attention, and made the score a dot product divided by √E, so "
        "that softmax does not give nearly everything to one word.",
        f"{example.row.max():.2f}, not {raw:.2f}",
        f"the largest weight that “{example.query_label}” gives, with, not without, the division "
        f"by √{width}",
        Link(
            "pages/learn/pipeline.py",
            "See the scale at work",
            {**example.token_place, "step": "scale"},
        ),
    )


UNDERSTANDING, MORE_HEADS = "understands", "heads"
CLAIMS = {
    UNDERSTANDING: "“Attention means the model understands”",
    MORE_HEADS: "“More heads are always better”",
}
