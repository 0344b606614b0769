"""What pushes and cuts do, in a sentence each."""

from __future__ import annotations

from collections.abc import Sequence

from attention import wording
from attention.analysis.words import View
from attention.arrays import Array
from attention.edits import Edits
from attention.interventions.effects import Movement, NextToken
from attention.interventions.steering import Interests
from attention.wording import percent, spelled

_STILL = 5e-4  # a cosine distance that is shown as 0.000


def cut_sentence(edits: Edits, effect: str) -> str:
    """Say what so many edits do.

    >>> from attention.edits import Cut
    >>> cut_sentence((Cut(keys=(1,)),), "nothing happens")
    'With 1 edit, nothing happens.'
    """
    return f"With {len(edits)} {'edit' if len(edits) == 1 else 'edits'}, {effect}."


def moved_text(moved: Movement) -> str:
    """Say how far the sentence vector moves."""
    return f"the sentence vector moves by {moved.sentence[-1]:.4f}"


def next_text(change: NextToken, label: str) -> str:
    """Say what becomes of one next token, which `label` names.

    >>> next_text(NextToken(1, 0.2, 0.1), "cat")
    '“cat” as the next token goes from 20.0 % to 10.0 %'
    """
    becomes = wording.change(percent(change.before), percent(change.after))
    return f"“{label}” as the next token {becomes}"


def interests_sentence(
    interests: Interests, before: Sequence[float], after: Sequence[float] | None
) -> str:
    """Say how probable the words of interest are; of two groups, their odds as well.

    Parameters
    ----------
    before, after : the share of each group without the push and with it; None for no push

    >>> interests_sentence(Interests(("cat",), ((1,),)), [0.25], [0.5])
    'Probability of “cat” as the next token: 25.0 % untouched, 50.0 % with this push.'
    """
    probability = f"Probability of “{interests.names[0]}” as the next token"
    before_text, after_text = (percent(shares[0]) for shares in (before, after or before))
    more = ""
    what = probability
    if len(interests.names) > 1:
        what = f"Odds of “{interests.names[0]}” against “{interests.names[1]}” as the next word"
        more = f" {probability}: {before_text} before, {after_text} after."
        before_text, after_text = (f"{s[0] / s[1]:.2f}" for s in (before, after or before))
    if after is None:
        return f"{what}: {before_text}. Nothing is pushed yet."
    return f"{what}: {before_text} untouched, {after_text} with this push.{more}"


def push_sentence(view: View, query: int, moved: Movement) -> str:
    """Say how far a push of one query moves the vectors of an encoder."""
    return (
        f"The push on the scores of “{view.labels[query]}” moves the sentence vector by "
        f"{moved.sentence[-1]:.4f}. {_farthest(view, moved.words[-1])}"
    )


def _farthest(view: View, moved: Array) -> str:
    """Say which word moves most, and of the special tokens, which are not words, which does."""
    sentences = []
    for kind, field in {"word": "ordinary", "special token": "special"}.items():
        own = [i for i, unit in enumerate(view.units) if getattr(unit, field)]
        if not own or moved[own].max() < _STILL:
            continue
        names, by = [spelled(view.labels, i) for i in own], f"by {moved[own].max():.3f}"
        leading = wording.leads(names, moved[own], by, "move", kind)
        sentences.append(f"Of the {kind}s, {leading}.")
    return " ".join(sentences) or "No word moves."
