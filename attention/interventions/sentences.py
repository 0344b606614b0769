"""What pushes and cuts do, in a sentence each."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from attention import wording
from attention.analysis.words import View
from attention.arrays import Array
from attention.edits import Edits
from attention.interventions.effects import Movement
from attention.interventions.patching import Patching
from attention.interventions.steering import Interests
from attention.interventions.steering import shares as answer_shares
from attention.wording import Head, percent, spelled

_STILL = 5e-4  # a cosine distance that is shown as 0.000
_SEEN = 5e-5  # one that is shown as 0.0001


def edit_count(edits: Edits) -> str:
    """Say how many edits there are.

    >>> from attention.edits import Cut
    >>> edit_count((Cut(keys=(1,)),))
    '1 edit'
    """
    return f"{len(edits)} {'edit' if len(edits) == 1 else 'edits'}"


def moved_text(moved: Movement) -> str:
    """Say how far the sentence vector moves."""
    return f"the sentence vector moves by {_distance(moved.sentence[-1])}"


def _distance(moved: float) -> str:
    """Return a cosine distance as people read it; one that would be shown as 0 is below something.

    >>> _distance(0.01234), _distance(2e-6)
    ('0.0123', 'less than 0.0001')
    """
    return f"{moved:.4f}" if moved >= _SEEN else "less than 0.0001"


def answer_sentence(
    answer: Interests, before: Sequence[float], after: Sequence[float], change: str = ""
) -> str:
    """Say how probable an answer is as the next token or, against another, what its odds are.

    Parameters
    ----------
    before, after : the share of each answer without the change and with it
    change : what is changed, such as "this push"; empty for nothing yet

    >>> cat, mat = Interests(("cat",), ((1,),)), Interests(("cat", "mat"), ((1,), (2,)))
    >>> answer_sentence(cat, [0.25], [0.5], "this push")
    'Probability of “cat” as the next token: 25.0 % untouched, 50.0 % with this push.'
    >>> answer_sentence(mat, [0.4, 0.2], [0.1, 0.2], "1 edit")
    'Odds of “cat” against “mat” as the next token: 2.00 untouched, 0.50 with 1 edit. Now “mat” is \
the more probable of the two.'
    """
    what = f"{answer_title(answer)} as the next token"
    one, other = (_answer_figure(shares) for shares in (before, after))
    if not change:
        return f"{what}: {one}."
    if one == other:
        return f"{what}: {one}, untouched and with {change}."
    return f"{what}: {one} untouched, {other} with {change}.{_turned(answer, before, after)}"


def answer_title(answer: Interests) -> str:
    """Return the name of the figure by which an answer is followed.

    >>> answer_title(Interests(("cat", "mat"), ((1,), (2,))))
    'Odds of “cat” against “mat”'
    """
    if len(answer.names) == 1:
        return f"Probability of “{answer.names[0]}”"
    return f"Odds of “{answer.names[0]}” against “{answer.names[1]}”"


def _answer_figure(shares: Sequence[float]) -> str:
    """Return a probability or, of two answers, their odds: three figures, or two decimals."""
    if len(shares) == 1:
        return percent(shares[0])
    odds = shares[0] / shares[1]
    return f"{odds:.2f}" if 0.1 <= odds < 10 else wording.figures(odds, 3)


def _turned(answer: Interests, before: Sequence[float], after: Sequence[float]) -> str:
    """Say so where the other of two answers is the more probable one now."""
    if len(answer.names) == 1 or (before[0] > before[1]) == (after[0] > after[1]):
        return ""
    return f" Now “{answer.names[int(after[0] <= after[1])]}” is the more probable of the two."


def come_back_sentence(
    patching: Patching, shares: Array, place: Head, name: str, answer: Interests | None
) -> str:
    """Say how much of the way to the other text one patch brings back, among all of them.

    Parameters
    ----------
    shares : of all patches
    place : that of the one, called `name`
    """
    if answer:
        own, other = (_answer_figure(figures) for figures in _both_shares(patching, answer))
        way = f"the log-odds of the answer ({_title(answer)}: {own} here, {other} there)"
    else:
        way = "the sentence vector"
    rank = int((shares > shares[place]).sum()) + 1
    first = "the most" if rank == 1 else f"rank {rank}"
    return (
        f"Of the way of {way} to the other text, {name} alone brings back "
        f"{percent(float(shares[place]))}: {first} of {shares.size} patches, whose median is "
        f"{percent(float(np.median(shares)) + 0.0)}."
    )


def _both_shares(patching: Patching, answer: Interests) -> list[list[float]]:
    """Return the share of each answer in the text and in the other one."""
    logits = (trace.next_logits for trace in (patching.trace, patching.other))
    return [answer_shares(each, answer.ids).tolist() for each in logits if each is not None]


def _title(answer: Interests) -> str:
    """Return the name of an answer's figure within a sentence."""
    title = answer_title(answer)
    return title[0].lower() + title[1:]


def push_sentence(view: View, query: int, moved: Movement) -> str:
    """Say how far a push of one query moves the vectors of an encoder."""
    return (
        f"The push on the scores of “{view.labels[query]}” moves the sentence vector by "
        f"{_distance(moved.sentence[-1])}. {_farthest(view, moved.words[-1])}"
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
