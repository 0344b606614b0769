"""What a word attends to, in sentences that say how much the other words give the same key."""

from __future__ import annotations

import math

import numpy as np

from attention.analysis import metrics
from attention.analysis.telling import ordinary, others_give, telling_link
from attention.analysis.words import View
from attention.arrays import Array
from attention.wording import most, percent, spelled


def compared(view: View, head: tuple[int, int], query: int, key: int, digits: int = 2) -> str:
    """Return a weight beside its base rate: "0.49; the other words give it 0.11 on average".

    The base rate is the mean over the other words of the text that may attend to the key.
    """
    weight = view.weights[head][query, key]
    base = others_give(view, head, query)[key]
    if math.isnan(base):
        return f"{weight:.{digits}f}"
    who = "the other words that may attend to it" if view.is_causal else "the other words"
    return f"{weight:.{digits}f}; {who} give it {base:.{digits}f} on average"


def attends_to(view: View, head: tuple[int, int], query: int, digits: int = 2) -> str:
    """Return what a word attends to most in one head, with the weight and its base rate.

    Several words that get the same are counted, none is picked.
    """
    if view.is_causal and view.seen_in(head[0])[query].sum() == 1:
        return "can attend to itself only"
    row = view.weights[head][query]
    best = most(row)
    if len(best) > 1:
        return (
            f"attends to {len(best)} of {len(row)} words equally ({row[best[0]]:.{digits}f} each)"
        )
    figures = compared(view, head, query, best[0], digits)
    return f"attends to {spelled(view.key_labels, best[0])} most ({figures})"


def rollout_sentence(both: View, query: int, layer: int) -> str:
    """Say what a word's vector draws on so far, by rollout, beside what the layer attends to.

    Parameters
    ----------
    both : as from `written.rolled_up_to`
    """
    mean, rolled = both.weights[:, 0, query]
    first, now = most(rolled)[0], most(mean)[0]
    return (
        f"By rollout {spelled(both.labels, query)} draws on {spelled(both.labels, first)} most "
        f"after layer {layer} ({percent(float(rolled[first]))}; itself "
        f"{percent(float(rolled[query]))}); the heads of layer {layer} attend, on average, to "
        f"{spelled(both.labels, now)} most ({percent(float(mean[now]))})."
    )


def telling_word(view: View, query: int, head: tuple[int, int]) -> str:
    """Return the other word that a word is most selective for in one head, with both figures."""
    key = telling_link(view.head(*head), 1, query=query)[1]
    if key == query:
        return "itself, the only word that it may attend to"
    return f"{spelled(view.labels, key)} ({compared(view, head, query, key)})"


def describe(view: View, layer: int, head: int, query: int | None = None) -> str:
    """Return one or two sentences, computed, on what a head does on this text.

    The first of these that holds: more than half of the weight of the ordinary words goes to
    special tokens, or to the first word of a decoder's text, to the word before, after or itself;
    at least 85 % of the highest possible entropy; else the most selective link.

    Parameters
    ----------
    query : a word whose own row is told apart where it attends to something else most
    """
    words, one = ordinary(view), view.head(layer, head)
    if words.sum() < 2:
        return "There is one word only." if words.any() else "There is no word to attend to."
    for share, keys, role in _roles(one):
        if share > 0.5:
            return f"{role} ({share:.0%} of the weight, on average).{_exception(one, keys, query)}"
    spread, highest = metrics.entropy_per_head(one).item(), _highest_entropy(view, layer)
    if spread > 0.85 * highest:
        return f"Spreads widely ({spread:.1f} of at most {highest:.1f} bits, on average)."
    word, key, _, _ = telling_link(one, least=1)
    return (
        f"Most selective between two different words: {spelled(view.labels, word)} attends to "
        f"{spelled(view.labels, key)} ({compared(one, (0, 0), word, key)})."
    )


def role(view: View, layer: int, head: int) -> str:
    """Return in a few words what a head does on this text, by the rules of `describe`."""
    words, one = ordinary(view), view.head(layer, head)
    if words.sum() < 2:
        return ""
    for share, _, what in _roles(one):
        if share > 0.5:
            where = what.split(":")[0].removeprefix("Rests on ").removeprefix("Attends to ")
            return f"{where} {share:.0%}"
    spread = metrics.entropy_per_head(one).item()
    if spread > 0.85 * _highest_entropy(view, layer):
        return f"spreads: {spread:.1f} bits"
    return telling_pair(view, layer, head)


def _highest_entropy(view: View, layer: int) -> float:
    """Return the bits of a row with equal weights, of the word that sees the most keys."""
    return math.log2(view.seen_in(layer).sum(axis=-1).max())


def telling_pair(view: View, layer: int, head: int) -> str:
    """Return the most selective link of a head in a few letters: "it → cat 0.49"; "" of one word.

    A word is always selective for some other: the link is an example, not a role.
    """
    if ordinary(view).sum() < 2:
        return ""
    one = view.head(layer, head)
    word, key, _, _ = telling_link(one, least=1)
    ends = " → ".join(_shortened(view.labels[i]) for i in (word, key))
    return f"{ends} {one.weights[0, 0, word, key]:.2f}"


def _shortened(label: str, most: int = 9) -> str:
    return label if len(label) <= most else f"{label[: most - 1]}…"


def _roles(one: View) -> list[tuple[float, Array, str]]:
    """Return for each simple role the mean share of the weight, the keys `(W, W)`, the words."""
    places = np.arange(len(one.units))
    apart = places - places[:, None]
    special = np.broadcast_to(~ordinary(one), apart.shape)
    first = np.broadcast_to(places == 0, apart.shape)
    first_share = metrics.first_share(one).item() if one.is_causal else 0.0
    return [
        (metrics.special_share(one).item(), special, "Rests on special tokens: a sink"),
        (first_share, first, "Rests on the first word: a sink"),
        (metrics.neighbour_share(one, -1).item(), apart == -1, "Attends to the word before"),
        (metrics.neighbour_share(one, 1).item(), apart == 1, "Attends to the word after"),
        (metrics.neighbour_share(one, 0).item(), apart == 0, "Attends to the word itself"),
    ]


def _exception(one: View, keys: Array, query: int | None) -> str:
    """Say what the word at hand attends to most where that is not what the head mostly does."""
    if query is None or (one.is_causal and query == 0):
        return ""
    best = most(one.weights[0, 0, query])
    if len(best) > 1 or keys[query, best[0]]:
        return ""
    return f" But {spelled(one.labels, query)} {attends_to(one, (0, 0), query)}."
