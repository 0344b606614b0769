"""The lesson's story: each step with a figure of the reader's own sentence and where to go on."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from attention.context.reach import own_words, share_text
from attention.learning.experiment import Experiment, Picture, pictures
from attention.learning.sentences import right_weight
from attention.lesson.takeaways import LessonExample, Link

_NAMED = 3  # words of an average
LEARNED = Experiment(n=8, steps=100, beside="none")  # what the learning page opens on, shorter
HIDDEN, GAIN, SEED = 32, 0.9, 0  # the recurrent networks on the context page, as it opens


@dataclass(frozen=True)
class StoryStep:
    """One step of the story, in a sentence or two."""

    key: str  # of its picture
    title: str
    text: str
    alt_text: str  # what its picture shows
    link: Link


def way(example: LessonExample) -> list[int]:
    """Return the text's own words from the earlier of the two to the later one.

    A special token is no word; its neighbour is taken.
    """
    own = own_words(example.view)
    first, last = sorted((example.query, example.key))
    return [k for k in own if first <= k <= last] or own[:1]


def before_and_after() -> tuple[Picture, Picture]:
    """Train attention to find one of 8 books; return what it attends to before and after.

    >>> [round(float(picture.weights.max()), 2) for picture in before_and_after()]
    [0.12, 1.0]
    """
    first, *_, last = pictures(LEARNED)
    return first, last


def story(example: LessonExample, left: float, after: Picture) -> list[StoryStep]:
    """Return the story's steps, in order.

    Parameters
    ----------
    left : how much of the earlier word's message an untrained GRU holds at the later one
    after : what attention has learned, the second one of `before_and_after`
    """
    return [
        relay_step(example, left),
        fan_step(example),
        products_step(example),
        average_step(example),
        learned_step(after),
        price_step(example),
    ]


def relay_step(example: LessonExample, left: float) -> StoryStep:
    """Return the step on what a recurrent network hands on; `left` as `story` takes it."""
    places, labels = way(example), example.view.labels
    steps = len(places) - 1
    handed = (
        f"Of “{labels[places[0]]}”, {share_text(left)} is left at “{labels[places[-1]]}”, "
        f"{steps} {'word' if steps == 1 else 'words'} on (an untrained GRU)."
    )
    return StoryStep(
        "relay",
        "Foggy window",
        "A recurrent network hands its news on word by word, and they fade. "
        + (handed if steps else "Here there is one word, and nothing to hand on."),
        "How much of a word is left at each later word of a recurrent network",
        Link(
            "pages/learn/context.py",
            "Context",
            {"q": example.trace.text, "view": "rnn"},
        ),
    )


def fan_step(example: LessonExample) -> StoryStep:
    """Return the step on all words at once."""
    which, window = "earlier word" if example.view.is_causal else "word", example.window
    far = "however far apart" if window is None else f"here up to {window - 1} tokens back"
    return StoryStep(
        "fan",
        "See everything",
        f"With attention every word sees every {which} in one step, {far}. "
        f"“{example.query_label}” and “{example.key_label}”: 1 step.",
        f"Lines from {example.query_label} to all words at once",
        Link("pages/explore/visualizer.py", "Visualizer", example.place),
    )


def products_step(example: LessonExample) -> StoryStep:
    """Return the step on how a weight comes about."""
    return StoryStep(
        "products",
        "Query, key, value",
        f"The query of “{example.query_label}” times the key of “{example.key_label}” is a score, "
        f"{example.scores[example.at]:.2f}; softmax makes it a weight, {example.weight:.2f}. The "
        "value is what is passed on.",
        f"The query of {example.query_label}, the key of {example.key_label}, and their products",
        Link(
            "pages/learn/pipeline.py",
            "Pipeline",
            {**example.token_place, "step": "qkv"},
        ),
    )


def average_step(example: LessonExample) -> StoryStep:
    """Return the step on what a weight does."""
    row, labels = example.row, example.view.labels
    best = [int(k) for k in np.argsort(-row, kind="stable")[:_NAMED] if row[k] > 0]
    named = ", ".join(f"{share_text(float(row[k]))} {labels[k]}" for k in best)
    return StoryStep(
        "average",
        "Weighted average",
        f"“{example.query_label}” takes over the values of all, each times its weight: {named}"
        + (", and so on." if len(row) > len(best) else "."),
        f"The weights of {example.query_label}, side by side: together they are 1",
        Link(
            "pages/learn/explorer.py",
            "Explorer",
            {**example.place, "start": "head"},
        ),
    )


def learned_step(after: Picture) -> StoryStep:
    """Return the step on where weights come from; `after` as `story` takes it."""
    found = right_weight(LEARNED, after)
    assert found is not None  # one book is the right one
    return StoryStep(
        "learned",
        "Learned",
        f"Nobody writes down where to look. Asked for one of {LEARNED.n} books, attention begins "
        f"with 1/{LEARNED.n} for each; after {after.step} steps of learning the right one has "
        f"{share_text(found)} on average.",
        "Weights before and after learning, side by side",
        Link("pages/learn/learning.py", "Learning", {}),
    )


def price_step(example: LessonExample) -> StoryStep:
    """Return the step on what weights cost."""
    tokens, causal = len(example.trace.tokens), example.trace.is_causal
    now, twice = (_weights(n, example.window, causal=causal) for n in (tokens, 2 * tokens))
    masked = ", the later ones masked" if causal else ""
    if example.window is not None:
        masked = f", all but itself and the {example.window - 1} before it masked"
    return StoryStep(
        "price",
        "The price: O(n²)",
        f"Each of {tokens} tokens meets each{masked}: {now:,} weights in a head. "
        f"Twice the text takes {twice:,}.",
        f"All weights of head {example.name}",
        Link("pages/measure/scaling.py", "Scaling", {}),
    )


def _weights(tokens: int, window: int | None, *, causal: bool) -> int:
    """Return how many weights of a head are not masked, in a text of so many tokens.

    >>> _weights(4, None, causal=True), _weights(4, 2, causal=True), _weights(4, None, causal=False)
    (10, 7, 16)
    """
    if not causal:
        return tokens * tokens
    return sum(min(seen, window or tokens) for seen in range(1, tokens + 1))
