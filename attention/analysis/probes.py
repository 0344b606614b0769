"""Texts on which heads show what they do: where one has no role here, it may have one there."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from attention.analysis import words
from attention.analysis.roles import HeadRoles, head_roles
from attention.models.model import Model
from attention.presets import PRESETS
from attention.runtime.threads import one_blas_thread
from attention.runtime.timing import Progress
from attention.wording import Head

_RANDOM = (
    "lamp river seven cloud paper tiger green window market stone doctor silver garden engine "
    "music bottle"
)
PROBES = (
    *(preset.text for preset in PRESETS[:4]),
    f"{_RANDOM} {_RANDOM}",
    "The baker sold bread, rolls, cakes, pies and buns. The butcher sold ham, beef, lamb and "
    "sausages. The grocer sold apples, pears, plums and figs.",
    "Anna met Paul in Rome. Paul showed Anna the old bridge. Anna thanked Paul and gave Paul a map "
    "of the city.",
    "total = 0\nfor price in prices:\n    total = total + price\nprint(total)",
    "Nobody had expected the river to rise so quickly, and when the water reached the mill, the "
    "families who lived beside it had already carried their beds upstairs.",
)  # written for this project: sentences, words repeated, a list, names that come again, code


class Shown(NamedTuple):
    """A text on which a head has a role."""

    head: Head
    text: str
    role: str  # its name in `role_kinds.ROLES`
    found: HeadRoles  # on that text


def probe_roles(
    model: Model, texts: Sequence[str] = PROBES, on_progress: Progress = lambda share: None
) -> list[tuple[str, HeadRoles]]:
    """Return the roles of all heads on each text that the model can take in."""
    found = []
    with one_blas_thread():  # short texts: a second thread would only wait
        for at, text in enumerate(texts):
            if len(model.tokenizer.encode(text).ids) <= model.longest_trace:
                found.append((text, head_roles(words.view(model.trace(text)))))
            on_progress((at + 1) / len(texts))
    return found


def best_shown(probed: Sequence[tuple[str, HeadRoles]], head: Head) -> Shown | None:
    """Return the text on which a head's role is clearest, or None where it has none on any.

    Clearest is the role whose score is furthest above chance.

    Parameters
    ----------
    probed : as from `probe_roles`
    """
    shown = [
        Shown(head, text, role, found)
        for text, found in probed
        if (role := found.role_of(head)) is not None
    ]
    return max(shown, key=_above_chance, default=None)


def _above_chance(shown: Shown) -> float:
    score, mean, _ = shown.found.at(shown.role, shown.head)
    return score - mean
