"""What roles say, in words: of one head, of all, and of what a role is."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from attention.analysis.chance_rates import KEYS, ROWS, chance_rates
from attention.analysis.role_kinds import LEAST_ROWS, ROLES, SHIFTED, SPREADS
from attention.analysis.roles import HeadRoles
from attention.analysis.sentences import telling_pair
from attention.analysis.words import View
from attention.wording import Head, head_name

NONE_HERE = "no role here"
_NAMED = 4


def with_chance(found: HeadRoles, name: str, head: Head) -> str:
    """Return a score beside chance: "0.91 against 0.06 ± 0.02 by chance"."""
    score, mean, spread = found.at(name, head)
    return f"{score:.2f} against {mean:.2f} ± {spread:.2f} by chance"


def role_title(found: HeadRoles, view: View, head: Head) -> str:
    """Return what stands above the map of a head, in lines: its name, its role, the evidence.

    A head without a role shows its most selective link instead.
    """
    name = found.role_of(head)
    if name is None:
        return "\n".join((head_name(head), NONE_HERE, telling_pair(view, *head)))
    score, mean, spread = found.at(name, head)
    label = f"{ROLES[name].label} {score:.2f}"
    if name == "distance":
        label = f"{abs(int(found.distances[head]))} {_side(found, head)} {score:.2f}"
    return f"{head_name(head)}\n{label}\nchance {mean:.2f} ± {spread:.2f}"


def role_line(found: HeadRoles, head: Head) -> str:
    """Say in one line what a head does on this text, against chance; or that it has no role.

    Without a role, the share of weight that is highest above chance is named.
    """
    name = found.role_of(head)
    if name is not None:
        far = f", {abs(int(found.distances[head]))} {_side(found, head)}"
        what = f"{ROLES[name].label}{far if name == 'distance' else ''}"
        return f"{head_name(head)}: {what}, {with_chance(found, name, head)}"
    over = found.scores[:, *head] - found.null_mean[:, *head]
    over[found.names.index("broad")] = np.nan
    if not (over > 0).any():  # NaN is not, either
        return f"{head_name(head)}: {NONE_HERE}"
    near = found.names[int(np.nanargmax(over))]
    return (
        f"{head_name(head)}: {NONE_HERE}; most above chance is {ROLES[near].label}, "
        f"{with_chance(found, near, head)}"
    )


def roles_sentence(found: HeadRoles) -> str:
    """Say how many heads have which role on this text, and how many have none."""
    counts = Counter(found.names[i] for i in found.main.ravel().tolist() if i >= 0)
    none = int((found.main < 0).sum())
    if not counts:
        return f"On this text none of {found.main.size} heads has a role."
    named = [f"{n} {ROLES[name].label}" for name, n in counts.most_common(_NAMED)]
    rest = sum(counts.values()) - sum(n for _, n in counts.most_common(_NAMED))
    named += [f"{rest} another"] if rest else []
    return (
        f"On this text {found.main.size - none} of {found.main.size} heads have a role "
        f"({', '.join(named)}); {none} have none."
    )


def role_examples(found: HeadRoles, count: int) -> str:
    """Name some roles that heads have on this text, each with the head that has it most.

    >>> from attention import load_model
    >>> from attention.analysis.roles import head_roles
    >>> role_examples(head_roles(load_model("minilm").trace("The cat sat on the mat all day")), 1)
    'previous word (L0 H2)'
    """
    said = []
    for name in present(found):
        at = found.names.index(name)
        own = np.where(found.main == at, found.scores[at], -1.0)
        if own.max() > 0:
            head = divmod(int(own.argmax()), own.shape[1])
            said.append(f"{ROLES[name].label} ({head_name(head)})")
    return ", ".join(said[:count])


def role_meaning(name: str, rows: ArrayLike, draws: int) -> str:
    """Say what a role is, when a head has it, and what chance is.

    Parameters
    ----------
    rows : over how many queries, in each layer
    """
    role, fewest, most = ROLES[name], int(np.min(rows)), int(np.max(rows))
    queries = (
        f"{most} queries"
        if fewest == most
        else f"{fewest} to {most} queries, fewer in layers whose window hides their keys"
    )
    drawn = (
        f"when {role.chance} are shifted round by every number of places"
        if name in SHIFTED
        else f"the mean of {draws} draws that shuffle {role.chance}"
    )
    return (
        f"{role.label[0].upper()}{role.label[1:]}: {role.meaning}, {role.formula}, over {queries}. "
        f"A head has the role from {role.threshold:.2f} on, if that is more than "
        f"{SPREADS:g} standard deviations above chance, {drawn}; "
        f"over {LEAST_ROWS} queries at least.{_by_chance(name)} Source: {role.source}."
    )


def _by_chance(name: str) -> str:
    """Say how many heads get a role on shuffled weights, where that was measured."""
    rates = chance_rates()
    if name not in rates.called[ROWS]:
        return ""
    more = (
        f", and {_rate(rates.share(KEYS, name))} of encoders' with the keys of all rows shuffled "
        "alike"
        if name in SHIFTED
        else ""
    )
    return (
        f" With the weights of every row shuffled among its keys, {_rate(rates.share(ROWS, name))} "
        f"of {rates.heads[ROWS]:,} heads get it{more}."
    )


def chance_sentence() -> str:
    """Say how many heads get any role on shuffled weights."""
    rates = chance_rates()
    return (
        f"How often chance does it: on {rates.texts} of the built-in texts, with the weights of "
        f"every row shuffled among its keys, {_rate(rates.share(ROWS))} of {rates.heads[ROWS]:,} "
        f"heads get a role; with the keys of all rows shuffled alike, so that a head that rests on "
        f"one key still does, {_rate(rates.share(KEYS))} of {rates.heads[KEYS]:,} heads of "
        "encoders (“broad” and “pronoun to noun” are not counted)."
    )


def _rate(share: float) -> str:
    """Return a small share in two digits: "0.38 %"."""
    return f"{100 * share:.2g} %"


def present(found: HeadRoles) -> dict[str, int]:
    """Return how many heads have each role, those without any left out."""
    counts = found.has.sum(axis=(1, 2)).tolist()
    return {name: n for name, n in zip(found.names, counts, strict=True) if n}


def evidence(found: HeadRoles, heads: Sequence[Head]) -> list[str]:
    """Return what a tooltip says of each head: its role and the evidence, or that it has none."""
    lines = []
    for head in heads:
        name = found.role_of(head)
        lines.append(
            NONE_HERE if name is None else f"{ROLES[name].label}, {with_chance(found, name, head)}"
        )
    return lines


def _side(found: HeadRoles, head: Head) -> str:
    return "back" if found.distances[head] < 0 else "on"
