"""What each step of the pipeline changed, in one sentence; and questions about the next one."""

from __future__ import annotations

import math

import numpy as np

from attention.analysis.embeddings import cosine
from attention.analysis.grouped_heads import sharing
from attention.analysis.telling import base_rate
from attention.arrays import Array
from attention.core import softmax
from attention.pipeline.head_state import HeadState
from attention.question import Question

_ALIKE = 0.01  # weights closer than this count as the same


def representation(p: HeadState) -> str:
    """Say where the token stands among the others."""
    row = p.x[p.query]
    cosines = cosine(row, p.x)
    cosines[p.query] = -np.inf
    return (
        f"“{p.query_label}” enters layer {p.layer} as {len(row)} numbers from {_figure(row.min())} "
        f"to {_figure(row.max())}. Most alike in this text: {_named(p, int(cosines.argmax()))} "
        f"(cosine {_figure(cosines.max())})."
    )


def projections(p: HeadState) -> str:
    """Say how much shorter the vectors are, and how long those of the chosen tokens."""
    q, k = p.projected
    query, key, value = (np.linalg.norm(v) for v in (q[p.query], k[p.key], p.v[p.key]))
    return (
        f"{p.sizes['D']} numbers became {p.sizes['E']}, three times. The query of "
        f"“{p.query_label}” is {query:.2f} long, the key of “{p.key_label}” {key:.2f} and its "
        f"value {value:.2f}."
    )


def scores(p: HeadState) -> str:
    """Say which key matches best, and what the scores of the row run over."""
    row = p.dots[p.query]
    best = int(row.argmax())
    other = "" if best == p.key else f"With “{p.key_label}” they sum to {_figure(row[p.key])}. "
    return (
        f"The query of “{p.query_label}” matches the key of {_named(p, best)} best: the "
        f"{p.sizes['E']} products sum to {_figure(row[best])}. {other}The lowest sum of the row is "
        f"{_figure(row.min())}, with {_named(p, int(row.argmin()))}."
    )


def scale(p: HeadState) -> str:
    """Say what the division does to the largest weight."""
    width, row = p.sizes["E"], p.dots[p.query, p.seen]
    if _alone(p):
        return (
            f"Divided by √{width} = {math.sqrt(width):.2f}, the score of “{p.query_label}” with "
            f"itself is {_figure(row[0] / math.sqrt(width))}, no longer {_figure(row[0])}. It is "
            "the only one that the mask will leave: its weight will be 1 either way."
        )
    among = " with the tokens that it may attend to" if p.trace.is_causal else ""
    return (
        f"Divided by √{width} = {math.sqrt(width):.2f}, the scores of “{p.query_label}”{among} are "
        f"{np.ptp(p.scaled[p.query, p.seen]):.2f} apart at most, no longer "
        f"{np.ptp(row):.2f}. "
        f"Its largest weight will be {p.weights[p.query].max():.3f}; without the division it would "
        f"be {_undivided(p):.3f}."
    )


def mask(p: HeadState) -> str:
    """Say what a causal mask would have hidden."""
    tokens, seen = p.sizes["T"], p.query + 1
    return (
        f"Nothing changed: “{p.query_label}” may attend to all {tokens} tokens, {tokens - seen} of "
        f"them later ones. A decoder would leave it {seen}, and of all {tokens**2} scores it would "
        f"hide {tokens * (tokens - 1) // 2}."
    )


def normalised(p: HeadState) -> str:
    """Say what the norm does to the length of the token's vector."""
    x, y = p.x[p.query], p.normalised[p.query]
    return (
        f"The vector of “{p.query_label}” was {np.linalg.norm(x):.2f} long with numbers up to "
        f"{np.abs(x).max():.2f}; the heads' input is {np.linalg.norm(y):.2f} long, with "
        f"numbers up to {np.abs(y).max():.2f}."
    )


def shared_heads(p: HeadState) -> str:
    """Say which heads share keys and values, and what that saves."""
    heads, groups = p.sizes["H"], p.sizes["G"]
    others = ", ".join(str(head) for head in p.sharers if head != p.head)
    shared = sharing(p.trace)
    saved = shared.token_bytes(heads) - shared.token_bytes(groups)
    return (
        f"Query head {p.head} uses the keys and values of shared head {p.group}, as query heads "
        f"{others} do. {groups} of them serve {heads} query heads: {saved:,} bytes saved for each "
        f"token that is kept, in float32 over {p.sizes['L']} layers."
    )


