"""What a mask, shared keys and values, and rotation do, in a sentence each."""

from __future__ import annotations

import numpy as np

from attention.analysis.alignment import later_share
from attention.analysis.grouped_heads import Apart, Sharing
from attention.analysis.words import View
from attention.arrays import Array
from attention.wording import Head, head_name, human_bytes, percent, spelled


def later_words_sentence(view: View, model: str, head: Head, query: int | None) -> str:
    """Say how much an encoder gives to later words, which a decoder's mask hides.

    Parameters
    ----------
    query : a word whose own share is told, if it is there
    """
    if view.is_causal:
        return f"{model} is a decoder: later words are hidden by its mask."
    share = later_share(view)
    own = ""
    if query is not None:
        given = percent(float(share[head][query]))
        own = f"{spelled(view.labels, query)} gives {given} of its weight to later words, "
    return (
        f"In {model} {head_name(head)} {own}the words on average "
        f"{percent(float(share[head].mean()))} (over all heads {percent(float(share.mean()))})."
    )


def sharing_sentence(shared: Sharing, near: Apart, tokens: int) -> str:
    """Say what sharing saves for so many tokens, and whether heads that share are more alike."""
    now, whole = (shared.token_bytes(n) * tokens for n in (shared.groups, shared.heads))
    saved = (
        f"{shared.heads} query heads share {shared.groups} heads of keys and values, "
        f"{shared.each} each: {human_bytes(now)} are kept for these {tokens} tokens instead of "
        f"{human_bytes(whole)}."
    )
    if shared.groups == 1:  # there are no others to compare with
        return f"{saved} The rows of any two heads are {near.inside.mean():.2f} bits apart."
    nearer = int((near.inside.mean(axis=1) < near.across.mean(axis=1)).sum())
    return (
        f"{saved} The rows of two heads that share are {near.inside.mean():.2f} bits apart, of two "
        f"that do not {near.across.mean():.2f}; in {nearer} of {shared.layers} layers those that "
        "share are nearer to each other."
    )


def rotation_sentence(head: Head, query: str, key: str, scores: Array) -> str:
    """Say what distance alone does to the score of a query and a key.

    Parameters
    ----------
    query, key : the labels of the two words
    scores : (distances,) from 0 on

    >>> rotation_sentence((0, 1), "it", "cat", np.array([1.0, 3.0, 2.0])).split(":")[0]
    'In L0 H1 the very same query of “it” and key of “cat” would score 3.00 when 1 token apart and \
1.00 when 0 tokens apart'
    """
    best, worst = int(np.argmax(scores)), int(np.argmin(scores))
    return (
        f"In {head_name(head)} the very same query of “{query}” and key of “{key}” would score "
        f"{scores[best]:.2f} when {_tokens(best)} apart and {scores[worst]:.2f} when "
        f"{_tokens(worst)} apart: rotation alone does that. "
        f"Without it the score would be {scores[0]:.2f} at any distance."
    )


def _tokens(count: int) -> str:
    return f"{count} token{'' if count == 1 else 's'}"