def rotated(p: HeadState) -> str:
    """Say what rotation does to the score of the chosen pair."""
    q, k = p.unrotated
    before, after = float(q[p.query] @ k[p.key]), float(p.dots[p.query, p.key])
    apart, (fastest, slowest) = p.query - p.key, p.turns
    return (
        f"“{p.query_label}” stands at {p.query}, “{p.key_label}” at {p.key}: the first pair of "
        f"numbers turns by {fastest * p.query:.3g} and {fastest * p.key:.3g} radians, the last by "
        f"{slowest * p.query:.2g} and {slowest * p.key:.2g}. Their dot product was "
        f"{_figure(before)} without rotation and is {_figure(after)} with it; it depends on how "
        f"far they are apart, {apart}, not on where they stand."
    )


def causal(p: HeadState) -> str:
    """Say how many scores the mask hides."""
    tokens, seen = p.sizes["T"], p.seen.stop - p.seen.start
    hidden = int(np.isneginf(p.scores).sum())
    lost = max(0.0, 1 - softmax(p.adjusted[p.query])[p.seen].sum())
    where = "come later" if p.window is None else f"come later or {p.window} and more before it"
    return (
        f"“{p.query_label}” keeps {seen} of {tokens} scores; {hidden} of all {tokens**2} are "
        f"hidden. Without the mask {lost:.1%} of its weight would go to tokens that {where}."
    )


def head_norms(p: HeadState) -> str:
    """Say how long the query and the key are before and after their norms."""
    (q, k), (after_q, after_k) = p.projected, p.unrotated
    lengths = [float(np.linalg.norm(rows)) for rows in (q[p.query], after_q[p.query])]
    keys = [float(np.linalg.norm(rows)) for rows in (k[p.key], after_k[p.key])]
    return (
        f"The query of “{p.query_label}” was {lengths[0]:.2f} long and is {lengths[1]:.2f} long; "
        f"the key of “{p.key_label}” was {keys[0]:.2f} long and is {keys[1]:.2f} long."
    )


def adjusted(p: HeadState) -> str:
    """Say what the cap or the bias does to the scores of the row."""
    before, after = (rows[p.query, p.seen] for rows in (p.scaled, p.adjusted))
    most = int(np.abs(after - before).argmax()) + p.seen.start
    return (
        f"The scores of “{p.query_label}” ran from {_figure(before.min())} to "
        f"{_figure(before.max())} and run from {_figure(after.min())} to {_figure(after.max())}. "
        f"The one with {_named(p, most)} changed most, from {_figure(p.scaled[p.query, most])} to "
        f"{_figure(p.adjusted[p.query, most])}."
    )


def softmax_row(p: HeadState) -> str:
    """Say which tokens get the most weight, and what they sum to."""
    row = p.weights[p.query]
    best = np.argsort(-row[p.seen], kind="stable")[:3] + p.seen.start
    ordinary = [not special for special in p.trace.input.special]
    base = base_rate(p.weights, ordinary, seen=~np.isneginf(p.scores), query=p.query)
    usual = (
        ""
        if np.isnan(base[best[0]])
        else f"; the other words give it {base[best[0]]:.3f} on average"
    )
    named = ", ".join(f"{_named(p, int(k))} {row[k]:.3f}" for k in best[1:])
    return (
        f"{_counted(len(row[p.seen]), 'score')} of “{p.query_label}” became weights that sum to "
        f"{row.sum():.4f}. It attends to {_named(p, int(best[0]))} most "
        f"({row[best[0]]:.3f}{usual}){f', then {named}' if named else ''}."
    )


def head_output(p: HeadState) -> str:
    """Say which token put the longest vector into the output."""
    row, lengths = p.weights[p.query], np.linalg.norm(p.parts, axis=1)
    most, longest = int(row.argmax()), int(lengths.argmax())
    output = np.linalg.norm(p.output[p.query])
    if _alone(p):
        return (
            f"“{p.query_label}” may attend to itself only: the head's output is its own value, "
            f"{output:.2f} long."
        )
    also = (
        "which has the largest weight too"
        if most == longest
        else f"though the largest weight, {row[most]:.3f}, is on {_named(p, most)} (its part is "
        f"{lengths[most]:.2f} long)"
    )
    return (
        f"The head's output for “{p.query_label}” is {output:.2f} long. The longest of its "
        f"{len(row[p.seen])} parts, {lengths[longest]:.2f}, comes from {_named(p, longest)} "
        f"(weight {row[longest]:.3f}), {also}."
    )


def concatenate(p: HeadState) -> str:
    """Say where the head's columns are, and which head's output is the longest."""
    heads, width = p.sizes["H"], p.sizes["E"]
    lengths = np.linalg.norm(p.trace.head_output[p.layer, :, p.query], axis=1)
    start = p.head * width
    return (
        f"{heads} heads × {width} numbers are {heads * width}. Head {p.head} fills columns {start} "
        f"to {start + width - 1}. For “{p.query_label}” its part is {lengths[p.head]:.2f} long"
        f"{_longest_head(p, lengths)}."
    )


def output_projection(p: HeadState) -> str:
    """Say how much each head writes."""
    lengths = np.linalg.norm(p.written, axis=1)
    total = np.linalg.norm(p.attended[p.query])
    _, bias = p.model.output_projection(p.layer)
    verb = "write for" if p.model.names.attended_norm else "add to"  # a norm may come between
    return (
        f"What all heads{' and the bias' if bias.any() else ''} {verb} “{p.query_label}” is "
        f"{total:.2f} long. Head {p.head} writes "
        f"a part that is {lengths[p.head]:.2f} long{_longest_head(p, lengths)}."
    )


def back(p: HeadState) -> str:
    """Say how far attention, the MLP and the whole layer turned the token's vector."""
    x, y, h = (rows[p.query] for rows in (p.x, p.mixed, p.leaves))
    attention, mlp, layer = (
        _figure(float(cosine(old, new))) for old, new in ((x, y), (y, h), (x, h))
    )
    return (
        f"The vector of “{p.query_label}” after attention has a cosine of {attention} with what "
        f"came in; the MLP turned it on, to a cosine of {mlp} with what it was given. Layer "
        f"{p.layer} as a whole: {layer}."
    )


def scale_question(p: HeadState) -> Question | None:
    """Ask what the division by the root of the width does to the largest of several weights."""
    if _alone(p):
        return None
    with_it, without = float(p.weights[p.query].max()), _undivided(p)
    options = ("smaller", "the same, within 0.01", "larger")
    change = without - with_it
    answer = options[1 if abs(change) <= _ALIKE else 2 if change > 0 else 0]
    width = p.sizes["E"]
    return Question(
        "scale",
        f"Next, every score is divided by √{width}. Without that division, would the largest "
        f"weight of “{p.query_label}” in L{p.layer} H{p.head} be smaller, the same or larger?",
        options,
        answer,
        f"Divided, its largest weight is {with_it:.3f}; not divided, {without:.3f}: the gaps "
        f"between the scores are {math.sqrt(width):.2f} times as wide.",
    )


def largest_part_question(p: HeadState) -> Question | None:
    """Ask whether the largest weight is also the largest part of the output, if there are two."""
    if _alone(p):
        return None
    row, lengths = p.weights[p.query], np.linalg.norm(p.parts, axis=1)
    most, longest = int(row.argmax()), int(lengths.argmax())
    options = ("Yes, the same token", "No, another token")
    return Question(
        "part",
        f"Next, each weight is multiplied with a value. In L{p.layer} H{p.head}, “{p.query_label}” "
        f"gives its largest weight to {_named(p, most)}. Does that token also put the longest "
        "vector into the sum?",
        options,
        options[0 if most == longest else 1],
        f"{_named(p, most)}: {row[most]:.3f} × {np.linalg.norm(p.v[most]):.2f} = "
        f"{lengths[most]:.2f}. {_named(p, longest)}: {row[longest]:.3f} × "
        f"{np.linalg.norm(p.v[longest]):.2f} = {lengths[longest]:.2f}, the longest.",
    )


def _alone(p: HeadState) -> bool:
    """Whether the token may attend to itself only, as the first one of a decoder's text."""
    return len(p.weights[p.query, p.seen]) == 1


def _undivided(p: HeadState) -> float:
    """Return the largest weight of the row if the scores were not divided."""
    return float(softmax(p.finished(p.dots)[p.query]).max())


def _counted(count: int, thing: str) -> str:
    return f"The one {thing}" if count == 1 else f"The {count} {thing}s"


def _longest_head(p: HeadState, lengths: Array) -> str:
    """Say whether the chosen head's vector is the longest or, if not, which is."""
    longest = int(lengths.argmax())
    if longest == p.head:
        return ", the longest of all heads"
    return f"; the longest is that of head {longest}, {lengths[longest]:.2f}"


def _figure(value: float) -> str:
    return f"{value:.2f}".replace("-", "−")


def _named(p: HeadState, position: int) -> str:
    return f"“{p.labels[position]}”"
